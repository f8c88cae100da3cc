from django.apps import AppConfig


class NewslettersConfig(AppConfig):
    name = "broadsheet.newsletters"
    default_auto_field = "django.db.models.BigAutoField"

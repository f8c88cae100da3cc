from django.apps import AppConfig


class PartnersConfig(AppConfig):
    name = "broadsheet.partners"
    default_auto_field = "django.db.models.BigAutoField"

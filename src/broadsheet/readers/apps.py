from django.apps import AppConfig


class ReadersConfig(AppConfig):
    name = "broadsheet.readers"
    default_auto_field = "django.db.models.BigAutoField"

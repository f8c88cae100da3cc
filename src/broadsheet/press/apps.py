from django.apps import AppConfig


class PressConfig(AppConfig):
    name = "broadsheet.press"
    default_auto_field = "django.db.models.BigAutoField"

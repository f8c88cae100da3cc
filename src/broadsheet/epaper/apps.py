from django.apps import AppConfig


class EpaperConfig(AppConfig):
    name = "broadsheet.epaper"
    default_auto_field = "django.db.models.BigAutoField"

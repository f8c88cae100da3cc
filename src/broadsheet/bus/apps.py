from django.apps import AppConfig


class BusConfig(AppConfig):
    name = "broadsheet.bus"
    default_auto_field = "django.db.models.BigAutoField"

from django.apps import AppConfig


class WireConfig(AppConfig):
    name = "broadsheet.wire"
    default_auto_field = "django.db.models.BigAutoField"

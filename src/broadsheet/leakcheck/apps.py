from django.apps import AppConfig


class LeakcheckConfig(AppConfig):
    name = "broadsheet.leakcheck"
    default_auto_field = "django.db.models.BigAutoField"

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "broadsheet.payments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import broadsheet.payments.checks  # noqa: F401, PLC0415 - Django registers checks when the apps are ready

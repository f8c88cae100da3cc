from django.apps import AppConfig


class ServerConfig(AppConfig):
    name = "broadsheet.server"

    def ready(self) -> None:
        from broadsheet.server import checks, wiring  # noqa: F401, PLC0415 - every app's models must be loaded first

        wiring.connect()


class BillingConfig(AppConfig):
    """Instead of ServerConfig where only billing is installed."""

    name = "broadsheet.server"

    def ready(self) -> None:
        from broadsheet.server import wiring_billing  # noqa: PLC0415 - every app's models must be loaded first

        wiring_billing.connect()

from django.apps import AppConfig


class NewslettersConfig(AppConfig):
    name = "broadsheet.newsletters"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import broadsheet.newsletters.checks  # noqa: F401, PLC0415 - registers itself once the apps are loaded

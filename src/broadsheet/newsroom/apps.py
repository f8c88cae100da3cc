from django.apps import AppConfig
from wagtail.signals import published, unpublished


class NewsroomConfig(AppConfig):
    name = "broadsheet.newsroom"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from broadsheet.newsroom import receivers  # noqa: PLC0415 - models must be loaded first

        published.connect(receivers.on_published, sender=self.get_model("Article"))
        unpublished.connect(receivers.on_unpublished, sender=self.get_model("Article"))

from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    name = "broadsheet.subscriptions"
    default_auto_field = "django.db.models.BigAutoField"

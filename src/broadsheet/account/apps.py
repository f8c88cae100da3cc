from django.apps import AppConfig


class AccountConfig(AppConfig):
    # Not "account": that label is allauth's.
    name = "broadsheet.account"
    label = "broadsheet_account"
    default_auto_field = "django.db.models.BigAutoField"

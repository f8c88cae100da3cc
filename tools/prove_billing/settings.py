"""Billing alone, on the database as the product sets it up: what is killed here has to survive as it would there."""

import os

from broadsheet.server.settings import *  # noqa: F403 - the same settings
from broadsheet.server.settings import DATABASES

INSTALLED_APPS = [
    "broadsheet.server.apps.BillingConfig",
    "broadsheet.subscriptions",
    "broadsheet.access",
    "broadsheet.payments",
    "broadsheet.readers",
    "broadsheet.bus",
    "django.contrib.auth",
    "django.contrib.contenttypes",
]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "broadsheet.server.urls_billing"
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
# The till's own book, when it is a process of its own: only the verdict reads it.
if book := os.environ.get("PROOF_BOOK"):
    DATABASES["till"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": book}

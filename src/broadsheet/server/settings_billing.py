"""Settings of a scratch paper on which only billing runs: the time machine's. It starts in a fifth of the time, because
nothing of the newsroom and its editor is loaded. Everything else is as `settings` says."""

from __future__ import annotations

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
# The paper is thrown away: nothing has to survive a power cut.
DATABASES["default"]["OPTIONS"]["init_command"] = (
    "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA cache_size=-64000; PRAGMA temp_store=MEMORY; "
    "PRAGMA foreign_keys=ON"
)

"""Brings Django up for a command: settings from the data folder, the database at this version's schema."""

from __future__ import annotations

import os

import django
from django.apps import apps
from django.core.checks import ERROR, run_checks
from django.db import DatabaseError

from broadsheet.server.failures import ServiceUnreachableError
from broadsheet.server.options import OptionError, data_folder, load


def start_django(*, database: bool = True) -> None:
    """Set Django up once. OptionError for bad options; ServiceUnreachableError when the database does not answer."""
    data = data_folder()
    if not apps.ready:
        load(data)
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ["DJANGO_SETTINGS_MODULE"] = "broadsheet.server.settings"
        try:
            django.setup()
        except ValueError as error:  # a damaged secret, an unusable mail address
            raise OptionError(str(error)) from None
        errors = [str(message) for message in run_checks() if message.level >= ERROR]
        if errors:
            raise OptionError("\n".join(errors))
    if database:
        ready_database()


def start_billing() -> None:
    """Set Django up for a scratch paper on which only billing runs, and make its tables. Call it once, with
    BROADSHEET_DATA naming a new folder."""
    data = data_folder()
    load(data)
    os.environ["DJANGO_SETTINGS_MODULE"] = "broadsheet.server.settings_billing"
    django.setup()
    from broadsheet.server.database import make_scratch  # noqa: PLC0415 - needs Django's apps

    make_scratch()


def ready_database() -> None:
    from broadsheet.server.database import make_ready  # noqa: PLC0415 - needs Django's apps

    try:
        make_ready()
    except DatabaseError as error:
        text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ServiceUnreachableError(f"the database cannot be used: {text}") from None

"""Imported by the conftest of folders whose tests need Django; the others start without it."""

import os
import sqlite3
from collections.abc import Iterator

import django
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "broadsheet.server.settings")
django.setup()


@pytest.fixture(scope="module", autouse=True)
def kept_database(django_db_setup: None, django_db_blocker: object) -> Iterator[None]:
    """For modules whose tests commit: Django empties every table after such a test, also of what a new paper holds, and
    the next file's tests would miss it. To be imported there."""
    from django.db import connection

    with django_db_blocker.unblock():
        connection.ensure_connection()
        if connection.vendor == "sqlite":
            kept = sqlite3.connect(":memory:")
            connection.connection.backup(kept)
        else:
            kept = connection.creation.serialize_db_to_string()
    yield
    with django_db_blocker.unblock():
        connection.ensure_connection()
        if connection.vendor == "sqlite":
            kept.backup(connection.connection)
            kept.close()
        else:
            connection.creation.deserialize_db_from_string(kept)

"""Makes the database ready: from a packaged schema in a fraction of a second, else by Django's migrations.

The packaged schema is what `migrate` makes of an empty SQLite file, dumped as text by `make schema`; a test rebuilds it
and compares. Its fingerprint names every migration in it: an installation that has others takes the slow road.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection

SCHEMA = Path(__file__).parent / "schema.sql"


def fingerprint() -> str:
    """A digest of the names of all migrations of all installed apps."""
    names = []
    for config in apps.get_app_configs():
        folder = Path(config.path) / "migrations"
        names += [f"{config.label}.{path.stem}" for path in folder.glob("[0-9]*.py")]
    return hashlib.blake2b("\n".join(sorted(names)).encode(), digest_size=12).hexdigest()


def make_ready(*, quiet: bool = True) -> str:
    """Bring the database to this version's schema. Returns what was done: `current`, `created` or `migrated`."""
    mark = Path(settings.BROADSHEET.data) / "schema.mark"
    wanted = f"{fingerprint()} {_database_name()}"
    if mark.exists() and mark.read_text("ascii") == wanted and _has_tables():
        return "current"
    done = "created" if _from_packaged_schema() else "migrated"
    if done == "migrated":
        call_command("migrate", verbosity=0 if quiet else 1, interactive=False)
    mark.write_text(wanted, "ascii")
    return done


def _database_name() -> str:
    # Without the password: the mark only has to tell one database from another.
    database: dict[str, Any] = settings.DATABASES["default"]
    return hashlib.blake2b(f"{database.get('HOST', '')}/{database['NAME']}".encode(), digest_size=8).hexdigest()


def _has_tables() -> bool:
    return "bus_job" in connection.introspection.table_names()


def _from_packaged_schema() -> bool:
    if connection.vendor != "sqlite" or not SCHEMA.exists() or connection.introspection.table_names():
        return False
    head, _, script = SCHEMA.read_text("utf-8").partition("\n")
    if head != f"-- {fingerprint()}":
        return False
    _write_schema(script, "WAL")
    return True


def _write_schema(script: str, journal: str) -> None:
    connection.close()
    with sqlite3.connect(settings.DATABASES["default"]["NAME"], isolation_level=None) as database:
        database.execute(f"PRAGMA journal_mode={journal}")
        database.executescript(f"BEGIN IMMEDIATE;\n{script}\nCOMMIT;")
    database.close()


def make_scratch() -> None:
    """The tables of a scratch paper, in an empty SQLite file. It has those of apps that are not installed there too, so
    the fingerprint of what is installed says nothing: a test holds the packaged schema to the migrations."""
    _write_schema(SCHEMA.read_text("utf-8"), "MEMORY")


def freshly_migrated_schema() -> str:
    """The text of the packaged schema: migrates the (empty, SQLite) database of this process and dumps it."""
    call_command("migrate", verbosity=0, interactive=False)
    connection.close()
    with sqlite3.connect(settings.DATABASES["default"]["NAME"]) as database:
        # When a migration ran is not part of the schema; without its time the text is the same on every machine.
        database.execute("UPDATE django_migrations SET applied = '2026-01-01 00:00:00'")
        # Wagtail's first pages get random keys; in a text that is compared they are their number.
        database.execute("UPDATE wagtailcore_page SET translation_key = printf('%032x', id)")
        database.commit()
        lines = [_portable(line) for line in database.iterdump()]
    database.close()
    return f"-- {fingerprint()}\n" + "\n".join(line for line in lines if line) + "\n"


_VIRTUAL = re.compile(r"INSERT INTO sqlite_master.*'(CREATE VIRTUAL TABLE (\w+) .*)'\);", re.DOTALL)
_SHADOW = re.compile(r"""(CREATE TABLE|INSERT INTO) ['"]\w+_fts_(data|idx|content|docsize|config)['"]""")


def _portable(line: str) -> str:
    """A statement of sqlite3's dump as a fresh file takes it; "" when it makes what a virtual table makes itself."""
    if line.startswith(("BEGIN", "COMMIT", "PRAGMA")) or _SHADOW.match(line):
        return ""
    virtual = _VIRTUAL.match(line)
    return f"{virtual.group(1)};" if virtual else line

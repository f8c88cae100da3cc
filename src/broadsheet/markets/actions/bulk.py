"""Writes thousands of rows past the ORM, whose objects and statements take most of an import's time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Model


def insert(model: type[Model], names: Sequence[str], rows: Iterable[Sequence[Any]], *, key: str = "") -> None:
    """Insert rows of these columns (their names in the table); with `key`, a row whose key is there replaces it.

    Names come from our own models alone; values go in as parameters: numbers, text, days, true or false, lists as JSON.
    """
    quoted = connection.ops.quote_name
    listed, marks = ", ".join(map(quoted, names)), ", ".join(["%s"] * len(names))
    table = quoted(model._meta.db_table)  # noqa: SLF001 - public in all but name
    statement = f"INSERT INTO {table} ({listed}) VALUES ({marks})"  # noqa: S608 - see the docstring
    if key:
        taken = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in names if name != key)
        statement += f" ON CONFLICT ({quoted(key)}) DO UPDATE SET {taken}"
    with connection.cursor() as cursor:
        cursor.executemany(statement, [tuple(map(_adapted, row)) for row in rows])


def _adapted(value: Any) -> Any:
    if isinstance(value, date):
        return connection.ops.adapt_datefield_value(value)
    return json.dumps(value) if isinstance(value, list) else value

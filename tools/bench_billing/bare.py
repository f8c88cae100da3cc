"""The database's share: the very writes of some renewals, in the same transactions, without any of our code.

They are listened to while the product makes them, and made again by the database's own driver on a copy of the file as
it was before.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

WRITES = ("INSERT", "UPDATE", "DELETE")


class Ear:
    """Hears every statement; `heard` are transactions, each the list of its writes."""

    def __init__(self) -> None:
        self.heard: list[list[tuple[str, Sequence[Any]]]] = []
        self.statements = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.statements += 1
        if sql.startswith("BEGIN"):
            self.heard.append([])
        elif sql.lstrip().startswith(WRITES) and self.heard:
            self.heard[-1].append((sql, params))
        return execute(sql, params, many, context)


def replayed(book: Path, transactions: list[list[tuple[str, Sequence[Any]]]]) -> float:
    """CPU seconds that SQLite takes for them, with the product's own settings of durability."""
    with sqlite3.connect(book, isolation_level=None) as line:
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-16000", "temp_store=MEMORY"):
            line.execute(f"PRAGMA {pragma}")
        line.execute("PRAGMA foreign_keys=ON")
        began = time.process_time()
        for writes in transactions:
            line.execute("BEGIN IMMEDIATE")
            for sql, params in writes:
                line.execute(
                    sql.replace("%s", "?").replace("%%", "%"), [_plain(value) for value in params or ()]
                ).fetchall()
            line.execute("COMMIT")
        return time.process_time() - began


def _plain(value: Any) -> Any:
    """As Django's adapters hand it to the driver."""
    return value if value is None or isinstance(value, int | float | str | bytes) else str(value)

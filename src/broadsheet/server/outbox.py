"""Reads the bus's notices and standing values without Django: from SQLite's file, or from PostgreSQL.

The table with its growing numbers is the truth. What wakes a reader up (the file's data_version, a NOTIFY) only makes
it quick: without any wake-up it looks again after LONGEST seconds.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from broadsheet.server.options import OptionError

Row = tuple[int, str, str, int]
"""A notice: its number (the version), kind, key and value."""
LONGEST = 0.5
PAUSE = 0.02  # one look at data_version costs microseconds
CHANNEL = "broadsheet_notices"
MOST_ROWS = 5000  # at one time; stands in the two queries as well


class OutboxAwayError(Exception):
    """The database cannot be read now."""


class Outbox(Protocol):
    """`notices`: what lies above `since` and whichever of the `missing` numbers there are by now, by number."""

    def notices(self, since: int, missing: Collection[int] = ()) -> list[Row]: ...
    def newest(self) -> int: ...
    def standing(self) -> dict[str, Any]: ...
    def wait(self, longest: float = LONGEST) -> None:
        """Return when something was probably written, at the latest after `longest` seconds."""

    def close(self) -> None: ...


_NOTICES_SQLITE = """
    SELECT id, kind, key, value FROM bus_notice WHERE id > ? OR id IN (SELECT value FROM json_each(?))
    ORDER BY id LIMIT 5000
"""
_NOTICES_POSTGRES = """
    SELECT id, kind, key, value FROM bus_notice WHERE id > %s OR id = ANY(%s::bigint[]) ORDER BY id LIMIT 5000
"""
_NEWEST = "SELECT max(id) FROM bus_notice"
_STANDING = "SELECT name, value FROM bus_standing"


class SqliteOutbox:
    """Opens the file when it is there; a paper whose database does not exist yet has nothing to say."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._file = 0
        self._seen = -1

    def notices(self, since: int, missing: Collection[int] = ()) -> list[Row]:
        self._follow_the_file()
        return self._ask(_NOTICES_SQLITE, since, json.dumps(list(missing)))

    def newest(self) -> int:
        return int(self._ask(_NEWEST)[0][0] or 0)

    def standing(self) -> dict[str, Any]:
        return {name: json.loads(value) for name, value in self._ask(_STANDING)}

    def wait(self, longest: float = LONGEST) -> None:
        until = time.monotonic() + longest
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(PAUSE, left))
            # Once a transaction commits, the number differs for every other connection.
            with suppress(OutboxAwayError):
                if (version := self._data_version()) != self._seen:
                    self._seen = version
                    return

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _data_version(self) -> int:
        return int(self._ask("PRAGMA data_version")[0][0])

    def _ask(self, query: str, *values: Any) -> list[Any]:
        try:
            return self._connected().execute(query, values).fetchall()
        except sqlite3.Error as error:
            self.close()
            raise OutboxAwayError(str(error)) from error

    def _connected(self) -> sqlite3.Connection:
        if self._db is None:
            # Not mode=ro: the first reader of a WAL file may have to make its shared memory. query_only keeps the word.
            self._db = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=rw", uri=True, timeout=5, check_same_thread=False
            )
            self._db.execute("PRAGMA query_only=ON")
            self._file = self._inode()
            self._seen = -1
        return self._db

    def _inode(self) -> int:
        try:
            return self._path.stat().st_ino
        except OSError:
            return 0

    def _follow_the_file(self) -> None:
        """A database that was put back from a backup is another file under the same name."""
        if self._db is not None and self._inode() != self._file:
            self.close()


class PostgresOutbox:
    """One connection that listens. After the server went away the next question connects anew."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        # An optional dependency, and forty megabytes that a gate on SQLite need not carry.
        try:
            self._psycopg: Any = import_module("psycopg")
        except ImportError:
            raise OptionError("database_url needs psycopg: install broadsheet[postgres].") from None
        self._connection: Any = None

    def notices(self, since: int, missing: Collection[int] = ()) -> list[Row]:
        return self._ask(_NOTICES_POSTGRES, (since, list(missing)))

    def newest(self) -> int:
        return int(self._ask(_NEWEST)[0][0] or 0)

    def standing(self) -> dict[str, Any]:
        return {name: json.loads(value) for name, value in self._ask(_STANDING)}

    def wait(self, longest: float = LONGEST) -> None:
        try:
            list(self._connected().notifies(timeout=longest, stop_after=1))
        except self._psycopg.Error as error:
            self.close()
            raise OutboxAwayError(str(error)) from error

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(self._psycopg.Error):
                connection.close()

    def _ask(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        try:
            return list(self._connected().execute(query, values).fetchall())
        except self._psycopg.Error as error:
            self.close()
            raise OutboxAwayError(str(error)) from error

    def _connected(self) -> Any:
        if self._connection is None:
            # A server that vanished without a word is noticed within seconds: the poll waits for its answer.
            connection = self._psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=5,
                keepalives_idle=5,
                keepalives_interval=2,
                keepalives_count=2,
                tcp_user_timeout=5000,
                application_name="broadsheet gate",
            )
            connection.execute(f"LISTEN {CHANNEL}")
            self._connection = connection
        return self._connection


def open_outbox(options: Any) -> Outbox:
    """The outbox of the installation's database. Nothing is connected yet."""
    if options.database_url:
        return PostgresOutbox(options.database_url)
    return SqliteOutbox(options.data / "broadsheet.sqlite3")

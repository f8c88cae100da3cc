"""Brings the notices of the versioned outbox to the gate: what changed, within a fraction of a second.

On SQLite the file itself says when somebody wrote (PRAGMA data_version), so looking costs microseconds and needs no
Django; on PostgreSQL the table is polled. A notice may be brought twice, never not at all: applying one is idempotent.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from broadsheet.gate.app import Gate

log = logging.getLogger(__name__)

Row = tuple[int, str, str, int]
ReadNotices = Callable[[int], Sequence[Row]]
# A transaction that took its number early may commit late (PostgreSQL): the last ones are read again.
OVERLAP = 200
SQLITE_PAUSE = 0.025
TABLE_PAUSE = 0.25


def apply(gate: Gate, rows: Sequence[Row]) -> None:
    """Tell the gate. Runs on the event loop: the gate belongs to it."""
    for version, kind, key, value in rows:
        if kind in ("story", "removed"):
            gate.shelf.story_changed(int(key), value, version, removed=kind == "removed")
        elif kind == "page":
            gate.shelf.pages_changed(version)
        elif kind == "reader":
            gate.reader_changed(int(key), value)
        elif kind == "session":
            gate.session_ended(key)
        elif kind == "edition":
            gate.shelf.edition_changed(value)


class SqliteNotices:
    """Reads notices straight from the file; nothing at all while nobody has written."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5, check_same_thread=False)
        self._seen = -1

    def __call__(self, since: int) -> Sequence[Row]:
        version = self._db.execute("PRAGMA data_version").fetchone()[0]
        if version == self._seen:
            return ()
        rows = self._db.execute(
            "SELECT id, kind, key, value FROM bus_notice WHERE id > ? ORDER BY id LIMIT 5000", (since,)
        ).fetchall()
        self._seen = version
        return rows


class Courier(threading.Thread):
    """One thread a process. `first()` is called before serving: whatever was said while nobody listened."""

    def __init__(self, gate: Gate, read: ReadNotices, pause: float) -> None:
        super().__init__(name="courier", daemon=True)
        self._gate = gate
        self._read = read
        self._pause = pause
        self._version = 0
        self._applied: set[int] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = threading.Event()

    def first(self) -> None:
        while rows := self._fresh():
            apply(self._gate, rows)

    def start_on(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.start()

    def stop(self) -> None:
        self._stop.set()

    def run(self) -> None:
        while not self._stop.wait(self._pause):
            try:
                rows = self._fresh()
            except Exception:
                log.exception("The gate's notices could not be read; trying again.")
                self._stop.wait(1)
                continue
            if rows and self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(apply, self._gate, rows)

    def _fresh(self) -> Sequence[Row]:
        rows = [row for row in self._read(max(0, self._version - OVERLAP)) if row[0] not in self._applied]
        if rows:
            self._version = max(self._version, rows[-1][0])
            self._applied.update(row[0] for row in rows)
            self._applied = {number for number in self._applied if number > self._version - 2 * OVERLAP}
        return rows

"""Brings the notices of the versioned outbox to the gate: what changed, within a fraction of a second.

A notice may be brought twice, never not at all: applying one is idempotent.

Django-free.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from broadsheet.gate.app import Gate
from broadsheet.server.outbox import MOST_ROWS, Outbox, OutboxAwayError, Row

log = logging.getLogger(__name__)

# A transaction that took its number early may commit late (PostgreSQL): its number is looked for this long.
LATE = 3600.0
MOST_MISSING = 20_000
AGAIN = 0.25  # seconds until the next try when the database is away


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
        elif kind == "gift":
            gate.gift_revoked(int(key))
        elif kind == "edition":
            # Which one it is stands in this machine's own store: two newsrooms may print different ones for a while.
            gate.shelf.look_at_edition()


class Reading:
    """Where one gate stands in the outbox: the newest number it has, and those that were left out below it."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._version = 0
        self._missing: dict[int, float] = {}

    def fresh(self, now: float) -> tuple[list[Row], dict[str, Any]]:
        """What is new since the last call, and all standing values when one of them is.

        OutboxAwayError leaves everything as it was: what could not be handed over whole is read again.
        """
        begin = self._version == 0
        rows = part = self._outbox.notices(self._version, self._missing)
        while len(part) == MOST_ROWS:
            part = self._outbox.notices(part[-1][0])
            rows = rows + part
        if not rows and not begin and self._outbox.newest() < self._version:
            log.warning("The database is older than it was: it was put back. Everything is read anew.")
            self._version, self._missing = 0, {}
            return self.fresh(now)
        changed = begin or any(kind == "standing" for _, kind, _, _ in rows)
        standing = self._outbox.standing() if changed else {}
        self._note(rows, now)
        return rows, standing

    def _note(self, rows: Sequence[Row], now: float) -> None:
        for number, *_ in rows:
            self._missing.pop(number, None)
            # What was there before the first look has been rolled back or purged, but for the last ones.
            start = max(self._version, number - MOST_MISSING) if self._version else number - 1
            for left_out in range(start + 1, number):
                self._missing[left_out] = now
            self._version = max(self._version, number)
        if self._missing:
            kept = [(number, since) for number, since in self._missing.items() if now - since < LATE]
            self._missing = dict(kept[-MOST_MISSING:])


class Courier(threading.Thread):
    """One thread a gate. `first()` is called before serving: whatever was said while nobody listened."""

    def __init__(self, gate: Gate, outbox: Outbox) -> None:
        super().__init__(name="courier", daemon=True)
        self._gate = gate
        self._outbox = outbox
        self._reading = Reading(outbox)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = threading.Event()
        self.last_look = time.monotonic()

    def first(self) -> bool:
        """Tell the gate everything before its first answer. False when the database is away."""
        try:
            rows, standing = self._reading.fresh(time.monotonic())
        except OutboxAwayError:
            return False
        self._tell(rows, standing)
        return True

    def start_on(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.start()

    def stop(self) -> None:
        self._ended.set()

    def run(self) -> None:
        away = False
        while not self._ended.is_set():
            try:
                rows, standing = self._reading.fresh(time.monotonic())
                self.last_look = time.monotonic()
                if (rows or standing) and self._loop is not None and not self._loop.is_closed():
                    self._loop.call_soon_threadsafe(self._tell, rows, standing)
                away = False
                self._outbox.wait()
            except OutboxAwayError as error:
                if not away:
                    log.warning("The gate's notices cannot be read (%s); trying again.", error)
                away = True
                self._ended.wait(AGAIN)
            except Exception:
                log.exception("The courier stumbled; going on.")
                self._ended.wait(AGAIN)
        self._outbox.close()

    def _tell(self, rows: Sequence[Row], standing: Mapping[str, Any]) -> None:
        for row in rows:
            try:
                apply(self._gate, [row])
            except Exception:
                # One notice that cannot be understood must not keep the others from the gate.
                log.exception("Notice %s could not be applied.", row)
        for name, value in standing.items():
            try:
                self._gate.standing(name, value)
            except Exception:
                log.exception("The standing value %r could not be applied.", name)

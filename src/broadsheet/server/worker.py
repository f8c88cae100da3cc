"""Runs the jobs: the queue as soon as it is woken, the periodic ones when their time has come."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import close_old_connections

from broadsheet.bus import actions as bus

log = logging.getLogger(__name__)

IDLE = 0.5  # jobs another process queued are found after this many seconds


@dataclass(frozen=True, slots=True)
class Every:
    """A periodic job: it looks for what is due, so a late or doubled run does no harm."""

    seconds: float
    run: Callable[[], object]


class Worker(threading.Thread):
    def __init__(self, periodic: Sequence[Every]) -> None:
        super().__init__(name="worker", daemon=True)
        self._periodic = periodic
        self._next = dict.fromkeys(range(len(periodic)), 0.0)
        self._ended = threading.Event()

    def stop(self) -> None:
        self._ended.set()
        bus.wake_up.set()

    def run(self) -> None:
        while not self._ended.is_set():
            bus.wake_up.wait(IDLE)
            bus.wake_up.clear()
            try:
                bus.run_due_jobs()
                self.run_periodic(time.monotonic())
            except Exception:
                # The database may be away for a moment; a worker that died of it would lose the night's renewals.
                log.exception("The worker stumbled; going on.")
                close_old_connections()
                self._ended.wait(1)

    def run_periodic(self, now: float) -> None:
        for number, job in enumerate(self._periodic):
            if now < self._next[number] or self._ended.is_set():
                continue
            self._next[number] = now + job.seconds
            try:
                job.run()
            except Exception:
                log.exception("Periodic job %s failed; it will run again.", job.run)

"""How fast mails go: so many a second, and so many to a domain. Pure; times are seconds of any steady clock."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import NamedTuple

PATIENCE = 2.0  # a mail that would wait longer lets others go first


class Turn(NamedTuple):
    """When a mail's turn is; `go` False: it is too far off, ask again then."""

    go: bool
    at: float


class Pace:
    """`rate` mails a second (0: as fast as they go), `domains` the same for single domains."""

    def __init__(self, rate: float, domains: Mapping[str, float]) -> None:
        self._step = 1 / rate if rate else 0.0
        self._steps = {name: 1 / limit for name, limit in domains.items() if limit}
        self._next = 0.0
        self._next_of: dict[str, float] = {}
        self._put_off: dict[str, float] = {}
        self._lock = Lock()

    def turn(self, domain: str, now: float) -> Turn:
        """Take the next turn of this domain."""
        with self._lock:
            step = self._steps.get(domain)
            at = max(now, self._next)
            if step:
                free = self._next_of.get(domain, 0.0)
                if free > now + PATIENCE:
                    later = max(self._put_off.get(domain, 0.0), now + PATIENCE) + step
                    self._put_off[domain] = later
                    return Turn(False, later)
                at = max(at, free)
                self._next_of[domain] = at + step
            self._next = max(now, self._next) + self._step
            return Turn(True, at)

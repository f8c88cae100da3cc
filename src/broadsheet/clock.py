"""The one clock. Edges (views, jobs, commands) read it; rules and actions take `now` as an argument.

The demo may start its clock at another instant; it then runs on at the speed of the real one. The time machine's clock
stands where it is put.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_offset: timedelta = timedelta()
_standing: datetime | None = None


def now() -> datetime:
    """The current instant: aware, UTC, microseconds."""
    return _standing or datetime.fromtimestamp(time.time(), UTC) + _offset


def start_at(instant: datetime) -> None:
    """Let the clock read `instant` (aware) now and run on from there. For the demo and for journeys in tests."""
    global _offset  # noqa: PLW0603 - the process has one clock
    if instant.tzinfo is None:
        raise ValueError("The clock needs an instant with an offset, such as 2027-01-10T09:00:00+05:30.")
    _offset = instant - datetime.fromtimestamp(time.time(), UTC)


def stand_at(instant: datetime | None) -> None:
    """Let the clock read `instant` (aware) and stand there until it is put elsewhere; None: it runs again."""
    global _standing  # noqa: PLW0603 - the process has one clock
    if instant is not None and instant.tzinfo is None:
        raise ValueError("The clock needs an instant with an offset, such as 2027-01-10T09:00:00+05:30.")
    _standing = instant


def offset() -> timedelta:
    """How far the clock stands from the machine's."""
    return _offset

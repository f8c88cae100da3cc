"""The one clock. Edges (views, jobs, commands) read it; rules and actions take `now` as an argument.

The demo may start its clock at another instant; it then runs on at the speed of the real one.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_offset: timedelta = timedelta()


def now() -> datetime:
    """The current instant: aware, UTC, microseconds."""
    return datetime.fromtimestamp(time.time(), UTC) + _offset


def start_at(instant: datetime) -> None:
    """Let the clock read `instant` (aware) now and run on from there. For the demo and for journeys in tests."""
    global _offset  # noqa: PLW0603 - the process has one clock
    if instant.tzinfo is None:
        raise ValueError("The clock needs an instant with an offset, such as 2027-01-10T09:00:00+05:30.")
    _offset = instant - datetime.fromtimestamp(time.time(), UTC)


def offset() -> timedelta:
    """How far the clock stands from the machine's."""
    return _offset

"""Who counts a visitor's read: the book keeps what each meter has read, so that an old cookie put back gains nothing.

Django-free. One machine keeps it in LocalBook, several share a server (adapters/valkey.py). What the cookie and the
book know is added together: a lost book leaves the cookie, a lost cookie is a new meter.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Protocol

from broadsheet.access.meter import STORY, Meter, section_of


class Taken(NamedTuple):
    """What came of a read. `verdict`: "ok" (counted now), "repeat" (counted before), "limit", "section_limit",
    "budget" (the network may begin no new meter today) or "away" (the store cannot be reached); all but "ok" change
    nothing. `reads`: everything the meter has read after it, by its cookie and by the book."""

    verdict: str
    reads: tuple[int, ...]


class Book(Protocol):
    """`look` and `take` never wait. A book on another machine answers `take` with None and `take_later` in its time.
    `wants_networks`: it keeps budgets of new meters."""

    wants_networks: bool

    def look(self, meter: Meter) -> tuple[int, ...]:
        """Every read of this meter that is known without waiting."""
        ...

    def look_surely(self, meter: Meter) -> tuple[int, ...]:
        """Every read of this meter; may wait for another machine. For what is rare, such as signing in."""
        ...

    def take(
        self,
        meter: Meter,
        read: int,
        limit: int,
        section_limit: int | None,
        network: bytes | None,
        now: datetime,
    ) -> Taken | None:
        """Count one read, whole or not at all, if the meter's limit and its section's allow it.

        `network`: the client's address (4 or 16 bytes), None when it is not known or `wants_networks` is False. The
        first read of a meter uses up one of its network's budget; a read of a meter of an earlier day earns some.
        """
        ...

    def take_later(
        self,
        meter: Meter,
        read: int,
        limit: int,
        section_limit: int | None,
        network: bytes | None,
        now: datetime,
        done: Callable[[Taken], None],
    ) -> None:
        """The same for a book that has to ask: `done` is called once, on the event loop, whatever happens."""
        ...

    def start(self, loop: AbstractEventLoop, clock: Callable[[], datetime]) -> None:
        """On the worker's running event loop, before the first `take_later`."""
        ...

    def stop(self) -> None: ...

    def status(self) -> str:
        """ "" when all is well, else what is wrong, without secrets."""
        ...


def together(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    """The reads of both, each story once, as the first has it."""
    if first == second:
        return first
    stories = {read & STORY for read in first}
    return first + tuple([read for read in second if read & STORY not in stories])


def verdict(reads: tuple[int, ...], read: int, limit: int, section_limit: int | None) -> str:
    """What a meter with `reads` may do: "ok", "repeat", "limit" or "section_limit"."""
    story = read & STORY
    for other in reads:
        if other & STORY == story:  # whatever section it was in then
            return "repeat"
    if len(reads) >= limit:
        return "limit"
    if section_limit is not None and sum([section_of(other) == section_of(read) for other in reads]) >= section_limit:
        return "section_limit"
    return "ok"

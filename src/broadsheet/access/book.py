"""Who counts a visitor's read: the book keeps what each meter has read, so that an old cookie put back gains nothing.

Django-free. One machine keeps it in LocalBook, several share a server (adapters/valkey.py). What the cookie and the
book know is added together: a lost book leaves the cookie, a lost cookie is a new meter.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Protocol

from broadsheet.access.meter import Meter, section_of, story_of


class Taken(NamedTuple):
    """What came of a read. `verdict`: "ok" (counted now), "repeat" (counted before), "limit", "section_limit",
    "budget" (the network may begin no new meter today) or "away" (the store cannot be reached); all but "ok" change
    nothing. `reads`: everything the meter has read after it, by its cookie and by the book."""

    verdict: str
    reads: tuple[int, ...]


class Book(Protocol):
    """`look` and `take` never wait. A book on another machine answers `take` with None and `take_later` in its time."""

    def look(self, meter: Meter) -> tuple[int, ...]:
        """Every read of this meter that is known without waiting: its cookie's first, in their order."""
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

        `network`: the client's address (4 or 16 bytes) when the meter is new, so that one of the network's budget is
        used up with it; None for a meter that came back.
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


def together(cookie: tuple[int, ...], book: tuple[int, ...]) -> tuple[int, ...]:
    """The reads of both, each story once: the cookie's first."""
    if cookie == book:
        return cookie
    stories = {story_of(read) for read in cookie}
    return cookie + tuple(read for read in book if story_of(read) not in stories)


def verdict(reads: tuple[int, ...], read: int, limit: int, section_limit: int | None) -> str:
    """What a meter with `reads` may do: "ok", "repeat", "limit" or "section_limit"."""
    if read in reads:
        return "repeat"
    story = story_of(read)
    if any(story_of(other) == story for other in reads):  # the story has moved to another section since
        return "repeat"
    if len(reads) >= limit:
        return "limit"
    if section_limit is not None and sum(section_of(other) == section_of(read) for other in reads) >= section_limit:
        return "section_limit"
    return "ok"


class LocalBook:
    """The book of one process: exact and bounded. The least recently used meter is forgotten first, and then its
    cookie alone counts."""

    def __init__(self, most_meters: int = 200_000) -> None:
        self._reads: OrderedDict[tuple[bytes, str], tuple[int, ...]] = OrderedDict()
        self._most = most_meters

    def look(self, meter: Meter) -> tuple[int, ...]:
        known = self._reads.get((meter.id, meter.window))
        return together(meter.reads, known) if known else meter.reads

    def take(
        self,
        meter: Meter,
        read: int,
        limit: int,
        section_limit: int | None,
        network: bytes | None,  # noqa: ARG002 - budgets come with the shared file
        now: datetime,  # noqa: ARG002
    ) -> Taken:
        reads = self.look(meter)
        said = verdict(reads, read, limit, section_limit)
        if said == "ok":
            reads = (*reads, read)
            key = (meter.id, meter.window)
            self._reads[key] = reads
            self._reads.move_to_end(key)
            if len(self._reads) > self._most:
                self._reads.popitem(last=False)
        return Taken(said, reads)

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
        done(self.take(meter, read, limit, section_limit, network, now))

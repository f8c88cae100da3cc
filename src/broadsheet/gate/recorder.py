"""What the gate writes down of its decisions, so that `why was I stopped?` has an answer; without a book, nothing."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from broadsheet.access.meter import Meter
from broadsheet.access.records import NOBODY, RecordBook, Whose
from broadsheet.access.rules import Decision, Request, Story
from broadsheet.readers.passport import Passport


class Recorder:
    def __init__(self, secret: bytes = b"", book: RecordBook | None = None) -> None:
        """`secret`: the installation's; who read is kept as a digest under it."""
        self._book = book
        whose = Whose(secret)
        self.who_of_meter = whose.meter
        self.who_of_reader = lru_cache(maxsize=50_000)(whose.reader)

    def add(
        self,
        now: datetime,
        passport: Passport | None,
        meter: Meter | None,
        facts: tuple[Story, Request, Decision, int],
    ) -> None:
        """`facts`: the story, the request, the decision and the policy's revision."""
        if self._book is None:
            return
        who = NOBODY
        if passport is not None:
            who = self.who_of_reader(passport.reader)
        elif meter is not None:
            who = self.who_of_meter(meter.id)
        self._book.add(now.timestamp(), who, *facts)

    def flush(self) -> None:
        """Write out what was noted since the last time; the worker does this every second."""
        if self._book is not None:
            self._book.flush()

"""What the gate writes down of its decisions, so that `why was I stopped?` has an answer; without a book, nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from broadsheet.access.records import NOBODY, RecordBook, Whose
from broadsheet.access.rules import Decision, Request, Story

Add = Callable[[float, bytes, Story, Request, Decision, int], None]
Facts = Callable[[float, Story, Request, Decision, int], bytes]


class Recorder:
    """`add` notes one decision: Unix seconds, who, the story, the request, the decision, the policy's revision. `put`
    does so with `facts` that were packed before: all but when and who."""

    def __init__(self, secret: bytes = b"", book: RecordBook | None = None) -> None:
        """`secret`: the installation's; who read is kept as a digest under it."""
        whose = Whose(secret)
        self.nobody = NOBODY
        self.of_meter: Callable[[bytes], bytes] = whose.meter
        self.of_reader: Callable[[int], bytes] = lru_cache(maxsize=50_000)(whose.reader)
        self.add: Add = book.add if book is not None else _forget
        self.put: Callable[[float, bytes, bytes], None] = book.put if book is not None else _forget
        self.facts: Facts = book.facts if book is not None else _no_facts
        self.flush: Callable[[], None] = book.flush if book is not None else _nothing


def _forget(*_: object) -> None:
    """Decisions are not kept here."""


def _no_facts(*_: object) -> bytes:
    return b""


def _nothing() -> None:
    """Nothing was kept."""

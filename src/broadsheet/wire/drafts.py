"""What a format's reader hands over: the agency's fields as they stand, before anything is cleaned."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from broadsheet.wire.blocks import Block
from broadsheet.wire.items import Association, PubStatus, Subject, Takes, UnreadableError


@dataclass(frozen=True, slots=True)
class Document:
    """A decoded file: its text, and its tree (`root`) or its JSON (`data`) when it has one."""

    text: str
    root: Any = None
    data: Any = None
    repaired: bool = False


@dataclass(slots=True)
class Draft:
    """One item as read. `provider` is who sent it, `credit` a credit line the agency wrote."""

    parser: str
    uri: str | None = None
    feed: str | None = None
    version: int | None = None
    version_label: str | None = None
    pub_status: PubStatus = "usable"
    signals: list[str] = field(default_factory=list)
    embargoed: datetime | Literal["until_further_notice"] | None = None
    urgency: int | None = None
    priority: int | None = None
    first_created: datetime | None = None
    version_created: datetime | None = None
    language: str | None = None
    headline: str = ""
    slugline: str | None = None
    byline: str | None = None
    authors: list[str] = field(default_factory=list)
    dateline: str | None = None
    located: str | None = None
    country: str | None = None
    body: list[Block] = field(default_factory=list)
    ed_note: list[str] = field(default_factory=list)
    correction_note: str | None = None
    subjects: list[Subject] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    associations: list[Association] = field(default_factory=list)
    copyright_holder: str | None = None
    usage_terms: str | None = None
    credit: str | None = None
    provider: str | None = None
    takes: Takes | None = None
    warnings: list[str] = field(default_factory=list)
    trouble: UnreadableError | None = None


def one_by_one(read: Callable[[Any], Draft], entries: Iterable[Any]) -> list[Draft]:
    """A draft of each entry; one that cannot be read carries its trouble and does not stop its neighbours."""
    drafts = []
    for entry in entries:
        try:
            drafts.append(read(entry))
        except UnreadableError as trouble:
            drafts.append(Draft(parser="", trouble=trouble))
    return drafts


class Reader(Protocol):
    """A wire format. Also what an entry point of the group `broadsheet.wire_formats` must name."""

    NAME: str

    def matches(self, document: Document) -> bool:
        """Whether the file's content (never its name) is this format."""
        ...

    def read(self, document: Document) -> list[Draft]:
        """The items, or UnreadableError when the file is of this format and holds none."""
        ...

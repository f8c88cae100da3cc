"""The values the wire hands around: what one file held, item by item, or why it could not be read."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

UNTIL_FURTHER_NOTICE: Final = "until_further_notice"

Reason = Literal[
    "empty",
    "truncated",
    "not_well_formed",
    "unknown_format",
    "not_news",
    "entity",
    "too_large",
    "too_deep",
    "timeout",
    "encoding",
]
PubStatus = Literal["usable", "withheld", "canceled"]


class UnreadableError(Exception):
    """A file or item that cannot be read; `reason` is the published word, `detail` is for the editor."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Dateline:
    """Where and when a story was filed. `date` only when the year is certain."""

    text: str
    city: str | None = None
    country: str | None = None
    date: date | None = None
    agency: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What a story is about. `uri` full, `qcode` as sent, `name` in the item's language where given."""

    uri: str | None = None
    qcode: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Association:
    """A picture, film, sound or other item that belongs to the story."""

    kind: str
    uri: str | None = None
    href: str | None = None
    title: str | None = None
    caption: str | None = None
    credit: str | None = None
    content_type: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """A direct quotation. `speaker` only when a tight pattern names them."""

    text: str
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Takes:
    """Take `n` of `of`; `of` is None while the agency still writes."""

    n: int | None = None
    of: int | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """What cleaning took out, and the rule that did."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """One story as the agency meant it. Unknown is None or empty, never a guess."""

    file: str
    index: int
    format: str
    parser: str
    uri: str
    source: str | None = None
    version: int | None = None
    version_label: str | None = None
    pub_status: PubStatus = "usable"
    signals: tuple[str, ...] = ()
    embargoed: datetime | Literal["until_further_notice"] | None = None
    urgency: int | None = None
    priority: int | None = None
    first_created: datetime | None = None
    version_created: datetime | None = None
    language: str | None = None
    headline: str = ""
    slugline: str | None = None
    byline: str | None = None
    authors: tuple[str, ...] = ()
    dateline: Dateline | None = None
    body_html: str = ""
    body_text: str = ""
    ed_note: str | None = None
    correction_note: str | None = None
    subjects: tuple[Subject, ...] = ()
    keywords: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    associations: tuple[Association, ...] = ()
    copyright_holder: str | None = None
    usage_terms: str | None = None
    credit: str | None = None
    disclaimer: str | None = None
    via: tuple[str, ...] = ()
    quotes: tuple[Quote, ...] = ()
    takes: Takes | None = None
    removed: tuple[Removed, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file as it lies on disk, before anybody has judged it."""

    file: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A file, or one item of a file, that could not be read."""

    file: str
    reason: Reason
    detail: str
    index: int | None = None
    status: Literal["quarantined"] = "quarantined"


Outcome = Item | Quarantined
_NESTED: Final = {"subjects": Subject, "associations": Association, "quotes": Quote, "removed": Removed}
_INSTANTS: Final = ("first_created", "version_created", "embargoed")


def as_json(value: Any) -> Any:
    """Plain JSON values: instants RFC 3339 with offset, dates YYYY-MM-DD, tuples as lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [as_json(part) for part in value]
    return value


def item_from_json(fields: dict[str, Any]) -> Item:
    """The item that `as_json` wrote."""
    values = dict(fields)
    for name in _INSTANTS:
        if values[name] and values[name] != UNTIL_FURTHER_NOTICE:
            values[name] = datetime.fromisoformat(values[name])
    for name, kind in _NESTED.items():
        values[name] = tuple(kind(**entry) for entry in values[name])
    if values["dateline"]:
        day = values["dateline"]["date"]
        values["dateline"] = Dateline(**{**values["dateline"], "date": date.fromisoformat(day) if day else None})
    if values["takes"]:
        values["takes"] = Takes(**values["takes"])
    frozen: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return Item(**frozen)

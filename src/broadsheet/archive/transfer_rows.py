"""One story a line: what a line must hold, and what a story is as a line. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import nh3

from broadsheet.dates import rfc3339
from broadsheet.newsroom.actions import Copy
from broadsheet.newsroom.importing import KeptStory, OldStory

LONGEST_LINE = 4 * 2**20
MOST_REDIRECTS = 50
TIERS = ("free", "metered", "registered", "premium")
TAGS = {
    "p", "h2", "h3", "h4", "ul", "ol", "li", "blockquote", "b", "i", "em", "strong", "a", "br", "hr", "figure",
    "figcaption", "table", "thead", "tbody", "tr", "th", "td", "pre", "code", "sub", "sup",
}  # fmt: skip
_TEXTS = {
    "standfirst": 2000, "kicker": 60, "slug": 90, "language": 12, "dateline": 120, "credit": 60, "correction": 4000,
    "source_url": 500, "picture_alt": 250, "picture_caption": 400, "picture_credit": 120,
}  # fmt: skip
FIELDS = (
    "source_id", "headline", "body_html", "section", "published_at", "updated_at", "tier", "bylines", "via", "priority",
    "lead_in_blocks", "redirects", *_TEXTS,
)  # fmt: skip


class LineError(ValueError):
    """A line that gives no story; the message says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was understood. `digest` tells whether it is the same as last time."""

    source_id: str
    story: OldStory
    redirects: tuple[str, ...]
    digest: str


def parse(text: str, zone: ZoneInfo) -> Line:
    """A story from a line of JSON. LineError. An instant without an offset is one of the publisher's `zone`."""
    if not text:
        raise LineError(f"the line is longer than {LONGEST_LINE // 2**20} MB")
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise LineError("this is not JSON") from None
    if not isinstance(given, dict):
        raise LineError("a line is one JSON object")
    unknown = sorted(set(given) - set(FIELDS))
    if unknown:
        raise LineError(f"there is no field {unknown[0]!r}")
    for name in ("source_id", "headline", "section", "published_at"):
        if not isinstance(given.get(name), str) or not given[name].strip():
            raise LineError(f"{name} is missing")
    texts = {name: _text(given, name, most) for name, most in _TEXTS.items()}
    tier = given.get("tier") or "metered"
    if tier not in TIERS:
        raise LineError(f"tier is one of {', '.join(TIERS)}")
    copy = Copy(
        headline=_text(given, "headline", 200),
        body_html=nh3.clean(_text(given, "body_html", LONGEST_LINE), tags=TAGS, attributes={"a": {"href"}}),
        section=_section(given["section"]),
        tier=tier,
        bylines=_names(given, "bylines", 120),
        via=_names(given, "via", 120),
        priority=_whole(given, "priority", 1, 9) or 5,
        lead_in_blocks=_whole(given, "lead_in_blocks", 0, 1000),
        **{**texts, "language": texts["language"] or "en"},
    )
    updated = given.get("updated_at")
    old = OldStory(copy, instant(given["published_at"], zone), instant(updated, zone) if updated else None)
    digest = hashlib.blake2b(json.dumps(given, sort_keys=True).encode(), digest_size=16).hexdigest()
    return Line(_text(given, "source_id", 200), old, _redirects(given), digest)


def _text(given: dict[str, Any], name: str, most: int) -> str:
    value = given.get(name) or ""
    if not isinstance(value, str):
        raise LineError(f"{name} is text")
    value = value.strip()
    if len(value) > most:
        raise LineError(f"{name} is longer than {most} characters")
    if "\0" in value:
        raise LineError(f"{name} holds a null character")
    return value


def _section(text: str) -> str:
    slug = "-".join("".join(char if char.isascii() and char.isalnum() else " " for char in text.lower()).split())
    if not slug or len(slug) > 40:  # noqa: PLR2004 - a slug's length
        raise LineError("section is a slug, such as national")
    return slug


def _names(given: dict[str, Any], name: str, most: int) -> tuple[str, ...]:
    values = given.get(name) or []
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise LineError(f"{name} is a list of texts")
    found = tuple(one.strip() for one in values if one.strip())
    if any(len(one) > most for one in found):
        raise LineError(f"{name} holds one longer than {most} characters")
    return found


def _whole(given: dict[str, Any], name: str, least: int, most: int) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    if type(value) is not int or not least <= value <= most:
        raise LineError(f"{name} is a whole number from {least} to {most}")
    return value


def instant(text: Any, zone: ZoneInfo) -> datetime:
    """RFC 3339, or a local time of the publisher's; a date alone is its noon."""
    text = text if isinstance(text, str) else ""
    try:
        found = datetime.fromisoformat(text.strip())
        if len(text.strip()) == len("2027-01-10"):
            found = found.replace(hour=12)
        found = found if found.tzinfo else found.replace(tzinfo=zone)
        found.timestamp()
    except (ValueError, OverflowError):
        raise LineError("an instant is written 2027-01-10T09:00:00+05:30") from None
    return found


def _redirects(given: dict[str, Any]) -> tuple[str, ...]:
    values = given.get("redirects") or []
    if not isinstance(values, list) or len(values) > MOST_REDIRECTS or not all(isinstance(one, str) for one in values):
        raise LineError(f"redirects is a list of at most {MOST_REDIRECTS} addresses")
    return tuple(dict.fromkeys(old_path(one) for one in values))


def old_path(address: str) -> str:
    """Path and query of an old address, whole or not."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        raise LineError("redirects holds what is no address") from None
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    if not path.startswith("/") or len(path) > 500:  # noqa: PLR2004 - models.Moved
        raise LineError("redirects holds what is no address")
    return path


def as_line(story: KeptStory, source_id: str, redirects: tuple[str, ...], zone: ZoneInfo) -> str:
    """A story as a line that parse() reads back; instants in the publisher's zone."""
    copy, old = story.old.copy, story.old
    values: dict[str, Any] = {
        "source_id": source_id,
        "headline": copy.headline,
        "section": copy.section,
        "published_at": rfc3339(old.published_at.astimezone(zone)),
        "updated_at": rfc3339(old.updated_at.astimezone(zone)) if old.updated_at else None,
        "tier": copy.tier,
        "bylines": list(copy.bylines),
        "via": list(copy.via),
        "priority": copy.priority,
        "lead_in_blocks": copy.lead_in_blocks,
        **{name: getattr(copy, name) for name in _TEXTS},
        "body_html": copy.body_html,
        "redirects": list(redirects),
    }
    return json.dumps(
        {name: value for name, value in values.items() if value not in (None, "", [])}, ensure_ascii=False
    )


def lines_of(file: Any) -> Iterator[tuple[int, str]]:
    """(number, text) of the lines that hold anything; one that is too long comes as an empty text."""
    number = 0
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(LONGEST_LINE)
            yield number, ""
            continue
        text = raw.decode("utf-8", "replace").removeprefix("\ufeff").strip()
        if text:
            yield number, text

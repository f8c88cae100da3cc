"""Reading the instants agencies write, without guessing.

A wrong instant is worse than none: a zone abbreviation such as IST means three places, and 04/03 is two days.
So: ISO 8601 (extended or basic), then RFC 2822 with a numeric or well-known zone, then nothing.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from email.utils import parsedate_to_datetime

_BASIC = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?(Z|[+-]\d{2}:?\d{2})?)?$")
_HAS_TIME = re.compile(r"\d{2}:?\d{2}")
_RFC_ZONE = re.compile(r"\s(?:[+-]\d{4}|GMT|UTC|UT|Z|EST|EDT|CST|CDT|MST|MDT|PST|PDT)\s*$")
_LONGEST = 64


def read_instant(text: str | None) -> datetime | None:
    """An aware instant, or None: a text that does not say its zone is not an instant."""
    cleaned = " ".join((text or "").split())
    if not cleaned or len(cleaned) > _LONGEST:
        return None
    found = _iso(cleaned) or _rfc2822(cleaned)
    return found if found and found.tzinfo else None


def _iso(text: str) -> datetime | None:
    if not re.match(r"^\d{4}-?\d{2}-?\d{2}", text) or not _HAS_TIME.search(text[8:]):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _rfc2822(text: str) -> datetime | None:
    if not _RFC_ZONE.search(text) or not re.search(r"[A-Za-z]{3}", text):
        return None
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None


def read_date(text: str | None) -> date | None:
    """A calendar date in ISO form (extended or basic), or None."""
    match = _BASIC.match("".join((text or "").split()).replace("-", "")[:8])
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None

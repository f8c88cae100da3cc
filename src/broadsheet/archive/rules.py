"""How a reader's words are cut, what a page of results is, and which days are open to whom. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from zoneinfo import ZoneInfo

from broadsheet.dates import add_months, day_start, local_date

MOST_RESULTS = 200
PAGE = 20
MOST_TERMS = 12
LONGEST = 200
ORDERS = ("best", "newest", "oldest")
KINDS = ("own", "agency")
FRESH_DAYS = 30.0
_PHRASE = re.compile(r'"([^"]*)"')
_SLUG = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A search for the index: terms that must all be there, filters, and keys (index.order_key) in `[lower, upper)`."""

    terms: tuple[tuple[str, ...], ...] = ()
    section: str = ""
    byline: str = ""
    kind: str = ""
    language: str = ""
    lower: int | None = None
    upper: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader asked for, cleaned: `first` and `last` are years, 0 where none was given."""

    query: str = ""
    order: str = "best"
    first: int = 0
    last: int = 0
    section: str = ""
    byline: str = ""
    kind: str = ""
    language: str = ""

    @property
    def filtered(self) -> bool:
        return bool(self.first or self.last or self.section or self.byline or self.kind or self.language)

    @property
    def asks(self) -> bool:
        """Whether there is anything to search for."""
        return bool(self.query or self.filtered)

    def pairs(self) -> dict[str, str]:
        """As it stands in an address; what was not asked for is left out."""
        given = {
            "q": self.query,
            "order": "" if self.order == "best" else self.order,
            "from": str(self.first or ""),
            "to": str(self.last or ""),
            "section": self.section,
            "by": self.byline,
            "kind": self.kind,
            "language": self.language,
        }
        return {name: value for name, value in given.items() if value}


def wanted(given: Mapping[str, str]) -> Wanted:
    """A search form's fields. What makes no sense counts as not given."""
    order, kind = given.get("order", ""), given.get("kind", "")
    first, last = (_year(given.get(name, "")) for name in ("from", "to"))
    if first and last and last < first:
        first, last = last, first
    return Wanted(
        query=_words(given.get("q", "")),
        order=order if order in ORDERS else "best",
        first=first,
        last=last,
        section=_slug(given.get("section", "")),
        byline=_words(given.get("by", ""))[:120],
        kind=kind if kind in KINDS else "",
        language=_slug(given.get("language", "")),
    )


def _words(text: str) -> str:
    return " ".join(text.replace("\0", " ").split())[:LONGEST]


def _slug(text: str) -> str:
    return text if _SLUG.fullmatch(text) else ""


def _year(text: str) -> int:
    year = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else 0  # noqa: PLR2004
    return year if year > 1000 else 0  # noqa: PLR2004 - four figures


def cut_query(query: str, analyze: Callable[[str], list[str]]) -> list[list[str]]:
    """The terms a story must have, each a list of words that must stand together: `"night train" fares`.

    The search language is words and quoted phrases, nothing else: a query is never a program.
    """
    query = query[:LONGEST]
    phrases = [analyze(match) for match in _PHRASE.findall(query)]
    words = [[word] for word in analyze(_PHRASE.sub(" ", query))]
    return [term for term in phrases + words if term][:MOST_TERMS]


def blend(found: Iterable[tuple[int, int, float]], now: int) -> list[int]:
    """Ids of (id, instant, score), best first, where what is fresh counts for more: a story of today up to half as much
    again as the same story of long ago. Equal ones by age, then by id: the same for everybody."""

    def worth(one: tuple[int, int, float]) -> tuple[float, int, int]:
        story, at, score = one
        days = max(0.0, (now - at) / 86_400)
        return (-score * (1 + 0.5 * math.exp(-days / FRESH_DAYS)), -at, -story)

    return [story for story, _, _ in sorted(set(found), key=worth)]


def mark(text: str, words: Sequence[tuple[int, int]]) -> str:
    """`text` as HTML with the given character ranges in <mark>. Everything else is escaped."""
    parts, last = [], 0
    for start, end in words:
        parts += [escape(text[last:start]), "<mark>", escape(text[start:end]), "</mark>"]
        last = end
    return "".join([*parts, escape(text[last:])])


def count_words(total: int) -> str:
    """`1 story`, `12 stories`, `1,204 stories`."""
    return "1 story" if total == 1 else f"{total:,} stories"


def page_number(text: str, most: int = MOST_RESULTS, size: int = PAGE) -> int:
    """The page a reader asked for, kept within what there can be."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1  # noqa: PLR2004
    return min(max(number, 1), -(-most // size))


def key_number(text: str) -> int | None:
    """The key after which a page goes on; None for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None  # noqa: PLR2004 - 63 bits


# --- days -------------------------------------------------------------------------------------------------------------
def open_from(now: datetime, zone: ZoneInfo, months: int) -> date | None:
    """The first day that everybody may search: `months` whole months back. None: every day."""
    return add_months(local_date(now, zone), -months) if months else None


def day_span(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants of a day, `[start, end)`."""
    return day_start(day, zone), day_start(date.fromordinal(day.toordinal() + 1), zone)


def month_days(year: int, month: int) -> tuple[date, date]:
    """A month's days, `[first, end)`."""
    first = date(year, month, 1)
    return first, add_months(first, 1)


def weeks(first: date) -> list[list[date | None]]:
    """A month's days by weeks from Monday; None before its first and after its last."""
    days = [date.fromordinal(at) for at in range(first.toordinal(), add_months(first, 1).toordinal())]
    cells: list[date | None] = [None] * first.weekday() + [*days]
    cells += [None] * (-len(cells) % 7)
    return [cells[at : at + 7] for at in range(0, len(cells), 7)]

"""Search and calendar: what was asked in, cards of published stories and counts out.

Whoever may not see old years is answered from an index and from days that hold none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Sum
from django.db.models.functions import ExtractMonth, ExtractYear
from markupsafe import Markup

from broadsheet import clock
from broadsheet.access.queries import benefit
from broadsheet.access.rules import Body
from broadsheet.archive import rules
from broadsheet.archive.index import Counts, Found, SearchIndex, analyze, highlight, key_at
from broadsheet.archive.models import Day, Moved
from broadsheet.archive.rules import Asked, Wanted
from broadsheet.dates import day_start, local_date
from broadsheet.newsroom.queries import cards_between, cards_by_id, has_published_before, story_facts
from broadsheet.newsroom.values import Card

PRODUCT = "archive"
DAY_PAGE = 60
NO_COUNTS = Counts((), (), ())


@dataclass(frozen=True, slots=True)
class Hit:
    """A story found; `headline` and `standfirst` are safe HTML with the matching words marked."""

    card: Card
    headline: Markup
    standfirst: Markup


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One page of results. `total` counts every story that matches among those the reader may search; `counts` says how
    they are spread. `page` is 0 where pages follow one another by time."""

    hits: tuple[Hit, ...]
    total: int
    total_text: str
    page: int
    newer_path: str
    older_path: str
    counts: Counts = NO_COUNTS


@lru_cache(maxsize=1)
def search_index() -> SearchIndex:
    """The installation's index of everything."""
    return SearchIndex(settings.BROADSHEET.data / "search")


@lru_cache(maxsize=1)
def recent_index() -> SearchIndex:
    """That of the days that are open to everybody, by itself."""
    return SearchIndex(settings.BROADSHEET.data / "search-recent")


def open_from(now: datetime) -> date | None:
    """The first day that everybody may search; None: all of them."""
    return rules.open_from(now, settings.BROADSHEET.zone, settings.BROADSHEET.archive_free_months)


def works() -> bool:
    """Whether the archive is a benefit here: old years are kept for subscribers, and there are some."""
    first = open_from(clock.now())
    return first is not None and has_published_before(day_start(first, settings.BROADSHEET.zone))


def may_search_all(reader_id: int | None, now: datetime) -> bool:
    """Whether a reader (None: a visitor) may search old years and leaf through them."""
    return open_from(now) is None or benefit(PRODUCT, reader_id, now).body is Body.FULL


def search(query: str, page: int = 1) -> ResultPage:
    """Published stories of all years that have every word of `query` among their public words, best first: for the
    publisher's own command line. IndexUnavailableError."""
    return look(rules.wanted({"q": query}), everything=True, page=page, after=None, now=clock.now())


def look(wanted: Wanted, *, everything: bool, page: int, after: int | None, now: datetime) -> ResultPage:
    """A page of what was asked for. Without `everything` only the open days are looked through, in an index that holds
    nothing else. The newsroom is asked for every card: an index that still knows a withdrawn story cannot show it.

    Raises IndexUnavailableError.
    """
    asked = _asked(wanted, None if everything else open_from(now))
    if asked is None:
        return ResultPage((), 0, rules.count_words(0), 1, "", "")
    index = search_index() if everything else recent_index()
    if wanted.order == "best":
        return _best(index, wanted, asked, page, int(now.timestamp()))
    return _by_time(index, wanted, asked, after)


def _asked(wanted: Wanted, first: date | None) -> Asked | None:
    """The search for the index; None when nothing can match."""
    terms = tuple(tuple(term) for term in rules.cut_query(wanted.query, analyze))
    if not terms and (wanted.query or not wanted.filtered):
        return None
    zone = settings.BROADSHEET.zone
    lower = day_start(date(wanted.first, 1, 1), zone) if wanted.first else None
    upper = day_start(date(wanted.last + 1, 1, 1), zone) if wanted.last and wanted.last < date.max.year else None
    if first is not None:
        start = day_start(first, zone)
        lower = max(lower, start) if lower else start
    if lower and upper and lower >= upper:
        return None
    return Asked(
        terms,
        wanted.section,
        wanted.byline,
        wanted.kind,
        wanted.language,
        key_at(lower) if lower else None,
        key_at(upper) if upper else None,
    )


def _best(index: SearchIndex, wanted: Wanted, asked: Asked, page: int, now: int) -> ResultPage:
    """The best two hundred of all and the best two hundred of the last weeks, blended: what is fresh comes forward."""
    found = index.find(asked, rules.MOST_RESULTS)
    fresh = _fresh(index, asked, now, found) if asked.terms else found
    rows = [
        *zip(found.ids, found.times, found.scores, strict=True),
        *zip(fresh.ids, fresh.times, fresh.scores, strict=True),
    ]
    ids = rules.blend(rows, now)[: rules.MOST_RESULTS]
    published = cards_by_id(ids)
    cards = [published[number] for number in ids if number in published]
    total = found.total if found.total > rules.MOST_RESULTS else len(cards)
    start = (page - 1) * rules.PAGE
    shown = cards[start : start + rules.PAGE]
    return ResultPage(
        hits=_hits(shown, asked),
        total=total,
        total_text=rules.count_words(total),
        page=page,
        newer_path=_path(wanted, page=page - 1) if page > 1 else "",
        older_path=_path(wanted, page=page + 1) if len(cards) > start + rules.PAGE else "",
        counts=index.counts(asked),
    )


def _fresh(index: SearchIndex, asked: Asked, now: int, found: Found) -> Found:
    if found.total <= len(found.ids):
        return found
    lower = key_at(datetime.fromtimestamp(now - 45 * 86_400, settings.BROADSHEET.zone))
    newest = Asked(
        asked.terms, asked.section, asked.byline, asked.kind, asked.language, max(lower, asked.lower or 0), asked.upper
    )
    return index.find(newest, rules.MOST_RESULTS)


def _by_time(index: SearchIndex, wanted: Wanted, asked: Asked, after: int | None) -> ResultPage:
    """Newest or oldest first, by the key of the last one seen: the thousandth page costs what the first one does."""
    found = index.find(asked, rules.PAGE + 1, order=wanted.order, after=after)
    ids = found.ids[: rules.PAGE]
    published = cards_by_id(ids)
    cards = [published[number] for number in ids if number in published]
    more = len(found.ids) > rules.PAGE
    last = key_at(datetime.fromtimestamp(found.times[rules.PAGE - 1], settings.BROADSHEET.zone)) if more else 0
    return ResultPage(
        hits=_hits(cards, asked),
        total=found.total,
        total_text=rules.count_words(found.total),
        page=0,
        newer_path=_path(wanted) if after is not None else "",
        older_path=_path(wanted, after=last + ids[-1] % (1 << 31)) if more else "",
        counts=index.counts(asked),
    )


def _hits(cards: Sequence[Card], asked: Asked) -> tuple[Hit, ...]:
    terms = [list(term) for term in asked.terms]
    return tuple(Hit(card, _marked(card.headline, terms), _marked(card.standfirst, terms)) for card in cards)


def _marked(text: str, terms: list[list[str]]) -> Markup:
    return Markup(highlight(text, terms))  # noqa: S704 - rules.mark escapes every piece


def _path(wanted: Wanted, *, page: int = 1, after: int | None = None) -> str:
    pairs: dict[str, object] = {**wanted.pairs()}
    if page > 1:
        pairs["page"] = page
    if after is not None:
        pairs["after"] = after
    return search_path(pairs)


def search_path(pairs: Mapping[str, object]) -> str:
    return "/search?" + urlencode(pairs) if pairs else "/search"


# --- the calendar -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Span:
    """A year, month or day of the calendar. `stories` is None where the reader may not look: nobody learns whether
    there is anything."""

    number: int
    path: str
    open: bool
    stories: int | None


def years(now: datetime, *, everything: bool) -> tuple[Span, ...]:
    """Every year since the paper's first one, the newest first."""
    first, today = open_from(now), local_date(now, settings.BROADSHEET.zone)
    counted = Day.objects.values_list(ExtractYear("day")).annotate(Sum("stories")).order_by()
    held = dict(counted) if everything else {}
    return tuple(
        Span(
            year,
            f"/archive/{year}/",
            everything or _is_open(date(year, 12, 31), first),
            held.get(year, 0) if everything else None,
        )
        for year in range(today.year, min(settings.BROADSHEET.archive_since, today.year) - 1, -1)
    )


def _is_open(last: date, first: date | None) -> bool:
    """Whether any day up to `last` is open to everybody."""
    return first is None or last >= first


def months(year: int, now: datetime, *, everything: bool) -> tuple[Span, ...]:
    """The months of a year up to this one. Those that are open in part count their open days alone."""
    first, today = open_from(now), local_date(now, settings.BROADSHEET.zone)
    rows = Day.objects.filter(day__gte=date(year, 1, 1), day__lt=date(year + 1, 1, 1))
    if not everything and first is not None:
        rows = rows.filter(day__gte=first)
    held = dict(rows.values_list(ExtractMonth("day")).annotate(Sum("stories")).order_by())
    found = []
    for month in range(1, 13):
        begins, ends = rules.month_days(year, month)
        if begins > today:
            break
        here = everything or _is_open(date.fromordinal(ends.toordinal() - 1), first)
        found.append(Span(month, f"/archive/{year}/{month:02}/", here, held.get(month, 0) if here else None))
    return tuple(found)


def days(year: int, month: int, now: datetime, *, everything: bool) -> tuple[tuple[Span | None, ...], ...]:
    """A month by weeks from Monday; days to come are there and lead nowhere (no path)."""
    first, today = open_from(now), local_date(now, settings.BROADSHEET.zone)
    begins, ends = rules.month_days(year, month)
    held = dict(Day.objects.filter(day__gte=begins, day__lt=ends).values_list("day", "stories"))

    def span(day: date | None) -> Span | None:
        if day is None:
            return None
        here = everything or _is_open(day, first)
        path = f"/archive/{day:%Y/%m/%d}/" if day <= today else ""
        return Span(day.day, path, here, held.get(day, 0) if here and path else None)

    return tuple(tuple(span(day) for day in week) for week in rules.weeks(begins))


def of_day(day: date, before: tuple[datetime, int] | None) -> tuple[Sequence[Card], str]:
    """A page of a day's stories, newest first, and the place at which the next one begins ("" for none)."""
    start, end = rules.day_span(day, settings.BROADSHEET.zone)
    cards = cards_between(start, end, DAY_PAGE + 1, before=before)
    if len(cards) <= DAY_PAGE:
        return cards, ""
    last = cards[DAY_PAGE - 1]
    return cards[:DAY_PAGE], f"{last.published_at.timestamp():.6f}-{last.id}"


def moved_to(path: str) -> str | None:
    """Where a story stands that had this address in another system; None for any other address."""
    story_id = Moved.objects.filter(path=path[:500]).values_list("story_id", flat=True).first()
    facts = story_facts(story_id) if story_id is not None else None
    return facts.path if facts and facts.state != "unpublished" else None

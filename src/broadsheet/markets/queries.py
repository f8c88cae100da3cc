"""What pages, stories and other apps read of the markets. Every query costs the same whatever lies in the archive of
prices: instruments, snapshots and one instrument's own days, each by an index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet

from broadsheet.dates import local_date
from broadsheet.markets import rules, sessions
from broadsheet.markets.models import (
    CorporateAction,
    Holiday,
    Instrument,
    MarketDay,
    Price,
    Snapshot,
    StoryLink,
    SymbolChange,
)
from broadsheet.markets.values import (
    SPANS,
    Action,
    Bar,
    Breadth,
    Movers,
    Quote,
    Screen,
    ScreenPage,
    Series,
    Session,
    StoryMark,
    Summary,
)
from broadsheet.newsroom.queries import cards_by_id

_COPIED = (
    "day", "open", "high", "low", "close", "prev_close", "change_bp", "volume", "value_minor", "trades",
    "high_52w", "high_52w_day", "low_52w", "low_52w_day", "from_high_bp", "pending_since",
)  # fmt: skip
_NAMES = (
    "code", "name", "kind", "exchange", "symbol", "currency", "decimals", "series", "isin", "sector", "unit",
    "generated", "featured", "listed_on", "delisted_on",
)  # fmt: skip
PAGE = 50
MOST_FOUND = 20


def works() -> bool:
    """Whether the investor section has anything to offer: some prices are here."""
    return Snapshot.objects.exists()


def _quote(instrument: Any) -> Quote:
    known = {name: getattr(instrument, name) for name in _NAMES}
    try:
        row = instrument.snapshot
    except Snapshot.DoesNotExist:
        return Quote(**known)
    returns = {"1d": row.change_bp, **{span: getattr(row, f"return_{span}") for span in SPANS[1:]}}
    return Quote(
        **known,
        **{name: getattr(row, name) for name in _COPIED},
        change=None if row.prev_close is None else row.close - row.prev_close,
        returns_bp=returns,
        cagr_bp={span: rules.per_year_bp(returns[span], int(span[0])) for span in ("3y", "5y")},
        spark=tuple(row.spark),
    )


def _instruments() -> QuerySet[Instrument]:
    return Instrument.objects.select_related("snapshot")


def quotes(codes: Iterable[str]) -> dict[str, Quote]:
    """Quotes by code, in one query; codes that nobody knows are left out. For stories, watch lists, front boxes."""
    return {row.code: _quote(row) for row in _instruments().filter(code__in=list(codes))}


def quotes_by_id(ids: Iterable[int]) -> dict[int, Quote]:
    """As quotes(), by the instrument's id."""
    return {row.pk: _quote(row) for row in _instruments().filter(pk__in=list(ids))}


def quote(code: str) -> Quote | None:
    """One instrument with its latest day; None when there is no such code."""
    return quotes([code]).get(code)


def known_codes(codes: Iterable[str]) -> frozenset[str]:
    """Those among `codes` that name an instrument."""
    return frozenset(Instrument.objects.filter(code__in=list(codes)).values_list("code", flat=True))


def codes_for(names: Iterable[str]) -> dict[str, str]:
    """The code of each of these names that means one instrument: a code, `NSE:SYMBOL`, or a symbol only one has."""
    asked = list(names)
    lowered = {name: name.lower() for name in asked}
    known = known_codes(lowered.values())
    found = {name: code for name, code in lowered.items() if code in known}
    for name in asked:
        if name not in found:
            exchange, colon, symbol = name.rpartition(":")
            rows = Instrument.objects.filter(symbol__iexact=symbol, delisted_on=None)
            rows = rows.filter(exchange__iexact=exchange) if colon else rows
            codes = list(rows.values_list("code", flat=True)[:2])
            if len(codes) == 1:
                found[name] = codes[0]
    return found


def moved_to(code: str) -> str | None:
    """The code of the instrument whose symbol was once what `code` says (exchange-symbol): for a redirect."""
    exchange, _, symbol = code.partition("-")
    rows = SymbolChange.objects.filter(what="symbol", old__iexact=symbol, instrument__exchange__iexact=exchange)
    return rows.order_by("-day").values_list("instrument__code", flat=True).first()


def find(words: str, limit: int = MOST_FOUND) -> Sequence[Quote]:
    """Instruments whose symbol, ISIN or scrip code begins with `words`, or whose name holds them. At least 2 signs."""
    text = words.strip()
    if len(text) < 2:  # noqa: PLR2004
        return []
    exact = Q(symbol__istartswith=text) | Q(isin__istartswith=text) | Q(exchange_code=text)
    rows = list(_instruments().filter(exact).order_by("symbol", "code")[:limit])
    if len(rows) < limit:
        seen = [row.pk for row in rows]
        rows += _instruments().filter(name__icontains=text).exclude(pk__in=seen).order_by("name")[: limit - len(rows)]
    return [_quote(row) for row in rows]


def actions_of(code: str) -> tuple[Action, ...]:
    """Its confirmed corporate actions, oldest first."""
    rows = CorporateAction.objects.filter(instrument__code=code, status="confirmed").order_by("ex_day", "id")
    return tuple(_action(row) for row in rows)


def _action(row: CorporateAction) -> Action:
    return Action(row.ex_day, row.kind, row.new, row.old, row.amount, row.note)


def series(code: str, *, start: date | None = None, end: date | None = None, total_return: bool = False) -> Series:
    """The days of [start, end] inclusive, adjusted for what happened up to the latest day; empty for an unknown code.

    `total_return`: dividends are put back in too. Thirty years are about 7,500 bars and take some 30 ms.
    """
    prices = Price.objects.filter(instrument__code=code)
    if start:
        prices = prices.filter(day__gte=start)
    columns = ("day", "close", "open", "high", "low", "volume", "prev_close")
    bars = tuple(Bar(*row) for row in prices.order_by("day").values_list(*columns))
    actions = actions_of(code)
    # Up to the latest day and cut afterwards: what comes after `end` changes the prices before it too.
    shown = tuple(
        bar for bar in rules.adjusted(bars, actions, total_return=total_return) if end is None or bar.day <= end
    )
    rows = CorporateAction.objects.filter(instrument__code=code, status="proposed").order_by("ex_day", "id")
    waiting = tuple(_action(row) for row in rows)
    inside, pending = (
        tuple(a for a in each if shown and shown[0].day <= a.ex_day <= shown[-1].day) for each in (actions, waiting)
    )
    return Series(code, shown, inside, pending, total_return)


def latest_day(exchange: str | None = None) -> date | None:
    """The latest day of which prices are here; with `exchange`, prices of its shares."""
    if exchange is None:
        return Snapshot.objects.order_by("-day").values_list("day", flat=True).first()
    rows = MarketDay.objects.filter(exchange=exchange)
    return rows.order_by("-day").values_list("day", flat=True).first()


def summary() -> Summary:
    """The market summary: the featured instruments, each exchange's breadth on its latest day."""
    featured = tuple(_quote(row) for row in _instruments().filter(featured__isnull=False).order_by("featured", "code"))
    breadth = tuple(_breadth())
    days = [quote.day for quote in featured if quote.day] + [each.day for each in breadth]
    return Summary(max(days, default=None), featured, breadth, any(quote.generated for quote in featured))


def _breadth() -> Iterable[Breadth]:
    for exchange in Instrument.objects.order_by().values_list("exchange", flat=True).distinct():
        row = MarketDay.objects.filter(exchange=exchange).order_by("-day").first()
        if row and row.advances + row.declines + row.unchanged:
            yield Breadth(exchange, row.day, row.advances, row.declines, row.unchanged, row.value_minor)


def movers(limit: int = 10, *, exchange: str = "", kind: str = "equity", least_value_minor: int = 0) -> Movers:
    """Gainers and losers of the latest day, and what was traded most. `least_value_minor` leaves out what hardly
    trades. The day is that of `exchange`, else the latest of all."""
    rows = Snapshot.objects.filter(kind=kind)
    if exchange:
        rows = rows.filter(exchange=exchange)
    day = rows.order_by("-day").values_list("day", flat=True).first()
    if day is None:
        return Movers(None, (), (), ())
    rows = rows.filter(day=day)
    busy = rows.filter(value_minor__gte=least_value_minor) if least_value_minor else rows
    return Movers(
        day,
        _in_order(busy.filter(change_bp__gt=0).order_by("-change_bp", "pk"), limit),
        _in_order(busy.filter(change_bp__lt=0).order_by("change_bp", "pk"), limit),
        _in_order(rows.filter(value_minor__isnull=False).order_by("-value_minor", "pk"), limit),
    )


def _in_order(rows: QuerySet[Snapshot], limit: int) -> tuple[Quote, ...]:
    ids = list(rows.values_list("pk", flat=True)[:limit])
    found = quotes_by_id(ids)
    return tuple(found[number] for number in ids)


_ORDERS = {
    "name": "instrument__name", "close": "close", "change": "change_bp", "value": "value_minor", "volume": "volume",
    "from_high": "from_high_bp", **{span: f"return_{span}" for span in SPANS[1:]},
}  # fmt: skip


def screen(wanted: Screen, *, after: str = "", limit: int = PAGE) -> ScreenPage:
    """Instruments that meet every demand, in the order asked for; those without the figure ordered by are left out.

    Reads snapshots alone, one row an instrument. `after` is what the page before gave; nonsense begins at the front.
    """
    column = _ORDERS.get(wanted.order.lstrip("-"), "value_minor")
    falling = wanted.order.startswith("-")
    rows = _screened(wanted).filter(**{f"{column}__isnull": False})
    rows = _from_there(rows, column, falling, after)
    order = [F(column).desc() if falling else F(column).asc(), "pk"]
    found = list(rows.order_by(*order).values_list("pk", column)[: limit + 1])
    shown = found[:limit]
    by_id = quotes_by_id(pk for pk, _ in shown)
    more = f"{shown[-1][0]}:{shown[-1][1]}" if len(found) > limit else ""
    return ScreenPage(tuple(by_id[pk] for pk, _ in shown), more)


def _from_there(rows: QuerySet[Snapshot], column: str, falling: bool, after: str) -> QuerySet[Snapshot]:
    number, _, last = after.partition(":")
    if not number.isdecimal() or not last:
        return rows
    value: Any = last
    if column != "instrument__name":
        if not last.lstrip("-").isdecimal():
            return rows
        value = int(last)
    beyond = Q(**{f"{column}__{'lt' if falling else 'gt'}": value})
    return rows.filter(beyond | Q(**{column: value}, pk__gt=int(number)))


def _screened(wanted: Screen) -> QuerySet[Snapshot]:
    demands = {
        "kind": wanted.kind, "exchange": wanted.exchange, "sector": wanted.sector,
        "close__gte": wanted.close_from, "close__lte": wanted.close_to,
        "change_bp__gte": wanted.change_from_bp, "change_bp__lte": wanted.change_to_bp,
        "return_1y__gte": wanted.return_1y_from_bp, "return_1y__lte": wanted.return_1y_to_bp,
        "value_minor__gte": wanted.value_from_minor,
    }  # fmt: skip
    rows = Snapshot.objects.filter(**{name: value for name, value in demands.items() if value not in ("", None)})
    if wanted.near_high_bp is not None:
        rows = rows.filter(from_high_bp__gte=-wanted.near_high_bp)
    if wanted.near_low_bp is not None:
        rows = rows.filter(close__lte=F("low_52w") * (10_000 + wanted.near_low_bp) / 10_000)
    if wanted.words.strip():
        text = wanted.words.strip()
        rows = rows.filter(Q(instrument__name__icontains=text) | Q(instrument__symbol__istartswith=text))
    return rows


def sectors() -> Sequence[str]:
    """The sectors that instruments are in, by name."""
    return list(Instrument.objects.exclude(sector="").order_by("sector").values_list("sector", flat=True).distinct())


def exchanges() -> Sequence[str]:
    """The exchanges of which there are instruments, by name."""
    rows = Instrument.objects.exclude(exchange="")
    return list(rows.order_by("exchange").values_list("exchange", flat=True).distinct())


def related_stories(
    code: str, limit: int = 20, *, since: date | None = None, before: tuple[datetime, int] | None = None
) -> Sequence[StoryMark]:
    """Published stories that name the instrument, newest first. `before`: (published_at, story_id) of the last seen."""
    rows = StoryLink.objects.filter(instrument__code=code).order_by("-published_at", "-story_id")
    zone = settings.BROADSHEET.zone
    if since:
        rows = rows.filter(published_at__gte=sessions.start_of(since, zone))
    if before:
        at, story_id = before
        rows = rows.filter(Q(published_at__lt=at) | Q(published_at=at, story_id__lt=story_id))
    return _marks(rows.values_list("story_id", flat=True)[:limit])


def latest_stories(limit: int) -> Sequence[StoryMark]:
    """The latest published stories that name any instrument, newest first."""
    # A story names a few instruments at most, and has a row for each.
    rows = StoryLink.objects.order_by("-published_at", "-story_id").values_list("story_id", flat=True)
    return _marks(list(dict.fromkeys(rows[: limit * 10]))[:limit])


def _marks(found: Iterable[int]) -> Sequence[StoryMark]:
    zone, ids = settings.BROADSHEET.zone, list(found)
    cards = cards_by_id(ids)
    return [
        StoryMark(
            card.id, local_date(card.published_at, zone), card.published_at, card.path, card.headline,
            card.standfirst, card.tier, card.section.slug,
        )
        for card in (cards[number] for number in ids if number in cards)
    ]  # fmt: skip


def holidays(exchange: str, start: date, end: date) -> Sequence[tuple[date, str, bool]]:
    """(day, name, whether it is a special session) of [start, end) at an exchange."""
    rows = Holiday.objects.filter(exchange=exchange, day__gte=start, day__lt=end).order_by("day")
    return list(rows.values_list("day", "name", "is_open"))


def session(exchange: str, now: datetime) -> Session:
    """What the calendar says of this moment at an exchange: for "closed today: Diwali" beside old prices."""
    today = local_date(now, sessions.EXCHANGE_ZONE)
    rows = holidays(exchange, today, today + timedelta(days=30))
    return sessions.session(exchange, now, {day: (name, is_open) for day, name, is_open in rows})

"""Keeps each instrument's snapshot in step with its prices: fast when a day is added, from five years' prices when
something older has changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from django.db import transaction

from broadsheet.bus.actions import announce
from broadsheet.markets import rules
from broadsheet.markets.actions import bulk
from broadsheet.markets.actions.known import chunks
from broadsheet.markets.models import CorporateAction, Instrument, MarketDay, Price, Snapshot
from broadsheet.markets.rules import YearRange
from broadsheet.markets.values import SPANS, Action, Bar

_WEEK_AND_MORE = timedelta(days=10)
_REACH = timedelta(days=5 * 366 + 15)
_OF_PRICE = ("day", "open", "high", "low", "close", "volume", "value_minor", "trades")
_OF_INSTRUMENT = ("exchange", "kind", "sector")
_BARS = ("day", "close", "open", "high", "low", "volume", "prev_close")
_COLUMNS = [field.attname for field in Snapshot._meta.concrete_fields]  # noqa: SLF001 - public in all but name
REFRESHED = 500


@dataclass(slots=True)
class _Actions:
    """Of one instrument: what was confirmed, and from which day on prices are comparable."""

    confirmed: list[Action]
    pending: list[date] = field(default_factory=list)

    def pending_until(self, day: date) -> date | None:
        """The latest ex-day up to `day` that waits for an editor."""
        return max((ex_day for ex_day in self.pending if ex_day <= day), default=None)


def _actions(ids: Collection[int], since: date) -> dict[int, _Actions]:
    found: dict[int, _Actions] = defaultdict(lambda: _Actions([]))
    rows = CorporateAction.objects.filter(status__in=("confirmed", "proposed"), ex_day__gt=since)
    if len(ids) <= REFRESHED:
        rows = rows.filter(instrument__in=list(ids))
    for row in rows.order_by("ex_day"):
        each = found[row.instrument_id]
        if row.status == "confirmed":
            each.confirmed.append(Action(row.ex_day, row.kind, row.new, row.old, row.amount))
        elif rules.breaks_prices(row.kind):
            each.pending.append(row.ex_day)
    return found


def refresh(ids: Iterable[int]) -> None:
    """Compute the snapshots of these instruments from their prices. One without prices loses its own."""
    for portion in chunks(ids):
        with transaction.atomic():
            _refresh(portion)


def _refresh(ids: list[int]) -> None:
    # One step on the index each: a maximum over all their prices would read every one of them.
    lasts = {n: last for n in ids if (last := Price.objects.filter(instrument=n).order_by("-day").first())}
    actions = _actions(ids, min((last.day for last in lasts.values()), default=date.max) - _REACH)
    made: list[Snapshot] = []
    for number, instrument in Instrument.objects.in_bulk(list(lasts)).items():
        last = lasts[number]
        reach = last.day - _REACH
        rows = Price.objects.filter(instrument=number, day__gte=reach).order_by("day")
        bars = [Bar(*row) for row in rows.values_list(*_BARS)]
        mine = actions[number]
        done = [action for action in mine.confirmed if reach < action.ex_day <= last.day]
        made.append(_snapshot(instrument, last, rules.figures(bars, done, mine.pending_until(last.day))))
    Snapshot.objects.filter(pk__in=set(ids) - set(lasts)).delete()
    _write(made)


def _snapshot(instrument: Any, price: Any, figures: Mapping[str, Any]) -> Snapshot:
    values = {name: getattr(price, name) for name in _OF_PRICE}
    values.update((name, getattr(instrument, name)) for name in _OF_INSTRUMENT)
    return Snapshot(instrument_id=instrument.pk or instrument.id, **{**values, **figures}, stale=False)


def _write(rows: Sequence[Snapshot]) -> None:
    """Store them, and say that the front and the pictures of prices are no longer current."""
    if rows:
        announce("page", "/investor/")
    bulk.insert(Snapshot, _COLUMNS, ([getattr(row, name) for name in _COLUMNS] for row in rows), key="instrument_id")


def mark_stale(ids: Iterable[int]) -> None:
    """Older prices of these changed: refresh_stale() will compute them."""
    for portion in chunks(ids):
        Snapshot.objects.filter(pk__in=portion).update(stale=True)


def refresh_stale() -> int:
    """Compute what was marked; returns how many. Others may do the same at the same time."""
    done = 0
    while ids := list(Snapshot.objects.filter(stale=True).order_by("pk").values_list("pk", flat=True)[:REFRESHED]):
        refresh(ids)
        done += len(ids)
    return done


def advance(prices: Sequence[Price], instruments: Mapping[int, Any]) -> None:
    """Take in prices of one day, each the newest of its instrument, without walking through their past.

    Those whose high or low has gone out of the year, or that had an action since, are computed from their prices.
    """
    if not prices:
        return
    day = prices[0].day
    ids = [price.instrument_id for price in prices]
    before = {row.pk: row for portion in chunks(ids) for row in Snapshot.objects.filter(pk__in=portion)}
    actions = _actions(ids, day - _REACH)
    starts = _span_starts(day, instruments, {i for i in ids if i in before})
    year = day - timedelta(weeks=52)
    made: list[Snapshot] = []
    walked: list[int] = []
    fallen = {n for n, old in before.items() if old.high_52w_day <= year or old.low_52w_day <= year}
    ranges = _ranges(fallen, year, day)
    for price in prices:
        number = price.instrument_id
        old = before.get(number)
        mine = actions[number] if number in actions else _Actions([])
        if old is None or old.stale or _is_uneven(old, mine, day, year if number in fallen else old.day):
            walked.append(number)
            continue
        stepped = _stepped(price, old, mine, starts[number], ranges.get(number))
        made.append(_snapshot(instruments[number], price, stepped))
    _write(made)
    refresh(walked)


def _is_uneven(old: Snapshot, mine: _Actions, day: date, since: date) -> bool:
    """Whether an action stands between what is known in the snapshot and the day, or one whose factor needs a price."""
    days = [action.ex_day for action in mine.confirmed if rules.breaks_prices(action.kind)] + mine.pending
    since = min(since, old.day)
    return any(since < ex_day <= day for ex_day in days) or any(a.kind == "rights" for a in mine.confirmed)


def _ranges(ids: Collection[int], year: date, day: date) -> dict[int, YearRange]:
    """The year's range of these up to `day`, from their prices as they stand: for those without actions in it."""
    bars: dict[int, list[Bar]] = defaultdict(list)
    for portion in chunks(ids):
        rows = Price.objects.filter(instrument__in=portion, day__gt=year, day__lte=day)
        for number, *row in rows.order_by("instrument", "day").values_list("instrument", "day", "close", "high", "low"):
            bars[number].append(Bar(row[0], row[1], high=row[2], low=row[3]))
    return {number: found for number, each in bars.items() if (found := rules.year_range(each))}


def _stepped(
    price: Price, old: Snapshot, mine: _Actions, starts: Mapping[str, tuple[date, int]], year: YearRange | None
) -> dict[str, Any]:
    base = price.prev_close or old.close
    high, low = price.high or price.close, price.low or price.close
    if year is None:
        top = max((old.high_52w, old.high_52w_day), (high, price.day))
        bottom = min((old.low_52w, old.low_52w_day), (low, price.day), key=lambda each: (each[0], -each[1].toordinal()))
        year = YearRange(*top, *bottom)
    pending = mine.pending_until(price.day)
    returns: dict[str, int | None] = {}
    for span in SPANS[1:]:
        start, close = starts.get(span, (None, 0))
        known = start is not None and (pending is None or start >= pending)
        was = _moved(close, start, price.day, mine)
        returns[f"return_{span}"] = rules.change_bp(price.close, was) if known else None
    return {
        "prev_close": base,
        "change_bp": rules.change_bp(price.close, base),
        **returns,
        "high_52w": year.high, "high_52w_day": year.high_day, "low_52w": year.low, "low_52w_day": year.low_day,
        "from_high_bp": rules.change_bp(price.close, year.high),
        "spark": [*old.spark, price.close][-rules.SPARK :],
        "pending_since": pending,
    }  # fmt: skip


def _moved(close: int, start: date | None, day: date, mine: _Actions) -> int:
    """A close of `start` on the scale of `day`."""
    by = Fraction(1)
    for action in mine.confirmed:
        if start and start < action.ex_day <= day:
            by *= rules.factor(action, close)
    return rules.scaled(close, by)


def _span_starts(
    day: date, instruments: Mapping[int, Any], ids: Collection[int]
) -> dict[int, dict[str, tuple[date, int]]]:
    """By instrument and span: the day and close the span is measured from; those too young for it are left out."""
    result: dict[int, dict[str, tuple[date, int]]] = defaultdict(dict)
    # Shares all have the exchange's own days; indices and funds may have others.
    exchanges = {instruments[number].exchange if instruments[number].kind == "equity" else "" for number in ids}
    exchange = exchanges.pop() if len(exchanges) == 1 else ""
    for span in SPANS[1:]:
        start = rules.span_start(span, day)
        likely = MarketDay.objects.filter(exchange=exchange, day__lte=start).order_by("-day")
        near = likely.values_list("day", flat=True).first() if exchange else None
        near = near if near and start - near <= _WEEK_AND_MORE else start
        for portion in chunks(ids):
            for number, close in Price.objects.filter(instrument__in=portion, day=near).values_list(
                "instrument", "close"
            ):
                result[number][span] = (near, close)
        missing = [number for number in ids if span not in result[number]]
        for portion in chunks(missing):
            rows = Price.objects.filter(instrument__in=portion, day__gte=start - _WEEK_AND_MORE, day__lte=start)
            for number, found, close in rows.order_by("day").values_list("instrument", "day", "close"):
                result[number][span] = (found, close)
    return result

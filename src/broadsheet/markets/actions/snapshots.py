"""Keeps each instrument's snapshot in step with its prices: fast when a day is added, from five years' prices when
something older has changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from django.db import transaction

from broadsheet.bus.actions import announce
from broadsheet.markets import rules
from broadsheet.markets.actions.known import chunks
from broadsheet.markets.models import CorporateAction, Instrument, MarketDay, Price, Snapshot
from broadsheet.markets.values import SPANS, Action, Bar

_WEEK_AND_MORE = timedelta(days=10)
_REACH = timedelta(days=5 * 366 + 15)
_OF_PRICE = ("day", "open", "high", "low", "close", "volume", "value_minor", "trades")
_OF_INSTRUMENT = ("exchange", "kind", "sector")
_BARS = ("day", "close", "open", "high", "low", "volume", "prev_close")
_WRITTEN = [field.attname for field in Snapshot._meta.concrete_fields if not field.primary_key]  # noqa: SLF001 - public
REFRESHED = 500


@dataclass(slots=True)
class _Actions:
    """Of one instrument: what was confirmed, and from which day on prices are comparable."""

    confirmed: list[Action]
    pending_since: date | None = None


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
            each.pending_since = max(row.ex_day, each.pending_since or row.ex_day)
    return found


def refresh(ids: Iterable[int]) -> None:
    """Compute the snapshots of these instruments from their prices. One without prices loses its own."""
    for portion in chunks(ids):
        with transaction.atomic():
            _refresh(portion)


def _refresh(ids: list[int]) -> None:
    instruments = {row.pk: row for row in Instrument.objects.filter(pk__in=ids)}
    made: list[Snapshot] = []
    for number, instrument in instruments.items():
        last = Price.objects.filter(instrument=number).order_by("-day").first()
        if last is None:
            continue
        since = last.day - _REACH
        bars = [
            Bar(*row)
            for row in Price.objects.filter(instrument=number, day__gte=since).order_by("day").values_list(*_BARS)
        ]
        actions = _actions([number], since)[number]
        actions.confirmed = [action for action in actions.confirmed if action.ex_day <= last.day]
        pending = actions.pending_since
        figures = rules.figures(bars, actions.confirmed, pending if pending and pending <= last.day else None)
        made.append(_snapshot(instrument, last, figures))
    Snapshot.objects.filter(pk__in=set(ids) - {row.pk for row in made}).delete()
    _write(made)


def _snapshot(instrument: Any, price: Any, figures: Mapping[str, Any]) -> Snapshot:
    values = {name: getattr(price, name) for name in _OF_PRICE}
    values.update((name, getattr(instrument, name)) for name in _OF_INSTRUMENT)
    return Snapshot(instrument_id=instrument.pk or instrument.id, **{**values, **figures}, stale=False)


def _write(rows: Sequence[Snapshot]) -> None:
    """Store them, and say that the front and the pictures of prices are no longer current."""
    if rows:
        announce("page", "/investor/")
    Snapshot.objects.bulk_create(rows, update_conflicts=True, unique_fields=["instrument"], update_fields=_WRITTEN)


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
    for price in prices:
        number = price.instrument_id
        old = before.get(number)
        mine = actions[number] if number in actions else _Actions([])
        if old is None or old.stale or _is_uneven(old, mine, day, year):
            walked.append(number)
            continue
        made.append(_snapshot(instruments[number], price, _stepped(price, old, mine, starts[number])))
    _write(made)
    refresh(walked)


def _is_uneven(old: Snapshot, mine: _Actions, day: date, year: date) -> bool:
    recent = [action.ex_day for action in mine.confirmed] + [each for each in (mine.pending_since,) if each]
    if any(old.day < ex_day <= day for ex_day in recent) or any(action.kind == "rights" for action in mine.confirmed):
        return True
    return any(each is None or each <= year for each in (old.high_52w_day, old.low_52w_day))


def _stepped(price: Price, old: Snapshot, mine: _Actions, starts: Mapping[str, tuple[date, int]]) -> dict[str, Any]:
    base = price.prev_close or old.close
    high, low = price.high or price.close, price.low or price.close
    high_52w, high_day = max((old.high_52w, old.high_52w_day), (high, price.day))
    low_52w, low_day = min(
        (old.low_52w, old.low_52w_day), (low, price.day), key=lambda each: (each[0], -each[1].toordinal())
    )
    pending = mine.pending_since if mine.pending_since and mine.pending_since <= price.day else None
    returns: dict[str, int | None] = {}
    for span in SPANS[1:]:
        start, close = starts.get(span, (None, 0))
        known = start is not None and (pending is None or start >= pending)
        returns[f"return_{span}"] = (
            rules.change_bp(price.close, _moved(close, start, price.day, mine)) if known else None
        )
    return {
        "prev_close": base,
        "change_bp": rules.change_bp(price.close, base),
        **returns,
        "high_52w": high_52w, "high_52w_day": high_day, "low_52w": low_52w, "low_52w_day": low_day,
        "from_high_bp": rules.change_bp(price.close, high_52w),
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

"""Many years of prices at once, for a paper that brings its own history and for the demonstration: no judging, no
held rows, so only for prices somebody has already looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from broadsheet.markets.actions import bulk, snapshots
from broadsheet.markets.models import CorporateAction, Instrument, MarketDay, Price
from broadsheet.markets.values import Action, Breadth


@dataclass(frozen=True, slots=True)
class NewInstrument:
    """An instrument with all its days. `days`: (day, open, high, low, close, prev_close, volume, value_minor) each."""

    code: str
    kind: str
    name: str
    exchange: str
    symbol: str
    days: Sequence[tuple[date, int | None, int | None, int | None, int, int | None, int | None, int | None]]
    series: str = ""
    isin: str = ""
    exchange_code: str = ""
    sector: str = ""
    currency: str = "INR"
    unit: str = ""
    decimals: int = 2
    featured: int | None = None
    listed_on: date | None = None
    actions: Sequence[Action] = ()
    generated: bool = False


@transaction.atomic
def load_history(*, instruments: Sequence[NewInstrument], breadths: Iterable[Breadth] = ()) -> int:
    """Put in instruments that are not there yet, with their prices and confirmed actions; others stay as they are.

    Returns how many it put in.
    """
    here = set(Instrument.objects.filter(code__in=[each.code for each in instruments]).values_list("code", flat=True))
    fresh = {each.code: each for each in instruments if each.code not in here}
    columns = [field for field in NewInstrument.__dataclass_fields__ if field not in ("days", "actions")]
    made = Instrument.objects.bulk_create(
        [Instrument(**{name: getattr(each, name) for name in columns}) for each in fresh.values()]
    )
    for row in made:
        _insert(row.pk, fresh[row.code])
    MarketDay.objects.bulk_create(
        [
            MarketDay(exchange=b.exchange, day=b.day, advances=b.advances, declines=b.declines, unchanged=b.unchanged,
                      value_minor=b.value_minor)
            for b in breadths
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    snapshots.refresh([row.pk for row in made])
    return len(made)


def _insert(number: int, each: NewInstrument) -> None:
    names = ("instrument_id", "day", "open", "high", "low", "close", "prev_close", "volume", "value_minor")
    bulk.insert(Price, names, ((number, *row) for row in each.days))
    CorporateAction.objects.bulk_create(
        [
            CorporateAction(
                instrument_id=number, ex_day=action.ex_day, kind=action.kind, new=action.new, old=action.old,
                amount=action.amount, note=action.note, status="confirmed",
            )
            for action in each.actions
        ]
    )  # fmt: skip

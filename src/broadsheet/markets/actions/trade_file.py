"""A reader's file of trades, taken in: good lines become trades, the others are handed back with their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from broadsheet.markets.actions.personal import RefusedError, add_trade
from broadsheet.markets.inputs import Problem, TradeRow
from broadsheet.markets.models import Trade
from broadsheet.readers.actions import lock_reader


@dataclass(frozen=True, slots=True)
class Taken:
    """`known`: lines that an earlier file, or this very one sent before, has brought."""

    new: int
    known: int
    problems: tuple[Problem, ...]


@transaction.atomic
def add_trades(*, reader_id: int, rows: Sequence[tuple[TradeRow, str]], now: datetime, today: date) -> Taken:
    """Note the trades of a file, each with its instrument's code, in one transaction: all that can be, or none."""
    lock_reader(reader_id=reader_id)
    keys = [row.key for row, _ in rows]
    there = set(Trade.objects.filter(reader_id=reader_id, key__in=keys).values_list("key", flat=True))
    new, problems = 0, []
    for row, code in rows:
        if row.key in there:
            continue
        try:
            add_trade(
                reader_id=reader_id, code=code, kind=row.kind, day=row.day, units=row.units, price=row.price,
                fee_minor=row.fee_minor, note=row.note, key=row.key, now=now, today=today,
            )  # fmt: skip
            new += 1
        except RefusedError as refusal:
            problems.append(Problem(row.line, f"{row.kind} {row.instrument}", str(refusal)))
    return Taken(new, len(there), tuple(problems))

"""What an editor decides: held rows, corporate actions, the calendar. Nothing here is done by itself."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction

from broadsheet.markets.actions import known, snapshots
from broadsheet.markets.actions.personal import RefusedError
from broadsheet.markets.actions.writing import FIGURES, count_days, follow_up, instrument_from, price_from
from broadsheet.markets.models import CorporateAction, HeldRow, Holiday, Instrument, Price
from broadsheet.markets.rows import Row
from broadsheet.markets.values import ACTION_KINDS

_RATIOS = ("split", "bonus", "rights")
_AMOUNTS = ("dividend", "rights")


def row_of(held: HeldRow) -> Row | None:
    """The row as values; None of a line that could not be read as such, or without a price above zero."""
    values: dict[str, Any] = dict(held.row)
    if "close" not in values or not values.get("day"):
        return None
    values["day"] = date.fromisoformat(values["day"])
    row = Row(line=held.line, text=held.text, **values)
    return row if row.close > 0 else None


def _waiting(held_id: int) -> HeldRow:
    held = HeldRow.objects.select_for_update().filter(pk=held_id).first()
    if held is None or held.status != "waiting":
        raise RefusedError("Somebody has already decided about this row.")
    return held


@transaction.atomic
def accept_held(*, held_id: int, by: str, now: datetime) -> None:
    """Take a held row in as it is, in place of the price that is there; its instrument is made if nobody knows it."""
    held = _waiting(held_id)
    row = row_of(held)
    if row is None:
        raise RefusedError("This line has no price that could be taken in. Correct the file and import it again.")
    instrument = held.instrument or _instrument_for(row, held.reason)
    fresh = price_from(row, instrument.pk)
    old = Price.objects.filter(instrument=instrument, day=row.day).first()
    if old is None:
        fresh.source = held.source
        fresh.save(force_insert=True)
    else:
        for name in FIGURES:
            setattr(old, name, getattr(fresh, name))
        old.source = held.source
        old.save()
    _decided(held, "accepted", by, now)
    HeldRow.objects.filter(pk=held.pk).update(instrument=instrument)
    follow_up([old or fresh])
    if instrument.kind == "equity" and instrument.exchange:
        count_days([(instrument.exchange, row.day)])
    snapshots.refresh([instrument.pk])


def _instrument_for(row: Row, reason: str) -> Instrument:
    directory = known.directory([row.exchange], [row.code])
    match = directory.match(row)
    if reason == "ambiguous" and match.conflict:
        raise RefusedError("Several instruments have this name. Write the exchange or the code into the file.")
    if match.instrument is not None and reason != "isin_conflict":
        return Instrument.objects.get(pk=match.instrument.id)
    made = instrument_from(directory.made_from(row))
    made.save()
    return made


@transaction.atomic
def reject_held(*, held_id: int, by: str, now: datetime) -> None:
    """Leave a held row out for good; the line stays on record."""
    _decided(_waiting(held_id), "rejected", by, now)


def _decided(held: HeldRow, status: str, by: str, now: datetime) -> None:
    HeldRow.objects.filter(pk=held.pk).update(status=status, decided_by=by[:150], decided_at=now)


def _check_action(kind: str, new: int, old: int, amount: int) -> None:
    if kind not in dict(ACTION_KINDS) or kind == "unknown":
        raise RefusedError("Say what it was: a split, bonus, rights or dividend.")
    if kind in _RATIOS and (new < 1 or old < 1):
        raise RefusedError("Give both numbers of the ratio, such as 5 for 1.")
    if kind == "split" and new == old:
        raise RefusedError("A split of one into one changes nothing.")
    if kind in _AMOUNTS and amount < 1:
        raise RefusedError("Give the amount a unit.")


@transaction.atomic
def add_action(
    *, code: str, ex_day: date, kind: str, by: str, now: datetime, new: int = 0, old: int = 0, amount: int = 0,
    note: str = "",
) -> int:  # fmt: skip
    """Enter a corporate action that is known, confirmed at once. The same one twice is corrected. Returns its id."""
    _check_action(kind, new, old, amount)
    instrument = Instrument.objects.filter(code=code).first()
    if instrument is None:
        raise RefusedError("There is no such instrument.")
    row, _ = CorporateAction.objects.update_or_create(
        instrument=instrument, ex_day=ex_day, kind=kind,
        defaults={
            "new": new, "old": old, "amount": amount, "note": note[:300], "status": "confirmed",
            "decided_by": by[:150], "decided_at": now,
        },
    )  # fmt: skip
    snapshots.refresh([instrument.pk])
    return row.pk


@transaction.atomic
def confirm_action(
    *, action_id: int, kind: str, by: str, now: datetime, new: int = 0, old: int = 0, amount: int = 0
) -> None:
    """Confirm a proposal, corrected where it guessed wrong: from now on prices before it are adjusted."""
    _check_action(kind, new, old, amount)
    row = CorporateAction.objects.select_for_update().filter(pk=action_id).first()
    if row is None:
        raise RefusedError("There is no such action.")
    twin = CorporateAction.objects.filter(instrument=row.instrument_id, ex_day=row.ex_day, kind=kind).exclude(pk=row.pk)
    if twin.exists():
        raise RefusedError("That action is entered already; reject this one.")
    row.kind, row.new, row.old, row.amount = kind, new, old, amount
    row.status, row.decided_by, row.decided_at = "confirmed", by[:150], now
    row.save()
    snapshots.refresh([row.instrument_id])


@transaction.atomic
def reject_action(*, action_id: int, by: str, now: datetime) -> None:
    """Say that there was no such action: prices on both sides of its day are compared as they are."""
    row = CorporateAction.objects.select_for_update().filter(pk=action_id).first()
    if row is None:
        raise RefusedError("There is no such action.")
    row.status, row.decided_by, row.decided_at = "rejected", by[:150], now
    row.save()
    snapshots.refresh([row.instrument_id])


@transaction.atomic
def enter_holiday(*, exchange: str, day: date, name: str, is_open: bool, source: str = "") -> None:
    """Enter a day on which an exchange is closed, or open although it is a weekend or holiday."""
    values = {"name": name[:120], "is_open": is_open, "source": source[:200]}
    Holiday.objects.update_or_create(exchange=exchange.strip().upper()[:12], day=day, defaults=values)

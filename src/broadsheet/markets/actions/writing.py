"""Writes what an import has accepted and what it holds; inside the import's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, F, Q, Sum

from broadsheet.markets.actions import bulk, known, snapshots
from broadsheet.markets.intake import Intake, Placed
from broadsheet.markets.matching import Known
from broadsheet.markets.models import (
    CorporateAction,
    HeldRow,
    Instrument,
    MarketDay,
    Price,
    PriceImport,
    Snapshot,
    SymbolChange,
)
from broadsheet.markets.rows import Row

FIGURES = ("open", "high", "low", "close", "prev_close", "volume", "value_minor", "trades")
_BATCH = 500
_MOST_CHANGES = 500
_FOUR_DECIMALS = ("currency", "fund")


def write(row: PriceImport, intake: Intake, *, one_day: bool) -> bool:
    """Save the import with its prices, instruments, proposals and held rows. Whether any price is new or other."""
    ids = _make_instruments(intake.accepted)
    _note_changes(intake.accepted, ids)
    new, changed, same = _sort(intake.accepted, ids)
    row.rows_new, row.rows_changed, row.rows_same = len(new), len(changed), same
    row.instruments_new = sum(
        not placed.instrument.id for placed in {p.instrument.code: p for p in intake.accepted}.values()
    )
    if one_day:
        _supersede(row)
    row.changes = [
        {"code": code, "day": price.day.isoformat(), "old": old, "new": price.close}
        for code, old, price in changed[:_MOST_CHANGES]
    ]
    if changed:
        row.detail = f"{row.detail} {len(changed)} prices were replaced.".strip()
    row.save()
    for _, _, price in changed:
        price.source = row
    bulk.insert(
        Price,
        ("instrument_id", "day", *FIGURES, "import_id"),
        ((price.instrument_id, price.day, *(getattr(price, name) for name in FIGURES), row.pk) for price in new),
    )
    Price.objects.bulk_update([price for *_, price in changed], [*FIGURES, "source"], batch_size=_BATCH)
    row.actions_proposed = _propose(intake, ids)
    if row.actions_proposed:
        row.save(update_fields=["actions_proposed"])
    _hold(row, intake, ids)
    prices = [*new, *(price for *_, price in changed)]
    count_days({(placed.instrument.exchange, placed.row.day) for placed in intake.accepted if _is_share(placed)})
    follow_up(prices)
    return bool(prices)


def _is_share(placed: Placed) -> bool:
    return placed.instrument.kind == "equity" and bool(placed.instrument.exchange)


def instrument_from(each: Known) -> Instrument:
    """A row for an instrument that an import makes."""
    return Instrument(
        code=each.code, kind=each.kind, name=each.name or each.symbol or each.code, exchange=each.exchange,
        symbol=each.symbol, series=each.series, isin=each.isin, exchange_code=each.exchange_code, sector=each.sector,
        currency=each.currency, unit=each.unit, decimals=4 if each.kind in _FOUR_DECIMALS else 2,
    )  # fmt: skip


def _make_instruments(accepted: Iterable[Placed]) -> dict[str, int]:
    """The ids of all instruments by code, those made that were not there."""
    ids = {placed.instrument.code: placed.instrument.id for placed in accepted}
    fresh = {placed.instrument.code: placed.instrument for placed in accepted if not placed.instrument.id}
    for made in Instrument.objects.bulk_create([instrument_from(each) for each in fresh.values()], batch_size=_BATCH):
        ids[made.code] = made.pk
    return ids


def _note_changes(accepted: Sequence[Placed], ids: Mapping[str, int]) -> None:
    """New symbols, ISINs and series of instruments; from an old file only the name it had then."""
    moved = [placed for placed in accepted if placed.instrument.id and placed.changes]
    named = [placed for placed in accepted if placed.instrument.id and _has_better_name(placed)]
    touched = {ids[placed.instrument.code] for placed in [*moved, *named]}
    rows = {row.pk: row for part in known.chunks(touched) for row in Instrument.objects.filter(pk__in=part)}
    newest = {
        pk: day
        for part in known.chunks(touched)
        for pk, day in Snapshot.objects.filter(pk__in=part).values_list("pk", "day")
    }
    for placed in moved:
        number = ids[placed.instrument.code]
        is_news = number not in newest or placed.row.day > newest[number]
        for what, old, new in placed.changes:
            if is_news or not old:
                setattr(rows[number], what, new)
            if is_news and old:
                _note(number, placed.row.day, what, old, new)
            elif old and what != "series":
                # An old file: it shows the name of that day, which is not today's.
                _note(number, placed.row.day + timedelta(days=1), what, new, old)
    for placed in named:
        rows[ids[placed.instrument.code]].name = placed.row.name
    Instrument.objects.bulk_update(rows.values(), ["symbol", "isin", "series", "name"], batch_size=_BATCH)


def _has_better_name(placed: Placed) -> bool:
    """The old layouts know symbols alone; the first file that has the name brings it."""
    each = placed.instrument
    return bool(placed.row.name) and each.name in ("", each.symbol, each.exchange_code) and placed.row.name != each.name


def _note(number: int, day: date, what: str, old: str, new: str) -> None:
    if not SymbolChange.objects.filter(instrument=number, what=what, old=old).exists():
        SymbolChange.objects.create(instrument_id=number, day=day, what=what, old=old, new=new)


def price_from(row: Row, number: int) -> Price:
    """A row as it lies in the table."""
    return Price(instrument_id=number, day=row.day, **{name: getattr(row, name) for name in FIGURES})


def _sort(accepted: Iterable[Placed], ids: Mapping[str, int]) -> tuple[list[Price], list[tuple[str, int, Price]], int]:
    """New prices; (code, old close, price) of those that replace another; how many are here already."""
    days: dict[int, list[date]] = defaultdict(list)
    for placed in accepted:
        if placed.instrument.id:
            days[placed.instrument.id].append(placed.row.day)
    here = known.existing(days)
    new: list[Price] = []
    changed: list[tuple[str, int, Price]] = []
    same = 0
    for placed in accepted:
        price = price_from(placed.row, ids[placed.instrument.code])
        old = here.get((price.instrument_id, price.day))
        if old is None:
            new.append(price)
            continue
        # An older layout that knows less does not wipe out what a fuller one has brought.
        told = {name: value for name in FIGURES if (value := getattr(price, name)) is not None}
        if all(getattr(old, name) == value for name, value in told.items()):
            same += 1
            continue
        before = old.close
        for name, value in told.items():
            setattr(old, name, value)
        changed.append((placed.instrument.code, before, old))
    return new, changed, same


def _supersede(row: PriceImport) -> None:
    """Another file of the same list and day came before: this one corrects it."""
    before = PriceImport.objects.filter(exchange=row.exchange, layout=row.layout, day=row.day, status="done")
    earlier = before.order_by("-id").first()
    if earlier is None:
        return
    before.update(status="superseded")
    HeldRow.objects.filter(source=earlier, status="waiting").update(status="replaced")
    row.replaces = earlier
    row.detail = f"A correction of {earlier.file_name}."
    gone = earlier.rows_new + earlier.rows_changed + earlier.rows_same - row.rows_new - row.rows_changed - row.rows_same
    if gone > 0:
        row.warnings = [*row.warnings, f"{gone} prices fewer than before the correction: what it leaves out stays"]


def _propose(intake: Intake, ids: Mapping[str, int]) -> int:
    rows = [
        CorporateAction(
            instrument_id=ids.get(each.code) or each.id, ex_day=day, kind=proposal.kind, new=proposal.new,
            old=proposal.old, amount=proposal.amount, note=proposal.note[:300],
        )
        for each, day, proposal in intake.proposals
        if ids.get(each.code) or each.id
    ]  # fmt: skip
    CorporateAction.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _hold(row: PriceImport, intake: Intake, ids: Mapping[str, int]) -> None:
    codes = {held.code for held in intake.held if held.code} - ids.keys()
    found = dict(Instrument.objects.filter(code__in=codes).values_list("code", "pk")) if codes else {}
    HeldRow.objects.bulk_create(
        [
            HeldRow(
                source=row, line=held.line, reason=held.reason, detail=held.detail[:300], day=held.day,
                instrument_id=ids.get(held.code) or found.get(held.code), row=held.values, text=held.text[:1000],
            )
            for held in intake.held
        ],
        batch_size=_BATCH,
    )  # fmt: skip


def count_days(days: Iterable[tuple[str, date]]) -> None:
    """Breadth and turnover of these exchanges' days, from the prices of their shares."""
    for exchange, day in days:
        shares = Instrument.objects.filter(exchange=exchange, kind="equity").values("pk")
        prices = Price.objects.filter(day=day, instrument__in=shares)
        counted = prices.aggregate(
            advances=Count("pk", filter=Q(close__gt=F("prev_close"))),
            declines=Count("pk", filter=Q(close__lt=F("prev_close"))),
            unchanged=Count("pk", filter=Q(close=F("prev_close"))),
            value_minor=Sum("value_minor"),
        )
        counted["value_minor"] = counted["value_minor"] or 0
        MarketDay.objects.update_or_create(exchange=exchange, day=day, defaults=counted)


def follow_up(prices: Sequence[Price]) -> None:
    """Bring the snapshots of instruments with new prices up to date, or mark them where the past has changed."""
    numbers = {price.instrument_id for price in prices}
    newest = {
        pk: day
        for part in known.chunks(numbers)
        for pk, day in Snapshot.objects.filter(pk__in=part).values_list("pk", "day")
    }
    counts: dict[int, int] = defaultdict(int)
    for price in prices:
        counts[price.instrument_id] += 1
    steps: dict[date, list[Price]] = defaultdict(list)
    past: set[int] = set()
    whole: set[int] = set()
    for price in prices:
        number = price.instrument_id
        if number not in newest or counts[number] > 1:
            whole.add(number)
        elif price.day > newest[number]:
            steps[price.day].append(price)
        else:
            past.add(number)
    named: dict[int, Any] = {
        row.pk: row
        for part in known.chunks(p.instrument_id for each in steps.values() for p in each)
        for row in Instrument.objects.filter(pk__in=part)
    }
    for each in steps.values():
        snapshots.advance(each, named)
    snapshots.refresh(whole)
    snapshots.mark_stale(past)

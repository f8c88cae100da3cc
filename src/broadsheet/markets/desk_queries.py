"""What the desk's screens show: imports, rows that wait, actions, gaps in the calendar. Paged by id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import F

from broadsheet.dates import local_date
from broadsheet.markets import sessions
from broadsheet.markets.actions.desk import row_of
from broadsheet.markets.actions.known import missing_days
from broadsheet.markets.models import CorporateAction, HeldRow, Holiday, MarketDay, Price, PriceImport
from broadsheet.markets.values import SCALE

PAGE = 50
MOST_COUNTED = 1_000


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A file that came. `numbers`: (name, count) of its rows by what became of them."""

    id: int
    file_name: str
    status: str
    detail: str
    layout: str
    exchange: str
    day: date | None
    came_by: str
    by: str
    at: datetime
    numbers: tuple[tuple[str, int], ...]
    held: int
    proposed: int
    reasons: tuple[tuple[str, int], ...]
    warnings: tuple[str, ...]
    changes: tuple[dict[str, Any], ...]
    replaces: int | None


@dataclass(frozen=True, slots=True)
class HeldView:
    """A row that was held; `acceptable`: it has a price that could be taken in. `stated`, `here`: the price it brings
    and the last before it that is here, in words."""

    id: int
    import_id: int
    file_name: str
    line: int
    text: str
    reason: str
    detail: str
    day: date | None
    code: str
    name: str
    status: str
    decided_by: str
    acceptable: bool
    stated: str
    here: str


@dataclass(frozen=True, slots=True)
class ActionView:
    id: int
    code: str
    name: str
    ex_day: date
    kind: str
    new: int
    old: int
    amount: str
    note: str
    status: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class ExchangeState:
    """The latest day that is here, and market days since then up to yesterday that are not."""

    exchange: str
    latest: date
    missing: tuple[date, ...]
    has_calendar: bool


def _shown(price: int | None) -> str:
    return "" if price is None else f"{price / SCALE:,.4f}".rstrip("0").rstrip(".")


def _import(row: PriceImport) -> ImportRow:
    names = ("read", "new", "changed", "same", "held", "skipped")
    return ImportRow(
        row.pk, row.file_name, row.status, row.detail, row.layout, row.exchange, row.day, row.came_by, row.by, row.at,
        tuple((name, getattr(row, f"rows_{name}")) for name in names), row.rows_held, row.actions_proposed,
        tuple(sorted(row.reasons.items(), key=lambda each: -each[1])), tuple(row.warnings), tuple(row.changes),
        row.replaces_id,
    )  # fmt: skip


def imports(before: int | None = None) -> tuple[Sequence[ImportRow], int | None]:
    """A page of imports, newest first, and the id to page on from."""
    rows = PriceImport.objects.filter(pk__lt=before) if before else PriceImport.objects.all()
    found = list(rows.order_by("-pk")[: PAGE + 1])
    return [_import(row) for row in found[:PAGE]], found[PAGE - 1].pk if len(found) > PAGE else None


def one_import(import_id: int) -> ImportRow | None:
    row = PriceImport.objects.filter(pk=import_id).first()
    return _import(row) if row else None


def held_rows(
    *, import_id: int | None = None, status: str = "waiting", before: int | None = None
) -> tuple[Sequence[HeldView], int | None]:
    """A page of held rows, newest first: of one import all, else those of a status."""
    rows = HeldRow.objects.select_related("source", "instrument")
    rows = rows.filter(source=import_id) if import_id else rows.filter(status=status)
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: PAGE + 1])
    return [_held(row) for row in found[:PAGE]], found[PAGE - 1].pk if len(found) > PAGE else None


def _held(row: HeldRow) -> HeldView:
    read = row_of(row)
    last = None
    if row.instrument_id and row.day:
        before = Price.objects.filter(instrument=row.instrument_id, day__lt=row.day).order_by("-day")
        last = before.values_list("day", "close").first()
    name = row.instrument.name if row.instrument else (read.name or read.symbol if read else "")
    return HeldView(
        row.pk, row.source_id, row.source.file_name, row.line, row.text, row.reason, row.detail, row.day,
        row.instrument.code if row.instrument else "", name, row.status, row.decided_by,
        row.status == "waiting" and read is not None,
        f"{_shown(read.close)} on {read.day}" if read else "",
        f"{_shown(last[1])} on {last[0]}" if last else "",
    )  # fmt: skip


def waiting() -> tuple[int, int]:
    """(held rows, proposed actions) that wait for an editor, each counted to 1,000 at most."""
    held = HeldRow.objects.filter(status="waiting").order_by()[:MOST_COUNTED].count()
    return held, CorporateAction.objects.filter(status="proposed").order_by()[:MOST_COUNTED].count()


def actions(status: str = "proposed", before: tuple[date, int] | None = None) -> Sequence[ActionView]:
    """Corporate actions of a status, the latest ex-day first."""
    rows = CorporateAction.objects.filter(status=status).select_related("instrument")
    if before:
        day, number = before
        rows = rows.filter(ex_day__lte=day).exclude(ex_day=day, pk__gte=number)
    return [
        ActionView(
            row.pk, row.instrument.code, row.instrument.name, row.ex_day, row.kind, row.new, row.old,
            _shown(row.amount) if row.amount else "", row.note, row.status, row.decided_by,
        )
        for row in rows.order_by(F("ex_day").desc(), "-pk")[:PAGE]
    ]  # fmt: skip


def states(now: datetime) -> Sequence[ExchangeState]:
    """Each exchange whose lists come in: how far they reach, and which days are missing."""
    today = local_date(now, sessions.EXCHANGE_ZONE)
    found = []
    for exchange in MarketDay.objects.order_by("exchange").values_list("exchange", flat=True).distinct():
        latest = MarketDay.objects.filter(exchange=exchange).order_by("-day").values_list("day", flat=True)[0]
        has_calendar = Holiday.objects.filter(exchange=exchange, day__year=today.year).exists()
        missing = tuple(missing_days(exchange, today))
        found.append(ExchangeState(exchange, latest, missing, has_calendar))
    return found

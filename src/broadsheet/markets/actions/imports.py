"""Takes price files in: a file is one transaction, and a second time it is a repetition."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max

from broadsheet.bus.actions import emit
from broadsheet.dates import local_date
from broadsheet.markets import files, sessions
from broadsheet.markets.actions import known
from broadsheet.markets.actions.writing import write
from broadsheet.markets.events import PricesImported
from broadsheet.markets.files import RefusedFileError
from broadsheet.markets.intake import Choices, Intake, day_of, judge, kinds, place, reasons
from broadsheet.markets.judging import is_stale
from broadsheet.markets.models import Holiday, MarketDay, PriceImport
from broadsheet.markets.rows import Sheet

log = logging.getLogger(__name__)
_TRIES = 3
_WITH_CALENDAR = ("NSE", "BSE")
_SHOWN_DAYS = 10


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one file. `status`: done, duplicate, refused; `reason` is one word, of the refused."""

    file: str
    status: str
    reason: str = ""
    detail: str = ""
    import_id: int | None = None
    layout: str = ""
    exchange: str = ""
    day: date | None = None
    rows_read: int = 0
    rows_new: int = 0
    rows_changed: int = 0
    rows_same: int = 0
    rows_held: int = 0
    rows_skipped: int = 0
    instruments_new: int = 0
    actions_proposed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Came:
    """A file as it came."""

    name: str
    sha256: str
    by: str
    came_by: str
    now: datetime


def choices(now: datetime) -> Choices:
    """What the options say."""
    options = settings.BROADSHEET
    return Choices(
        today=local_date(now, sessions.EXCHANGE_ZONE),
        series=tuple(options.markets_series),
        create=options.markets_unknown == "create",
        jump_bp=options.markets_jump_limit * 100,
    )


def take_file(
    *, name: str, data: bytes, now: datetime, came_by: str, by: str = "", day: date | None = None
) -> list[Report]:
    """Take in a price file, or every file of a zip. `day`: the day it is said to be of, which confirms what looks odd
    about it: a name that says otherwise, a day on which the exchange is closed.

    Raises nothing for what is wrong with a file: the reports say it, and the desk sees it.
    """
    try:
        inner = files.unpack(name, data)
    except RefusedFileError as error:
        came = _Came(name, hashlib.sha256(data).hexdigest(), by, came_by, now)
        return [_refused(came, error)]
    return [
        _take(inside, outer=name, data=content, now=now, came_by=came_by, by=by, said=day) for inside, content in inner
    ]


def _take(name: str, *, outer: str, data: bytes, now: datetime, came_by: str, by: str, said: date | None) -> Report:
    came = _Came(name, hashlib.sha256(data).hexdigest(), by, came_by, now)
    earlier = _done(came)
    if earlier:
        return earlier
    named = files.day_in_name(name) or files.day_in_name(outer)
    try:
        sheet = files.read(name, data, day=said or named)
        for attempt in range(_TRIES):
            try:
                with transaction.atomic():
                    return _import(sheet, came, named, said)
            except IntegrityError:
                # Another process has just taken in this file, or another of the same day: look again at what is here.
                if earlier := _done(came):
                    return earlier
                if attempt == _TRIES - 1:
                    raise
    except RefusedFileError as error:
        return _refused(came, error)
    raise AssertionError("the loop ends by returning or raising")


def _done(came: _Came) -> Report | None:
    row = PriceImport.objects.filter(sha256=came.sha256, status="done").first()
    if row is None:
        return None
    detail = f"taken in on {local_date(row.at, settings.BROADSHEET.zone)} as {row.file_name}"
    return Report(came.name, "duplicate", "duplicate", detail, row.pk, row.layout, row.exchange, row.day)


def _refused(came: _Came, error: RefusedFileError) -> Report:
    """Keep that a file was refused, once for the same bytes and reason."""
    detail = str(error)[:300]
    row, made = PriceImport.objects.get_or_create(
        sha256=came.sha256,
        status="refused",
        detail=detail,
        defaults={
            "file_name": came.name[:255], "at": came.now, "came_by": came.came_by, "by": came.by,
            "reasons": {error.reason: 1},
        },
    )  # fmt: skip
    if not made:
        PriceImport.objects.filter(pk=row.pk).update(at=came.now)
    return Report(came.name, "refused", error.reason, detail, row.pk)


def _import(sheet: Sheet, came: _Came, named: date | None, said: date | None) -> Report:
    if earlier := _done(came):
        return earlier  # by another process, while this one waited for the database
    chosen = choices(came.now)
    day = day_of(sheet, named, said, chosen.today)
    if day is not None:
        _check_calendar(sheet, day, said, came)
    exchanges = {row.exchange for row in sheet.rows if not row.code} | ({sheet.exchange} - {""})
    directory = known.directory(exchanges, {row.code for row in sheet.rows})
    intake = place(sheet, day, directory, chosen)
    _judge(intake, chosen, stale_counts=day is not None and said is None)
    if day is not None and "equity" in kinds(intake.accepted):
        _warn_of_missing(intake, sheet.exchange, day)
    return _written(sheet, intake, came, day)


def _check_calendar(sheet: Sheet, day: date, said: date | None, came: _Came) -> None:
    """Refuse the list of a day on which the exchange was closed, unless somebody says that it was not."""
    if sheet.exchange not in _WITH_CALENDAR:
        return
    calendar = known.calendar(sheet.exchange, day.year)
    if not calendar:
        sheet.warnings.append(f"nobody has entered {sheet.exchange}'s holidays of {day.year}: days cannot be checked")
        return
    if sessions.is_market_day(day, calendar):
        return
    why = calendar.get(day, (f"{day:%A}", False))[0]
    if said is None:
        raise RefusedFileError(
            "closed_day",
            f"{sheet.exchange} was closed on {day} ({why}). If it was open, enter a special session in the calendar or "
            f"say --day {day}.",
        )
    Holiday.objects.update_or_create(
        exchange=sheet.exchange,
        day=day,
        defaults={"name": f"Special session ({why})"[:120], "is_open": True, "source": f"said with {came.name}"[:200]},
    )
    sheet.warnings.append(f"{day} was entered into the calendar as a special session")


def _judge(intake: Intake, chosen: Choices, *, stale_counts: bool) -> None:
    firsts: dict[int, date] = {}
    codes: dict[int, str] = {}
    for placed in intake.accepted:
        number = placed.instrument.id
        if number:
            codes[number] = placed.instrument.code
            firsts[number] = min(firsts.get(number, placed.row.day), placed.row.day)
    last = known.last_before(firsts)
    if intake.accepted and last:
        newest = max(placed.row.day for placed in intake.accepted)
        actions = known.actions_between(min(each.day for each in last.values()), newest)
    else:
        actions = {}
    compared = judge(
        intake,
        {codes[number]: each for number, each in last.items()},
        {codes[number]: each for number, each in actions.items() if number in codes},
        chosen,
    )
    if stale_counts and is_stale(compared):
        raise RefusedFileError(
            "stale_copy", "Nearly every close and volume is that of the day before: the last list under a new date?"
        )


def _warn_of_missing(intake: Intake, exchange: str, day: date) -> None:
    missing = known.missing_days(exchange, day)
    if missing:
        shown = ", ".join(map(str, missing[:_SHOWN_DAYS])) + (" and more" if len(missing) > _SHOWN_DAYS else "")
        intake.warnings.append(f"no prices of {len(missing)} market days before: {shown}")


def _written(sheet: Sheet, intake: Intake, came: _Came, day: date | None) -> Report:
    latest_before = MarketDay.objects.filter(exchange=sheet.exchange).aggregate(day=Max("day"))["day"]
    days = {placed.row.day for placed in intake.accepted}
    row = PriceImport(
        file_name=came.name[:255], sha256=came.sha256, layout=sheet.layout, exchange=sheet.exchange,
        day=day or max(days, default=None), days=len(days), status="done", rows_read=sheet.lines,
        rows_held=len(intake.held), rows_skipped=intake.skipped.total(), reasons=reasons(intake),
        warnings=intake.warnings, came_by=came.came_by, by=came.by, at=came.now,
    )  # fmt: skip
    changed = write(row, intake, one_day=sheet.one_day)
    if changed and row.day and (latest_before is None or row.day >= latest_before):
        emit(PricesImported(row.pk, sheet.exchange, row.day.isoformat()))
    return Report(
        came.name, "done", import_id=row.pk, layout=row.layout, exchange=row.exchange, day=row.day, detail=row.detail,
        warnings=tuple(row.warnings), reasons=row.reasons,
        **{name: getattr(row, name) for name in _COUNTS},
    )  # fmt: skip


_COUNTS: Sequence[str] = (
    "rows_read", "rows_new", "rows_changed", "rows_same", "rows_held", "rows_skipped", "instruments_new",
    "actions_proposed",
)  # fmt: skip

"""A sheet on its way in: every row is placed at an instrument, judged, and either accepted or held with its reason.

Pure: what is known of instruments and earlier prices is handed in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from broadsheet.markets import judging
from broadsheet.markets.files import RefusedFileError
from broadsheet.markets.judging import Last, Proposal
from broadsheet.markets.matching import PREFERRED, Directory, Known, is_followed, kind_of
from broadsheet.markets.rows import Fault, Row, Sheet
from broadsheet.markets.values import Action

_FIGURES = ("close", "open", "high", "low", "prev_close", "volume", "value_minor", "trades")


@dataclass(frozen=True, slots=True)
class Placed:
    """A row at its instrument (id 0: to be made); `changes` as in matching.Match."""

    row: Row
    instrument: Known
    changes: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """A row that is not believed."""

    line: int
    text: str
    reason: str
    detail: str
    values: dict[str, Any]
    day: date | None = None
    code: str = ""


@dataclass(slots=True)
class Intake:
    """`accepted`, `held` and `skipped` add up to the lines of the sheet."""

    accepted: list[Placed] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
    proposals: list[tuple[Known, date, Proposal]] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the publisher has chosen; see the options markets_*. `today`: in the exchanges' zone."""

    today: date
    series: tuple[str, ...] = ()
    create: bool = True
    jump_bp: int = 4_000


def day_of(sheet: Sheet, named: date | None, said: date | None, today: date) -> date | None:
    """The one day a sheet is of; None for sheets of many. Raises RefusedFileError when they disagree."""
    if not sheet.one_day:
        return None
    days = Counter(row.day for row in sheet.rows) or Counter(fault.day for fault in sheet.faults if fault.day)
    if not days:
        raise RefusedFileError("no_rows", "No row of the file could be read.")
    day = days.most_common(1)[0][0]
    if said and said != day:
        raise RefusedFileError("wrong_day", f"The rows are of {day}, not of {said}.")
    if named and named != day and not said:
        raise RefusedFileError(
            "wrong_day",
            f"The name speaks of {named}, the rows of {day}. If the rows are right, say so with --day {day}.",
        )
    if day > today:
        raise RefusedFileError("future", f"The rows are of {day}, which has not been yet.")
    return day


def hold(row: Row, reason: str, detail: str, code: str = "") -> Held:
    """A row set aside, with what accepting it later needs."""
    values = {name: value for name, value in asdict(row).items() if name not in ("text", "line")}
    return Held(row.line, row.text, reason, detail, {**values, "day": row.day.isoformat()}, row.day, code)


def held_fault(fault: Fault, code: str) -> Held:
    """A line that is wrong by itself; `code` of its instrument, where that is known all the same."""
    if fault.row is not None:
        return hold(fault.row, fault.reason, fault.detail, code)
    return Held(fault.line, fault.text, fault.reason, fault.detail, {"cells": fault.cells}, fault.day)


def place(sheet: Sheet, day: date | None, directory: Directory, choices: Choices) -> Intake:
    """Find every row's instrument; hold those of another day, of unknown or disputed instruments and doubles."""
    result = Intake(skipped=Counter(sheet.skipped), warnings=list(sheet.warnings))
    for fault in sheet.faults:
        if fault.row is not None and not is_followed(fault.row, choices.series):
            result.skipped[f"series {fault.row.series}"] += 1
        else:
            known = directory.match(fault.row).instrument if fault.row is not None else None
            result.held.append(held_fault(fault, known.code if known else ""))
    found: dict[tuple[str, date], Placed | None] = {}
    for row in sheet.rows:
        if not is_followed(row, choices.series):
            result.skipped[f"series {row.series}"] += 1
        elif day is not None and row.day != day:
            result.held.append(hold(row, "other_day", f"the file is of {day}, the row of {row.day}"))
        elif row.day > choices.today:
            result.held.append(hold(row, "future", f"{row.day} has not been yet"))
        else:
            _place(row, found, directory, choices, result)
    result.accepted = [placed for placed in found.values() if placed]
    return result


def _place(
    row: Row, found: dict[tuple[str, date], Placed | None], directory: Directory, choices: Choices, result: Intake
) -> None:
    match = directory.match(row)
    if match.conflict:
        result.held.append(hold(row, "isin_conflict" if row.exchange else "ambiguous", match.conflict))
        return
    instrument = match.instrument
    if instrument is None:
        if not choices.create or not (row.symbol or row.name or row.exchange_code):
            result.held.append(hold(row, "unknown_instrument", "there is no such instrument"))
            return
        instrument = directory.made_from(row)
    placed = Placed(row, instrument, match.changes)
    key = instrument.code, row.day
    other = found.get(key)
    if other is None and key not in found:
        found[key] = placed
    elif other is None:
        result.held.append(hold(row, "double_row", "the instrument has several rows", instrument.code))
    else:
        _decide_double(key, other, placed, found, result)


def _decide_double(
    key: tuple[str, date], other: Placed, placed: Placed, found: dict[tuple[str, date], Placed | None], result: Intake
) -> None:
    one, two = other.row, placed.row
    if all(getattr(one, name) == getattr(two, name) for name in _FIGURES) and one.series == two.series:
        result.skipped["repeated row"] += 1
    elif one.series != two.series:
        kept, left = sorted((other, placed), key=lambda each: _rank(each.row.series))
        found[key] = kept
        detail = f"the price of the series {kept.row.series} is taken"
        result.held.append(hold(left.row, "other_series", detail, left.instrument.code))
    else:
        found[key] = None
        for each in (one, two):
            result.held.append(hold(each, "double_row", "the instrument has several rows", key[0]))


def _rank(series: str) -> int:
    return PREFERRED.index(series) if series in PREFERRED else len(PREFERRED)


def judge(
    intake: Intake,
    last: Mapping[str, Last],
    actions: Mapping[str, Sequence[tuple[str, Action]]],
    choices: Choices,
) -> list[tuple[Row, Last]]:
    """Hold rows that moved too far and note proposals; `last` and `actions` (status, action) by code. Returns the rows
    with what they were compared with."""
    accepted: list[Placed] = []
    compared: list[tuple[Row, Last]] = []
    latest = dict(last)
    for placed in sorted(intake.accepted, key=lambda each: (each.instrument.code, each.row.day)):
        row, code = placed.row, placed.instrument.code
        before = latest.get(code)
        between = [
            (s, a)
            for s, a in actions.get(code, ())
            if (before is None or a.ex_day > before.day) and a.ex_day <= row.day
        ]
        verdict = judging.judge_move(
            row,
            before,
            confirmed=[action for status, action in between if status == "confirmed"],
            decided=bool(between),
            jump_bp=choices.jump_bp,
            isin_changed=any(what == "isin" and old for what, old, _ in placed.changes),
        )
        if before is not None:
            compared.append((row, before))
        if verdict.differs:
            intake.differing.append(code)
        if verdict.proposal:
            intake.proposals.append((placed.instrument, row.day, verdict.proposal))
        if verdict.hold:
            intake.held.append(hold(row, *verdict.hold, code))
            continue
        latest[code] = Last(row.day, row.close, row.volume)
        accepted.append(placed)
    intake.accepted = accepted
    _weigh(intake, len(compared))
    return compared


def _weigh(intake: Intake, compared: int) -> None:
    """One previous close that differs points to an action; hundreds of them to a day that is missing here."""
    if judging.is_mass(len(intake.differing), compared):
        intake.warnings.append(
            f"{len(intake.differing)} of {compared} previous closes differ from the last prices here: a day is missing,"
            " or the last list was preliminary; no corporate action was proposed"
        )
        intake.proposals = [each for each in intake.proposals if each[0].code not in set(intake.differing)]
    elif intake.differing:
        shown = ", ".join(sorted(intake.differing)[:20])
        intake.warnings.append(f"{len(intake.differing)} previous closes differ from the last prices here: {shown}")


def reasons(intake: Intake) -> dict[str, int]:
    """Reason: count, of what was held and skipped."""
    return dict(Counter(held.reason for held in intake.held) + intake.skipped)


def kinds(placed: Iterable[Placed]) -> set[str]:
    """What kinds of instruments the rows are of."""
    return {each.instrument.kind or kind_of(each.row) for each in placed}

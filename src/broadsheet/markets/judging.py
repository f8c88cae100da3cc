"""A day's price against the day before: is it the same share still, and can it have moved so far? Pure.

Nothing is adjusted here. What looks like a split, bonus or dividend is proposed, and an editor decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from broadsheet.markets.rows import Row
from broadsheet.markets.rules import factor
from broadsheet.markets.values import SCALE, Action

SLIGHT_BP = 20  # a previous close that differs by less is a late correction of yesterday's, not an action
_NEAR = Fraction(4, 1000)
_LIKE_ACTION = Fraction(1, 100)
_DIVIDEND_AT_MOST = Fraction(3, 10)
_MASS_SHARE, _MASS_ROWS = 0.2, 20
_STALE_SHARE, _STALE_ROWS = 0.9, 20


@dataclass(frozen=True, slots=True)
class Last:
    """The latest price before a row's day."""

    day: date
    close: int
    volume: int | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A corporate action somebody should look at."""

    kind: str
    new: int
    old: int
    amount: int
    note: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`hold`: (reason, detail) when the row is not believed. `differs`: the stated previous close is not ours."""

    hold: tuple[str, str] | None = None
    proposal: Proposal | None = None
    differs: bool = False


def rupees(price: int) -> str:
    """For notes to the desk."""
    return f"{price / SCALE:,.2f}"


def judge_move(
    row: Row, last: Last | None, *, confirmed: Sequence[Action], decided: bool, jump_bp: int, isin_changed: bool = False
) -> Verdict:
    """`confirmed`: actions with ex-days after `last` up to the row's day. `decided`: an editor has already looked at
    that day (proposed, confirmed or rejected): nothing is proposed again. `jump_bp` 0: no limit."""
    if last is None:
        return Verdict()
    expected = Fraction(last.close)
    for action in confirmed:
        expected *= factor(action, last.close, total_return=True)
    stated = row.prev_close or None
    proposal, differs = None, False
    if stated is not None and not _agrees(stated, last.close, expected):
        differs = True
        slight = abs(stated - last.close) * SCALE < SLIGHT_BP * last.close
        if not slight and not decided and not confirmed:
            proposal = infer(last.close, stated, isin_changed=isin_changed)
    base = _base(stated, expected, row.close)
    moved = (row.close - base) / base
    if jump_bp and abs(moved) * SCALE > jump_bp:
        said = f"{float(moved):+.1%} from {rupees(round(base))} to {rupees(row.close)} since {last.day}"
        guess = None
        if proposal is None and not decided and not confirmed:
            guess = infer(last.close, row.close, isin_changed=isin_changed, exact=False)
        return Verdict(("jump", said), guess or proposal, differs)
    return Verdict(None, proposal, differs)


def _base(stated: int | None, expected: Fraction, close: int) -> Fraction:
    """What the day's move is measured from. Some lists state the previous close as it was also on an ex-day: then what
    was confirmed counts, so whichever is nearer."""
    if stated is None:
        return expected
    return min(Fraction(stated), expected, key=lambda base: abs(close - base))


def _agrees(stated: int, close: int, expected: Fraction) -> bool:
    return stated == close or (expected != close and abs(stated - expected) <= expected * _LIKE_ACTION)


def infer(before: int, after: int, *, isin_changed: bool = False, exact: bool = True) -> Proposal | None:
    """What action would turn `before` into `after`. `exact` False: `after` is a price that has also moved, so only a
    plain ratio of two or more counts, and None where there is none."""
    ratio = Fraction(before, after)
    note = f"closed at {rupees(before)}, the next day starts from {rupees(after)}"
    near = _NEAR if exact else Fraction(6, 100)
    parts = _simple(ratio, near)
    if parts and (exact or ratio >= Fraction(19, 10)):
        new, old = parts
        if new < old:
            return Proposal("split", new, old, 0, f"{note}: a consolidation of {old} into {new}?")
        if isin_changed or (old == 1 and new >= 5):  # noqa: PLR2004 - nobody gives four shares for one
            return Proposal("split", new, old, 0, f"{note}: a split of {old} into {new}?")
        return Proposal("bonus", new - old, old, 0, f"{note}: a bonus of {new - old} for {old}, or a split?")
    if not exact:
        return None
    if ratio > 1 and 1 - 1 / ratio <= _DIVIDEND_AT_MOST:
        return Proposal("dividend", 0, 0, before - after, f"{note}: a dividend, or rights?")
    return Proposal("unknown", 0, 0, 0, note)


def _simple(ratio: Fraction, near: Fraction) -> tuple[int, int] | None:
    """The plainest new:old within `near` of the ratio, such as 2:1, 3:2, 10:1, 1:10."""
    best: tuple[int, int] | None = None
    for old in range(1, 11):
        for new in (*range(1, 21), 50, 100):
            if new == old or abs(ratio - Fraction(new, old)) > near * ratio or Fraction(new, old).denominator != old:
                continue
            if best is None or new + old < sum(best):
                best = new, old
    small = best is not None and Fraction(5, 6) < Fraction(*best) < Fraction(6, 5)
    return None if small else best


def is_mass(differing: int, compared: int) -> bool:
    """Whether so many previous closes differ that a day is missing here, or yesterday's list was preliminary."""
    return compared >= _MASS_ROWS and differing > compared * _MASS_SHARE


def is_stale(pairs: Sequence[tuple[Row, Last]]) -> bool:
    """Whether this is the day before once more under a new date: nearly every close and volume is the same."""
    known = [(row, last) for row, last in pairs if row.volume and last.volume is not None]
    same = sum(row.close == last.close and row.volume == last.volume for row, last in known)
    return len(known) >= _STALE_ROWS and same > len(known) * _STALE_SHARE

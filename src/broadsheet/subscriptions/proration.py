"""What is unused of what was paid, and what a change costs: whole days of the actual period. Pure.

Amounts are before tax on top, or with the tax inside the price, as the plan's prices are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from broadsheet.payments.values import Line
from broadsheet.subscriptions.policies import Policies, Rounding
from broadsheet.subscriptions.pricing import part

When = Literal["now", "period_end"]


@dataclass(frozen=True, slots=True)
class Covered:
    """A paid line that still covers days: `amount_minor` for `[start, end)`, of which `returned_minor` went back."""

    id: int
    invoice_id: int
    start: date
    end: date
    amount_minor: int
    returned_minor: int = 0


@dataclass(frozen=True, slots=True)
class Unused:
    """What is left of one paid line from a day on."""

    segment_id: int
    invoice_id: int
    amount_minor: int
    start: date
    end: date


def first_new_day(today: date, policies: Policies) -> date:
    """The first day that belongs to the new plan when it is changed `today`."""
    return today if policies.change_day == "new_plan" else today + timedelta(days=1)


def first_unused_day(today: date, policies: Policies) -> date:
    """The first day that is not used up when a subscription is cancelled at once `today`."""
    return today + timedelta(days=1) if policies.cancel_day == "used" else today


def unused(covered: Covered, day: date, rounding: Rounding) -> Unused | None:
    """What `[day, end)` is worth of a paid line: by its days, and never more than has not gone back yet."""
    start = max(day, covered.start)
    if start >= covered.end:
        return None
    days, left = (covered.end - covered.start).days, (covered.end - start).days
    worth = min(part(covered.amount_minor, left, days, rounding), max(0, covered.amount_minor - covered.returned_minor))
    return Unused(covered.id, covered.invoice_id, worth, start, covered.end) if worth > 0 else None


def all_unused(covered: Sequence[Covered], day: date, rounding: Rounding) -> list[Unused]:
    return [rest for one in covered if (rest := unused(one, day, rounding))]


def when_to_change(*, old_minor: int, new_minor: int, old_months: int, new_months: int) -> tuple[When, bool]:
    """When a change takes effect by itself, and whether the renewal date is kept.

    Cheaper: at the end of what is paid. Dearer, or another interval: now, and the date is set anew. The same price for
    the same time: now, and the date stays.
    """
    if new_minor < old_minor:
        return "period_end", False
    if new_minor == old_minor and old_months == new_months:
        return "now", True
    return "now", False


@dataclass(frozen=True, slots=True)
class Offered:
    """What is wanted: a plan's price of a whole period (all seats, discount taken off) and how it is put in words."""

    text: str
    amount_minor: int
    months: int
    quantity: int


def change_lines(
    covered: Sequence[Covered],
    offered: Offered,
    *,
    day: date,
    start: date,
    end: date,
    whole_days: int,
    rounding: Rounding,
) -> list[Line]:
    """The lines of a change on `day`: the unused rest of what was paid, and the new plan for `[start, end)`.

    `whole_days` is the length of the period that `offered.amount_minor` is the price of: when the date is kept, only a
    part of it is left. A rest that is worth more than the new plan is carried on as credit: the lines never come to
    less than nothing.
    """
    fee = part(offered.amount_minor, (end - start).days, whole_days, rounding)
    lines = [Line(offered.text, fee, "plan", offered.quantity, start, end)]
    lines += [
        Line(f"Unused time from {rest.start:%d %b %Y}", -rest.amount_minor, "unused", 1, rest.start, rest.end)
        for rest in all_unused(covered, day, rounding)
    ]
    total = sum(line.amount_minor for line in lines)
    if total < 0:
        lines.append(Line("Carried over to your credit", -total, "carried"))
    return lines


def carried(lines: Sequence[Line]) -> int:
    """What a change leaves over, before tax on top."""
    return sum(line.amount_minor for line in lines if line.kind == "carried")


def seat_lines(
    *, text: str, unit_minor: int, added: int, day: date, start: date, end: date, rounding: Rounding
) -> list[Line]:
    """Seats added on `day` for the rest of the period `[start, end)`; rounded once for all of them."""
    fee = part(unit_minor * added, (end - day).days, (end - start).days, rounding)
    return [Line(text, fee, "seats", added, day, end)]

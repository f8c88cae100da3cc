"""Pure rules of subscriptions: the calendar, the transitions, dunning.

Dates are local calendar days of the publisher's zone; periods are half-open `[start, end)`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from broadsheet.dates import add_months
from broadsheet.subscriptions.policies import Policies

Status = Literal[
    "incomplete",
    "incomplete_expired",
    "trialing",
    "active",
    "past_due",
    "suspended",
    "paused",
    "canceled",
    "expired",
]
Event = Literal[
    "trial_started",
    "given",  # a gift was redeemed, or staff gave it: nothing is charged
    "paid",  # the invoice of the next period is paid
    "unpaid",  # it fell due and could not be collected
    "checkout_expired",  # nobody paid within the time a checkout is kept
    "checkout_replaced",  # the reader chose another plan before paying
    "trial_over",  # the trial ended with nothing to charge, or was cancelled
    "grace_over",  # unpaid for so long that access ends
    "dunning_over",  # unpaid for so long that it is over
    "period_over",  # the paid period ended and the reader had cancelled
    "term_over",  # a fixed term, such as a gift, ran out
    "cancel_now",
    "paused",
    "resumed",
    "dispute_opened",
    "dispute_won",
    "dispute_lost",
]

LIVE: tuple[Status, ...] = ("incomplete", "trialing", "active", "past_due", "suspended", "paused")
TERMINAL: tuple[Status, ...] = ("incomplete_expired", "canceled", "expired")

TRANSITIONS: Mapping[tuple[Status, Event], Status] = {
    ("incomplete", "trial_started"): "trialing",
    ("incomplete", "given"): "active",
    ("incomplete", "paid"): "active",
    ("incomplete", "checkout_expired"): "incomplete_expired",
    ("incomplete", "checkout_replaced"): "incomplete_expired",
    # Money that lands after the checkout lapsed buys what it was meant for: a payment is never lost.
    ("incomplete_expired", "paid"): "active",
    ("trialing", "paid"): "active",
    ("trialing", "unpaid"): "past_due",
    ("trialing", "trial_over"): "canceled",
    ("trialing", "cancel_now"): "canceled",
    ("active", "paid"): "active",
    ("active", "unpaid"): "past_due",
    ("active", "grace_over"): "suspended",  # nobody was there to charge for so long
    ("active", "period_over"): "canceled",
    ("active", "term_over"): "expired",
    ("active", "cancel_now"): "canceled",
    ("active", "paused"): "paused",
    ("active", "dispute_opened"): "suspended",
    ("active", "dispute_lost"): "canceled",
    ("past_due", "paid"): "active",
    ("past_due", "unpaid"): "past_due",
    ("past_due", "grace_over"): "suspended",
    ("past_due", "dunning_over"): "canceled",
    ("past_due", "cancel_now"): "canceled",
    ("past_due", "period_over"): "canceled",
    ("past_due", "dispute_opened"): "suspended",
    ("past_due", "dispute_lost"): "canceled",
    ("suspended", "paid"): "active",
    ("suspended", "unpaid"): "suspended",
    ("suspended", "dunning_over"): "canceled",
    ("suspended", "cancel_now"): "canceled",
    ("suspended", "period_over"): "canceled",
    ("suspended", "term_over"): "expired",
    ("suspended", "dispute_opened"): "suspended",
    ("suspended", "dispute_won"): "active",
    ("suspended", "dispute_lost"): "canceled",
    ("paused", "resumed"): "active",
    ("paused", "cancel_now"): "canceled",
    ("paused", "dispute_opened"): "suspended",
    ("paused", "dispute_lost"): "canceled",
}

CHECKOUT_KEPT = timedelta(hours=23)


def number_of(subject: str, kind: str = "subscription") -> int | None:
    """The id in what invoices, refunds and grants name as their origin: `subscription:12` is 12, another kind None."""
    named, _, number = subject.partition(":")
    return int(number) if named == kind and number.isdigit() else None


class RefusedError(Exception):
    """The rules do not allow this step; nothing was changed. `reason` is one of the words the interfaces print."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def next_status(status: Status, event: Event) -> Status:
    """Where `event` leads from `status`. RefusedError for every pair the table does not hold."""
    try:
        return TRANSITIONS[status, event]
    except KeyError:
        raise RefusedError(f"{event}_from_{status}") from None


def boundary(anchor: date, months: int, count: int) -> date:
    """The end of the `count`-th period from `anchor`, and the start of the next; `count` 0 is the anchor itself.

    31 January, monthly: 28 February, 31 March, 30 April. Counted from the anchor, so that nothing drifts.
    """
    return add_months(anchor, months * count)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Where a subscription stands: `anchor` is the start of period number `anchor_index`; `end` ends `index`."""

    anchor: date
    anchor_index: int
    index: int
    start: date
    end: date


def first_period(day: date, months: int, index: int) -> Schedule:
    """A period that begins on `day`, which becomes the anchor."""
    return Schedule(day, index, index, day, boundary(day, months, 1))


def following_period(now: Schedule, months: int) -> Schedule:
    """The next period without a gap; the anchor stays."""
    index = now.index + 1
    return Schedule(
        now.anchor, now.anchor_index, index, now.end, boundary(now.anchor, months, index - now.anchor_index + 1)
    )


def paid_period(now: Schedule, months: int, *, paid_on: date, status: Status, first: bool) -> Schedule:
    """The period a payment buys.

    A first payment begins on its day, and so does one that comes after access had ended: nobody pays for days on which
    they could not read. Otherwise it follows what was paid before, however late the charge was.
    """
    if first or status == "suspended":
        return first_period(paid_on, months, now.index + 1)
    return following_period(now, months)


def paused_until(day: date, days: int) -> date:
    return day + timedelta(days=days)


def after_pause(now: Schedule, days: int) -> Schedule:
    """The days of the pause are given back at the end, from where later periods are counted."""
    end = now.end + timedelta(days=days)
    return Schedule(end, now.index + 1, now.index, now.start, end)


def access_ends(due_on: date, policies: Policies) -> date:
    """The first day without access when the renewal due on `due_on` stays unpaid."""
    return due_on + timedelta(days=policies.access_ends_after)


def dunning_ends(due_on: date, policies: Policies) -> date | None:
    """The day on which an unpaid subscription is over."""
    return None if policies.ends_after is None else due_on + timedelta(days=policies.ends_after)


def changes_blocked(due_on: date, today: date, policies: Policies) -> bool:
    """Whether an unpaid invoice has reached the stage at which nothing may be changed any more."""
    days = policies.changes_end_after
    return days is not None and today >= due_on + timedelta(days=days)


def next_attempt(due_on: date, today: date, policies: Policies) -> date | None:
    """The next day of the dunning plan after `today`; None when there is none left. Days missed are not made up for."""
    days = (due_on + timedelta(days=offset) for offset in policies.dunning_days)
    return next((day for day in days if day > today), None)


def may_debit(
    amount_minor: int, currency: str, *, mandate_max_minor: int | None, till_max_minor: int | None, policies: Policies
) -> bool:
    """Whether an amount may be taken without the reader present: not above what they allowed, nor above what the law
    lets an Indian mandate take without another confirmation."""
    limits = [mandate_max_minor, till_max_minor]
    if currency == "INR" and policies.auto_debit_limit_minor:
        limits.append(policies.auto_debit_limit_minor)
    return all(limit is None or amount_minor <= limit for limit in limits)


_UNRENDERED = re.compile(r"\{\{|\}\}|\{%|%\}|\$\{|<%|\[\[|\bTBD\b|\bTODO\b|\blorem ipsum\b", re.IGNORECASE)


def looks_unrendered(text: str) -> bool:
    """Whether a text still holds a placeholder: such a text is refused where it is entered."""
    return _UNRENDERED.search(text) is not None

"""Pure rules of subscriptions: the calendar, the transitions, dunning, and what a plan card says.

Dates are local calendar days of the publisher's zone; periods are half-open `[start, end)`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Literal

from babel.dates import format_date

from broadsheet.dates import add_months
from broadsheet.money import format_money, per_month_minor

Status = Literal["incomplete", "incomplete_expired", "active", "past_due", "canceled", "expired"]
Event = Literal[
    "paid",  # the invoice of the next period is paid
    "charge_failed",  # a renewal was tried and declined
    "checkout_expired",  # nobody paid within the time a checkout is kept
    "checkout_replaced",  # the reader chose another plan before paying
    "period_over",  # the paid period ended and the reader had cancelled
    "dunning_over",  # every retry failed
    "cancel_now",  # cancelled while nothing is paid for
    "term_over",  # a fixed term, such as a gift, ran out
]

LIVE: tuple[Status, ...] = ("incomplete", "active", "past_due")

TRANSITIONS: Mapping[tuple[Status, Event], Status] = {
    ("incomplete", "paid"): "active",
    ("incomplete", "checkout_expired"): "incomplete_expired",
    ("incomplete", "checkout_replaced"): "incomplete_expired",
    # Money that lands after the checkout lapsed buys what it was meant for: a payment is never lost.
    ("incomplete_expired", "paid"): "active",
    ("active", "paid"): "active",
    ("active", "charge_failed"): "past_due",
    ("active", "period_over"): "canceled",
    ("active", "term_over"): "expired",
    ("past_due", "paid"): "active",
    ("past_due", "charge_failed"): "past_due",
    ("past_due", "dunning_over"): "canceled",
    ("past_due", "cancel_now"): "canceled",
    ("past_due", "period_over"): "canceled",
}

CHECKOUT_KEPT = timedelta(hours=23)
GRACE_DAYS = 7
DUNNING_DAYS = (0, 3, 7, 14)
CANCEL_AFTER_DAYS = 21


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


def first_period(paid_on: date, months: int, index: int) -> Schedule:
    """The period a first payment buys: it begins on the day of the payment, which becomes the anchor."""
    return Schedule(paid_on, index, index, paid_on, boundary(paid_on, months, 1))


def following_period(now: Schedule, months: int, paid_on: date) -> Schedule:
    """The period the next payment buys.

    Paid before grace is over, it follows without a gap and the anchor stays, however late the charge was. Paid after
    that, it begins on the day of the payment: nobody pays for days on which they could not read.
    """
    index = now.index + 1
    if paid_on >= grace_end(now.end):
        return first_period(paid_on, months, index)
    end = boundary(now.anchor, months, index - now.anchor_index + 1)
    return Schedule(now.anchor, now.anchor_index, index, now.end, end)


def grace_end(period_end: date) -> date:
    """The first day without access when the renewal due on `period_end` has not been paid."""
    return period_end + timedelta(days=GRACE_DAYS)


def access_until(period_end: date, *, cancelled: bool) -> date:
    """The first day without access. A subscription that renews carries its grace, so that a renewal job which runs
    some minutes after midnight locks nobody out.
    """
    return period_end if cancelled else grace_end(period_end)


def next_attempt(first_failure: date, failures: int) -> date:
    """When to try again after `failures` declines, the first of them on `first_failure`; after the last try, the day
    on which the subscription ends."""
    days = DUNNING_DAYS[failures] if failures < len(DUNNING_DAYS) else CANCEL_AFTER_DAYS
    return first_failure + timedelta(days=days)


def is_dunning_over(first_failure: date, today: date) -> bool:
    return today >= first_failure + timedelta(days=CANCEL_AFTER_DAYS)


_UNRENDERED = re.compile(r"\{\{|\}\}|\{%|%\}|\$\{|<%|\[\[|\bTBD\b|\bTODO\b|\blorem ipsum\b", re.IGNORECASE)


def looks_unrendered(text: str) -> bool:
    """Whether a text still holds a placeholder: such a text is refused where it is entered."""
    return _UNRENDERED.search(text) is not None


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan as the card's rules need it. `benefits` are (product, text) in the order to show."""

    code: str
    name: str
    months: int
    amount_minor: int
    currency: str
    benefits: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PlanCard:
    """What a reader sees of a plan; every text is final. `per_month` is floored to whole currency units."""

    code: str
    name: str
    price: str
    period: str
    per_month: str
    url: str
    best_value: bool
    benefits: tuple[str, ...]


_WORDS = {
    "en": {
        "month": "1 month", "months": "{} months", "per_month": "{}/month",
        "gift": "Give a story to a friend each month", "gifts": "Give {} stories a month to friends",
    },
    "hi": {
        "month": "1 महीना", "months": "{} महीने", "per_month": "{}/माह",
        "gift": "हर महीने एक ख़बर उपहार में दें", "gifts": "हर महीने {} ख़बरें उपहार में दें",
    },
}  # fmt: skip


def longday(day: date) -> str:
    """`10 April 2027`"""
    return format_date(day, "d MMMM y", locale="en_IN")


def span(start: date, end: date) -> str:
    """A period as people write it, both days included: `10 January 2027 to 9 April 2027`."""
    return f"{longday(start)} to {last_day(end)}"


def last_day(end: date) -> str:
    """The last day of a period as people say it; `end` is exclusive: `2027-04-10` -> `9 April 2027`."""
    return longday(end - timedelta(days=1))


def period_words(months: int, language: str) -> str:
    """`1` -> `1 month`, `3` -> `3 months`; English for languages we have no words in."""
    words = _WORDS.get(language, _WORDS["en"])
    return words["month"] if months == 1 else words["months"].format(months)


def gift_words(gifts: int, language: str) -> str:
    """The benefit of giving `gifts` stories away in a month."""
    words = _WORDS.get(language, _WORDS["en"])
    return words["gift"] if gifts == 1 else words["gifts"].format(gifts)


def plan_card(offer: Offer, *, language: str, products: Sequence[str], best_value: bool, gifts: int = 0) -> PlanCard:
    """One card. A benefit is named only if its product works in this installation; `gifts`: how many stories whoever
    has it may give away in a month, 0 where the card does not say it."""
    words = _WORDS.get(language, _WORDS["en"])
    benefits = tuple(text for product, text in offer.benefits if product in products)
    monthly = per_month_minor(offer.amount_minor, offer.months, offer.currency)
    return PlanCard(
        code=offer.code,
        name=offer.name,
        price=format_money(offer.amount_minor, offer.currency, language),
        period=period_words(offer.months, language),
        per_month=words["per_month"].format(format_money(monthly, offer.currency, language)),
        url=f"/subscribe/{offer.code}/",
        best_value=best_value,
        benefits=(*benefits, gift_words(gifts, language)) if benefits and gifts else benefits,
    )


def best_value(offers: Sequence[Offer]) -> str | None:
    """The code of the one plan that is cheapest by the month; None when there is no choice or a tie."""
    rates = sorted((Fraction(offer.amount_minor, offer.months), offer.code) for offer in offers)
    if len(rates) < 2 or rates[0][0] == rates[1][0]:  # noqa: PLR2004 - a comparison takes two
        return None
    return rates[0][1]

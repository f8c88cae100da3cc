"""Letters that go ahead of time: of renewals, trials' ends, other prices, debits; and the statement of a year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.conf import settings

from broadsheet.dates import parse_instant
from broadsheet.payments.queries import InvoiceRow
from broadsheet.subscriptions import links
from broadsheet.subscriptions.cards import last_day, longday, period_words
from broadsheet.subscriptions.letters.words import (
    Words,
    at_local,
    how_to_cancel,
    joined,
    method,
    money,
    paid_by,
    paper,
    renews,
    stop_before,
)
from broadsheet.subscriptions.notice_plan import Ahead
from broadsheet.subscriptions.queries import SubscriptionRow

Facts = Mapping[str, Any]


def ahead_of(facts: Facts) -> Ahead:
    """The renewal a notice speaks of, as it was when the notice was sent."""
    return Ahead(
        date.fromisoformat(facts["on"]),
        facts["total_minor"],
        facts["amount_minor"],
        facts["currency"],
        facts["by"],
        facts.get("label", ""),
    )


def renewal(_: SubscriptionRow, facts: Facts) -> Words:
    """30 or 7 days before."""
    ahead = ahead_of(facts)
    return Words(
        f"Your subscription renews on {longday(ahead.on)}",
        (f"This is about your {facts['plan']} subscription to {paper()}. {renews(ahead)}", stop_before(ahead.on)),
    )


def trial_ending(row: SubscriptionRow, facts: Facts) -> Words:
    ahead, ends = ahead_of(facts), at_local(parse_instant(facts["ends_at"]))
    opening = f"Your trial of the {facts['plan']} subscription to {paper()} ends on {ends}."
    if not facts["method"]:
        lines = (
            opening,
            (
                "Nothing will be charged, and you need do nothing. If you would like to read on, tell us how you want "
                f"to pay: {links.mandate_link()}"
            ),
        )
        return Words(f"Your trial ends on {longday(ahead.on)}", lines)
    amount = f"{money(ahead.total_minor, ahead.currency)}, tax included, for {period_words(row.months, 'en')}"
    stop = f"If you would rather stop, cancel before then and nothing will be charged: {links.cancel_link()}"
    return Words(
        f"Your trial ends on {longday(ahead.on)}",
        (f"{opening} Your subscription then goes on for {amount}. {paid_by(ahead)}", stop),
    )


def price_change(row: SubscriptionRow, facts: Facts) -> Words:
    ahead = ahead_of(facts)
    return Words(
        f"The price of your subscription changes on {longday(ahead.on)}",
        (f"{_prices(row, facts, ahead)} {paid_by(ahead)} You need do nothing to go on.", stop_before(ahead.on)),
    )


def _prices(row: SubscriptionRow, facts: Facts, ahead: Ahead) -> str:
    new, old = money(ahead.total_minor, ahead.currency), money(facts["old_minor"], ahead.currency)
    term = period_words(row.months, "en")
    if new == old:
        return f"Your {facts['plan']} subscription to {paper()} renews on {longday(ahead.on)} for {new}, tax included."
    return (
        f"From {longday(ahead.on)} your {facts['plan']} subscription to {paper()} costs {new} instead of {old} for "
        f"{term}, tax included."
    )


def mandate_needed(row: SubscriptionRow, facts: Facts) -> Words:
    """The permission they gave is too small for what is to come: without a new one nothing is debited at any price."""
    ahead = ahead_of(facts)
    allowed = money(facts["max_minor"], ahead.currency)
    return Words(
        f"Please allow the debit of {longday(ahead.on)}",
        (
            _prices(row, facts, ahead),
            (
                f"You allowed us to debit up to {allowed} at a time, which is less. Please allow the new amount before "
                f"then: {links.mandate_link()}"
            ),
            (
                "Without that we will not debit anything, neither the new price nor the old one. On that day we will "
                "send you a link to pay instead."
            ),
            stop_before(ahead.on),
        ),
    )


def pre_debit(row: SubscriptionRow, facts: Facts) -> Words:
    """What a reader has to know of a debit before it is made."""
    ahead = ahead_of(facts)
    amount = money(ahead.due_minor, ahead.currency)
    table = [
        ("Merchant", settings.BROADSHEET.publisher_legal_name or paper()),
        ("Amount", f"{amount}, tax included"),
        ("Date", longday(ahead.on)),
        ("From", method(ahead.label)),
        ("For", f"{facts['plan']} subscription, {period_words(row.months, 'en')}"),
        ("Reference", facts["reference"]),
    ]
    out = (
        f"If you do not want this debit, cancel by the end of {last_day(ahead.on)} and nothing will be charged: "
        f"{links.cancel_link()} You can also decline it with your bank."
    )
    return Words(
        f"We will debit {amount} on {longday(ahead.on)}",
        ("This debit will be made by the permission you gave us:", "\n".join(f"{n}: {v}" for n, v in table), out),
    )


def term_ending(row: SubscriptionRow, facts: Facts) -> Words:
    ends = date.fromisoformat(facts["on"])
    given = {
        "gift": f"The {facts['plan']} subscription to {paper()} that you were given",
        "comp": f"Your complimentary {facts['plan']} subscription to {paper()}",
    }.get(row.origin, f"The term of your {facts['plan']} subscription to {paper()}")
    return Words(
        f"Your subscription ends on {longday(ends)}",
        (
            (
                f"{given} ends on {longday(ends)}: you can read to the end of {last_day(ends)}. It does not renew by "
                "itself, and nothing will be charged."
            ),
            f"If you would like to read on, here are our plans: {links.plans_link()}",
        ),
    )


def yearly_statement(
    row: SubscriptionRow, facts: Facts, bills: Sequence[InvoiceRow], ahead: Ahead | None
) -> Words:  # fmt: skip
    """`bills`: what was paid in the twelve months before the notice's day."""
    until = date.fromisoformat(facts["on"])
    told = "\n".join(
        f"{longday(bill.issued_on)}: {money(bill.total_minor, bill.currency)}, invoice {bill.number}" for bill in bills
    )
    total = sum(bill.total_minor for bill in bills)
    charged = (
        f"In the year up to {last_day(until)} you paid {money(total, bills[0].currency)} for it:"
        if bills
        else f"In the year up to {last_day(until)} nothing was charged for it."
    )
    return Words(
        f"Your year with {paper()}",
        joined(
            f"You have the {row.plan_name} subscription to {paper()}.",
            charged,
            told,
            renews(ahead) if ahead else "",
            how_to_cancel(),
        ),
    )

"""Letters about money that came, went back, or will not be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.conf import settings

from broadsheet.payments.queries import InvoiceRow, RefundRow
from broadsheet.subscriptions import links
from broadsheet.subscriptions.cards import longday, span
from broadsheet.subscriptions.letters.words import Words, at_local, how_to_cancel, joined, money, paper, renews
from broadsheet.subscriptions.notice_plan import Ahead
from broadsheet.subscriptions.queries import SubscriptionRow

OPENINGS = {
    "started": ("Welcome to {paper}", "Welcome to {paper}. Your {plan} subscription is open."),
    "renewed": ("Your subscription to {paper} is renewed", "Your {plan} subscription has been renewed."),
    "changed": ("Your subscription to {paper} has changed", "You now have the {plan} subscription."),
    "seats": ("Your subscription to {paper} has changed", "Your {plan} subscription now has {quantity} seats."),
}


def receipt(
    row: SubscriptionRow,
    bill: InvoiceRow,
    what: str,
    *,
    ahead: Ahead | None = None,
    withdraw_until: date | None = None,
    agreed: Sequence[str] = (),
) -> Words:
    """`what`: a key of OPENINGS. `withdraw_until`: the last day of the right to withdraw, for whom the law gives it;
    `agreed`: what they agreed to about it, in the words they saw."""
    subject, opening = (
        text.format(paper=paper(), plan=row.plan_name, quantity=row.quantity) for text in OPENINGS[what]
    )
    return Words(
        subject,
        joined(
            opening,
            _received(bill),
            f"Your invoice {bill.number}: {links.invoice_link(bill.number)}",
            renews(ahead) if ahead else "",
            how_to_cancel() if ahead else "",
            withdrawal_right(row.id, withdraw_until),
            *(f"You agreed to this: “{text}”" for text in agreed),
        ),
    )


def _received(bill: InvoiceRow) -> str:
    tax = f", {money(bill.tax_minor, bill.currency)} of it tax" if bill.tax_minor else ""
    days = span(bill.period_start, bill.period_end)
    credit = f" {money(bill.credit_minor, bill.currency)} of it was paid from your credit." if bill.credit_minor else ""
    return f"We received {money(bill.total_minor, bill.currency)} for {days}{tax}.{credit}"


def withdrawal_right(subscription_id: int, until: date | None) -> str:
    if until is None:
        return ""
    return (
        f"You may withdraw from this contract until the end of {longday(until)}, without giving a reason: "
        f"{links.withdraw_link(subscription_id)}"
    )


def trial_started(row: SubscriptionRow, ahead: Ahead | None, withdraw_until: date | None) -> Words:
    assert row.trial_end is not None
    ends = at_local(row.trial_end)
    then = (
        f"Nothing has been charged. On {ends} your trial ends and your subscription goes on: {_first(ahead)}"
        if ahead
        else f"Nothing has been charged, and nothing will be: your trial ends by itself on {ends}."
    )
    stop = f"If you cancel before then, nothing is ever charged: {links.cancel_link()}" if ahead else ""
    return Words(
        f"Your trial of {paper()} has begun",
        joined(
            f"Welcome to {paper()}. Your trial of the {row.plan_name} subscription has begun.",
            then,
            stop,
            withdrawal_right(row.id, withdraw_until),
        ),
    )


def _first(ahead: Ahead) -> str:
    amount = f"{money(ahead.total_minor, ahead.currency)}, tax included"
    if ahead.by == "mandate":
        return f"we will then debit {amount}, from {ahead.label or 'the payment method you gave us'}."
    return f"it then costs {amount}, if you choose to pay it."


def refund_sent(row: RefundRow) -> Words:
    note = f"Your credit note {row.note}: {links.note_link(row.note)}" if row.note else ""
    return Words(
        f"{money(row.amount_minor, row.currency)} is on its way back to you",
        joined(
            f"We have sent {money(row.amount_minor, row.currency)} back to you, by the way you paid. Your bank may "
            "take some working days to show it.",
            note,
        ),
    )


def credit_given(amount_minor: int, currency: str, note: str) -> Words:
    return Words(
        f"You have a credit with {paper()}",
        joined(
            f"{money(amount_minor, currency)} is yours as credit. Your next invoice uses it up by itself.",
            f"Your credit note {note}: {links.note_link(note)}" if note else "",
        ),
    )


def withdrawn(
    row: SubscriptionRow, received: datetime, *, refund_minor: int, credit_minor: int, currency: str, terms: str
) -> Words:
    """The acknowledgement the law asks for: what was declared, when it came in, and what follows."""
    local = received.astimezone(settings.BROADSHEET.zone)
    stamp = f"{longday(local.date())} at {local:%H:%M:%S} ({settings.BROADSHEET.time_zone})"
    less = " That is what you paid, less the days used." if terms == "pro_rata" else " That is all you paid."
    back = (
        f"{money(refund_minor, currency)} goes back to you by the way you paid, within 14 days.{less}"
        if refund_minor
        else ""
    )
    credit = f"{money(credit_minor, currency)}, which you had paid from your credit, is your credit again."
    nothing = "Nothing had been charged." if not (refund_minor or credit_minor) else ""
    return Words(
        "We have received your withdrawal",
        joined(
            f"On {stamp} you withdrew from the contract about your {row.plan_name} subscription to {paper()}. It has "
            "ended, and nothing will be charged any more.",
            back,
            credit if credit_minor else "",
            nothing,
            "Please keep this letter as your receipt.",
        ),
    )

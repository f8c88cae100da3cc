"""Letters about what one reader gives to another: gifts, and seats of a group."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from broadsheet.payments.queries import InvoiceRow
from broadsheet.subscriptions import links
from broadsheet.subscriptions.cards import longday, period_words
from broadsheet.subscriptions.letters.words import Words, joined, money, paper


def gift_bought(
    plan: str, months: int, to_email: str, send_on: date, bill: InvoiceRow, *, at_once: bool
) -> Words:  # fmt: skip
    """To the giver, as their receipt."""
    when = "It is on its way to them." if at_once else f"They will hear of it on {longday(send_on)}."
    return Words(
        "Your gift is paid",
        (
            (
                f"Thank you for giving {period_words(months, 'en')} of {paper()} ({plan}) to {to_email}. {when} It "
                "begins when they accept it, and it never renews by itself."
            ),
            (
                f"We received {money(bill.total_minor, bill.currency)}. Your invoice {bill.number}: "
                f"{links.invoice_link(bill.number)}"
            ),
        ),
    )


def gift_for_you(plan: str, months: int, giver: str, message: str, token: str) -> Words:
    return Words(
        f"{giver} gives you {paper()}",
        joined(
            f"{giver} gives you {period_words(months, 'en')} of {paper()}: the {plan} subscription.",
            f"“{message}”" if message else "",
            f"It begins on the day you accept it: {links.gift_link(token)}",
            "You will not be asked for a card, and it ends by itself.",
        ),
    )


def gift_delivered(to_email: str) -> Words:
    """To the giver, on the gift's day."""
    return Words("Your gift is on its way", (f"We have told {to_email} of your gift today.",))


def seat_invited(payer: str, plan: str, token: str) -> Words:
    return Words(
        f"{payer} invites you to read {paper()}",
        (
            f"{payer} has a seat for you in their {plan} subscription to {paper()}. It costs you nothing.",
            f"Take it here: {links.seat_link(token)}",
        ),
    )


def seat_removed(plan: str) -> Words:
    return Words(
        f"Your seat at {paper()} has ended",
        (
            (
                f"Your seat in a {plan} subscription to {paper()} was taken back by those who pay for it. Your account "
                "stays as it is."
            ),
            f"If you would like to read on, here are our plans: {links.plans_link()}",
        ),
    )


def seats_cut(plan: str, quantity: int, emails: Sequence[str]) -> Words:
    """To the payer."""
    return Words(
        "Some seats of your subscription have ended",
        (
            (
                f"Your {plan} subscription to {paper()} now has {quantity} seats, yours among them. These had a seat "
                "beyond that and cannot read with it any more:"
            ),
            "\n".join(emails),
            f"You can add seats again in your account: {links.seats_link()}",
        ),
    )

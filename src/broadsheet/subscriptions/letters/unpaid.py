"""Letters about what fell due and is not paid."""

from __future__ import annotations

from datetime import date

from broadsheet.payments.queries import InvoiceRow
from broadsheet.subscriptions import links
from broadsheet.subscriptions.cards import last_day, longday, span
from broadsheet.subscriptions.letters.words import Words, joined, money, paper, pay_here
from broadsheet.subscriptions.queries import SubscriptionRow


def renewal_failed(
    row: SubscriptionRow,
    bill: InvoiceRow,
    *,
    code: str,
    next_try: date | None,
    access_until: date | None,
    ends_on: date | None,
) -> Words:
    """`code` as providers tell it; `next_try` None where nothing is tried again."""
    amount = money(bill.due_minor, bill.currency)
    subject, what = _what(row, amount, code)
    then = (
        f"We will try again on {longday(next_try)}. If you would rather stop, you can cancel in your account: "
        f"{links.cancel_link()}"
        if next_try
        else ""
    )
    lines = joined(what, _reading(access_until), pay_here(row.id), then, "" if next_try else _ends(ends_on))
    return Words(subject, lines)


def _what(row: SubscriptionRow, amount: str, code: str) -> tuple[str, str]:
    plan = f"your {row.plan_name} subscription"
    if code == "opted_out":
        return (
            "Your subscription is not paid",
            (
                f"You declined the debit of {amount} for {plan}. Nothing has been charged, and we will not try again. "
                "If you would like to read on, you can pay yourself."
            ),
        )
    if code == "hard_declined":
        return (
            "Please give us another way to pay",
            (
                f"Your bank refused {amount} for {plan} for good: the card or account may be closed, lost or expired. "
                "Nothing has been charged, and we will not try it again. Please give us another one: "
                f"{links.mandate_link()}"
            ),
        )
    if code == "no_mandate":
        return (
            "Please give us another way to pay",
            (
                f"We could not collect {amount} for {plan}, because the permission to debit it has ended. Nothing has "
                f"been charged. You can give us another one: {links.mandate_link()}"
            ),
        )
    return (
        "Your payment did not go through",
        f"We could not collect {amount} for {plan}. Nothing has been charged.",
    )


def _reading(access_until: date | None) -> str:
    return f"You can read to the end of {last_day(access_until)}." if access_until else ""


def _ends(ends_on: date | None) -> str:
    return f"Your subscription ends on {longday(ends_on)} unless it is paid by then." if ends_on else ""


def payment_wanted(
    row: SubscriptionRow,
    bill: InvoiceRow,
    *,
    why: str,
    limit_minor: int | None,
    access_until: date | None,
    ends_on: date | None,
) -> Words:
    """`why`: `invoice` (they pay by invoice), `limit` (more than the law lets be debited without them), `maximum` (more
    than they allowed) or `no_mandate`."""
    amount = money(bill.due_minor, bill.currency)
    limit = money(limit_minor, bill.currency) if limit_minor is not None else ""
    because = {
        "limit": f"It is more than may be debited without you ({limit}), so we ask you to pay it yourself.",
        "maximum": f"It is more than you allowed us to debit at a time ({limit}), so we have not debited anything.",
        "no_mandate": "We have no card or account that we may debit, so we ask you to pay it yourself.",
    }.get(why, "")
    return Words(
        f"Please pay {amount} for your subscription",
        joined(
            f"Your {row.plan_name} subscription to {paper()} has fallen due: {amount}, tax included, for "
            f"{span(bill.period_start, bill.period_end)} (invoice {bill.number}).",
            because,
            pay_here(row.id),
            _reading(access_until),
            _ends(ends_on),
        ),
    )


def suspended(row: SubscriptionRow, bill: InvoiceRow | None, ends_on: date | None) -> Words:
    owed = f": {money(bill.due_minor, bill.currency)} is open" if bill else ""
    return Words(
        "Your subscription is suspended",
        joined(
            f"Your {row.plan_name} subscription to {paper()} has not been paid{owed}. You cannot read with it for the "
            "time being.",
            f"As soon as it is paid you read again, from that day for a whole period: {links.pay_link(row.id)}",
            _ends(ends_on),
        ),
    )


def mandate_lost(row: SubscriptionRow) -> Words:
    return Words(
        "We can no longer debit your subscription",
        (
            (
                f"Your permission to debit the {row.plan_name} subscription to {paper()} has been withdrawn, by you or "
                "your bank. Nothing changes for what you have paid for."
            ),
            (
                "When it renews, we will send you a link to pay. If you would rather have it debited, allow it again: "
                f"{links.mandate_link()}"
            ),
        ),
    )


def disputed(row: SubscriptionRow, status: str, amount_minor: int, currency: str, email: str) -> Words:
    """To those who run the paper."""
    amount = money(amount_minor, currency)
    what = {
        "opened": f"{email} disputes {amount}: the bank took it back. The subscription is suspended until it decides.",
        "won": f"The bank decided for us about {amount} of {email}. The subscription goes on as before.",
        "lost": f"The bank decided for {email} about {amount}. The subscription has ended.",
    }[status]
    return Words(f"Chargeback {status}: {amount}", (what, f"Subscription {row.id}, {row.plan_name}."))

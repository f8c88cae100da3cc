"""What all letters share: their form, and how money, days and the ways out are put in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings

from broadsheet.money import format_money
from broadsheet.subscriptions import links
from broadsheet.subscriptions.cards import last_day, longday
from broadsheet.subscriptions.notice_plan import Ahead


@dataclass(frozen=True, slots=True)
class Words:
    """A letter's subject and paragraphs, without its greeting and its end."""

    subject: str
    lines: tuple[str, ...]


def paper() -> str:
    return str(settings.BROADSHEET.name)


def money(minor: int, currency: str) -> str:
    return format_money(minor, currency)


def at_local(instant: datetime) -> str:
    """`10 April 2027 at 12:12`, in the publisher's zone"""
    local = instant.astimezone(settings.BROADSHEET.zone)
    return f"{longday(local.date())} at {local:%H:%M}"


def renews(ahead: Ahead) -> str:
    """What comes next and how it is paid."""
    amount = f"{money(ahead.total_minor, ahead.currency)}, tax included"
    if ahead.due_minor < ahead.total_minor:
        amount += f" ({money(ahead.due_minor, ahead.currency)} after your credit)"
    return f"It renews on {longday(ahead.on)} for {amount}. {paid_by(ahead)}"


def paid_by(ahead: Ahead) -> str:
    if ahead.by == "mandate":
        return f"We will debit it from {method(ahead.label)}."
    if ahead.by == "invoice":
        return "You will have our invoice on that day."
    return "It will not be debited by itself: on that day we will send you a link to pay."


def method(label: str) -> str:
    return label or "the payment method you gave us"


def how_to_cancel() -> str:
    return (
        f"You can cancel at any time in your account, in two clicks: {links.cancel_link()} You then read on until the "
        "end of what you have paid for."
    )


def stop_before(day: date) -> str:
    """For what has not been charged yet."""
    return (
        f"If you would rather stop, cancel by the end of {last_day(day)} and nothing will be charged: "
        f"{links.cancel_link()}"
    )


def pay_here(subscription_id: int) -> str:
    return f"You can pay here, without signing in: {links.pay_link(subscription_id)}"


def joined(*lines: str) -> tuple[str, ...]:
    """The paragraphs that have something to say."""
    return tuple(line for line in lines if line)

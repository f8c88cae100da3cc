"""How an amount and its taxes are laid out for a reader, and the words of what they agree to. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from broadsheet.money import format_money
from broadsheet.payments.places import state_named
from broadsheet.payments.rules import rate_words
from broadsheet.payments.values import Line
from broadsheet.subscriptions.cards import longday, period_words

MINUS = "\N{MINUS SIGN}"
_NAMES = {"cgst": "CGST", "sgst": "SGST", "igst": "IGST", "vat": "VAT", "tax": "Tax"}


@dataclass(frozen=True, slots=True)
class Totals:
    """A bill before it is one; every text final. `taxable` and `taxes` stand inside the total or on top of it,
    `credit` is empty where none is used, `due` is what is left to pay and `pay` the same as a button says it; `place`
    is an Indian State or nothing."""

    lines: tuple[tuple[str, str], ...]
    taxable: str
    taxes: tuple[tuple[str, str], ...]
    inclusive: bool
    total: str
    credit: str
    due: str
    pay: str
    place: str


def lay_out(
    lines: Sequence[Line],
    tax: Mapping[str, Any],
    *,
    total_minor: int,
    credit_minor: int = 0,
    currency: str,
    whole_gst: bool = False,
) -> Totals:
    """`tax` as invoices keep it. `whole_gst`: the buyer's State is not known yet, so that GST is said in one."""

    def money(minor: int) -> str:
        return format_money(minor, currency, exact=True).replace("-", MINUS)

    return Totals(
        lines=tuple((line.text, money(line.amount_minor)) for line in lines),
        taxable=money(tax["taxable_minor"]) if tax.get("taxable_minor") is not None else "",
        taxes=tuple((name, money(minor)) for name, minor in tax_rows(tax, whole_gst=whole_gst)),
        inclusive=bool(tax.get("inclusive", True)),
        total=money(total_minor),
        credit=money(-credit_minor) if credit_minor else "",
        due=money(total_minor - credit_minor),
        pay=format_money(total_minor - credit_minor, currency),
        place="" if whole_gst else state_named(str(tax.get("place_of_supply", ""))) or "",
    )


def tax_rows(tax: Mapping[str, Any], *, whole_gst: bool = False) -> list[tuple[str, int]]:
    """`[("CGST 9%", 6864), ("SGST 9%", 6864)]`; a tax of nothing is not named."""
    rate = Fraction(str(tax.get("rate", "0")))
    found = [(name, tax[f"{name}_minor"]) for name in _NAMES if tax.get(f"{name}_minor")]
    if whole_gst and tax.get("kind") == "gst" and found:
        return [(f"GST {rate_words(int(rate * 100))}%", sum(minor for _, minor in found))]
    halves = {"cgst", "sgst"}
    return [
        (f"{_NAMES[name]} {rate_words(int(rate * 100 / (2 if name in halves else 1)))}%", minor)
        for name, minor in found
    ]


def digest(total_minor: int, credit_minor: int, next_minor: int, tax: Mapping[str, Any]) -> str:
    """What a reader has seen, in short: when it differs from what they would pay, they are asked once more."""
    taxes = ".".join(f"{name}{minor}" for name, minor in tax_rows(tax))
    return f"{total_minor}.{credit_minor}.{next_minor}.{taxes}".replace(" ", "").replace("%", "")


_BY = {"card": "your card", "upi": "your UPI account"}


def by_words(rails: Sequence[str]) -> str:
    """`by your card or your UPI account`"""
    return " or ".join(_BY[rail] for rail in rails if rail in _BY)


def every_words(months: int) -> str:
    return "every month" if months == 1 else f"every {period_words(months, 'en')}"


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a renewal agreement is about. Amounts hold every tax; `due_minor` is what is paid at once and `reduced` for
    how many periods a coupon holds (None: for good, 0: there is none). `by_link`: a renewal is more than may be
    charged without the reader there."""

    plan: str
    months: int
    currency: str
    due_minor: int
    next_on: date
    next_minor: int
    later_minor: int
    trial_days: int
    reduced: int | None = 0
    by_link: bool = False


def renewal_words(agreed: Agreed, *, paper: str, rails: Sequence[str]) -> str:
    """The agreement to be charged again, as it stands above the button and is kept as its proof."""
    now = format_money(agreed.due_minor, agreed.currency)
    then = format_money(agreed.next_minor, agreed.currency)
    later = format_money(agreed.later_minor, agreed.currency)
    day, every = longday(agreed.next_on), every_words(agreed.months)
    renews = "renews" if agreed.by_link else "renews automatically"
    first = (
        f"You pay nothing today. Your free trial of the {agreed.plan} plan of {paper} runs for {agreed.trial_days} "
        f"days; if you do not cancel before {day}, you pay {then} on that day"
        if agreed.trial_days
        else f"You pay {now} today for the {agreed.plan} plan of {paper}. It {renews}: {then} on {day}"
    )
    changes = agreed.reduced is not None and agreed.next_minor != agreed.later_minor
    rest = f"and {later if changes else then} {every} from then"
    if changes and agreed.reduced and agreed.reduced > 1:
        rest = f"and {every} from then, {later} each once your coupon has been used {agreed.reduced} times"
    if agreed.by_link:
        return (
            f"{first} {rest}, taxes included, until you cancel. That is more than may be charged by itself: we "
            "write to you before each payment with a link to pay, and nothing is charged without you. You can cancel "
            "at any time in your account, in two clicks, and read on to the end of what is paid for."
        )
    return (
        f"{first} {rest}, taxes included, by {by_words(rails)}, until you cancel. We write to you before each payment. "
        "You can cancel at any time in your account, in two clicks, and read on to the end of what is paid for."
    )


def trial_words(plan: str, paper: str, days: int, ends: date) -> str:
    """A trial that asks for nothing."""
    return (
        f"Your free trial of the {plan} plan of {paper} runs for {days} days and ends by itself on {longday(ends)}. "
        "No payment method is asked for, nothing is charged, and there is nothing to cancel."
    )


def waiver_words(paper: str) -> str:
    """What a reader of the EU may agree to, or not; without it the right stays."""
    return (
        f"I ask {paper} to open my subscription at once, before the 14 days of my right of withdrawal are over, and I "
        "know that I lose this right thereby."
    )


def by_hand_words(plan: str, paper: str, amount_minor: int, currency: str, months: int) -> str:
    return (
        f"You pay {format_money(amount_minor, currency)} for {period_words(months, 'en')} of the {plan} plan of "
        f"{paper}, taxes included. Nothing is charged by itself later: we send you a bill before the next period."
    )

"""What the account says of a subscription: its status, what comes next and why, in plain words; what may be done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.urls import reverse

from broadsheet.dates import local_date
from broadsheet.money import format_money
from broadsheet.payments.queries import MandateRow, credit_balance, disputes_of_subject, mandate, open_invoices_of
from broadsheet.subscriptions import actions, links, queries, rules
from broadsheet.subscriptions.cards import last_day, longday
from broadsheet.subscriptions.policies import policies_of
from broadsheet.subscriptions.totals import by_words, every_words

_RAILS = {"card": "Card", "upi": "UPI", "manual": "By transfer"}


@dataclass(frozen=True, slots=True)
class Standing:
    """Every text final, empty where there is nothing to say. `may` holds what the page offers: cancel, undo, pause,
    resume, change, method, seats, withdraw."""

    plan: str
    status: str
    words: str
    until_label: str
    until: str
    next_charge: str
    method: str
    coming: str
    owed: str
    pay: str
    seats: str
    live: bool
    may: frozenset[str]


def standing(row: queries.SubscriptionRow, now: datetime) -> Standing:
    held = mandate(row.mandate_id)
    bills = open_invoices_of(f"subscription:{row.id}")
    owed = sum(bill.due_minor for bill in bills) if row.live else 0
    status, words = _status(row, now)
    return Standing(
        plan=row.plan_name,
        status=status,
        words=words,
        until_label="You can read to the end of" if row.access_until else "Its last day was",
        until=_until(row),
        next_charge=_next(row, held, now) if row.live else "",
        method=_method(row, held),
        coming=_coming(row),
        owed=format_money(owed, row.currency) if owed else "",
        pay=reverse("pay_link", args=[links.pay_token(row.id)]) if owed else "",
        seats=f"{row.quantity}, you included" if row.quantity > 1 else "",
        live=row.live,
        may=_may(row, now),
    )


def _until(row: queries.SubscriptionRow) -> str:
    """The last day of reading; a trial ends at an instant, so its day is a day of reading too."""
    if row.status == "trialing" and row.trial_end is not None:
        return longday(local_date(row.trial_end, settings.BROADSHEET.zone))
    if row.live and row.access_until is None:
        return ""
    ended = local_date(row.ended_at, settings.BROADSHEET.zone) if row.ended_at else row.paid_until
    if row.access_until is None and ended < row.paid_until:
        return longday(ended)
    return last_day(row.access_until or row.paid_until)


def _status(row: queries.SubscriptionRow, now: datetime) -> tuple[str, str]:
    """The status in a word or two, and the sentence that explains it."""
    until = _until(row)
    if row.live and row.cancel_at_period_end:
        return "Cancelled", _after_cancelling(row, until)
    match row.status:
        case "trialing":
            return "Free trial", f"You try it for nothing until {until}."
        case "active" if row.origin == "gift":
            return "A gift to you", f"You can read everything in the plan to the end of {until}. It ends by itself."
        case "active" if row.origin == "comp":
            return "Given to you", f"You can read everything in the plan to the end of {until}. It ends by itself."
        case "active":
            return "Active", ""
        case "past_due":
            return "Payment overdue", f"We could not collect the last payment. You can read on to the end of {until}."
        case "suspended":
            if any(one.status == "opened" for one in disputes_of_subject(f"subscription:{row.id}")):
                return (
                    "On hold",
                    "Your bank is looking into a payment, as it was asked to. Until then nothing can be read.",
                )
            return "On hold", "A payment is missing. Once it is there you can read on at once, for a full period."
        case "paused" if row.pause_until is not None:
            ends = longday(row.pause_until)
            return "Paused", f"It goes on by itself on {ends}. The days of the pause are added at the end."
    when = (
        local_date(row.ended_at, settings.BROADSHEET.zone)
        if row.ended_at
        else local_date(now, settings.BROADSHEET.zone)
    )
    return "Ended", f"It ended on {longday(when)}." if row.ended_at else ""


def _after_cancelling(row: queries.SubscriptionRow, until: str) -> str:
    words = "You will not be charged again."
    if row.status == "paused" and row.pause_until is not None:
        days = "The days you have paid for are still yours after it."
        return f"{words} Your pause runs until {longday(row.pause_until)}. {days}"
    return f"{words} You can read everything in your plan to the end of {until}." if until else words


def _next(row: queries.SubscriptionRow, held: MandateRow | None, now: datetime) -> str:
    """The next charge with its day and its amount, taxes included; or why there is none."""
    if row.cancel_at_period_end:
        return "None: you have cancelled"
    if row.origin in ("gift", "comp"):
        return "None: it ends by itself"
    if row.status == "paused":
        return "None while it is paused"
    if row.status == "trialing" and row.next_charge_on is None:
        return "None: your trial ends by itself"
    money = actions.quote_renewal(subscription_id=row.id, amount_minor=row.amount_minor, now=now)
    amount = format_money(money.split.total_minor, row.currency)
    if row.collection == "external":
        return f"{amount} on {longday(row.paid_until)}, charged by the shop you bought it in"
    if row.next_charge_on is None:
        if row.status in ("past_due", "suspended"):
            return "None by itself: please pay what is owed"
        return (
            f"{amount} on {longday(row.paid_until)}. We write to you with a link to pay: nothing is charged by itself"
        )
    if row.status in ("active", "trialing") and _too_much(money.due_minor, row.currency, held):
        day = longday(row.next_charge_on)
        return f"{amount} on {day}. That is more than may be charged by itself: we send you a link to pay"
    credit = f", {format_money(money.credit_minor, row.currency)} of it from your credit" if money.credit_minor else ""
    return f"{amount} on {longday(row.next_charge_on)}{credit}"


def _too_much(amount_minor: int, currency: str, held: MandateRow | None) -> bool:
    most = held.max_minor if held else None
    policies = policies_of(settings.BROADSHEET)
    return not rules.may_debit(amount_minor, currency, mandate_max_minor=most, till_max_minor=None, policies=policies)


def _method(row: queries.SubscriptionRow, held: MandateRow | None) -> str:
    if not row.live or row.cancel_at_period_end or row.origin in ("gift", "comp"):
        return ""
    if row.collection == "external":
        return "By the shop you bought it in"
    if held is None or not held.usable:
        return "None"
    return held.label or _RAILS.get(held.rail, held.rail)


def _coming(row: queries.SubscriptionRow) -> str:
    """A change that was asked for and has not come yet."""
    if row.pending_plan:
        return f"{row.pending_plan} from {longday(row.paid_until)}"
    if row.pending_quantity is not None:
        return f"{row.pending_quantity} seats from {longday(row.paid_until)}"
    return ""


def _may(row: queries.SubscriptionRow, now: datetime) -> frozenset[str]:
    if not row.live:
        return frozenset({"withdraw"} if _withdrawable(row, now) else ())
    sold = row.origin not in ("gift", "comp")
    on = not row.cancel_at_period_end
    day = local_date(now, settings.BROADSHEET.zone)
    open_days = row.status == "trialing" or day < row.paid_until
    offers = {
        "cancel": sold and on,
        "undo": not on and row.status in ("trialing", "active", "paused") and open_days,
        "pause": row.status == "active" and sold and on and day < row.paid_until,
        "resume": row.status == "paused",
        "change": sold and on and row.status in ("trialing", "active", "past_due"),
        "method": sold and on and row.collection != "external" and _mandates(row.currency),
        "seats": queries.seats_sold(row.plan_code)[1] > 1 or row.quantity > 1,
        "withdraw": _withdrawable(row, now),
    }  # fmt: skip
    return frozenset(name for name, yes in offers.items() if yes)


def _mandates(currency: str) -> bool:
    return actions.rails(currency) != ("manual",)


def _withdrawable(row: queries.SubscriptionRow, now: datetime) -> bool:
    return row.started_at is not None and actions.may_withdraw(subscription_id=row.id, now=now) is not None


def credit_words(reader_id: int) -> str:
    """The credit a reader holds, in the paper's currency; empty without any."""
    currency = settings.BROADSHEET.currency
    held = credit_balance(reader_id, currency)
    return format_money(held, currency) if held > 0 else ""


def mandate_words(row: queries.SubscriptionRow, rails: tuple[str, ...], now: datetime) -> str:
    """What a new payment method is allowed to be used for, as it stands above the button and is kept as its proof."""
    money = actions.quote_renewal(subscription_id=row.id, amount_minor=row.amount_minor, now=now)
    amount = format_money(money.split.total_minor, row.currency)
    day: date = row.next_charge_on or row.paid_until
    return (
        f"Nothing is charged now. Your {row.plan_name} plan is charged to {by_words(rails)} from the next payment on: "
        f"{amount}, taxes included, on {longday(day)} and {every_words(row.months)} from then, until you cancel. We "
        "write to you before each payment."
    )

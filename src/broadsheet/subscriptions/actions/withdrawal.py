"""Withdrawing from the contract: the right of readers in some countries to have it undone within days.

No question is asked and nothing stands in the way: an attempt to charge that is still running, a pause, a dispute or a
cancellation do not. Money that comes in afterwards goes back by itself.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from django.conf import settings
from django.db import transaction

from broadsheet.bus.actions import emit
from broadsheet.dates import local_date, rfc3339
from broadsheet.payments import actions as payments
from broadsheet.payments.queries import (
    InvoiceRow,
    PaymentRow,
    billing_profile,
    disputes_of_subject,
    invoice,
    invoices_of,
    payments_of,
)
from broadsheet.payments.taxes import TaxSplit
from broadsheet.subscriptions import cooling_off, proration, rules
from broadsheet.subscriptions.actions.cancellation import gross
from broadsheet.subscriptions.actions.changes import covered
from broadsheet.subscriptions.actions.consent import consented
from broadsheet.subscriptions.actions.ending import finish
from broadsheet.subscriptions.actions.history import Happened, lock, move, policies, record, subject, today, zone
from broadsheet.subscriptions.actions.refunding import credit_note_facts, submit_and_tell
from broadsheet.subscriptions.events import SubscriptionEnded, WithdrawalReceived
from broadsheet.subscriptions.models import Segment, Subscription, SubscriptionEvent

RUNNING = ("trialing", "active", "past_due", "suspended", "paused")
REASON = "Withdrawn from the contract"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What withdrawing now would give back: `refund_minor` by the road it came, `credit_minor` as the credit it was.
    `until` is the last day of the right; `terms` is `full` or `pro_rata`."""

    until: date
    terms: cooling_off.Terms
    refund_minor: int
    credit_minor: int
    currency: str


@dataclass(slots=True)
class _Shares:
    """What goes back of each payment, and of each invoice as credit: by their rows' ids."""

    of_payments: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    as_credit: dict[int, int] = field(default_factory=lambda: defaultdict(int))


def may_withdraw(*, subscription_id: int, now: datetime) -> Withdrawal | None:
    """What withdrawing now would bring; None when there is no such right (any more). Writes nothing."""
    subscription = Subscription.objects.select_related("plan", "price").get(pk=subscription_id)
    terms = _terms(subscription, now)
    if terms is None:
        return None
    shares, made_on = _shares(subscription, terms, now), _made_on(subscription)
    rule = cooling_off.rule_of(_country(subscription), made_on)
    assert rule is not None
    until = cooling_off.last_day(rule, made_on)
    return Withdrawal(
        until, terms, sum(shares.of_payments.values()), sum(shares.as_credit.values()), _currency(subscription)
    )


def _currency(subscription: Subscription) -> str:
    return subscription.price.currency if subscription.price else settings.BROADSHEET.currency


def _country(subscription: Subscription) -> str:
    return billing_profile(subscription.reader_id).country or "IN"


def _made_on(subscription: Subscription) -> date:
    assert subscription.started_at is not None
    return local_date(subscription.started_at, zone())


def _terms(subscription: Subscription, now: datetime) -> cooling_off.Terms | None:
    """Only what was bought here, and has not been withdrawn from."""
    if subscription.origin != Subscription.Origin.SOLD or subscription.started_at is None:
        return None
    if subscription.status not in (*RUNNING, "canceled") or _withdrawn(subscription):
        return None
    made_on = _made_on(subscription)
    rule = cooling_off.rule_of(_country(subscription), made_on)
    if rule is None or not cooling_off.in_time(rule, made_on, now, zone()):
        return None
    return cooling_off.terms_of(rule, consented(subscription.pk))


def _withdrawn(subscription: Subscription) -> bool:
    return SubscriptionEvent.objects.filter(subscription=subscription, kind="withdrawn").exists()


def withdraw(*, subscription_id: int, actor: str, now: datetime) -> list[Happened]:
    """End it as if it had not been made: what was paid goes back, all of it or less the days used. Withdrawing twice is
    withdrawing once. RefusedError `no_withdrawal` when the reader has no such right (any more): they may cancel.
    """
    with transaction.atomic():
        subscription = lock(subscription_id)
        if _withdrawn(subscription):
            return []
        terms = _terms(subscription, now)
        if terms is None:
            raise rules.RefusedError("no_withdrawal")
        shares = _shares(subscription, terms, now)
        refund_minor, credit_minor = sum(shares.of_payments.values()), sum(shares.as_credit.values())
        currency = _currency(subscription)
        facts = {
            "terms": terms, "refund_minor": refund_minor, "credit_minor": credit_minor, "currency": currency
        }  # fmt: skip
        happened = [record(subscription, "withdrawn", facts, now=now, actor=actor)]
        noted, asked = _give_back(subscription, shares, actor, now)
        happened += noted + _end(subscription, actor, now)
        emit(WithdrawalReceived(subscription.pk, refund_minor, credit_minor, currency, terms, rfc3339(now)))
    for refund_id in asked:
        happened += submit_and_tell(refund_id=refund_id, subscription_id=subscription_id, now=now)
    return happened


def _end(subscription: Subscription, actor: str, now: datetime) -> list[Happened]:
    Segment.objects.filter(subscription=subscription, closed_on=None).update(closed_on=today(now))
    if subscription.status in rules.TERMINAL:
        return []
    subscription.canceled_at = subscription.canceled_at or now
    subscription.cancel_at_period_end = True
    happened = move(subscription, "cancel_now", now=now, actor=actor, reason="withdrawn")
    happened += finish(subscription, now)
    emit(SubscriptionEnded(subscription.pk, "withdrawn", rfc3339(now)))
    return happened


# What goes back


def _shares(subscription: Subscription, terms: cooling_off.Terms, now: datetime) -> _Shares:
    """The parts of every payment and of the credit that was used. What a bank holds back because the reader disputes it
    is with them already."""
    disputed = {row.invoice_id for row in disputes_of_subject(subject(subscription.pk)) if row.status != "won"}
    bills = [
        bill for bill in invoices_of(subject(subscription.pk)) if bill.status == "paid" and bill.id not in disputed
    ]
    room = {bill.id: bill.notable_minor - max(0, bill.due_minor) for bill in bills}
    left = {
        payment.id: payment
        for bill in bills
        for payment in payments_of(bill.id)
        if payment.status == "succeeded" and not payment.surplus
    }
    made = _Shares()
    for invoice_id, amount in _claims(subscription, bills, room, terms, now):
        still = amount
        for bill in sorted(bills, key=lambda one: (one.id != invoice_id, -one.id)):  # its own, then the newest
            still -= _take(made, bill, still, room, left)
    return made


def _claims(
    subscription: Subscription, bills: list[InvoiceRow], room: dict[int, int], terms: cooling_off.Terms, now: datetime
) -> list[tuple[int, int]]:
    """(invoice, amount with its tax) to give back, newest first."""
    if terms == "full":
        # What an earlier change left over is the reader's credit already.
        kept = sum(line.amount_minor for bill in bills for line in _lines(bill) if line.kind == "carried")
        claims = []
        for bill in reversed(bills):
            less = min(kept, room[bill.id])
            kept -= less
            claims.append((bill.id, room[bill.id] - less))
        return claims
    how = policies()
    day = subscription.paused_on or proration.first_unused_day(_ended_on(subscription, now), how)
    found = []
    for rest in reversed(proration.all_unused(covered(subscription), day, how.rounding)):
        bill = next((one for one in bills if one.id == rest.invoice_id), None)
        if bill is not None:
            whole = TaxSplit(bill.taxable_minor, bill.tax_minor)
            amount = gross(rest.amount_minor, whole, inclusive=bool(bill.tax.get("inclusive", True)))
            found.append((bill.id, amount))
    return found


def _ended_on(subscription: Subscription, now: datetime) -> date:
    return today(subscription.ended_at or now)


def _lines(bill: InvoiceRow) -> tuple:
    full = invoice(bill.id)
    return full.lines if full else ()


def _take(
    made: _Shares, bill: InvoiceRow, amount: int, room: dict[int, int], left: dict[int, PaymentRow]
) -> int:  # fmt: skip
    """Take up to `amount` of an invoice: what was collected for it first, the rest of what its notes may take as the
    credit that had paid it. Returns how much it gave."""
    given = 0
    for payment in (one for one in left.values() if one.invoice_id == bill.id):
        part = min(
            amount - given,
            room[bill.id],
            payment.amount_minor - payment.refunded_minor - made.of_payments[payment.id],
        )
        if part > 0:
            made.of_payments[payment.id] += part
            room[bill.id] -= part
            given += part
    held = min(amount - given, room[bill.id], bill.credit_minor - made.as_credit[bill.id])
    if held > 0:
        made.as_credit[bill.id] += held
        room[bill.id] -= held
        given += held
    return given


def _give_back(
    subscription: Subscription, shares: _Shares, actor: str, now: datetime
) -> tuple[list[Happened], list[int]]:
    """The credit notes, and the refunds to submit when all of this is committed."""
    happened: list[Happened] = []
    asked: list[int] = []
    day = proration.first_unused_day(today(now), policies())
    for payment_id, amount in shares.of_payments.items():
        if amount:
            row = payments.ask_refund(
                payment_id=payment_id,
                amount_minor=amount,
                key=f"withdraw:{subscription.pk}:{payment_id}",
                reason=REASON,
                adjust=True,
                actor=actor,
                now=now,
                unearned_from=day,
                approved=True,
            )
            happened.append(record(subscription, "credit_note", credit_note_facts(row), now=now))
            asked.append(row.id)
    for invoice_id, amount in shares.as_credit.items():
        if amount:
            number = payments.credit_instead(
                invoice_id=invoice_id,
                amount_minor=amount,
                key=f"withdraw:{subscription.pk}:{invoice_id}",
                reason=REASON,
                now=now,
                unearned_from=day,
            )
            note = {"number": number, "amount_minor": amount}
            happened.append(record(subscription, "credit_note", note, now=now))
    return happened, asked

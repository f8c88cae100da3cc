"""Cancelling, and taking it back."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from typing import Literal

from django.db import transaction

from broadsheet.bus.actions import emit
from broadsheet.dates import rfc3339
from broadsheet.payments import actions as payments
from broadsheet.payments.actions import RefundRefusedError
from broadsheet.payments.queries import InvoiceRow, invoice, invoices_of, mandate, payments_of
from broadsheet.payments.taxes import TaxSplit
from broadsheet.subscriptions import proration, rules
from broadsheet.subscriptions.actions import notices
from broadsheet.subscriptions.actions.changes import covered
from broadsheet.subscriptions.actions.ending import charge_under_way, finish
from broadsheet.subscriptions.actions.history import Happened, lock, move, policies, record, subject, today
from broadsheet.subscriptions.actions.refunding import credit_note_facts, submit_and_tell
from broadsheet.subscriptions.actions.rights import sync_access
from broadsheet.subscriptions.events import (
    CancellationScheduled,
    CancellationWithdrawn,
    CreditGiven,
    MandateUnwanted,
    SubscriptionEnded,
)
from broadsheet.subscriptions.models import Segment, Subscription

REASON_LENGTH = 500
CANCELLABLE = ("trialing", "active", "past_due", "suspended", "paused")
Refund = Literal["none", "unused", "credit"]


def cancel(
    *,
    subscription_id: int,
    actor: str,
    now: datetime,
    when: str = "period_end",
    refund: Refund = "none",
    reason: str = "",
) -> list[Happened]:
    """No further charge. At the period's end: what is paid for stays readable to its last day. Now: it ends, and
    `refund` says what becomes of the unused rest. Cancelling twice is cancelling once.

    One that is behind with its payment ends at once: nothing is paid for. RefusedError: `nothing_to_cancel`,
    `charge_under_way`.
    """
    if when == "now":
        return _cancel_now(subscription_id, refund, actor, reason, now)
    return _cancel_at_period_end(subscription_id, actor, reason, now)


@transaction.atomic
def _cancel_at_period_end(subscription_id: int, actor: str, reason: str, now: datetime) -> list[Happened]:
    subscription = lock(subscription_id)
    if subscription.status not in CANCELLABLE or subscription.fixed_term:
        raise rules.RefusedError("nothing_to_cancel")
    if subscription.cancel_at_period_end:
        return []
    effective = max(subscription.period_end, today(now))
    happened = _mark(subscription, actor, reason, now, effective=effective)
    if subscription.status in ("past_due", "suspended") and not charge_under_way(subscription):
        happened += move(subscription, "cancel_now", now=now, actor=actor, reason="cancelled")
        happened += finish(subscription, now)
        emit(SubscriptionEnded(subscription.pk, "cancelled", rfc3339(now)))
        return happened
    notices.drop(subscription, now)
    happened += sync_access(subscription, now)
    emit(CancellationScheduled(subscription.pk, rfc3339(now)))
    if subscription.mandate_id:
        emit(MandateUnwanted(subscription.mandate_id, rfc3339(now)))
    return happened


def _mark(subscription: Subscription, actor: str, reason: str, now: datetime, *, effective: date) -> list[Happened]:
    reason = reason.strip()[:REASON_LENGTH]
    subscription.cancel_at_period_end = True
    subscription.canceled_at = now
    subscription.cancel_reason = reason
    subscription.pending_plan = subscription.pending_quantity = None
    subscription.save()
    return [
        record(subscription, "cancellation_requested", {"effective": effective}, now=now, actor=actor, reason=reason)
    ]


def _cancel_now(subscription_id: int, refund: Refund, actor: str, reason: str, now: datetime) -> list[Happened]:
    with transaction.atomic():
        subscription = lock(subscription_id)
        if subscription.status not in CANCELLABLE:
            raise rules.RefusedError("nothing_to_cancel")
        if charge_under_way(subscription):
            raise rules.RefusedError("charge_under_way")
        paid = subscription.status in ("active", "paused")
        happened = _mark(subscription, actor, reason, now, effective=today(now))
        asked: list[int] = []
        if paid and refund != "none":
            given, asked = _give_back(subscription, refund, actor, now)
            happened += given
        happened += move(subscription, "cancel_now", now=now, actor=actor, reason="cancelled")
        happened += finish(subscription, now)
        emit(SubscriptionEnded(subscription.pk, "cancelled", rfc3339(now)))
    # The money leaves after the end is written down; whoever dies here is continued by the refund job.
    for refund_id in asked:
        happened += submit_and_tell(refund_id=refund_id, subscription_id=subscription_id, now=now)
    return happened


def _give_back(
    subscription: Subscription, refund: Refund, actor: str, now: datetime
) -> tuple[list[Happened], list[int]]:
    """Take the unused rest of each paid line back, newest first: as credit, or as refunds of what was collected."""
    how = policies()
    # A pause that is still running began before today: what it holds back was not used.
    day = proration.first_unused_day(today(now), how)
    if subscription.status == "paused" and subscription.paused_on is not None:
        day = subscription.paused_on
    happened: list[Happened] = []
    asked: list[int] = []
    for rest in reversed(proration.all_unused(covered(subscription), day, how.rounding)):
        bill = invoice(rest.invoice_id)
        if bill is None:
            continue  # paid before the base was imported: that money is in other books
        whole = TaxSplit(bill.taxable_minor, bill.tax_minor)
        amount = gross(rest.amount_minor, whole, inclusive=bool(bill.tax.get("inclusive", True)))
        Segment.objects.filter(pk=rest.segment_id).update(closed_on=rest.start)
        if refund == "credit":
            happened += _as_credit(subscription, bill.id, rest, amount, now)
            continue
        given, refunds = _as_refunds(subscription, bill.id, rest, amount, actor=actor, now=now)
        happened += given
        asked += refunds
    return happened, asked


def gross(amount_minor: int, whole: TaxSplit, *, inclusive: bool) -> int:
    """What an amount before tax on top comes to with its share of the tax of the document it stood on."""
    if inclusive or not whole.taxable_minor:
        return amount_minor
    tax = (2 * amount_minor * whole.tax_minor + whole.taxable_minor) // (2 * whole.taxable_minor)
    return amount_minor + tax


def _sources(subscription: Subscription, invoice_id: int) -> list[InvoiceRow]:
    """The invoices an amount may be taken back from: its own first, then what had paid for it before, newest first."""
    bills = [bill for bill in reversed(invoices_of(subject(subscription.pk))) if bill.status == "paid"]
    return sorted(bills, key=lambda bill: bill.id != invoice_id)


def _as_credit(
    subscription: Subscription, invoice_id: int, rest: proration.Unused, amount: int, now: datetime
) -> list[Happened]:
    happened: list[Happened] = []
    for bill in _sources(subscription, invoice_id):
        part = min(amount, bill.notable_minor)
        if part <= 0:
            continue
        number = payments.credit_instead(
            invoice_id=bill.id,
            amount_minor=part,
            key=f"cancel:{subscription.pk}:{rest.segment_id}:{bill.id}",
            reason="Unused time, cancelled",
            now=now,
            unearned_from=rest.start,
        )
        facts = {"number": number, "amount_minor": part}
        happened.append(record(subscription, "credit_note", facts, now=now))
        emit(CreditGiven(subscription.reader_id, subscription.pk, part, bill.currency, number, rfc3339(now)))
        amount -= part
    return happened


def _as_refunds(
    subscription: Subscription, invoice_id: int, rest: proration.Unused, amount: int, *, actor: str, now: datetime
) -> tuple[list[Happened], list[int]]:
    """What was collected goes back by the road it came; what was met from credit becomes credit again."""
    happened: list[Happened] = []
    asked: list[int] = []
    for bill in _sources(subscription, invoice_id):
        for payment in reversed(payments_of(bill.id)):
            part = min(amount, payment.amount_minor - payment.refunded_minor)
            if payment.status != "succeeded" or part <= 0:
                continue
            with suppress(RefundRefusedError):
                row = payments.ask_refund(
                    payment_id=payment.id,
                    amount_minor=min(part, bill.notable_minor),
                    key=f"cancel:{subscription.pk}:{rest.segment_id}:{payment.id}",
                    reason="Unused time, cancelled",
                    adjust=True,
                    actor=actor,
                    now=now,
                    unearned_from=rest.start,
                    approved=True,
                )
                happened.append(record(subscription, "credit_note", credit_note_facts(row), now=now))
                asked.append(row.id)
                amount -= row.amount_minor
    return [*happened, *(_as_credit(subscription, invoice_id, rest, amount, now) if amount else [])], asked


@transaction.atomic
def uncancel(*, subscription_id: int, actor: str, now: datetime, mandate_id: int | None = None) -> list[Happened]:
    """Go on as if nothing had been said: same anchor, same next charge.

    A mandate that was given back has to be given anew: `mandate_id` is the new one; without it the next renewal is
    asked for by a pay link. RefusedError: `nothing_to_undo` when it is not cancelled, has ended, or its
    last paid day is over.
    """
    subscription = lock(subscription_id)
    over = subscription.status != "trialing" and subscription.period_end <= today(now)
    live = subscription.status in ("trialing", "active", "paused") and not over
    if not (live and subscription.cancel_at_period_end):
        raise rules.RefusedError("nothing_to_undo")
    subscription.cancel_at_period_end = False
    subscription.canceled_at = None
    subscription.cancel_reason = ""
    if mandate_id is not None:
        subscription.mandate_id = mandate_id
    subscription.save()
    happened = [record(subscription, "cancellation_withdrawn", now=now, actor=actor)]
    emit(CancellationWithdrawn(subscription.pk, rfc3339(now)))
    happened += sync_access(subscription, now)
    notices.plan(subscription, now)
    return happened


def needs_mandate(subscription_id: int) -> bool:
    """Whether an undone cancellation has nothing left to charge by."""
    row = Subscription.objects.get(pk=subscription_id)
    held = mandate(row.mandate_id)
    return row.collection == "automatic" and (held is None or not held.usable)

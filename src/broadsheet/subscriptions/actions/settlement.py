"""What a payment does to a subscription. Every road of a result (return from the till, job, webhook, late word,
money by hand) ends here."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction

from broadsheet.bus.actions import emit
from broadsheet.dates import local_date, rfc3339
from broadsheet.payments import actions as payments
from broadsheet.payments.adapters import ChargeResult
from broadsheet.payments.queries import InvoiceRow, invoice, invoice_of_payment, payments_of
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions import gifts, notices
from broadsheet.subscriptions.actions.billing import charge_facts
from broadsheet.subscriptions.actions.due import due_since, set_due
from broadsheet.subscriptions.actions.history import (
    Happened,
    lock,
    move,
    policies,
    record,
    standing,
    take_schedule,
    today,
    zone,
)
from broadsheet.subscriptions.actions.rights import promised_until, sync_access
from broadsheet.subscriptions.events import (
    PaymentWanted,
    RenewalFailed,
    SubscriptionChanged,
    SubscriptionRenewed,
    SubscriptionStarted,
)
from broadsheet.subscriptions.models import Plan, Segment, Subscription

log = logging.getLogger(__name__)

ACCEPTS_MONEY = ("incomplete", "incomplete_expired", "trialing", "active", "past_due", "suspended", "paused")
CHECK_AGAIN = timedelta(hours=1)


def record_result(*, key: str, result: ChargeResult, now: datetime) -> list[Happened]:
    """Write what the till said about an attempt, and what follows from it, in one transaction."""
    bill = invoice_of_payment(key)
    if bill is None:
        raise LookupError(f"Nothing here is billed by {key!r}.")
    subscription_id = rules.number_of(bill.subject)
    with transaction.atomic():
        subscription = lock(subscription_id) if subscription_id else None
        outcome = payments.apply_payment_result(key=key, result=result, now=now)
        if subscription is not None and outcome.payment.status == "processing":
            payments.check_later(key=key, check_at=now + CHECK_AGAIN)
            if subscription.status != "incomplete":  # a checkout is kept for its hours whatever the till says
                subscription.due_at = now + CHECK_AGAIN
                subscription.save(update_fields=["due_at"])
        if not outcome.changed:
            return []
        if subscription is None:
            return gifts.record_outcome(outcome, key=key, now=now)
        happened = [record(subscription, "charge", charge_facts(outcome, key), now=now, reason=result.failure_code)]
        status = outcome.payment.status
        if status == "succeeded" and outcome.payment.surplus:
            payments.refund_surplus(payment_id=outcome.payment.id, now=now)
        elif status == "succeeded":
            happened += settle(subscription, outcome.invoice, now)
        elif status == "processing":
            return happened  # nobody knows yet: it is asked after again
        elif outcome.payment.kind == "renewal":
            if outcome.invoice.period_index == subscription.period_index + 1:
                happened += fall_behind(subscription, outcome.invoice, now, tried=True)
        elif outcome.invoice.kind in ("change", "seats") and outcome.invoice.status == "open":
            # What was to change stays as it was: nobody owes for it.
            payments.void_invoice(invoice_id=outcome.invoice.id, now=now)
        return happened


def settle_invoice(*, invoice_id: int, now: datetime) -> list[Happened]:
    """Let a paid invoice have its effect, if it has not had it: for results that reached payments alone."""
    bill = invoice(invoice_id)
    if bill is None or bill.status != "paid":
        return []
    subscription_id = rules.number_of(bill.subject)
    if subscription_id is None:
        return gifts.settle(bill, now)
    with transaction.atomic():
        return settle(lock(subscription_id), bill, now)


def settle(subscription: Subscription, bill: InvoiceRow, now: datetime) -> list[Happened]:
    """The effect of a paid invoice, once, inside the caller's transaction and lock."""
    if Segment.objects.filter(invoice_id=bill.id).exists():
        return []  # it has had its effect
    rival = Subscription.objects.filter(reader_id=subscription.reader_id, status__in=rules.LIVE).exclude(
        pk=subscription.pk
    )
    late = bill.kind != "period" and bill.context.get("index") != subscription.period_index
    if subscription.status not in ACCEPTS_MONEY or rival.exists() or late or _has_period(subscription, bill):
        return _refuse_money(subscription, bill, now)
    paid_by = [p for p in payments_of(bill.id) if p.status == "succeeded"]
    first = subscription.started_at is None
    facts = {
        "number": bill.number,
        "amount_minor": paid_by[-1].amount_minor if paid_by else 0,
        "currency": bill.currency,
        "kind": "checkout" if first else {"period": "renewal"}.get(bill.kind, bill.kind),
    }
    # What credit paid is no payment; parts that came before have told of themselves.
    happened = [record(subscription, "payment", facts, now=now)] if paid_by else []
    subscription.mandate_id = next((p.mandate_id for p in reversed(paid_by) if p.mandate_id), subscription.mandate_id)
    if bill.kind == "period":
        happened += _take_period(subscription, bill, now)
    else:
        happened += _take_change(subscription, bill, now)
    subscription.started_at = subscription.started_at or bill.paid_at
    set_due(subscription)
    subscription.save()
    event = SubscriptionStarted if first else SubscriptionRenewed if bill.kind == "period" else SubscriptionChanged
    emit(event(subscription.pk, bill.id, rfc3339(now)))
    happened += sync_access(subscription, now)
    notices.plan(subscription, now)
    return happened


def _has_period(subscription: Subscription, bill: InvoiceRow) -> bool:
    return bill.period_index is not None and bill.period_index <= subscription.period_index


def _take_period(subscription: Subscription, bill: InvoiceRow, now: datetime) -> list[Happened]:
    assert bill.paid_at is not None
    plan = subscription.plan
    if plan.pk != bill.context["plan"]:
        plan = Plan.objects.get(pk=bill.context["plan"])
    first = subscription.started_at is None or subscription.status == "incomplete"
    schedule = rules.paid_period(
        standing(subscription),
        plan.months,
        paid_on=local_date(bill.paid_at, zone()),
        status=subscription.status,
        first=first,
    )
    happened = move(subscription, "paid", now=now)
    take_schedule(subscription, schedule)
    subscription.price_id = bill.context["price"]
    subscription.past_due_since, subscription.failures, subscription.next_attempt_on = None, 0, None
    subscription.ended_at = None
    if (bill.period_start, bill.period_end) != (schedule.start, schedule.end):
        payments.set_period(invoice_id=bill.id, period_start=schedule.start, period_end=schedule.end)
    _use_coupon(subscription, bill)
    amount = sum(line.amount_minor for line in _lines(bill))
    Segment.objects.create(
        subscription=subscription,
        invoice_id=bill.id,
        position=1,
        start=schedule.start,
        end=schedule.end,
        amount_minor=amount,
    )
    return happened


def _lines(bill: InvoiceRow) -> list:
    full = bill if bill.lines else invoice(bill.id)
    assert full is not None
    return list(full.lines)


def _use_coupon(subscription: Subscription, bill: InvoiceRow) -> None:
    if bill.context.get("coupon") and subscription.coupon_left:
        subscription.coupon_left -= 1


def _take_change(subscription: Subscription, bill: InvoiceRow, now: datetime) -> list[Happened]:
    """Another plan, or more seats, for what is left of the period or for a new one."""
    context = bill.context
    happened = move(subscription, "paid", now=now)
    for segment_id, amount in context.get("closes", []):
        segment = Segment.objects.get(pk=segment_id)
        segment.closed_on, segment.returned_minor = context["day"], segment.returned_minor + amount
        segment.save(update_fields=["closed_on", "returned_minor"])
    for position, line in enumerate(_lines(bill), start=1):
        if line.kind in ("plan", "seats"):
            less = sum(other.amount_minor for other in _lines(bill) if other.kind == "discount")
            Segment.objects.create(
                subscription=subscription,
                invoice_id=bill.id,
                position=position,
                start=line.start,
                end=line.end,
                amount_minor=line.amount_minor + less,
            )
    if bill.kind == "seats":
        subscription.quantity = context["quantity"]
        facts = {"quantity": subscription.quantity}
        return [*happened, record(subscription, "quantity_changed", facts, now=now)]
    old, plan = subscription.plan.code, Plan.objects.get(pk=context["plan"])
    subscription.plan, subscription.price_id = plan, context["price"]
    subscription.quantity = context["quantity"]
    subscription.pending_plan = None
    subscription.past_due_since, subscription.failures, subscription.next_attempt_on = None, 0, None
    if bill.period_index is not None:
        take_schedule(
            subscription,
            rules.Schedule(bill.period_start, bill.period_index, bill.period_index, bill.period_start, bill.period_end),
        )
        _use_coupon(subscription, bill)
    if context.get("carried"):
        payments.give_credit(
            key=f"carried:{bill.number}",
            reader_id=subscription.reader_id,
            currency=bill.currency,
            amount_minor=context["carried"],
            reason=f"left over from changing to {plan.name}",
            source="change",
            now=now,
        )
    return [*happened, record(subscription, "plan_changed", {"from": old, "to": plan.code}, now=now)]


def _refuse_money(subscription: Subscription, bill: InvoiceRow, now: datetime) -> list[Happened]:
    """The reader has no use for this payment: it goes back by itself, with a note for its invoice."""
    happened: list[Happened] = []
    for payment in payments_of(bill.id):
        left = payment.amount_minor - payment.refunded_minor
        if payment.status != "succeeded" or left <= 0:
            continue
        log.warning("Invoice %s was paid after %s had ended: the money goes back.", bill.number, subscription)
        payments.ask_refund(
            payment_id=payment.id,
            amount_minor=left,
            key=f"unused:{payment.key}",
            reason=f"subscription is {subscription.status}",
            adjust=not payment.surplus,
            actor="system",
            now=now,
            unearned_from=bill.period_start,
            approved=True,
        )
        facts = {"number": bill.number, "amount_minor": left, "currency": bill.currency}
        happened.append(record(subscription, "payment_unused", facts, now=now, reason=subscription.status))
    return happened


def fall_behind(
    subscription: Subscription, bill: InvoiceRow, now: datetime, *, tried: bool, notice: str = "renewal_failed"
) -> list[Happened]:
    """What fell due is not paid: the dunning plan runs from the day it was due. Inside the caller's lock."""
    if subscription.status not in ("trialing", "active", "past_due", "suspended"):
        return []
    since, first = due_since(subscription), subscription.past_due_since is None
    happened = move(subscription, "unpaid", now=now)
    subscription.past_due_since = since
    subscription.failures += 1 if tried else 0
    subscription.next_attempt_on = (
        rules.next_attempt(since, today(now), policies()) if subscription.collection == "automatic" else None
    )
    set_due(subscription)
    subscription.save()
    if first:
        happened += sync_access(subscription, now)
    if tried:
        emit(
            RenewalFailed(
                subscription_id=subscription.pk,
                invoice_id=bill.id,
                next_attempt_on=subscription.next_attempt_on.isoformat() if subscription.next_attempt_on else "",
                last_attempt=subscription.next_attempt_on is None,
                access_until=(promised_until(subscription) or today(now)).isoformat(),
                at=rfc3339(now),
                code=payments_of(bill.id)[-1].failure_code,
                ends_on=ends.isoformat() if (ends := rules.dunning_ends(since, policies())) else "",
            )
        )
    elif first:
        emit(PaymentWanted(subscription.pk, bill.id, rfc3339(now)))
    notices.plan(subscription, now)
    if tried or first:
        facts = {"kind": notice, "channel": "email", "number": bill.number}
        happened.append(record(subscription, "notice", facts, now=now))
    return happened

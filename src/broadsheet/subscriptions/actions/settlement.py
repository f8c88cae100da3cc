"""What a payment does to a subscription. Every road of a result (return from the till, job, late word) ends here."""

from __future__ import annotations

import logging
from datetime import date, datetime

from django.db import transaction

from broadsheet.access.actions import end_grants, grant
from broadsheet.bus.actions import emit
from broadsheet.dates import day_start, local_date, rfc3339
from broadsheet.payments import actions as payments
from broadsheet.payments.adapters import ChargeResult
from broadsheet.payments.queries import InvoiceRow, invoice, invoice_of_payment, payments_of
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions.history import Happened, lock, move, record, subject, today, zone
from broadsheet.subscriptions.events import RenewalFailed, SubscriptionRenewed, SubscriptionStarted
from broadsheet.subscriptions.models import Subscription

log = logging.getLogger(__name__)

ACCEPTS_MONEY = ("incomplete", "incomplete_expired", "active", "past_due")


def _subscription_id(bill: InvoiceRow) -> int | None:
    kind, _, number = bill.subject.partition(":")
    return int(number) if kind == "subscription" else None


def record_result(*, key: str, result: ChargeResult, now: datetime) -> list[Happened]:
    """Write what the till said about an attempt, and what follows for the subscription, in one transaction."""
    bill = invoice_of_payment(key)
    subscription_id = _subscription_id(bill) if bill else None
    if subscription_id is None:
        raise LookupError(f"No subscription is billed by {key!r}.")
    with transaction.atomic():
        subscription = lock(subscription_id)
        outcome = payments.apply_payment_result(key=key, result=result, now=now)
        if not outcome.changed:
            return []
        facts = {
            "number": outcome.invoice.number,
            "attempt": [payment.key for payment in payments_of(outcome.invoice.id)].index(key) + 1,
            "amount_minor": outcome.payment.amount_minor,
            "currency": outcome.payment.currency,
            "result": outcome.payment.status,
        }
        happened = [record(subscription, "charge", facts, now=now, reason=outcome.payment.failure_code)]
        if outcome.payment.status == "succeeded" and not outcome.payment.surplus:
            happened += _settle(subscription, outcome.invoice, now)
        elif outcome.payment.status == "failed" and outcome.payment.kind == "renewal":
            happened += _fail(subscription, outcome.invoice, now)
        return happened


def settle_invoice(*, invoice_id: int, now: datetime) -> list[Happened]:
    """Let a paid invoice have its effect, if it has not had it: for results that reached payments alone."""
    bill = invoice(invoice_id)
    subscription_id = _subscription_id(bill) if bill else None
    if bill is None or subscription_id is None or bill.status != "paid":
        return []
    with transaction.atomic():
        return _settle(lock(subscription_id), bill, now)


def _settle(subscription: Subscription, bill: InvoiceRow, now: datetime) -> list[Happened]:
    if bill.period_index <= subscription.period_index:
        return []  # this period was given already
    rival = Subscription.objects.filter(reader_id=subscription.reader_id, status__in=rules.LIVE).exclude(
        pk=subscription.pk
    )
    if subscription.status not in ACCEPTS_MONEY or rival.exists():
        return _refuse_money(subscription, bill, now)
    assert bill.paid_at is not None
    paid_on = local_date(bill.paid_at, zone())
    first = subscription.started_at is None
    schedule = _schedule(subscription, bill, paid_on)
    facts = {"number": bill.number, "amount_minor": bill.total_minor, "currency": bill.currency}
    facts["kind"] = "checkout" if first else "renewal"
    happened = [record(subscription, "payment", facts, now=now), *move(subscription, "paid", now=now)]
    subscription.anchor, subscription.anchor_index = schedule.anchor, schedule.anchor_index
    subscription.period_index = schedule.index
    subscription.period_start, subscription.period_end = schedule.start, schedule.end
    subscription.past_due_since, subscription.failures, subscription.next_attempt_on = None, 0, None
    subscription.started_at = subscription.started_at or bill.paid_at
    subscription.ended_at = None
    subscription.mandate_id = next(
        (p.mandate_id for p in reversed(payments_of(bill.id)) if p.status == "succeeded" and p.mandate_id),
        subscription.mandate_id,
    )
    subscription.save()
    payments.set_period(invoice_id=bill.id, period_start=schedule.start, period_end=schedule.end)
    event = SubscriptionStarted if first else SubscriptionRenewed
    emit(event(subscription.pk, bill.id, rfc3339(now)))
    return happened + give_access(subscription, now)


def _schedule(subscription: Subscription, bill: InvoiceRow, paid_on: date) -> rules.Schedule:
    if subscription.started_at is None:
        return rules.first_period(paid_on, subscription.plan.months, bill.period_index)
    standing = rules.Schedule(
        subscription.anchor,
        subscription.anchor_index,
        subscription.period_index,
        subscription.period_start,
        subscription.period_end,
    )
    return rules.following_period(standing, subscription.plan.months, paid_on)


def give_access(subscription: Subscription, now: datetime) -> list[Happened]:
    """Bring the grants in line with what is paid for. Moving them back is as good as moving them on."""
    until = rules.access_until(subscription.period_end, cancelled=subscription.cancel_at_period_end)
    assert subscription.started_at is not None
    happened = []
    for product in subscription.plan.products.order_by("position", "id"):
        grant(
            reader_id=subscription.reader_id,
            product=product.code,
            starts_at=subscription.started_at,
            ends_at=day_start(until, zone()),
            source=subject(subscription.pk),
        )
        happened.append(record(subscription, "grant", {"product": product.code, "valid_until": until}, now=now))
    return happened


def end_access(subscription: Subscription, at: datetime) -> None:
    end_grants(source=subject(subscription.pk), ends_at=at)


def _refuse_money(subscription: Subscription, bill: InvoiceRow, now: datetime) -> list[Happened]:
    """The reader has no use for this payment: it is kept in sight, to be given back."""
    if not payments.mark_surplus(invoice_id=bill.id):
        return []
    log.warning("Invoice %s was paid after %s had ended: the money has to go back.", bill.number, subscription)
    facts = {"number": bill.number, "amount_minor": bill.total_minor, "currency": bill.currency}
    return [record(subscription, "payment_unused", facts, now=now, reason=f"subscription is {subscription.status}")]


def _fail(subscription: Subscription, bill: InvoiceRow, now: datetime) -> list[Happened]:
    if subscription.status not in ("active", "past_due") or bill.period_index != subscription.period_index + 1:
        return []
    happened = move(subscription, "charge_failed", now=now)
    subscription.past_due_since = subscription.past_due_since or today(now)
    subscription.failures += 1
    subscription.next_attempt_on = rules.next_attempt(subscription.past_due_since, subscription.failures)
    subscription.save(update_fields=["status", "past_due_since", "failures", "next_attempt_on"])
    until = rules.access_until(subscription.period_end, cancelled=subscription.cancel_at_period_end)
    emit(
        RenewalFailed(
            subscription_id=subscription.pk,
            invoice_id=bill.id,
            next_attempt_on=subscription.next_attempt_on.isoformat(),
            last_attempt=subscription.failures >= len(rules.DUNNING_DAYS),
            access_until=until.isoformat(),
            at=rfc3339(now),
        )
    )
    return [*happened, record(subscription, "notice", {"kind": "renewal_failed", "channel": "email"}, now=now)]

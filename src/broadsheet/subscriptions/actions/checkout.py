"""From a plan to the till and back."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlencode

from django.db import transaction
from django.urls import reverse

from broadsheet.payments import actions as payments
from broadsheet.payments.queries import invoice_of_period, payments_of, unresolved_payments
from broadsheet.readers.actions import lock_reader
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions.history import Happened, lock, move, record, subject, today
from broadsheet.subscriptions.actions.settlement import record_result
from broadsheet.subscriptions.models import Plan, Subscription

log = logging.getLogger(__name__)

FIRST = 1
LOST_AFTER = timedelta(minutes=10)  # a reader who is still typing a card number is not lost
Answer = Literal["paid", "declined", "open"]


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where to send the reader to pay."""

    subscription_id: int
    key: str
    url: str


def start_checkout(*, reader_id: int, plan_code: str, next_path: str, now: datetime) -> Checkout:
    """Begin to buy a plan, or go on with it: pressing twice opens one subscription, one invoice, one page of the till.

    RefusedError: `unknown_plan`, `plan_retired`, `already_subscribed`. `next_path` is where the reader wants to go on.
    """
    _leave_other_checkout(reader_id=reader_id, plan_code=plan_code, now=now)
    with transaction.atomic():
        lock_reader(reader_id=reader_id)
        plan = _sellable(plan_code)
        subscription = Subscription.objects.filter(reader_id=reader_id, status__in=rules.LIVE).first()
        if subscription is not None and (subscription.status != "incomplete" or subscription.plan_id != plan.pk):
            raise rules.RefusedError("already_subscribed")
        subscription = subscription or _create(reader_id, plan, now)
        bill = invoice_of_period(subject(subscription.pk), FIRST)
        assert bill is not None
        attempt = len(payments_of(bill.id)) + 1
        key = f"checkout:{subscription.pk}:{attempt}"
        payment = payments.begin_payment(invoice_id=bill.id, key=key, kind="checkout", mandate_id=None, now=now)
    back = reverse("subscribe_thanks", args=[subscription.pk])
    if next_path:
        back = f"{back}?{urlencode({'next': next_path})}"
    return Checkout(subscription.pk, payment.key, payments.open_checkout(key=payment.key, return_url=back, now=now))


def _sellable(code: str) -> Plan:
    plan = Plan.objects.filter(code=code).first()
    if plan is None:
        raise rules.RefusedError("unknown_plan")
    if plan.retired:
        raise rules.RefusedError("plan_retired")
    return plan


def _create(reader_id: int, plan: Plan, now: datetime) -> Subscription:
    day = today(now)
    end = rules.boundary(day, plan.months, 1)
    subscription = Subscription.objects.create(
        reader_id=reader_id, plan=plan, anchor=day, period_start=day, period_end=end, created_at=now
    )
    actor = f"reader:{reader_id}"
    record(subscription, "subscription_created", {"plan": plan.code, "status": "incomplete"}, now=now, actor=actor)
    issue_invoice(subscription, rules.first_period(day, plan.months, FIRST), now)
    return subscription


def issue_invoice(subscription: Subscription, schedule: rules.Schedule, now: datetime) -> list[Happened]:
    """The invoice of the period the schedule describes, if it has not been issued."""
    plan = subscription.plan
    if invoice_of_period(subject(subscription.pk), schedule.index):
        return []
    line = f"{plan.name} subscription, {rules.period_words(plan.months, 'en')}"
    bill = payments.open_invoice(
        reader_id=subscription.reader_id,
        subject=subject(subscription.pk),
        period_index=schedule.index,
        period_start=schedule.start,
        period_end=schedule.end,
        currency=plan.currency,
        lines=[(line, plan.amount_minor)],
        now=now,
    )
    facts = {
        "number": bill.number,
        "date": today(now),
        "period_start": bill.period_start,
        "period_end": bill.period_end,
        "lines": [{"text": line, "amount_minor": plan.amount_minor}],
        "total_minor": bill.total_minor,
        "currency": bill.currency,
    }
    return [record(subscription, "invoice_finalised", facts, now=now)]


def _leave_other_checkout(*, reader_id: int, plan_code: str, now: datetime) -> None:
    """Close a checkout that is stale, of another plan, or at an older price, unless the reader has paid it already."""
    other = Subscription.objects.filter(reader_id=reader_id, status="incomplete").select_related("plan").first()
    if other is None:
        return
    bill = invoice_of_period(subject(other.pk), FIRST)
    same_price = bill is not None and bill.total_minor == other.plan.amount_minor
    fresh = other.created_at > now - rules.CHECKOUT_KEPT
    if fresh and same_price and other.plan.code == plan_code and not other.plan.retired:
        return
    _close(other.pk, "checkout_replaced", now)


def complete_checkout(*, subscription_id: int, now: datetime) -> Answer:
    """Fetch what the till decided and apply it: `paid` means the reader may read from this moment on."""
    bill = invoice_of_period(subject(subscription_id), FIRST)
    if bill is None:
        return "open"
    for payment in payments_of(bill.id):
        if payment.unresolved:
            _collect(payment.key, now)
    attempts = payments_of(bill.id)
    if any(payment.status == "succeeded" for payment in attempts):
        return "paid"
    return "declined" if attempts and attempts[-1].status == "failed" else "open"


def _collect(key: str, now: datetime) -> list[Happened]:
    result = payments.fetch_result(key=key)
    return record_result(key=key, result=result, now=now) if result is not None else []


def collect_checkouts(*, now: datetime) -> list[Happened]:
    """For readers who paid and never came back from the till: their subscription starts all the same."""
    happened: list[Happened] = []
    for payment in unresolved_payments(kind="checkout", older_than=now - LOST_AFTER):
        try:
            happened += _collect(payment.key, now)
        except Exception:
            log.exception("The result of %s could not be fetched.", payment.key)
    return happened


def _close(subscription_id: int, event: rules.Event, now: datetime) -> list[Happened]:
    """Close the till's page first: if the reader was faster, the payment counts and the subscription starts."""
    happened: list[Happened] = []
    bill = invoice_of_period(subject(subscription_id), FIRST)
    for payment in payments_of(bill.id) if bill else ():
        if payment.unresolved:
            result = payments.withdraw_checkout(key=payment.key, now=now)
            happened += record_result(key=payment.key, result=result, now=now)
    with transaction.atomic():
        subscription = lock(subscription_id)
        if subscription.status != "incomplete":
            return happened
        happened += move(subscription, event, now=now)
        subscription.ended_at = now
        subscription.save(update_fields=["status", "ended_at"])
        if bill:
            payments.void_invoice(invoice_id=bill.id, now=now)
    return happened


def expire_checkouts(*, now: datetime) -> list[Happened]:
    """Close what nobody paid within 23 hours."""
    happened: list[Happened] = []
    rows = Subscription.objects.filter(status="incomplete", created_at__lte=now - rules.CHECKOUT_KEPT)
    for pk in list(rows.order_by("created_at", "id").values_list("pk", flat=True)[:500]):
        try:
            happened += _close(pk, "checkout_expired", now)
        except Exception:
            log.exception("Checkout of subscription %s could not be closed.", pk)
    return happened

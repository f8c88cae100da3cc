"""The renewal night: what is due is charged once, what cannot be charged is tried again, then ended.

Each subscription is three steps: claim (transaction: invoice, attempt, key), charge (no transaction), record
(transaction). Whoever dies between two of them is continued by the next run under the same key; two runs at once meet
at the unique constraints and at the till's memory of the key.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from broadsheet.bus.actions import emit
from broadsheet.dates import rfc3339
from broadsheet.payments import actions as payments
from broadsheet.payments.queries import PaymentRow, invoice_of_period, payments_of
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions.cancellation import end_cancelled, finish
from broadsheet.subscriptions.actions.checkout import collect_checkouts, expire_checkouts, issue_invoice
from broadsheet.subscriptions.actions.history import Happened, lock, move, subject, today
from broadsheet.subscriptions.actions.settlement import record_result, settle_invoice
from broadsheet.subscriptions.events import SubscriptionEnded
from broadsheet.subscriptions.models import Subscription

log = logging.getLogger(__name__)
BATCH = 200


def run_due(*, now: datetime) -> list[Happened]:
    """Every billing job once. Running it again at the same instant finds nothing to do."""
    happened = collect_checkouts(now=now)
    happened += expire_checkouts(now=now)
    happened += end_cancelled(now=now)
    happened += renew_due(now=now)
    return happened


def _due(now: datetime) -> Iterator[int]:
    """Ids of what has to be charged, in batches over a growing id: what fails now is not met twice in one run."""
    day = today(now)
    due = Q(status="active", period_end__lte=day) | Q(status="past_due", next_attempt_on__lte=day)
    last = 0
    while True:
        rows = Subscription.objects.filter(due, pk__gt=last).order_by("pk")
        ids = list(rows.values_list("pk", flat=True)[:BATCH])
        if not ids:
            return
        yield from ids
        last = ids[-1]


def renew_due(*, now: datetime) -> list[Happened]:
    """Charge every renewal and every retry that is due. One that fails unexpectedly waits; the others go on."""
    happened: list[Happened] = []
    for pk in _due(now):
        try:
            happened += renew_one(subscription_id=pk, now=now)
        except Exception:
            log.exception("Subscription %s could not be renewed.", pk)
    return happened


def renew_one(*, subscription_id: int, now: datetime) -> list[Happened]:
    """Bring one due subscription a step further; nothing happens when it is not due (any more)."""
    payment, happened = _claim(subscription_id, now)
    if payment is None:
        return happened
    result = payments.request_charge(key=payment.key, now=now)
    return happened + record_result(key=payment.key, result=result, now=now)


@transaction.atomic
def _claim(subscription_id: int, now: datetime) -> tuple[PaymentRow | None, list[Happened]]:
    subscription = lock(subscription_id)
    day = today(now)
    if subscription.status == "past_due":
        if subscription.next_attempt_on is None or subscription.next_attempt_on > day:
            return None, []
    elif subscription.status != "active" or subscription.period_end > day:
        return None, []
    index = subscription.period_index + 1
    bill = invoice_of_period(subject(subscription.pk), index)
    unfinished = any(payment.unresolved for payment in payments_of(bill.id)) if bill else False
    if subscription.cancel_at_period_end and not unfinished:
        return None, []  # a charge that was under way when the reader cancelled still has to be heard of
    if subscription.past_due_since and not unfinished and rules.is_dunning_over(subscription.past_due_since, day):
        return None, _give_up(subscription, now)
    standing = rules.Schedule(
        subscription.anchor,
        subscription.anchor_index,
        subscription.period_index,
        subscription.period_start,
        subscription.period_end,
    )
    happened = issue_invoice(subscription, rules.following_period(standing, subscription.plan.months, day), now)
    bill = invoice_of_period(subject(subscription.pk), index)
    assert bill is not None
    if bill.status != "open":
        return None, happened + settle_invoice(invoice_id=bill.id, now=now)  # paid by another road, without effect yet
    key = f"renew:{subscription.pk}:{index}:{len(payments_of(bill.id)) + 1}"
    payment = payments.begin_payment(
        invoice_id=bill.id, key=key, kind="renewal", mandate_id=subscription.mandate_id, now=now
    )
    return payment, happened


def _give_up(subscription: Subscription, now: datetime) -> list[Happened]:
    happened = move(subscription, "dunning_over", now=now, reason="nonpayment")
    finish(subscription, now)
    emit(SubscriptionEnded(subscription.pk, "nonpayment", rfc3339(now)))
    return happened

"""Cancelling, taking it back, and the day it takes effect."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from broadsheet.bus.actions import emit
from broadsheet.dates import rfc3339
from broadsheet.payments import actions as payments
from broadsheet.payments.queries import invoice_of_period, payments_of
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions.history import Happened, lock, move, record, subject, today
from broadsheet.subscriptions.actions.settlement import end_access, give_access
from broadsheet.subscriptions.events import CancellationScheduled, SubscriptionEnded
from broadsheet.subscriptions.models import Subscription

log = logging.getLogger(__name__)
REASON_LENGTH = 500


@transaction.atomic
def cancel_at_period_end(*, subscription_id: int, actor: str, reason: str, now: datetime) -> list[Happened]:
    """No further charge; what is paid for stays readable to its last day. Cancelling twice is cancelling once.

    One that is behind with its payment ends at once: nothing is paid for. RefusedError: `nothing_to_cancel`.
    """
    subscription = lock(subscription_id)
    if subscription.status not in ("active", "past_due"):
        raise rules.RefusedError("nothing_to_cancel")
    if subscription.cancel_at_period_end:
        return []
    reason = reason.strip()[:REASON_LENGTH]
    subscription.cancel_at_period_end = True
    subscription.canceled_at = now
    subscription.cancel_reason = reason
    subscription.save(update_fields=["cancel_at_period_end", "canceled_at", "cancel_reason"])
    facts = {"effective": max(subscription.period_end, today(now))}
    happened = [record(subscription, "cancellation_requested", facts, now=now, actor=actor, reason=reason)]
    if subscription.status == "past_due" and not _charge_under_way(subscription):
        happened += move(subscription, "cancel_now", now=now, actor=actor, reason="cancelled")
        finish(subscription, now)
        emit(SubscriptionEnded(subscription.pk, "cancelled", rfc3339(now)))
        return happened
    happened += give_access(subscription, now)
    emit(CancellationScheduled(subscription.pk, rfc3339(now)))
    return happened


@transaction.atomic
def undo_cancel(*, subscription_id: int, actor: str, now: datetime) -> list[Happened]:
    """Go on as if nothing had been said: same anchor, same next charge. Doing it twice is doing it once.

    RefusedError: `nothing_to_undo` when it has ended or its last paid day is over.
    """
    subscription = lock(subscription_id)
    if subscription.status != "active" or subscription.period_end <= today(now):
        raise rules.RefusedError("nothing_to_undo")
    if not subscription.cancel_at_period_end:
        return []
    subscription.cancel_at_period_end = False
    subscription.canceled_at = None
    subscription.cancel_reason = ""
    subscription.save(update_fields=["cancel_at_period_end", "canceled_at", "cancel_reason"])
    happened = [record(subscription, "cancellation_withdrawn", now=now, actor=actor)]
    return happened + give_access(subscription, now)


def _charge_under_way(subscription: Subscription) -> bool:
    bill = invoice_of_period(subject(subscription.pk), subscription.period_index + 1)
    return bill is not None and any(payment.unresolved for payment in payments_of(bill.id))


def finish(subscription: Subscription, now: datetime) -> None:
    """The end, inside the caller's transaction: no access, no open bill. The mandate goes when it is committed."""
    subscription.ended_at = now
    subscription.next_attempt_on = None
    subscription.save(update_fields=["status", "ended_at", "next_attempt_on"])
    end_access(subscription, now)
    bill = invoice_of_period(subject(subscription.pk), subscription.period_index + 1)
    if bill is not None and bill.status == "open":
        payments.void_invoice(invoice_id=bill.id, now=now)


def end_cancelled(*, now: datetime) -> list[Happened]:
    """End what was cancelled and whose last paid day is over."""
    happened: list[Happened] = []
    rows = Subscription.objects.filter(
        status__in=("active", "past_due"), cancel_at_period_end=True, period_end__lte=today(now)
    )
    for pk in list(rows.order_by("pk").values_list("pk", flat=True)):
        try:
            happened += _end(pk, now)
        except Exception:
            log.exception("Subscription %s could not be ended.", pk)
    return happened


@transaction.atomic
def _end(subscription_id: int, now: datetime) -> list[Happened]:
    subscription = lock(subscription_id)
    ends = subscription.status in ("active", "past_due") and subscription.cancel_at_period_end
    if not ends or subscription.period_end > today(now) or _charge_under_way(subscription):
        return []
    happened = move(subscription, "period_over", now=now, reason="cancelled")
    finish(subscription, now)
    emit(SubscriptionEnded(subscription.pk, "cancelled", rfc3339(now)))
    return happened

"""The renewal night: whatever is due about a subscription, one step after the other.

A charge is three steps: claim (transaction: invoice, attempt, key, lease), charge (no transaction), record
(transaction). Whoever dies between two of them is continued by the next run under the same key, when the lease is over;
two runs at once meet at the unique constraints and at the till's memory of the key.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import islice

from django.db import connection, transaction

from broadsheet.bus.actions import emit
from broadsheet.dates import rfc3339
from broadsheet.payments import actions as payments
from broadsheet.payments import crash
from broadsheet.payments.adapters import NoAnswerError
from broadsheet.payments.adapters.registry import provider
from broadsheet.payments.queries import InvoiceRow, MandateRow, PaymentRow, mandate, open_invoices_of, payments_of
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions import debits, notices
from broadsheet.subscriptions.actions.billing import issue_period, price_for_new
from broadsheet.subscriptions.actions.due import due_at, due_since, set_due
from broadsheet.subscriptions.actions.ending import finish
from broadsheet.subscriptions.actions.groups import fit_seats
from broadsheet.subscriptions.actions.history import (
    Happened,
    move,
    policies,
    record,
    standing,
    subject,
    take_schedule,
    today,
)
from broadsheet.subscriptions.actions.pausing import end_pause
from broadsheet.subscriptions.actions.rights import sync_access
from broadsheet.subscriptions.actions.settlement import fall_behind, record_result, settle
from broadsheet.subscriptions.events import SubscriptionEnded, SubscriptionSuspended
from broadsheet.subscriptions.models import Subscription

log = logging.getLogger(__name__)
BATCH = 200
LEASE = timedelta(minutes=5)
ASK_AGAIN = timedelta(minutes=15)
STEPS = 8  # of one subscription in one run: a backlog of days is caught up with at once


def due_ids(now: datetime) -> Iterator[int]:
    """Ids of what is due, in batches over a growing (instant, id): what fails now is not met twice in one run."""
    last: tuple[datetime, int] | None = None
    while True:
        rows = Subscription.objects.filter(due_at__lte=now).exclude(status="incomplete").order_by("due_at", "pk")
        if last is not None:
            later = rows.filter(due_at=last[0], pk__gt=last[1]) | rows.filter(due_at__gt=last[0])
            rows = later
        found = list(rows.values_list("due_at", "pk")[:BATCH])
        if not found:
            return
        for _, pk in found:
            yield pk
        last = found[-1]


def work_due(*, now: datetime, most: int | None = None) -> list[Happened]:
    """Do what is due about every subscription, or about the `most` that waited longest. One that fails unexpectedly
    waits; the others go on."""
    happened: list[Happened] = []
    for pk in islice(due_ids(now), most):
        try:
            happened += work_one(subscription_id=pk, now=now)
        except Exception:
            log.exception("What is due about subscription %s could not be done.", pk)
    return happened


def work_one(*, subscription_id: int, now: datetime) -> list[Happened]:
    """Bring one subscription up to date; nothing happens when nothing is due (any more)."""
    happened: list[Happened] = []
    for _ in range(STEPS):
        due, payment, did = _claim(subscription_id, now)
        happened += did
        if payment is not None:
            crash.point("claimed")
            happened += collect(payment, now)
        if not (due and Subscription.objects.filter(pk=subscription_id, due_at__lte=now).exists()):
            break
    return happened


def collect(payment: PaymentRow, now: datetime, *, present: bool = False) -> list[Happened]:
    """Ask the till for the money of an attempt that is written down, and record what it says."""
    crash.point("before_charge")
    try:
        # An attempt that was begun earlier may have been asked for: what became of it, before it is asked again.
        result = payments.fetch_result(key=payment.key, now=now) if payment.created_at < now else None
        if result is None or result.status == "pending":
            told = debits.reference_of(payment)
            result = payments.request_charge(key=payment.key, now=now, present=present, notice_ref=told)
    except NoAnswerError:
        payments.check_later(key=payment.key, check_at=now + ASK_AGAIN)
        _postpone(payment, now + ASK_AGAIN)
        return []
    crash.point("after_charge")
    happened = record_result(key=payment.key, result=result, now=now)
    crash.point("recorded")
    return happened


def _postpone(payment: PaymentRow, until: datetime) -> None:
    number = subject_number(payment)
    if number is not None:
        Subscription.objects.filter(pk=number).update(due_at=until)


def subject_number(payment: PaymentRow) -> int | None:
    """The subscription an attempt is for, by its key."""
    parts = payment.key.split(":")
    return int(parts[1]) if parts[0] in ("renew", "change", "seats") else None


@transaction.atomic
def _claim(subscription_id: int, now: datetime) -> tuple[bool, PaymentRow | None, list[Happened]]:
    """One step. Whether more may be due at once, and the attempt to make outside of the transaction."""
    rows = Subscription.objects.select_related("plan", "price").filter(pk=subscription_id)
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    subscription = rows.first()
    if subscription is None or subscription.due_at is None or subscription.due_at > now:
        return False, None, []
    unfinished = _unfinished(subscription)
    if unfinished is not None:
        return False, _leased(subscription, unfinished, now), []
    comes = due_at(subscription)
    if subscription.status in ("trialing", "active", "paused") and comes is not None and comes > now:
        # It was looked at earlier only to hear of an attempt; what it waits for has not come yet.
        subscription.due_at = comes
        subscription.save(update_fields=["due_at"])
        return False, None, []
    match subscription.status:
        case "trialing":
            return _end_trial(subscription, now)
        case "active":
            return _end_period(subscription, now)
        case "past_due" | "suspended":
            return _unpaid(subscription, now)
        case "paused":
            happened = end_pause(subscription, today(now), now)
            return True, None, happened
    set_due(subscription)
    subscription.save(update_fields=["due_at"])
    return False, None, []


def _unfinished(subscription: Subscription) -> PaymentRow | None:
    """An attempt whose answer nobody knows: it is heard of before anything else is done."""
    for bill in open_invoices_of(subject(subscription.pk)):
        for payment in payments_of(bill.id):
            if payment.unresolved and payment.kind in ("renewal", "change"):
                return payment
    return None


def _leased(subscription: Subscription, payment: PaymentRow, now: datetime) -> PaymentRow:
    subscription.due_at = now + LEASE
    subscription.save(update_fields=["due_at"])
    return payment


def _over(
    subscription: Subscription, event: rules.Event, reason: str, now: datetime
) -> tuple[bool, PaymentRow | None, list[Happened]]:
    happened = move(subscription, event, now=now, reason=reason)
    happened += finish(subscription, now, uncollectible=reason == "nonpayment")
    emit(SubscriptionEnded(subscription.pk, reason, rfc3339(now)))
    return False, None, happened


def _end_trial(subscription: Subscription, now: datetime) -> tuple[bool, PaymentRow | None, list[Happened]]:
    if subscription.cancel_at_period_end:
        return _over(subscription, "trial_over", "cancelled", now)
    held = mandate(subscription.mandate_id)
    if subscription.collection != "automatic" or held is None or not held.usable:
        offer = record(subscription, "notice", {"kind": "resume_offer", "channel": "email"}, now=now)
        going_on, payment, happened = _over(subscription, "trial_over", "no_payment_method", now)
        return going_on, payment, [*happened, offer]
    return _attempt(subscription, now)


def _end_period(subscription: Subscription, now: datetime) -> tuple[bool, PaymentRow | None, list[Happened]]:
    if subscription.fixed_term:
        return _over(subscription, "term_over", "term_over", now)
    if subscription.cancel_at_period_end:
        return _over(subscription, "period_over", "cancelled", now)
    day, since = today(now), subscription.period_end
    if rules.access_ends(since, policies()) < day:
        # Nobody was there to charge for longer than grace lasts: what is paid now begins now, and so does dunning.
        happened = move(subscription, "grace_over", now=now, reason="renewal_late")
        subscription.past_due_since = subscription.next_attempt_on = day
        set_due(subscription)
        subscription.save()
        emit(SubscriptionSuspended(subscription.pk, rfc3339(now)))
        return True, None, happened + sync_access(subscription, now)
    return _attempt(subscription, now)


def _unpaid(subscription: Subscription, now: datetime) -> tuple[bool, PaymentRow | None, list[Happened]]:
    day, since, how = today(now), due_since(subscription), policies()
    if subscription.disputed_at is not None and subscription.past_due_since is None:
        event: rules.Event = "term_over" if subscription.fixed_term else "period_over"
        return _over(subscription, event, "term_over" if subscription.fixed_term else "cancelled", now)
    tries_today = subscription.next_attempt_on is not None and subscription.next_attempt_on <= day
    ends = rules.dunning_ends(since, how)
    if ends is not None and (ends < day or (ends == day and not tries_today)):
        return _over(subscription, "dunning_over", "nonpayment", now)
    locked = rules.access_ends(since, how)
    if subscription.status == "past_due" and (locked < day or (locked == day and not tries_today)):
        happened = move(subscription, "grace_over", now=now)
        set_due(subscription)
        subscription.save()
        emit(SubscriptionSuspended(subscription.pk, rfc3339(now)))
        return True, None, happened + sync_access(subscription, now)
    if tries_today:
        return _attempt(subscription, now)
    set_due(subscription)
    subscription.save(update_fields=["due_at"])
    return False, None, []


def _attempt(subscription: Subscription, now: datetime) -> tuple[bool, PaymentRow | None, list[Happened]]:
    """Issue what is due, and claim the charge of it; what may not be charged is asked for."""
    happened = _take_pending(subscription, now) if subscription.status == "active" else []
    schedule = rules.following_period(standing(subscription), subscription.plan.months)
    bill, issued = issue_period(subscription, schedule, now)
    happened += issued
    if bill.status == "paid":  # by credit, or by another road that died before it had its effect
        return True, None, happened + settle(subscription, bill, now)
    held, tried = mandate(subscription.mandate_id), payments_of(bill.id)
    if not _may_be_charged(subscription, bill, held, tried):
        happened += fall_behind(subscription, bill, now, tried=False, notice="pay_link")
        return True, None, happened
    key = f"renew:{subscription.pk}:{schedule.index}:{len(tried) + 1}"
    debit = debits.before_debit(subscription, bill, held, key, now)
    if debit.wait_until is not None:
        subscription.due_at = debit.wait_until
        subscription.save(update_fields=["due_at"])
        return False, None, happened
    payment = payments.begin_payment(
        invoice_id=bill.id,
        key=debit.key,
        kind="renewal",
        mandate_id=subscription.mandate_id,
        now=now,
        told_at=debit.told_at,
    )
    return True, _leased(subscription, payment, now), happened


def may_be_charged(subscription: Subscription, bill: InvoiceRow) -> bool:
    """Whether an invoice may be collected without the reader: by a mandate that holds, within its limits, and which the
    reader did not decline to have used for it."""
    return _may_be_charged(subscription, bill, mandate(subscription.mandate_id), payments_of(bill.id))


def _may_be_charged(
    subscription: Subscription, bill: InvoiceRow, held: MandateRow | None, tried: Sequence[PaymentRow]
) -> bool:
    if subscription.collection != "automatic" or held is None or not held.usable:
        return False
    refused = any(
        payment.failure_code in ("opted_out", "hard_declined") and payment.mandate_id == held.id for payment in tried
    )
    limits = provider(held.provider).capabilities.max_auto_minor or {}
    return not refused and rules.may_debit(
        bill.due_minor,
        bill.currency,
        mandate_max_minor=held.max_minor,
        till_max_minor=limits.get(bill.currency),
        policies=policies(),
    )


def _take_pending(subscription: Subscription, now: datetime) -> list[Happened]:
    """What was agreed for the end of the period: another plan, fewer seats."""
    happened: list[Happened] = []
    day: date = subscription.period_end
    if subscription.pending_quantity:
        subscription.quantity, subscription.pending_quantity = subscription.pending_quantity, None
        happened.append(record(subscription, "quantity_changed", {"quantity": subscription.quantity}, now=now))
        happened += fit_seats(subscription, now)
    plan = subscription.pending_plan
    if plan is not None:
        old = subscription.plan
        currency = subscription.price.currency if subscription.price else "INR"
        subscription.price_id = price_for_new(plan, currency, day).id  # the row is read anew below
        subscription.plan, subscription.pending_plan = plan, None
        if plan.months != old.months:
            now_at = standing(subscription)
            take_schedule(subscription, rules.Schedule(day, now_at.index + 1, now_at.index, now_at.start, now_at.end))
        happened.append(record(subscription, "plan_changed", {"from": old.code, "to": plan.code}, now=now))
    if happened:
        subscription.save()
        subscription.refresh_from_db()
        notices.plan(subscription, now)
    return happened

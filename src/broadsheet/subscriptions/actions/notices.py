"""Words that go to readers ahead of time: planned when the dates are known, sent when their day has come.

What is planned is looked at again when it is sent: a renewal that will not come, an amount that changed, a debit whose
day has passed because nobody was there to send. Nothing here moves money or its dates, but for a till whose bank has to
be told first: its debit waits until it was.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from broadsheet.bus.actions import emit
from broadsheet.dates import rfc3339
from broadsheet.payments import actions as payments
from broadsheet.payments.adapters import NoAnswerError
from broadsheet.subscriptions import notice_plan
from broadsheet.subscriptions.actions.debits import BankRequest, bank_request, late
from broadsheet.subscriptions.actions.foresight import facts_of, outlook
from broadsheet.subscriptions.actions.history import Happened, lock, record, zone
from broadsheet.subscriptions.events import NoticeSent
from broadsheet.subscriptions.models import Notice, Subscription

log = logging.getLogger(__name__)
BATCH = 200
ASK_AGAIN = timedelta(minutes=15)
LEASE = timedelta(minutes=5)


def plan(subscription: Subscription, now: datetime) -> None:
    """Write down what this subscription's reader has to be told and when, as things stand; what was planned before and
    no longer holds is dropped. Inside the caller's transaction."""
    wanted = notice_plan.planned(outlook(subscription, now), now, zone())
    waiting = Q(subscription=subscription, sent_at=None, dropped_at=None)
    known = {
        row.key: row
        for row in Notice.objects.filter(waiting | Q(key__in=wanted)).only("key", "sent_at", "dropped_at", "facts")
    }
    stale = [row.pk for key, row in known.items() if key not in wanted and not row.facts.get("late")]
    if stale:
        Notice.objects.filter(pk__in=stale).update(dropped_at=now)
    for one in wanted.values():
        row = known.get(one.key)
        if row is not None and row.sent_at is None and row.dropped_at is not None:
            Notice.objects.filter(pk=row.pk).update(dropped_at=None, due_at=one.due_at)
    Notice.objects.bulk_create(
        [
            Notice(key=one.key, subscription=subscription, kind=one.kind, due_at=one.due_at)
            for one in wanted.values()
            if one.key not in known
        ],
        ignore_conflicts=True,
    )


def drop(subscription: Subscription, now: datetime) -> None:
    """Nothing of what was planned holds any more."""
    Notice.objects.filter(subscription=subscription, sent_at=None, dropped_at=None).update(dropped_at=now)


def plan_again(*, plan_id: int, after: int, now: datetime) -> int | None:
    """Look again at every subscription of a plan whose price was changed, a batch after the id `after`. Returns the id
    to go on after; None when there are none left."""
    rows = Subscription.objects.filter(plan_id=plan_id, status__in=("active", "trialing"), pk__gt=after)
    found = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
    for pk in found:
        with transaction.atomic():
            plan(lock(pk), now)
    return found[-1] if len(found) == BATCH else None


def send_due(*, now: datetime) -> list[Happened]:
    """Send what is due, and drop what is not true any more. One that fails waits; the others go on."""
    happened: list[Happened] = []
    last: tuple[datetime, int] | None = None
    while True:
        rows = Notice.objects.filter(due_at__lte=now, sent_at=None, dropped_at=None).order_by("due_at", "pk")
        if last is not None:
            rows = rows.filter(Q(due_at=last[0], pk__gt=last[1]) | Q(due_at__gt=last[0]))
        found = list(rows.values_list("due_at", "pk", "subscription_id")[:BATCH])
        for _, pk, subscription_id in found:
            try:
                happened += _send_one(pk, subscription_id, now)
            except Exception:
                log.exception("Notice %s could not be sent.", pk)
                Notice.objects.filter(pk=pk, sent_at=None).update(due_at=now + ASK_AGAIN)
        if len(found) < BATCH:
            return happened
        last = found[-1][:2]


def _send_one(notice_id: int, subscription_id: int, now: datetime) -> list[Happened]:
    with transaction.atomic():
        subscription, row = lock(subscription_id), Notice.objects.select_for_update().get(pk=notice_id)
        if row.sent_at is not None or row.dropped_at is not None or row.due_at > now:
            return []
        if row.facts.get("late"):
            wanted = late(subscription, row)
            facts = row.facts if wanted else None
        else:
            wanted = notice_plan.planned(outlook(subscription, now), now, zone(), sending=True).get(row.key)
            facts = facts_of(subscription, wanted, now) if wanted else None
        if wanted is None or facts is None:
            row.dropped_at = now
            row.save(update_fields=["dropped_at"])
            return []
        asked = bank_request(wanted, facts)
        if asked is None:
            return _sent(subscription, row, facts, now)
        row.due_at = now + LEASE
        row.save(update_fields=["due_at"])
    return _tell_bank(notice_id, subscription_id, asked, facts, now)


def _sent(subscription: Subscription, row: Notice, facts: dict[str, Any], now: datetime) -> list[Happened]:
    """Inside the lock: it is on its way, once."""
    row.facts, row.sent_at = facts, now
    row.save(update_fields=["facts", "sent_at"])
    emit(NoticeSent(row.pk, rfc3339(now)))
    if row.kind == "yearly_statement":
        plan(subscription, now)  # the next one
    told = {name: facts[name] for name in ("on", "amount_minor", "currency") if name in facts}
    return [record(subscription, "notice", {"kind": row.kind, "channel": "email", **told}, now=now)]


def _tell_bank(
    notice_id: int, subscription_id: int, asked: BankRequest, facts: dict[str, Any], now: datetime
) -> list[Happened]:
    """Outside of any transaction; asking again under the same key tells of the same debit."""
    try:
        ref = payments.announce_debit(
            mandate_id=asked.mandate_id,
            key=asked.key,
            amount_minor=asked.amount_minor,
            currency=asked.currency,
            text=asked.text,
            debit_at=asked.debit_at,
            now=now,
        )
    except NoAnswerError:
        Notice.objects.filter(pk=notice_id, sent_at=None).update(due_at=now + ASK_AGAIN)
        return []
    with transaction.atomic():
        subscription, row = lock(subscription_id), Notice.objects.select_for_update().get(pk=notice_id)
        if row.sent_at is not None:
            return []
        return _sent(subscription, row, facts | {"notice_ref": ref, "told_at": rfc3339(now)}, now)

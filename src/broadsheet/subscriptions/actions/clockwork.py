"""All billing jobs at one instant, and the instant at which there is something to do again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from broadsheet.payments.due_queries import next_check, next_pending_refund
from broadsheet.subscriptions.actions import checkout, gifts, notices, refunding, renewals
from broadsheet.subscriptions.actions.history import Happened, start_of, today
from broadsheet.subscriptions.models import Gift, Notice, Subscription

JOBS: tuple[Callable[..., list[Happened]], ...] = (
    checkout.collect_checkouts,
    checkout.expire_checkouts,
    notices.send_due,
    gifts.expire_gifts,
    gifts.send_gifts,
)


def run_due(*, now: datetime, most: int | None = None) -> list[Happened]:
    """Every billing job once. Running it again at the same instant finds nothing to do.

    `most` bounds how many subscriptions one run works on, so that a night of many renewals leaves room for other jobs;
    what is left is found by the next run.
    """
    happened: list[Happened] = []
    for job in JOBS:
        happened += job(now=now)
    happened += renewals.work_due(now=now, most=most)
    return happened + refunding.submit_refunds(now=now)


def next_due(now: datetime) -> datetime | None:
    """The earliest instant after `now` at which a job falls due by itself; None when none ever will."""
    instants = [
        Subscription.objects.filter(due_at__gt=now).order_by("due_at").values_list("due_at", flat=True).first(),
        Notice.objects.filter(due_at__gt=now, sent_at=None, dropped_at=None)
        .order_by("due_at")
        .values_list("due_at", flat=True)
        .first(),
        next_check(now, lost_after=checkout.LOST_AFTER),
        next_pending_refund(now, alone=refunding.ALONE),
    ]
    day = (
        Gift.objects.filter(status=Gift.Status.PAID, sent_at=None, send_on__gt=today(now))
        .order_by("send_on")
        .values_list("send_on", flat=True)
        .first()
    )
    if day is not None:
        instants.append(start_of(day))
    found = [instant for instant in instants if instant is not None]
    return min(found) if found else None

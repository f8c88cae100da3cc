"""Vacation holds: no access for some days, which are given back at the end."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction

from broadsheet.bus.actions import emit
from broadsheet.dates import rfc3339
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions import notices
from broadsheet.subscriptions.actions.due import set_due
from broadsheet.subscriptions.actions.history import Happened, lock, move, record, standing, take_schedule, today
from broadsheet.subscriptions.actions.rights import sync_access
from broadsheet.subscriptions.events import SubscriptionPaused, SubscriptionResumed
from broadsheet.subscriptions.models import Subscription

LONGEST_DAYS = 366


@transaction.atomic
def pause(*, subscription_id: int, days: int, actor: str, now: datetime) -> list[Happened]:
    """Stop for `days` from today. RefusedError: `not_active`, `bad_days`."""
    subscription = lock(subscription_id)
    day = today(now)
    if subscription.status != "active" or subscription.period_end <= day:
        raise rules.RefusedError("not_active")
    if not 1 <= days <= LONGEST_DAYS:
        raise rules.RefusedError("bad_days")
    happened = move(subscription, "paused", now=now, actor=actor, reason=f"paused for {days} days")
    subscription.paused_on, subscription.pause_until = day, rules.paused_until(day, days)
    set_due(subscription)
    subscription.save()
    notices.drop(subscription, now)
    emit(SubscriptionPaused(subscription.pk, rfc3339(now)))
    return happened + sync_access(subscription, now)


@transaction.atomic
def resume(*, subscription_id: int, actor: str, now: datetime) -> list[Happened]:
    """Go on before the pause is over: the days it lasted are given back. RefusedError: `not_paused`."""
    subscription = lock(subscription_id)
    if subscription.status != "paused":
        raise rules.RefusedError("not_paused")
    return end_pause(subscription, today(now), now, actor=actor)


def end_pause(subscription: Subscription, day: date, now: datetime, *, actor: str = "system") -> list[Happened]:
    """Inside the caller's lock. A pause that nobody ended for days ended on its day."""
    assert subscription.paused_on is not None
    assert subscription.pause_until is not None
    days = (min(day, subscription.pause_until) - subscription.paused_on).days
    happened = move(subscription, "resumed", now=now, actor=actor)
    if days:
        take_schedule(subscription, rules.after_pause(standing(subscription), days))
        _stretch(subscription, days)
    facts = {"days": days, "period_end": subscription.period_end}
    happened.append(record(subscription, "pause_ended", facts, now=now, actor=actor))
    subscription.paused_on = subscription.pause_until = None
    set_due(subscription)
    subscription.save()
    emit(SubscriptionResumed(subscription.pk, rfc3339(now)))
    happened += sync_access(subscription, now)
    notices.plan(subscription, now)
    return happened


def _stretch(subscription: Subscription, days: int) -> None:
    """What was paid for covers as many days as before, only later: days of the pause are nobody's."""
    assert subscription.paused_on is not None
    for segment in subscription.segments.filter(closed_on=None, end__gt=subscription.paused_on):
        segment.start += timedelta(days=days)
        segment.end += timedelta(days=days)
        segment.save(update_fields=["start", "end"])

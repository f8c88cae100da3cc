"""What the desk gives: days on top, whole subscriptions."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction

from broadsheet.bus.actions import emit
from broadsheet.dates import rfc3339
from broadsheet.readers.actions import lock_reader
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions import notices
from broadsheet.subscriptions.actions.due import set_due
from broadsheet.subscriptions.actions.history import Happened, lock, move, record, standing, take_schedule, today
from broadsheet.subscriptions.actions.rights import sync_access
from broadsheet.subscriptions.events import CompGiven
from broadsheet.subscriptions.models import Plan, Subscription

LONGEST_DAYS = 3660


@transaction.atomic
def extend(*, subscription_id: int, days: int, actor: str, reason: str, now: datetime) -> list[Happened]:
    """Give days at the end of what is paid; later periods are counted from there. RefusedError: `not_active`,
    `bad_days`."""
    subscription = lock(subscription_id)
    if not 1 <= days <= LONGEST_DAYS:
        raise rules.RefusedError("bad_days")
    if subscription.status not in ("trialing", "active", "paused"):
        raise rules.RefusedError("not_active")
    if subscription.status == "trialing":
        assert subscription.trial_end is not None
        subscription.trial_end += timedelta(days=days)
    schedule = rules.after_pause(standing(subscription), days)
    take_schedule(subscription, schedule)
    set_due(subscription)
    subscription.save()
    facts = {"days": days, "period_end": subscription.period_end}
    happened = [record(subscription, "extended", facts, now=now, actor=actor, reason=reason)]
    happened += sync_access(subscription, now)
    notices.plan(subscription, now)
    return happened


@transaction.atomic
def comp(*, reader_id: int, plan_code: str, until: date, actor: str, reason: str, now: datetime) -> list[Happened]:
    """Give a plan for nothing, until a day (exclusive).

    RefusedError: `unknown_plan`, `already_subscribed`, `bad_day`.
    """
    lock_reader(reader_id=reader_id)
    plan = Plan.objects.filter(code=plan_code).first()
    if plan is None:
        raise rules.RefusedError("unknown_plan")
    day = today(now)
    if until <= day:
        raise rules.RefusedError("bad_day")
    if Subscription.objects.filter(reader_id=reader_id, status__in=rules.LIVE).exists():
        raise rules.RefusedError("already_subscribed")
    subscription = Subscription(
        reader_id=reader_id,
        plan=plan,
        origin=Subscription.Origin.COMP,
        collection=Subscription.Collection.SEND_INVOICE,
        fixed_term=True,
        anchor=day,
        period_start=day,
        period_end=until,
        created_at=now,
    )
    subscription.save()
    created = {"plan": plan.code, "status": "incomplete", "comp": True}
    happened = [record(subscription, "subscription_created", created, now=now, actor=actor, reason=reason)]
    happened += move(subscription, "given", now=now, actor=actor, reason=reason or "comp")
    take_schedule(subscription, rules.Schedule(day, 1, 1, day, until))
    subscription.started_at = now
    set_due(subscription)
    subscription.save()
    notices.plan(subscription, now)
    emit(CompGiven(subscription.pk, rfc3339(now)))
    return happened + sync_access(subscription, now)

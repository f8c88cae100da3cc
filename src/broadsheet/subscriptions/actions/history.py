"""The append-only history, written in the transaction of what it tells; the row's lock; the publisher's days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from broadsheet.dates import day_start, local_date
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.models import Subscription, SubscriptionEvent
from broadsheet.subscriptions.policies import Policies, policies_of

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Happened:
    """One event, as the command line prints it. `facts` holds JSON values; `subscription_id` is None for what a reader
    did without a subscription, such as buying a gift."""

    at: datetime
    kind: str
    reader_id: int
    subscription_id: int | None
    facts: dict[str, Any] = field(default_factory=dict)


def tell(
    kind: str,
    facts: Mapping[str, Any] | None = None,
    *,
    reader_id: int,
    subscription_id: int | None,
    now: datetime,
    actor: str = SYSTEM,
    reason: str = "",
) -> Happened:
    """Write one event of a reader. `facts` are JSON values or dates."""
    given = facts or {}
    values = {name: value.isoformat() if isinstance(value, date) else value for name, value in given.items()}
    SubscriptionEvent.objects.create(
        subscription_id=subscription_id,
        reader_id=reader_id,
        at=now,
        kind=kind,
        actor=actor[:60],
        reason=reason[:500],
        facts=values,
    )
    return Happened(now, kind, reader_id, subscription_id, values)


def record(
    subscription: Subscription,
    kind: str,
    facts: Mapping[str, Any] | None = None,
    *,
    now: datetime,
    actor: str = SYSTEM,
    reason: str = "",
) -> Happened:
    """Write one event of a subscription."""
    return tell(
        kind,
        facts,
        reader_id=subscription.reader_id,
        subscription_id=subscription.pk,
        now=now,
        actor=actor,
        reason=reason,
    )


def move(
    subscription: Subscription, event: rules.Event, *, now: datetime, actor: str = SYSTEM, reason: str = ""
) -> list[Happened]:
    """Take the transition (the caller saves). An event that leaves the status as it is leaves no trace here."""
    old = subscription.status
    subscription.status = rules.next_status(old, event)
    if subscription.status == old:
        return []
    facts = {"from": old, "to": subscription.status, "reason": reason or event}
    return [record(subscription, "status_changed", facts, now=now, actor=actor, reason=reason or event)]


def zone() -> ZoneInfo:
    """The publisher's zone: every date of a subscription is a day there."""
    return settings.BROADSHEET.zone


def today(now: datetime) -> date:
    return local_date(now, zone())


def start_of(day: date) -> datetime:
    """The first instant of a local day."""
    return day_start(day, zone())


def policies() -> Policies:
    return policies_of(settings.BROADSHEET)


def lock(subscription_id: int) -> Subscription:
    """The row, held until the transaction ends: whatever changes one subscription happens one after the other."""
    rows = Subscription.objects.select_related("plan", "price").select_for_update(of=("self",))
    return rows.get(pk=subscription_id)


def subject(subscription_id: int) -> str:
    """What the invoices and grants of a subscription name as their origin."""
    return f"subscription:{subscription_id}"


def standing(subscription: Subscription) -> rules.Schedule:
    return rules.Schedule(
        subscription.anchor,
        subscription.anchor_index,
        subscription.period_index,
        subscription.period_start,
        subscription.period_end,
    )


def take_schedule(subscription: Subscription, schedule: rules.Schedule) -> None:
    """The caller saves."""
    subscription.anchor, subscription.anchor_index = schedule.anchor, schedule.anchor_index
    subscription.period_index = schedule.index
    subscription.period_start, subscription.period_end = schedule.start, schedule.end

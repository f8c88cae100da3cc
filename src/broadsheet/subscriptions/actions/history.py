"""The append-only history, written in the transaction of what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from broadsheet.dates import local_date
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.models import Subscription, SubscriptionEvent

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a subscription, as the command line prints it. `facts` holds JSON values."""

    at: datetime
    kind: str
    reader_id: int
    subscription_id: int
    facts: dict[str, Any] = field(default_factory=dict)


def record(
    subscription: Subscription,
    kind: str,
    facts: Mapping[str, Any] | None = None,
    *,
    now: datetime,
    actor: str = SYSTEM,
    reason: str = "",
) -> Happened:
    """Write one event. `facts` are JSON values or dates."""
    given = facts or {}
    values = {name: value.isoformat() if isinstance(value, date) else value for name, value in given.items()}
    SubscriptionEvent.objects.create(
        subscription=subscription, at=now, kind=kind, actor=actor, reason=reason, facts=values
    )
    return Happened(now, kind, subscription.reader_id, subscription.pk, values)


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
    return ZoneInfo(settings.BROADSHEET.time_zone)


def today(now: datetime) -> date:
    return local_date(now, zone())


def lock(subscription_id: int) -> Subscription:
    """The row, held until the transaction ends: whatever changes one subscription happens one after the other."""
    return Subscription.objects.select_for_update().get(pk=subscription_id)


def subject(subscription_id: int) -> str:
    """What the invoices and grants of a subscription name as their origin."""
    return f"subscription:{subscription_id}"

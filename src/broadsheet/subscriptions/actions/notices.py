"""Words that go to readers ahead of time: planned when the dates are known, sent when their day has come."""

from __future__ import annotations

from datetime import datetime

from broadsheet.subscriptions.actions.history import Happened
from broadsheet.subscriptions.models import Notice, Subscription


def plan(subscription: Subscription, now: datetime) -> None:
    """Write down what this subscription's reader has to be told and when, as things stand; what was planned before and
    no longer holds is dropped. Inside the caller's transaction."""


def drop(subscription: Subscription, now: datetime) -> None:
    """Nothing of what was planned holds any more."""
    Notice.objects.filter(subscription=subscription, sent_at=None, dropped_at=None).update(dropped_at=now)


def send_due(*, now: datetime) -> list[Happened]:
    """Send what is due."""
    return []

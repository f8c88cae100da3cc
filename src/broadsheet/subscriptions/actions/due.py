"""When something has to be done about a subscription next."""

from __future__ import annotations

from datetime import date, datetime

from broadsheet.dates import local_date
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions.history import policies, start_of, zone
from broadsheet.subscriptions.models import Subscription


def due_since(subscription: Subscription) -> date:
    """The local day on which what is unpaid (or would be) fell due."""
    if subscription.past_due_since is not None:
        return subscription.past_due_since
    if subscription.status == "trialing" and subscription.trial_end is not None:
        return local_date(subscription.trial_end, zone())
    return subscription.period_end


def due_at(subscription: Subscription) -> datetime | None:
    """The instant of the next thing to do, by status; None when nothing will happen by itself."""
    match subscription.status:
        case "incomplete":
            return subscription.created_at + rules.CHECKOUT_KEPT
        case "trialing":
            return subscription.trial_end
        case "active":
            return start_of(subscription.period_end)
        case "paused":
            return start_of(subscription.pause_until) if subscription.pause_until else None
        case "past_due" | "suspended":
            return _unpaid_due(subscription)
    return None


def _unpaid_due(subscription: Subscription) -> datetime | None:
    if subscription.disputed_at is not None and subscription.past_due_since is None:
        ends = subscription.cancel_at_period_end or subscription.fixed_term
        return start_of(subscription.period_end) if ends else None
    since, how = due_since(subscription), policies()
    days = [subscription.next_attempt_on, rules.dunning_ends(since, how)]
    if subscription.status == "past_due":
        days.append(rules.access_ends(since, how))
    return start_of(min(day for day in days if day is not None)) if any(days) else None


def set_due(subscription: Subscription) -> None:
    """The caller saves."""
    subscription.due_at = due_at(subscription)

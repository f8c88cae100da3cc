"""What a subscription allows, as grants. Access reads only those."""

from __future__ import annotations

from datetime import date, datetime

from broadsheet.access.actions import end_grants, grant_exactly
from broadsheet.dates import local_date
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions.due import due_since
from broadsheet.subscriptions.actions.history import Happened, policies, record, start_of, subject, zone
from broadsheet.subscriptions.models import Seat, Subscription


def promised_until(subscription: Subscription) -> date | None:
    """The first local day on which the reader may read no more, as things stand; None without any access.

    For a trial, whose end is an instant, the day of that instant.
    """
    if subscription.started_at is None:
        return None
    match subscription.status:
        case "trialing" if subscription.trial_end is not None:
            return local_date(subscription.trial_end, zone())
        case "active":
            return subscription.period_end
        case "past_due":
            return rules.access_ends(due_since(subscription), policies())
    return None


def granted_until(subscription: Subscription) -> datetime | None:
    """As promised, and where a renewal is to come, with its grace on top: a job that runs some minutes after midnight,
    or not at all for a day, locks nobody out who is going to pay."""
    until = promised_until(subscription)
    if until is None:
        return None
    comes = subscription.collection == "automatic" and subscription.mandate_id is not None
    renews = comes and not (subscription.cancel_at_period_end or subscription.fixed_term)
    if subscription.status == "trialing" and not renews:
        return subscription.trial_end
    if subscription.status in ("active", "trialing") and renews:
        return start_of(rules.access_ends(until, policies()))
    return start_of(until)


def sync_access(subscription: Subscription, now: datetime) -> list[Happened]:
    """Bring the grants of the payer and of every seat in line with the agreement. Moving them back is as good as moving
    them on; doing it again changes nothing."""
    until = granted_until(subscription)
    holders = [(subject(subscription.pk), subscription.reader_id), *_seated(subscription)]
    if until is None:
        for source, _ in holders:
            end_grants(source=source, ends_at=now)
        return []
    codes = _unlocked(subscription)
    for holder in holders:
        _allow(subscription, holder, codes, until, now)
    promised = promised_until(subscription)
    return [record(subscription, "grant", {"product": code, "valid_until": promised}, now=now) for code in codes]


def _unlocked(subscription: Subscription) -> list[str]:
    return [product.code for product in subscription.plan.products.order_by("position", "id")]


def _allow(
    subscription: Subscription, holder: tuple[str, int], codes: list[str], until: datetime, now: datetime
) -> None:
    source, reader_id = holder
    assert subscription.started_at is not None
    # What an earlier plan unlocked and this one lacks ends now.
    grant_exactly(
        reader_id=reader_id, products=codes, starts_at=subscription.started_at, ends_at=until, source=source, now=now
    )


def sync_seat(subscription: Subscription, seat: Seat, now: datetime) -> None:
    """The same for one seat that was just taken or freed: nothing changes for the others."""
    until = granted_until(subscription)
    if until is None or seat.reader_id is None or seat.removed_at is not None:
        end_grants(source=seat_source(seat), ends_at=now)
    else:
        _allow(subscription, (seat_source(seat), seat.reader_id), _unlocked(subscription), until, now)


def _seated(subscription: Subscription) -> list[tuple[str, int]]:
    seats = Seat.objects.filter(subscription=subscription, reader__isnull=False, removed_at=None)
    return [(seat_source(seat), seat.reader_id) for seat in seats if seat.reader_id]


def seat_source(seat: Seat) -> str:
    return f"seat:{seat.pk}"

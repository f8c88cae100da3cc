"""What partner titles and subscriptions have to do with each other: they may not see each other, so plain values pass
here."""

from __future__ import annotations

from collections.abc import Sequence

from broadsheet import clock
from broadsheet.partners import actions as partners
from broadsheet.partners.ports import Subscribed
from broadsheet.subscriptions import queries as subscriptions
from broadsheet.subscriptions.events import (
    SeatRemoved,
    SeatsCut,
    SubscriptionChanged,
    SubscriptionEnded,
    SubscriptionPaused,
    SubscriptionSuspended,
)


def subscribed(reader_id: int, sources: Sequence[str]) -> dict[str, Subscribed]:
    """What stands behind a reader's grants: their own subscription, or the one whose payer gave them a seat."""
    found = {}
    for row in subscriptions.subscriptions_of(reader_id):
        if row.started_at is not None:
            found[f"subscription:{row.id}"] = Subscribed(row.plan_code, row.reader_id, row.started_at)
    for seat in subscriptions.seats_held(reader_id):
        group = subscriptions.subscription(seat.subscription_id)
        if group is not None and group.started_at is not None:
            found[f"seat:{seat.id}"] = Subscribed(group.plan_code, group.reader_id, group.started_at)
    return {source: found[source] for source in sources if source in found}


def review_subscription(
    event: SubscriptionEnded | SubscriptionSuspended | SubscriptionPaused | SubscriptionChanged | SeatsCut,
) -> None:
    """What was claimed of partners by who pays for it, and by their seats, is looked at now and not at night."""
    row = subscriptions.subscription(event.subscription_id)
    if row is not None:
        partners.review_payer(payer=row.reader_id, now=clock.now())


def review_seat(event: SeatRemoved) -> None:
    partners.review_agreement(name=f"seat:{event.seat_id}", now=clock.now())

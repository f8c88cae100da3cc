"""Two reader accounts of one person become one.

Money and its papers never change their owner: subscriptions, invoices, payments and mandates stay with the account that
has them, and that account goes on. What changes is the address it is known by. Credit, waiting gifts and seats of the
other account come over; that account is closed and keeps its history.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from broadsheet.access.actions import end_grants
from broadsheet.payments import actions as payments
from broadsheet.readers.actions import lock_reader, merge_accounts
from broadsheet.readers.queries import ReaderCard, reader_by_email
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions.history import Happened, tell
from broadsheet.subscriptions.actions.rights import seat_source, sync_access
from broadsheet.subscriptions.models import Gift, Seat, Subscription


@transaction.atomic
def merge_readers(*, kept_email: str, gone_email: str, actor: str, reason: str, now: datetime) -> list[Happened]:
    """Make one account of two: the reader goes on with `kept_email` and whichever account has the live subscription.

    RefusedError: `no_such_reader`, `same_reader`, `staff_account`, `both_live` (cancel one of the two first).
    """
    kept, gone = _card(kept_email), _card(gone_email)
    if kept.id == gone.id:
        raise rules.RefusedError("same_reader")
    if kept.staff or gone.staff:
        raise rules.RefusedError("staff_account")
    for number in sorted((kept.id, gone.id)):
        lock_reader(reader_id=number)
    live = {number: _live(number) for number in (kept.id, gone.id)}
    if live[kept.id] and live[gone.id]:
        raise rules.RefusedError("both_live")
    stays, leaves = (gone, kept) if live[gone.id] else (kept, gone)
    moved: dict[str, Any] = {
        "credit": payments.move_credit(from_reader=leaves.id, to_reader=stays.id, now=now),
        "seats": _move_seats(leaves.id, stays.id, now),
        "gifts": _move_gifts(leaves.email, stays.email, kept.email),
    }
    payments.lend_profile(from_reader=leaves.id, to_reader=stays.id, now=now)
    merge_accounts(stays_id=stays.id, leaves_id=leaves.id, email=kept.email, freed=gone.email, now=now)
    facts = {"email": kept.email, "closed": gone.email, "reader": stays.id, "closed_reader": leaves.id, **moved}
    told = {"now": now, "actor": actor, "reason": reason}
    live_id = live[stays.id]
    return [
        tell("readers_merged", facts, reader_id=stays.id, subscription_id=live_id, **told),
        tell("readers_merged", facts, reader_id=leaves.id, subscription_id=None, **told),
    ]


def _card(email: str) -> ReaderCard:
    card = reader_by_email(email)
    if card is None:
        raise rules.RefusedError("no_such_reader")
    return card


def _live(reader_id: int) -> int | None:
    rows = Subscription.objects.filter(reader_id=reader_id, status__in=rules.LIVE)
    return rows.values_list("pk", flat=True).first()


def _move_seats(leaves: int, stays: int, now: datetime) -> int:
    """Seats in other people's groups; of two in one group one becomes free."""
    moved = 0
    for seat in Seat.objects.filter(reader_id=leaves, removed_at=None).select_related("subscription"):
        others = Seat.objects.filter(subscription=seat.subscription, reader_id=stays, removed_at=None)
        if others.exists():
            seat.removed_at = now
            end_grants(source=seat_source(seat), ends_at=now)
        else:
            seat.reader_id = stays
            moved += 1
        seat.save(update_fields=["removed_at", "reader_id"])
        sync_access(seat.subscription, now)
    return moved


def _move_gifts(leaves: str, stays: str, kept: str) -> int:
    """Presents that nobody has opened yet wait at the address that is kept."""
    rows = Gift.objects.filter(to_email__in=(leaves, stays), status__in=(Gift.Status.OPEN, Gift.Status.PAID))
    return rows.exclude(to_email=kept).update(to_email=kept)

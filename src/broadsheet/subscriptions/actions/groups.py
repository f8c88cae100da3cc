"""The seats of a group or a firm: invited, taken, freed. The payer has the first one without any of this.

Every writer holds the subscription's lock, so that two who ask at once cannot have the last seat both.
"""

from __future__ import annotations

import re
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from broadsheet import ids
from broadsheet.bus.actions import emit
from broadsheet.dates import rfc3339
from broadsheet.readers.queries import ReaderCard, reader
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions.history import Happened, lock, record
from broadsheet.subscriptions.actions.rights import sync_seat
from broadsheet.subscriptions.events import SeatInvited, SeatRemoved, SeatsCut
from broadsheet.subscriptions.models import Seat, Subscription

OPEN = ("trialing", "active", "past_due", "suspended", "paused")
# Nobody's own: a domain that anybody can have an address at would give the group's seats to anybody.
_FREE_MAIL = """
    gmail.com googlemail.com yahoo.com yahoo.co.in yahoo.in ymail.com rocketmail.com outlook.com outlook.in
    hotmail.com live.com live.in msn.com icloud.com me.com mac.com aol.com rediffmail.com rediff.com zohomail.com
    zohomail.in zoho.com proton.me protonmail.com pm.me gmx.com gmx.net gmx.de web.de mail.com mail.ru yandex.com
    yandex.ru fastmail.com hey.com tutanota.com tuta.io qq.com 163.com 126.com sify.com in.com
"""
PUBLIC_DOMAINS = frozenset(_FREE_MAIL.split())
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


def taken_seats(subscription_id: int) -> int:
    """Seats that were given, whether or not whoever they are for has come."""
    return Seat.objects.filter(subscription_id=subscription_id, removed_at=None).count()


def seats_left(subscription_id: int) -> int:
    """How many more people may be invited, the payer's own seat counted off."""
    row = Subscription.objects.get(pk=subscription_id)
    return max(0, row.quantity - 1 - taken_seats(subscription_id)) if row.status in OPEN else 0


def _open_group(subscription_id: int) -> Subscription:
    subscription = lock(subscription_id)
    if subscription.status not in OPEN:
        raise rules.RefusedError("not_active")
    return subscription


def _need_seat(subscription: Subscription) -> None:
    if taken_seats(subscription.pk) >= subscription.quantity - 1:
        raise rules.RefusedError("no_seat_left")


def _address(email: str) -> str:
    clean = email.strip().lower()
    try:
        validate_email(clean)
    except ValidationError:
        raise rules.RefusedError("bad_email") from None
    return clean


@transaction.atomic
def invite_seat(*, subscription_id: int, email: str, actor: str, now: datetime) -> list[Happened]:
    """Keep a seat for an address and write to it.

    RefusedError: `not_active`, `bad_email`, `has_seat` (invited before, or the payer's own), `no_seat_left`.
    """
    address = _address(email)
    subscription = _open_group(subscription_id)
    payer = reader(subscription.reader_id)
    held = Seat.objects.filter(subscription=subscription, email=address, removed_at=None)
    if held.exists() or (payer is not None and payer.email == address):
        raise rules.RefusedError("has_seat")
    _need_seat(subscription)
    seat = Seat.objects.create(subscription=subscription, email=address, token=ids.token(), invited_at=now)
    emit(SeatInvited(seat.pk, rfc3339(now)))
    return [record(subscription, "seat_invited", {"email": address, "seat": seat.pk}, now=now, actor=actor)]


@transaction.atomic
def remove_seat(*, subscription_id: int, seat_id: int, actor: str, now: datetime) -> list[Happened]:
    """Free a seat: whoever had it reads no more by it from now on. Freeing it twice is freeing it once. RefusedError
    `no_seat` when it is not one of this group's."""
    subscription = lock(subscription_id)
    seat = Seat.objects.filter(subscription=subscription, pk=seat_id).first()
    if seat is None:
        raise rules.RefusedError("no_seat")
    if seat.removed_at is not None:
        return []
    emit(SeatRemoved(seat.pk, rfc3339(now)))
    return [_free(subscription, seat, actor, "removed", now)]


def _free(subscription: Subscription, seat: Seat, actor: str, reason: str, now: datetime) -> Happened:
    seat.removed_at = now
    seat.save(update_fields=["removed_at"])
    sync_seat(subscription, seat, now)
    facts = {"email": seat.email, "seat": seat.pk}
    return record(subscription, "seat_removed", facts, now=now, actor=actor, reason=reason)


def claim_seat(*, reader_id: int, now: datetime, token: str = "") -> list[Happened]:
    """Take a seat: the one an invitation's `token` names; without one, that of the reader's own verified address, else
    a free one of a group with its domain. Taking it twice is taking it once.

    RefusedError: `no_seat`, `seat_taken` (somebody else has it), `no_seat_left`, `not_active`, `has_seat` (they pay
    for the group, or sit in it already).
    """
    card = reader(reader_id)
    if card is None:
        raise rules.RefusedError("no_seat")
    if token:
        found = Seat.objects.filter(token=token, removed_at=None).values_list("subscription_id", "pk").first()
        if found is None:
            raise rules.RefusedError("no_seat")
        return _take_invited(found[0], found[1], card, now)
    if not card.verified:
        raise rules.RefusedError("no_seat")
    invited = Seat.objects.filter(
        email=card.email, removed_at=None, reader=None, subscription__status__in=OPEN
    ).order_by("pk")
    found = invited.values_list("subscription_id", "pk").first()
    return _take_invited(found[0], found[1], card, now) if found else _take_by_domain(card, now)


@transaction.atomic
def _take_invited(subscription_id: int, seat_id: int, card: ReaderCard, now: datetime) -> list[Happened]:
    subscription = _open_group(subscription_id)
    seat = Seat.objects.get(pk=seat_id)
    if seat.removed_at is not None:
        raise rules.RefusedError("no_seat")
    if seat.reader_id is not None:
        if seat.reader_id == card.id:
            return []
        raise rules.RefusedError("seat_taken")
    _need_no_seat(subscription, card)
    return _take(subscription, seat, card, now)


def _need_no_seat(subscription: Subscription, card: ReaderCard) -> None:
    sits = Seat.objects.filter(subscription=subscription, reader_id=card.id, removed_at=None).exists()
    if sits or subscription.reader_id == card.id:
        raise rules.RefusedError("has_seat")


def _take(subscription: Subscription, seat: Seat, card: ReaderCard, now: datetime) -> list[Happened]:
    seat.reader_id, seat.claimed_at = card.id, now
    seat.save()
    sync_seat(subscription, seat, now)
    facts = {"email": seat.email, "seat": seat.pk, "reader": card.id}
    return [record(subscription, "seat_claimed", facts, now=now, actor=f"reader:{card.id}")]


def _take_by_domain(card: ReaderCard, now: datetime) -> list[Happened]:
    """In the oldest group of the address's domain that has a seat left."""
    _, _, domain = card.email.rpartition("@")
    groups = Subscription.objects.filter(seat_domain=domain, status__in=OPEN).order_by("pk") if domain else ()
    why = "no_seat"
    for pk in [group.pk for group in groups]:
        try:
            return _sit_down(pk, domain, card, now)
        except rules.RefusedError as refusal:
            if refusal.reason == "has_seat":
                raise
            why = refusal.reason
    raise rules.RefusedError(why)


@transaction.atomic
def _sit_down(subscription_id: int, domain: str, card: ReaderCard, now: datetime) -> list[Happened]:
    subscription = _open_group(subscription_id)
    if subscription.seat_domain != domain:
        raise rules.RefusedError("no_seat")
    _need_no_seat(subscription, card)
    if Seat.objects.filter(subscription=subscription, email=card.email, removed_at=None).exists():
        raise rules.RefusedError("seat_taken")  # by another account of theirs, with the letter they got
    _need_seat(subscription)
    seat = Seat(subscription=subscription, email=card.email, token=ids.token(), invited_at=now)
    return _take(subscription, seat, card, now)


@transaction.atomic
def set_seat_domain(*, subscription_id: int, domain: str, actor: str, now: datetime) -> list[Happened]:
    """Let readers with a verified address at `domain` take free seats; empty: nobody any more, those who sit stay.

    RefusedError: `not_active`, `bad_domain`, `public_domain` (anybody can have an address there).
    """
    clean = domain.strip().lower().removeprefix("@")
    if clean and not _DOMAIN.fullmatch(clean):
        raise rules.RefusedError("bad_domain")
    if clean in PUBLIC_DOMAINS:
        raise rules.RefusedError("public_domain")
    subscription = _open_group(subscription_id)
    if clean == subscription.seat_domain:
        return []
    subscription.seat_domain = clean
    subscription.save(update_fields=["seat_domain"])
    return [record(subscription, "seat_domain_set", {"domain": clean}, now=now, actor=actor)]


def fit_seats(subscription: Subscription, now: datetime) -> list[Happened]:
    """Inside the caller's lock, after the quantity fell: the newest seats beyond it are freed, and the payer is told
    whose they were."""
    keep = max(0, subscription.quantity - 1)
    held = list(Seat.objects.filter(subscription=subscription, removed_at=None).order_by("pk"))
    lost = held[keep:]
    if not lost:
        return []
    happened = [_free(subscription, seat, "system", "fewer_seats", now) for seat in lost]
    emit(SeatsCut(subscription.pk, [seat.email for seat in lost], rfc3339(now)))
    facts = {"kind": "seats_cut", "channel": "email", "seats": len(lost)}
    return [*happened, record(subscription, "notice", facts, now=now)]

"""Addresses come on lists and leave them. Every verb may be repeated; a repeated one changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from broadsheet.bus.actions import emit
from broadsheet.dates import rfc3339
from broadsheet.newsletters import rules
from broadsheet.newsletters.events import SignUpAsked
from broadsheet.newsletters.models import Address, List, SignUp

FORGET_PENDING = timedelta(days=rules.CONFIRM_DAYS)


@transaction.atomic
def ask(*, email: str, list_slugs: Sequence[str], now: datetime) -> None:
    """Somebody who has not proven that the address is theirs wants these lists: a letter goes there and asks.

    The same for an address we know, one we do not, and one that is on every list already. At most three letters a day
    go to an address, and none to one that the publisher has shut out.
    """
    address = _address(email, now)
    lists = list(List.objects.filter(slug__in=list_slugs, live=True))
    if not lists or address.suppressed == "manual" or not rules.may_ask(address.asked, now):
        return
    for one in lists:
        SignUp.objects.get_or_create(list=one, address=address, defaults={"status": "pending", "asked_at": now})
    SignUp.objects.filter(list__in=lists, address=address).exclude(status="on").update(status="pending", asked_at=now)
    yesterday = now.timestamp() - 86_400
    address.asked = [at for at in address.asked if at > yesterday] + [now.timestamp()]
    address.save(update_fields=["asked"])
    emit(SignUpAsked(address.pk, tuple(one.pk for one in lists), rfc3339(now)))


@transaction.atomic
def confirm(*, address_id: int, now: datetime) -> Sequence[str]:
    """The owner of the address said yes: everything it asked for in the last days holds. Returns the lists' names.

    An address that bounced or complained before is written to again; one the publisher shut out is not.
    """
    address = Address.objects.select_for_update().filter(pk=address_id).first()
    if address is None or address.suppressed == "manual":
        return ()
    waiting = SignUp.objects.filter(address=address, status="pending", asked_at__gt=now - FORGET_PENDING)
    names = list(waiting.order_by("list__position").values_list("list__name", flat=True))
    waiting.update(status="on", confirmed_at=now, ended_at=None, ended_why="")
    if names:
        _release(address)
        return names
    on = SignUp.objects.filter(address=address, status="on").order_by("list__position")
    return list(on.values_list("list__name", flat=True))


@transaction.atomic
def choose(*, email: str, list_slugs: Iterable[str], now: datetime) -> bool:
    """Exactly these lists, for an address that is proven to be theirs (a signed-in reader, a link from a mail).

    False when it complained, bounced or was shut out: then only ask() and its letter lead back.
    """
    address = _address(email, now)
    wanted = set(List.objects.filter(slug__in=list(list_slugs), live=True).values_list("pk", flat=True))
    held = set(SignUp.objects.filter(address=address, status="on").values_list("list_id", flat=True))
    _end(SignUp.objects.filter(address=address, status="on").exclude(list_id__in=wanted), "preferences", now)
    if wanted - held and address.suppressed:
        return False
    for pk in wanted - held:
        values = {"status": "on", "confirmed_at": now, "asked_at": now, "ended_at": None, "ended_why": ""}
        SignUp.objects.update_or_create(list_id=pk, address=address, defaults=values)
    return True


@transaction.atomic
def unsubscribe(*, address_id: int, list_id: int, now: datetime, why: str = "one-click") -> None:
    """Take an address off a list (0: off every list), at once."""
    rows = SignUp.objects.filter(address_id=address_id).exclude(status="off")
    _end(rows.filter(list_id=list_id) if list_id else rows, why, now)


@transaction.atomic
def suppress(*, address_id: int, why: str, now: datetime) -> None:
    """Nothing goes to this address any more. `why`: bounce, soft, complaint, or manual (the publisher's own)."""
    if why not in ("bounce", "soft", "complaint", "manual"):
        raise ValueError(f"an address is not suppressed for {why!r}")
    address = Address.objects.select_for_update().get(pk=address_id)
    # A complaint weighs more than a bounce, and the publisher's word most: neither is weakened by what comes later.
    weight = ("", "soft", "bounce", "complaint", "manual")
    if weight.index(why) > weight.index(address.suppressed):
        address.suppressed, address.suppressed_at = why, now
        address.save(update_fields=["suppressed", "suppressed_at"])
    if why == "complaint":
        _end(SignUp.objects.filter(address=address).exclude(status="off"), "complaint", now)


@transaction.atomic
def suppress_email(*, email: str, now: datetime) -> None:
    """The publisher shuts an address out, known or not."""
    suppress(address_id=_address(email, now).pk, why="manual", now=now)


@transaction.atomic
def release(*, address_id: int) -> None:
    """The publisher takes an address back; what it was on before its complaint it has to ask for again."""
    _release(Address.objects.select_for_update().get(pk=address_id))


@transaction.atomic
def count_soft(*, address_id: int, now: datetime) -> None:
    """A mail came back because the mailbox could not take it just now; too many of them in a month suppress it."""
    address = Address.objects.select_for_update().get(pk=address_id)
    after, too_many = rules.after_soft(rules.Soft(address.soft_bounces, address.soft_since), now)
    address.soft_bounces, address.soft_since = after.count, after.since
    address.save(update_fields=["soft_bounces", "soft_since"])
    if too_many:
        suppress(address_id=address_id, why="soft", now=now)


def forget_unconfirmed(*, now: datetime) -> int:
    """Sign-ups nobody confirmed in time, and addresses that were never on a list."""
    old = SignUp.objects.filter(status="pending", asked_at__lt=now - FORGET_PENDING).order_by("asked_at")[:1000]
    ids = list(old.values_list("pk", "address_id"))
    with transaction.atomic():
        SignUp.objects.filter(pk__in=[pk for pk, _ in ids], status="pending", confirmed_at=None).delete()
        SignUp.objects.filter(pk__in=[pk for pk, _ in ids], status="pending").update(
            status="off", ended_why="unconfirmed"
        )
        mine = {address for _, address in ids}
        kept = set(SignUp.objects.filter(address_id__in=mine).values_list("address_id", flat=True))
        Address.objects.filter(pk__in=mine - kept, suppressed="").delete()
    return len(ids)


def _address(email: str, now: datetime) -> Address:
    address, _ = Address.objects.get_or_create(email=rules.normal_email(email), defaults={"created_at": now})
    return Address.objects.select_for_update().get(pk=address.pk)


def _release(address: Address) -> None:
    address.suppressed, address.suppressed_at, address.soft_bounces, address.soft_since = "", None, 0, None
    address.save(update_fields=["suppressed", "suppressed_at", "soft_bounces", "soft_since"])


def _end(rows, why: str, now: datetime) -> None:
    rows.update(status="off", ended_at=now, ended_why=why)

"""The only writers of accounts. Sign-in itself is allauth's, behind readers.views."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.apps import apps
from django.db import transaction
from django.db.models import F

from broadsheet.bus.actions import announce
from broadsheet.readers.models import Reader

CONFIRM_WITHIN = timedelta(days=7)


@transaction.atomic(savepoint=False)
def bump_epoch(*, reader_id: int) -> None:
    """Make every passport of this reader stale, on every worker, from this transaction's commit on."""
    Reader.objects.filter(pk=reader_id).update(epoch=F("epoch") + 1)
    epoch = Reader.objects.values_list("epoch", flat=True).get(pk=reader_id)
    announce("reader", reader_id, epoch)


def lock_reader(*, reader_id: int) -> None:
    """Hold the reader's row until the caller's transaction ends: what is counted per reader is counted one by one."""
    Reader.objects.select_for_update().values_list("pk").get(pk=reader_id)


@transaction.atomic
def create_editor(*, email: str, password: str, name: str, now: datetime) -> int:
    """An editor in chief: may do everything in the newsroom. Returns the reader's id; an existing reader is raised."""
    reader, _ = Reader.objects.get_or_create(email=email.strip().lower(), defaults={"created_at": now})
    reader.name = name
    reader.is_staff = reader.is_superuser = reader.is_active = True
    reader.verified_at = reader.verified_at or now
    reader.set_password(password)
    reader.save()
    bump_epoch(reader_id=reader.pk)
    return reader.pk


@transaction.atomic
def ensure_reader(*, email: str, now: datetime) -> None:
    """A row for this address, unverified until its owner types the code we send there.

    One statement whether the reader is new or known: the time an answer takes must not tell which.
    """
    reader = Reader(email=email.strip().lower(), created_at=now)
    reader.set_unusable_password()
    Reader.objects.bulk_create([reader], ignore_conflicts=True)


@transaction.atomic
def mark_verified(*, reader_id: int, now: datetime) -> None:
    """The reader has shown that the address is theirs. The first time counts."""
    Reader.objects.filter(pk=reader_id, verified_at=None).update(verified_at=now)


def forget_unverified(*, now: datetime) -> int:
    """Drop addresses somebody typed and nobody confirmed within a week. Returns how many."""
    stale = Reader.objects.filter(verified_at=None, last_login=None, created_at__lt=now - CONFIRM_WITHIN)
    return stale.filter(is_staff=False).delete()[0]


@transaction.atomic
def merge_accounts(*, stays_id: int, leaves_id: int, email: str, freed: str, now: datetime) -> None:
    """Two accounts of one person: one stays and is known by `email`, the other is closed under `freed`.

    Both are signed out everywhere. The closed one keeps its row: what was billed to it says so for ever.
    """
    Reader.objects.filter(pk=leaves_id).update(email=f"merged-{leaves_id}@account.invalid", is_active=False)
    Reader.objects.filter(pk=stays_id).update(email=email)
    Reader.objects.filter(pk=leaves_id).update(email=freed)
    stays, leaves = (Reader.objects.get(pk=pk) for pk in (stays_id, leaves_id))
    if not stays.name and leaves.name:
        Reader.objects.filter(pk=stays_id).update(name=leaves.name)
    if leaves.verified_at is not None:
        mark_verified(reader_id=stays_id, now=now)
    if apps.is_installed("allauth.account"):
        # What signing in remembers of addresses; it is written anew at the next one.
        apps.get_model("account", "EmailAddress").objects.filter(user_id__in=(stays_id, leaves_id)).delete()
    for pk in (stays_id, leaves_id):
        bump_epoch(reader_id=pk)


@transaction.atomic
def ensure_readers(*, names: Mapping[str, str], now: datetime) -> dict[str, int]:
    """Accounts for addresses (lower case) whose owners the publisher knows, with their names; the ids by address.

    An account that was there keeps its name, and so does a closed one, which is left out.
    """
    known = set(Reader.objects.filter(email__in=names).values_list("email", flat=True))
    made = []
    for email, name in names.items():
        if email not in known:
            reader = Reader(email=email, name=name[:120], created_at=now, verified_at=now)
            reader.set_unusable_password()
            made.append(reader)
    Reader.objects.bulk_create(made, ignore_conflicts=True)
    return dict(Reader.objects.filter(email__in=names, is_active=True).values_list("email", "pk"))

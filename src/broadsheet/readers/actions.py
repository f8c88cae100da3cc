"""The only writers of accounts. Sign-in itself is allauth's, behind readers.views."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from broadsheet.bus.actions import announce
from broadsheet.readers.models import Reader

CONFIRM_WITHIN = timedelta(days=7)


@transaction.atomic
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

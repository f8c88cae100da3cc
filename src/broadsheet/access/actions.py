"""The only writers of grants, the registered meter, institutions and their seats, gifts, and the policy."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from broadsheet.access.book import verdict
from broadsheet.access.events import PolicySwitched
from broadsheet.access.meter import section_of, story_of
from broadsheet.access.models import Gift, GiftUse, Grant, Institution, MeterRead, PolicyRevision, SeatLease
from broadsheet.access.queries import (
    GiftRow,
    current_policy,
    gift_opens,
    gift_row,
    gift_token,
    gifts_left,
    institutions_value,
    live_gift,
    packed,
    reads_in,
    refuses_gift,
    token_digest,
)
from broadsheet.access.rules import Policy, Story, policy_values, window_named
from broadsheet.access.values import checked_policy
from broadsheet.bus.actions import announce, emit, post
from broadsheet.ids import keyed_digest
from broadsheet.readers.actions import bump_epoch, lock_reader
from broadsheet.readers.queries import reader

GIFTS_KEPT = timedelta(days=60)  # longer than a month's quota looks back


class PolicyChangedError(Exception):
    """Somebody else has switched the policy since this change was tried."""


@transaction.atomic
def grant(*, reader_id: int, product: str, starts_at: datetime, ends_at: datetime | None, source: str) -> None:
    """Allow `product` over `[starts_at, ends_at)`. One grant per (source, product): granting again moves its dates."""
    Grant.objects.update_or_create(
        source=source,
        product=product,
        defaults={"reader_id": reader_id, "starts_at": starts_at, "ends_at": ends_at},
    )
    bump_epoch(reader_id=reader_id)


@transaction.atomic(savepoint=False)
def grant_exactly(
    *, reader_id: int, products: Sequence[str], starts_at: datetime, ends_at: datetime, source: str, now: datetime
) -> None:
    """Let `source` allow these products to this reader over `[starts_at, ends_at)`, and no other from `now` on."""
    end_grants(source=source, ends_at=now, keep=products)
    if not products:
        return
    Grant.objects.bulk_create(
        [
            Grant(reader_id=reader_id, product=product, starts_at=starts_at, ends_at=ends_at, source=source)
            for product in products
        ],
        update_conflicts=True,
        unique_fields=["source", "product"],
        update_fields=["reader_id", "starts_at", "ends_at"],
    )
    bump_epoch(reader_id=reader_id)


@transaction.atomic
def grant_many(*, rows: Sequence[tuple[int, str, datetime, datetime, str]]) -> None:
    """Many new grants at once: (reader, product, starts_at, ends_at, source). Whoever of them could be signed in has
    to have their epoch bumped by the caller."""
    Grant.objects.bulk_create(
        Grant(reader_id=reader_id, product=product, starts_at=starts_at, ends_at=ends_at, source=source)
        for reader_id, product, starts_at, ends_at, source in rows
    )


@transaction.atomic(savepoint=False)
def end_grants(*, source: str, ends_at: datetime, keep: Sequence[str] = ()) -> None:
    """End every grant of `source` at `ends_at` if it would run longer, but for the products in `keep`. Ending never
    prolongs."""
    for row in Grant.objects.filter(source=source).exclude(product__in=keep):
        if row.ends_at is None or row.ends_at > ends_at:
            row.ends_at = max(ends_at, row.starts_at)
            row.save(update_fields=["ends_at"])
            bump_epoch(reader_id=row.reader_id)


def count_read(
    *, reader_id: int, window: str, read: int, limit: int, section_limit: int | None, now: datetime
) -> tuple[str, tuple[int, ...]]:
    """Count a registered reader's read (meter.pack) of one story, if the window and its section have room.

    Returns ("ok" | "repeat" | "limit" | "section_limit", every read of the window). A story read before stays readable
    whatever the limits are now.
    """
    span = window_named(window, current_policy().zone)
    held = reads_in(reader_id, span) if span else MeterRead.objects.filter(reader_id=reader_id, window=window)
    if held.filter(story_id=story_of(read)).exists():
        return "repeat", packed(held)
    with transaction.atomic():
        # The reader's row is the lock: two devices at the limit's edge must not both get the last story.
        lock_reader(reader_id=reader_id)
        reads = packed(held)
        said = verdict(reads, read, limit, section_limit)
        if said == "ok":
            MeterRead.objects.create(
                reader_id=reader_id, window=window, story_id=story_of(read), section=section_of(read), at=now
            )
            reads = (*reads, read)
        return said, reads


@transaction.atomic
def merge_meter(*, reader_id: int, window: str, reads: Iterable[int], now: datetime) -> None:
    """Add what this browser read as a visitor to the reader's own count: signing in opens no second meter."""
    MeterRead.objects.bulk_create(
        [
            MeterRead(reader_id=reader_id, window=window, story_id=story_of(read), section=section_of(read), at=now)
            for read in reads
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def keep_institution(*, institution: Institution, now: datetime) -> None:
    """Store a new or changed institution and tell every gate. ValidationError leaves everything as it was."""
    _one_editor_at_a_time()
    institution.full_clean()
    institution.save()
    post("institutions", institutions_value(now))


@transaction.atomic
def drop_institution(*, institution: Institution, now: datetime) -> None:
    """End an institution at once, with its seats."""
    _one_editor_at_a_time()
    institution.delete()
    post("institutions", institutions_value(now))


def _one_editor_at_a_time() -> None:
    """Two who save at once must see each other: for the overlap, and so that neither is missing in what is posted.

    SQLite's transactions that write run one by one anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE access_institution IN SHARE ROW EXCLUSIVE MODE")


def take_seat(*, institution_id: int, holder: str, now: datetime) -> int:
    """Lease a seat to a browser (`holder`, opaque), or renew the one it has.

    Returns until when in Unix seconds, 0 when no seat is free or the institution has none now. A lapsed lease competes
    like a new one.
    """
    digest = keyed_digest(settings.BROADSHEET_SECRET, "seat", f"{institution_id}|{holder}".encode()).hex()
    with transaction.atomic():
        # The institution's row is the lock: the last seat is leased once.
        row = Institution.objects.select_for_update().filter(pk=institution_id, starts_at__lte=now).first()
        if row is None or (row.ends_at is not None and row.ends_at <= now):
            return 0
        leases = SeatLease.objects.filter(institution=row, until__gt=now)
        if not leases.filter(holder=digest).exists() and leases.count() >= row.seats:
            return 0
        until = (now + timedelta(minutes=row.lease_minutes)).replace(microsecond=0)
        until = min(until, row.ends_at) if row.ends_at else until
        SeatLease.objects.update_or_create(institution=row, holder=digest, defaults={"until": until})
        return int(until.timestamp())


class GiftRefusedError(Exception):
    """A story that cannot be given: `reason` is off, absent, free, not_entitled or quota."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@transaction.atomic
def give_story(*, reader_id: int, story: Story | None, now: datetime) -> GiftRow:
    """A gift link of a story that the reader's own right opens. The same story again is the same link while it lives.

    GiftRefusedError when gifting is off, the story is not in the paper, is free for everybody, is not the reader's to
    give, or the month's gifts are given.
    """
    options = settings.BROADSHEET
    # The giver's row is the lock: the month's last gift is given once.
    lock_reader(reader_id=reader_id)
    refusal = refuses_gift(reader_id, story, now)
    if refusal or story is None:
        raise GiftRefusedError(refusal)
    standing = live_gift(reader_id, story.id, now)
    if standing is not None:
        return standing
    if not gifts_left(reader_id, now):
        raise GiftRefusedError("quota")
    seed, begins = secrets.token_hex(16), now.replace(microsecond=0)
    row = Gift.objects.create(
        giver_id=reader_id,
        story_id=story.id,
        seed=seed,
        token=token_digest(gift_token(seed)),
        created_at=begins,
        expires_at=begins + timedelta(days=options.gift_days),
        devices=options.gift_devices,
    )
    return gift_row(row, opened=0)


def use_gift(*, gift_id: int, story: Story | None, device: str, now: datetime) -> int:
    """Open a gift on a device (opaque): it counts once, however often it comes back.

    Returns until when in Unix seconds; 0 for another story, a gift that ended, a giver who may no longer give it, and
    one device too many.
    """
    with transaction.atomic():
        # The gift's row is the lock: the last device is let in once.
        row = Gift.objects.select_for_update().filter(pk=gift_id).first()
        if row is None or story is None or row.story_id != story.id or not gift_opens(row, story, now):
            return 0
        digest = keyed_digest(row.seed.encode(), "gift-device", device.encode()).hex()
        uses = GiftUse.objects.filter(gift=row)
        if not uses.filter(device=digest).exists():
            if uses.count() >= row.devices:
                return 0
            GiftUse.objects.create(gift=row, device=digest, at=now)
        return int(row.expires_at.timestamp())


@transaction.atomic
def revoke_gift(*, gift_id: int, giver_id: int, now: datetime) -> bool:
    """End a gift on every device at once. It stays counted in its month. False when it is not this giver's."""
    rows = Gift.objects.filter(pk=gift_id, giver_id=giver_id)
    if rows.filter(revoked_at=None).update(revoked_at=now):
        announce("gift", gift_id)
    return rows.exists()


def purge(*, now: datetime) -> None:
    """Forget lapsed seats at once, and gifts two months after they expired: by then no month counts them."""
    SeatLease.objects.filter(until__lte=now).delete()
    Gift.objects.filter(expires_at__lt=now - GIFTS_KEPT).delete()


@transaction.atomic
def switch_policy(
    *, values: Mapping[str, Any], by: int | None, now: datetime, note: str = "", onto: int | None = None
) -> Policy:
    """Let `values` (of rules.policy_values; what is missing stays as it is) hold from this commit on, for every worker.

    `by`: the reader who decides, None for the program itself. `onto`: the revision this change was tried against.
    PolicyError for values that cannot be used, PolicyChangedError when another revision holds; nothing is stored then.
    """
    card = reader(by) if by is not None else None
    # The newest revision is the lock: of two people who switch at once the second one sees what the first one did.
    PolicyRevision.objects.select_for_update().order_by("-id").first()
    before = current_policy()
    if onto is not None and before.revision != onto:
        raise PolicyChangedError
    policy = checked_policy(before, values)
    stored = policy_values(policy)
    del stored["revision"]
    row = PolicyRevision.objects.create(
        values=stored, at=now, by_id=by, by_name=(card.name or card.email) if card else "", note=note.strip()[:300]
    )
    policy = current_policy()
    post("policy", policy_values(policy))
    emit(PolicySwitched(row.pk))
    return policy

"""The only writers of grants, of the registered meter and of the policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from broadsheet.access.events import PolicySwitched
from broadsheet.access.models import Grant, MeterRead, PolicyRevision
from broadsheet.access.queries import current_policy
from broadsheet.access.rules import Policy, policy_values
from broadsheet.access.values import checked_policy
from broadsheet.bus.actions import emit, post
from broadsheet.readers.actions import bump_epoch, lock_reader
from broadsheet.readers.queries import reader


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


@transaction.atomic
def end_grants(*, source: str, ends_at: datetime) -> None:
    """End every grant of `source` at `ends_at` if it would run longer. Ending never prolongs."""
    for row in Grant.objects.filter(source=source):
        if row.ends_at is None or row.ends_at > ends_at:
            row.ends_at = max(ends_at, row.starts_at)
            row.save(update_fields=["ends_at"])
            bump_epoch(reader_id=row.reader_id)


def count_read(*, reader_id: int, window: str, story_id: int, limit: int, now: datetime) -> tuple[bool, int]:
    """Count a registered reader's read of one story, if the window has room.

    Returns (may read, stories read in the window). A story read before stays readable whatever the limit is now.
    """
    with transaction.atomic():
        # The reader's row is the lock: two devices at the limit's edge must not both get the last story.
        reads = MeterRead.objects.filter(reader_id=reader_id, window=window)
        if reads.filter(story_id=story_id).exists():
            return True, reads.count()
        lock_reader(reader_id=reader_id)
        used = reads.count()
        if used >= limit:
            return reads.filter(story_id=story_id).exists(), used
        _, created = MeterRead.objects.get_or_create(
            reader_id=reader_id, window=window, story_id=story_id, defaults={"at": now}
        )
        return True, used + created


@transaction.atomic
def merge_meter(*, reader_id: int, window: str, story_ids: Iterable[int], now: datetime) -> None:
    """Add what this browser read as a visitor to the reader's own count: signing in opens no second meter."""
    MeterRead.objects.bulk_create(
        [MeterRead(reader_id=reader_id, window=window, story_id=i, at=now) for i in story_ids],
        ignore_conflicts=True,
    )


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

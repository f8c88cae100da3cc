"""What readers agreed to, kept as proof: only added to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from broadsheet.subscriptions.models import ConsentRecord


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """`text` is what the reader saw, word for word; `network` the address it came from."""

    id: int
    reader_id: int
    subscription_id: int | None
    kind: str
    text: str
    facts: dict[str, Any] = field(default_factory=dict)
    network: str = ""
    at: datetime | None = None


@transaction.atomic
def record_consent(
    *,
    reader_id: int,
    kind: str,
    text: str,
    now: datetime,
    subscription_id: int | None = None,
    facts: Mapping[str, Any] | None = None,
    network: str = "",
) -> int:
    """Keep what a reader agreed to: `kind` such as `renewal` (charges that come by themselves), `mandate`,
    `price_change`, `withdrawal_waiver` or `early_start`, and the very words. The same words of the same kind for the
    same subscription are kept once. Returns the record's id; ValueError for empty words."""
    if not text.strip():
        raise ValueError("A consent is to something: its words are missing.")
    found = ConsentRecord.objects.filter(
        reader_id=reader_id, subscription_id=subscription_id, kind=kind, text=text, facts=dict(facts or {})
    ).first()
    if found is not None and subscription_id is not None:
        return found.pk
    row = ConsentRecord.objects.create(
        reader_id=reader_id,
        subscription_id=subscription_id,
        kind=kind,
        text=text,
        facts=dict(facts or {}),
        network=network[:60],
        at=now,
    )
    return row.pk


def consents_of(reader_id: int) -> tuple[ConsentRow, ...]:
    """Everything a reader agreed to, oldest first."""
    rows = ConsentRecord.objects.filter(reader_id=reader_id).order_by("id")
    names = ("id", "reader_id", "subscription_id", "kind", "text", "facts", "network", "at")
    return tuple(ConsentRow(**{name: getattr(row, name) for name in names}) for row in rows)


def consented(subscription_id: int) -> set[str]:
    """The kinds of what was agreed to for one subscription."""
    return set(ConsentRecord.objects.filter(subscription_id=subscription_id).values_list("kind", flat=True))

"""What a reader may read, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from broadsheet.access.models import Grant, MeterRead
from broadsheet.access.rules import Policy, Window, rolling_start, window


@dataclass(frozen=True, slots=True)
class GrantRow:
    product: str
    starts_at: datetime
    ends_at: datetime | None
    source: str


def live_grants(reader_id: int, now: datetime) -> Sequence[GrantRow]:
    """Grants that hold now or will hold later; those that ended are history."""
    rows = Grant.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), reader_id=reader_id).order_by("id")
    return [GrantRow(g.product, g.starts_at, g.ends_at, g.source) for g in rows]


def running_reads(reader_id: int, policy: Policy, now: datetime) -> tuple[Window, datetime | None, frozenset[int]]:
    """The reader's running window, the first read that dates it if it rolls, and the stories read in it."""
    rows = MeterRead.objects.filter(reader_id=reader_id)
    first = None
    if policy.window.startswith("rolling"):
        last = rows.order_by("-at", "-id").values_list("window", flat=True).first()
        first = rolling_start(last) if last else None
    span = window(policy, now, first)
    return span, first, frozenset(rows.filter(window=span.name).values_list("story_id", flat=True))

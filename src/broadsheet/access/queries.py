"""What a reader may read, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from broadsheet.access.models import Grant, MeterRead, PolicyRevision
from broadsheet.access.rules import Policy, Window, policy_from, policy_of, rolling_start, window


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


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """A decision of the publisher's. `by`: the name it was made under, "" for the program's own."""

    policy: Policy
    at: datetime
    by: str
    note: str

    @property
    def number(self) -> int:
        return self.policy.revision


def _revision(row: PolicyRevision) -> RevisionRow:
    return RevisionRow(policy_from({**row.values, "revision": row.pk}), row.at, row.by_name, row.note)


def current_policy() -> Policy:
    """The policy that holds: the publisher's newest decision, else what the options say.

    Read from the table each time (one step at the end of an index): no process can go on with an older one.
    """
    newest = PolicyRevision.objects.order_by("-id").first()
    return _revision(newest).policy if newest else policy_of(settings.BROADSHEET)


def policy_at(revision: int) -> Policy | None:
    """The policy of a revision, 0 being what the options say now; None when there is no such revision."""
    if revision == 0:
        return policy_of(settings.BROADSHEET)
    row = PolicyRevision.objects.filter(pk=revision).first()
    return _revision(row).policy if row else None


def policy_history(limit: int = 100) -> Sequence[RevisionRow]:
    """The publisher's decisions, newest first."""
    return [_revision(row) for row in PolicyRevision.objects.order_by("-id")[:limit]]

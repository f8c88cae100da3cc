"""What the report, the health page and the jobs ask about runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from broadsheet.leakcheck.models import LeakFinding, LeakRun
from broadsheet.leakcheck.rules import advice, sentence


@dataclass(frozen=True, slots=True)
class RunRow:
    id: int
    kind: str
    started_at: datetime
    seconds: float
    seed: int
    leaks: int
    sentence: str
    failed: bool


@dataclass(frozen=True, slots=True)
class FindingRow:
    """`request` is the line to repeat it with; `advice` is what to do."""

    id: int
    run_id: int
    found_at: datetime
    story: str
    surface: str
    reader: str
    trick: str
    evidence: str
    request: str
    advice: str
    closed_at: datetime | None
    closed_by: str


def is_leaking() -> bool:
    """Whether something was found that nobody has closed."""
    return LeakFinding.objects.filter(closed_at=None).exists()


def last_run(kind: str) -> datetime | None:
    """When the last run of a kind began."""
    return LeakRun.objects.filter(kind=kind).order_by("-id").values_list("started_at", flat=True).first()


def runs(limit: int = 60) -> Sequence[RunRow]:
    """The newest first."""
    rows = LeakRun.objects.order_by("-id")[:limit]
    counted = LeakFinding.objects.filter(run_id__in=[row.pk for row in rows]).values_list("run_id")
    leaks = dict(counted.annotate(Count("id")))
    return [_run(row, leaks.get(row.pk, 0)) for row in rows]


def _run(row: LeakRun, leaks: int) -> RunRow:
    took = (row.ended_at - row.started_at).total_seconds() if row.ended_at else 0.0
    told = sentence(
        error=row.error,
        ended=row.ended_at is not None,
        stories=row.stories,
        probes=row.probes,
        skipped=row.skipped,
        leaks=leaks,
    )
    return RunRow(row.pk, row.get_kind_display(), row.started_at, took, row.seed, leaks, told, bool(row.error))


def findings(*, open_only: bool, limit: int = 200) -> Sequence[FindingRow]:
    """The newest first."""
    rows = LeakFinding.objects.select_related("run").order_by("-id")
    rows = rows.filter(closed_at=None) if open_only else rows
    return [
        FindingRow(
            row.pk,
            row.run_id,
            row.run.started_at,
            row.story,
            row.surface,
            row.reader,
            row.trick,
            row.evidence,
            row.request,
            advice(row.evidence),
            row.closed_at,
            row.closed_by,
        )
        for row in rows[:limit]
    ]

"""The only writers of runs, findings and stories that wait to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from broadsheet.leakcheck.models import DueStory, LeakFinding, LeakRun
from broadsheet.leakcheck.oracles import Leak, short
from broadsheet.leakcheck.rules import FALLEN_ASLEEP

KEPT = timedelta(days=180)
LONGEST_WAIT = timedelta(seconds=30)
CLEAN_KEPT = timedelta(days=14)  # of looks after a publication that found nothing


def note_published(*, story_id: int, now: datetime) -> None:
    DueStory.objects.create(story_id=story_id, since=now)


@transaction.atomic
def take_due(*, now: datetime, most: int) -> list[int]:
    """The stories that wait since `now` or longer, newest first, and no longer wait. While more are coming in, all wait
    for the last of them, but not for ever. More than `most` are dropped: a flood of copy is the night's business."""
    rows = list(DueStory.objects.order_by("-id"))
    if rows and rows[0].since > now and rows[-1].since > now - LONGEST_WAIT:
        return []
    rows = [row for row in rows if row.since <= now]
    DueStory.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return list(dict.fromkeys(row.story_id for row in rows))[:most]


def begin_run(*, kind: str, seed: int, now: datetime) -> int | None:
    """The new run's id; None while another of its kind is under way."""
    with transaction.atomic():
        if LeakRun.objects.filter(kind=kind, ended_at=None, started_at__gt=now - FALLEN_ASLEEP).exists():
            return None
        return LeakRun.objects.create(kind=kind, seed=seed, started_at=now).pk


@transaction.atomic
def end_run(
    *,
    run_id: int,
    now: datetime,
    counts: tuple[int, int, int] = (0, 0, 0),
    found: Sequence[tuple[Leak, str]] = (),
    error: str = "",
) -> int:
    """Keep what a run found. `counts`: stories, probes, skipped; `found`: leaks and the requests that got them.

    Returns how many of them nobody has been told of yet. A whole night that finds nothing closes what was open.
    """
    stories, probes, skipped = counts
    LeakRun.objects.filter(pk=run_id).update(
        ended_at=now, stories=stories, probes=probes, skipped=skipped, error=error[:300]
    )
    run = LeakRun.objects.get(pk=run_id)
    still_open = LeakFinding.objects.filter(closed_at=None)
    known = set(still_open.values_list("story", "surface", "reader", "trick"))
    rows = [
        LeakFinding(
            run_id=run_id,
            story=leak.story[:40],
            surface=leak.surface[:200],
            reader=leak.reader[:60],
            trick=leak.trick[:200],
            evidence=short(leak.evidence),
            request=request[:400],
        )
        for leak, request in found
    ]
    fresh = [row for row in rows if (row.story, row.surface, row.reader, row.trick) not in known]
    LeakFinding.objects.bulk_create(fresh)
    if run.kind == "night" and not (rows or error or skipped) and probes:
        still_open.exclude(run_id=run_id).update(closed_at=now, closed_by="a night's run that found nothing")
    return len(fresh)


def close_finding(*, finding_id: int, by: str, now: datetime) -> None:
    LeakFinding.objects.filter(pk=finding_id, closed_at=None).update(closed_at=now, closed_by=by[:150])


def purge(*, now: datetime) -> None:
    """Forget old runs; what is still open stays."""
    with_open = LeakFinding.objects.filter(closed_at=None).values("run_id")
    LeakRun.objects.filter(started_at__lt=now - KEPT).exclude(pk__in=with_open).delete()
    found = LeakFinding.objects.values("run_id")
    LeakRun.objects.filter(kind="publish", started_at__lt=now - CLEAN_KEPT).exclude(pk__in=found).delete()
    # A run whose process died under it.
    LeakRun.objects.filter(ended_at=None, started_at__lt=now - FALLEN_ASLEEP).update(
        ended_at=F("started_at"), error="it was cut off"
    )

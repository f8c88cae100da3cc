"""What the gate's courier and the status page read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broadsheet.bus.models import Job, Notice, Standing


@dataclass(frozen=True, slots=True)
class NoticeRow:
    version: int
    kind: str
    key: str
    value: int


@dataclass(frozen=True, slots=True)
class JobRow:
    event: str
    handler: str
    attempts: int
    error: str


def notices_since(version: int, limit: int = 1000) -> Sequence[NoticeRow]:
    rows = Notice.objects.filter(id__gt=version).order_by("id").values_list("id", "kind", "key", "value")[:limit]
    return [NoticeRow(*row) for row in rows]


def open_jobs(limit: int = 100) -> Sequence[JobRow]:
    """Jobs not done yet, oldest first."""
    rows = Job.objects.filter(done_at=None).order_by("run_after", "id")
    return [JobRow(*row) for row in rows.values_list("event", "handler", "attempts", "error")[:limit]]


def last_notice() -> int:
    """The version of the newest notice, 0 when none is kept: what is built from now on contains everything up to it."""
    return Notice.objects.order_by("-id").values_list("id", flat=True).first() or 0


def is_waiting(handler: str, now: datetime) -> bool:
    """Whether a job of `handler` is due that no worker has taken yet: its run will do again what one does now."""
    return Job.objects.filter(handler=handler, done_at=None, leased_until=None, run_after__lte=now).exists()


def standing(name: str) -> Any:
    """The value posted under `name`, None when there is none."""
    text = Standing.objects.filter(name=name).values_list("value", flat=True).first()
    return None if text is None else json.loads(text)

"""emit() and announce() write inside the caller's transaction; run_due_jobs() is the worker's half."""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q

from broadsheet import clock
from broadsheet.bus.models import Job, Notice, Standing

log = logging.getLogger(__name__)

Handler = Callable[[Any], None]
LEASE = timedelta(minutes=5)
BACKOFF = (timedelta(seconds=1), timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
KEEP_DONE = timedelta(days=7)
CHANNEL = "broadsheet_notices"  # what a gate on PostgreSQL listens to

wake_up = threading.Event()
_handlers: dict[str, tuple[str, ...]] = {}
_by_name: dict[str, Handler] = {}
_events: dict[str, type] = {}


def connect(table: Mapping[type, Sequence[Handler]]) -> None:
    """Install the one table of handlers (server/wiring.py). Called once, when the program starts."""
    _handlers.clear()
    _by_name.clear()
    _events.clear()
    for event, handlers in table.items():
        names = tuple(f"{handler.__module__}.{handler.__qualname__}" for handler in handlers)
        _handlers[event.__name__] = names
        _events[event.__name__] = event
        _by_name.update(zip(names, handlers, strict=True))


def emit(event: Any) -> None:
    """Queue `event` (a frozen dataclass of JSON values) for each of its handlers, in the caller's transaction."""
    name = type(event).__name__
    if name not in _handlers:
        raise LookupError(f"{name} stands in no line of server/wiring.py.")
    now = clock.now()
    payload = dataclasses.asdict(event)
    Job.objects.bulk_create(
        [Job(handler=h, event=name, payload=payload, created_at=now, run_after=now) for h in _handlers[name]]
    )
    transaction.on_commit(wake_up.set)


def announce(kind: str, key: object, value: int = 0) -> None:
    """Tell every gate worker that `kind:key` changed, from the moment the caller's transaction commits."""
    with transaction.atomic(savepoint=False):
        Notice.objects.create(kind=kind, key=str(key), value=value, created_at=clock.now())
        if connection.vendor == "postgresql":
            # Only a wake-up, delivered at commit and once however many notices a transaction writes.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
    transaction.on_commit(wake_up.set)


def post(name: str, value: dict[str, Any] | list[Any]) -> None:
    """Make `value` (of JSON values) what stands under `name` for every gate, from the caller's commit on."""
    with transaction.atomic():
        Standing.objects.update_or_create(name=name, defaults={"value": json.dumps(value, ensure_ascii=False)})
        announce("standing", name)


def remember(name: str, value: dict[str, Any]) -> None:
    """Keep `value` under `name` for who asks, without telling any gate: such as when a job last ran."""
    Standing.objects.update_or_create(name=name, defaults={"value": json.dumps(value, ensure_ascii=False)})


def _claim(now: datetime) -> Job | None:
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    with transaction.atomic():
        rows = Job.objects.filter(free, done_at=None, run_after__lte=now).order_by("run_after", "id")
        if connection.features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(skip_locked=True)
        job = rows.first()
        if job is None:
            return None
        won = Job.objects.filter(free, pk=job.pk, done_at=None).update(leased_until=now + LEASE)
        return job if won else None


def _run(job: Job) -> None:
    try:
        handler = _by_name[job.handler]
        handler(_events[job.event](**job.payload))
    except Exception as error:
        log.exception("Job %s failed: %s", job.pk, job)
        wait = BACKOFF[min(job.attempts, len(BACKOFF) - 1)]
        Job.objects.filter(pk=job.pk).update(
            attempts=F("attempts") + 1,
            error=f"{type(error).__name__}: {error}"[:2000],
            leased_until=None,
            run_after=clock.now() + wait,
        )
    else:
        Job.objects.filter(pk=job.pk).update(done_at=clock.now(), leased_until=None, error="")


def run_due_jobs(limit: int = 1000) -> int:
    """Run what is due, one job a transaction, until nothing is left or `limit` is reached. Returns how many ran."""
    ran = 0
    while ran < limit:
        job = _claim(clock.now())
        if job is None:
            break
        _run(job)
        ran += 1
    return ran


def purge(now: datetime) -> None:
    """Forget jobs done a week ago and notices older than a day (a gate that slept longer starts anew)."""
    Job.objects.filter(done_at__lt=now - KEEP_DONE).delete()
    # The newest stays whatever its age: pages are printed under its version, and that must not fall back to nothing.
    newest = Notice.objects.order_by("-id").values_list("id", flat=True).first()
    Notice.objects.filter(created_at__lt=now - timedelta(days=1)).exclude(pk=newest).delete()

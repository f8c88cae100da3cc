"""What staff see of editions in every state, and what waits for a worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import Q

from broadsheet import dates
from broadsheet.epaper.models import Area, Edition, Intake


@dataclass(frozen=True, slots=True)
class DeskEdition:
    """`areas` and `linked` count its articles and those that are known stories."""

    id: int
    date: date
    city: str
    title: str
    kind: str
    state: str
    reason: str
    pages_total: int
    pages_ready: int
    areas: int
    linked: int
    notes: tuple[str, ...]
    revision: int
    published_at: datetime | None
    pdf_bytes: int


@dataclass(frozen=True, slots=True)
class PutAside:
    """A file of the press that could not be used."""

    name: str
    reason: str
    detail: str
    received_at: datetime


def today(now: datetime) -> date:
    """The publisher's day."""
    return dates.local_date(now, settings.BROADSHEET.zone)


def desk_edition(edition_id: int) -> DeskEdition | None:
    """An edition in whatever state."""
    row = Edition.objects.filter(pk=edition_id).first()
    return _desk(row) if row else None


def desk_editions(limit: int = 30) -> Sequence[DeskEdition]:
    """The newest editions in whatever state."""
    return [_desk(row) for row in Edition.objects.order_by("-date", "city")[:limit]]


def _desk(row: Edition) -> DeskEdition:
    areas = Area.objects.filter(page__edition=row, kind="story")
    return DeskEdition(
        id=row.pk,
        date=row.date,
        city=row.city,
        title=row.title,
        kind=row.kind,
        state=row.state,
        reason=row.reason,
        pages_total=row.pages_total,
        pages_ready=row.pages_ready,
        areas=areas.count(),
        linked=areas.filter(story_id__isnull=False).count(),
        notes=tuple(row.notes),
        revision=row.revision,
        published_at=row.published_at,
        pdf_bytes=row.pdf_bytes,
    )


def put_aside(limit: int = 20) -> Sequence[PutAside]:
    """The newest files that were refused, with their reasons."""
    rows = Intake.objects.filter(outcome="quarantined").order_by("-received_at")[:limit]
    return [PutAside(row.name, row.reason, row.detail, row.received_at) for row in rows]


def left_unmade(now: datetime, kind: str = "imported") -> Sequence[int]:
    """Editions whose pages nobody is at, though they are not all made."""
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    rows = Edition.objects.filter(free, state="processing", kind=kind).order_by("date")
    return list(rows.values_list("pk", flat=True)[:20])

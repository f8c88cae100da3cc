"""What staff see of editions in every state, and what waits for a worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Q

from broadsheet import dates
from broadsheet.epaper.models import Area, Edition, Intake, Place
from broadsheet.newsroom.print_queries import cards_between
from broadsheet.newsroom.queries import cards_by_id
from broadsheet.newsroom.values import Card

FEWEST = 30  # stories; when the day has fewer, those of the days before are looked at too
DAYS_BACK = 3


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


@dataclass(frozen=True, slots=True)
class Row:
    """A story on the choosing screen; `gone` when it is no longer published."""

    story_id: int
    headline: str
    section: str
    priority: int
    published_at: datetime | None
    picture: bool
    role: str = "story"
    page: int = 0
    gone: bool = False


def chosen(edition_id: int) -> Sequence[Row]:
    """The edition's stories in their order."""
    places = list(Place.objects.filter(edition_id=edition_id))
    cards = cards_by_id([place.story_id for place in places])
    return [
        _row(cards[place.story_id], place.role, place.page)
        if place.story_id in cards
        else Row(place.story_id, f"Story {place.story_id}", "", 0, None, picture=False, gone=True)
        for place in places
    ]


def others(edition_id: int) -> Sequence[Row]:
    """The stories of the day that are not chosen, newest first."""
    edition = Edition.objects.get(pk=edition_id)
    taken = set(edition.places.values_list("story_id", flat=True))
    cards = [card for card in day_cards(edition.date) if card.id not in taken]
    return [_row(card, "story", 0) for card in cards[:200]]


def day_cards(day: date) -> list[Card]:
    """The stories of a day and the day before, and of up to three days before while there are few."""
    start = dates.day_start(day, settings.BROADSHEET.zone)
    cards: list[Card] = []
    for back in range(1, DAYS_BACK + 1):
        cards = list(cards_between(start - timedelta(days=back), start + timedelta(days=1)))
        if len(cards) >= FEWEST:
            break
    return cards


def _row(card: Card, role: str, page: int) -> Row:
    return Row(
        card.id,
        card.headline,
        card.section.name,
        card.priority,
        card.published_at,
        card.picture is not None,
        role,
        page,
    )

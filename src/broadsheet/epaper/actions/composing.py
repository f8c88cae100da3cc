"""The automatic edition: its stories are chosen, by editors or the rule, and set in type."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.conf import settings
from django.db import transaction

from broadsheet.bus.actions import emit
from broadsheet.epaper.desk_queries import day_cards
from broadsheet.epaper.events import EditionOrdered
from broadsheet.epaper.models import Edition, Place
from broadsheet.epaper.rules.choice import Candidate, Chosen, propose
from broadsheet.newsroom.queries import sections


class NotPossibleError(Exception):
    """The edition cannot be changed so; the text says why, for the editor."""


@transaction.atomic
def open_edition(*, day: date, city: str = "", title: str = "", now: datetime) -> int:
    """The automatic edition of a day, a draft when it is new. Returns its id."""
    edition, _ = Edition.objects.get_or_create(
        date=day,
        city=city,
        defaults={
            "kind": "typeset",
            "title": title,
            "language": settings.BROADSHEET.languages[0] if settings.BROADSHEET.languages else "en",
            "created_at": now,
        },
    )
    if edition.kind != "typeset":
        raise NotPossibleError("This day's edition was imported from the press.")
    return edition.pk


def candidates(*, day: date) -> list[Candidate]:
    """What the rule chooses from."""
    order = {section.slug: place for place, section in enumerate(sections())}
    return [
        Candidate(card.id, card.priority, order.get(card.section.slug, 99), card.published_at)
        for card in day_cards(day)
    ]


def propose_places(*, edition_id: int) -> int:
    """Fill the edition by the rule. Returns how many stories it chose."""
    edition = Edition.objects.get(pk=edition_id)
    chosen = propose(candidates(day=edition.date))
    choose(edition_id=edition_id, places=chosen)
    return len(chosen)


@transaction.atomic
def choose(*, edition_id: int, places: Sequence[Chosen]) -> None:
    """Make these, in this order, the edition's stories."""
    edition = Edition.objects.select_for_update().get(pk=edition_id)
    if edition.kind != "typeset":
        raise NotPossibleError("This day's edition was imported from the press.")
    edition.places.all().delete()
    Place.objects.bulk_create(
        Place(edition=edition, story_id=one.story_id, position=number, role=one.role, page=one.page)
        for number, one in enumerate(places, 1)
    )


@transaction.atomic
def order(*, edition_id: int) -> None:
    """Have the edition set and published, in the background."""
    edition = Edition.objects.select_for_update().get(pk=edition_id)
    if edition.kind != "typeset":
        raise NotPossibleError("This day's edition was imported from the press.")
    if not edition.places.exists():
        raise NotPossibleError("No story is chosen yet.")
    edition.state, edition.reason, edition.leased_until = "processing", "", None
    edition.save(update_fields=["state", "reason", "leased_until"])
    emit(EditionOrdered(edition.pk, edition.revision))


def order_by_rule(*, at: str, now: datetime) -> int | None:
    """Have today's edition made by the rule once the local time is `at` (HH:MM). An edition that an editor began, that
    the press sent or that stands already is left alone. Returns its id when it was ordered now."""
    local = now.astimezone(settings.BROADSHEET.zone)
    if f"{local:%H:%M}" < at or Edition.objects.filter(date=local.date(), city="").exists():
        return None
    edition_id = open_edition(day=local.date(), now=now)
    if not propose_places(edition_id=edition_id):
        return None
    order(edition_id=edition_id)
    return edition_id

"""What readers keep on their devices, and how many PDFs they took today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings

from broadsheet.epaper.models import Area, KeptEdition
from broadsheet.epaper.queries import OPEN
from broadsheet.ids import keyed_digest
from broadsheet.newsroom.queries import in_print

MOST_ASKED = 200


@dataclass(frozen=True, slots=True)
class KeptRow:
    """An edition that a device keeps, for the account page."""

    edition: int
    day: date
    city: str
    device: str
    kept_at: datetime


def pseudonym(reader_id: int) -> str:
    """The reader's name towards their own device: whether it is still the same who signed in there."""
    return keyed_digest(settings.BROADSHEET_SECRET, "epaper-device", str(reader_id).encode(), 9).hex()


def kept_by(reader_id: int, limit: int = 100) -> Sequence[KeptRow]:
    """What a reader's devices keep, newest first."""
    rows = KeptEdition.objects.filter(reader_id=reader_id).select_related("edition").order_by("-kept_at", "-id")
    return [
        KeptRow(row.edition_id, row.edition.date, row.edition.title, row.device, row.kept_at) for row in rows[:limit]
    ]


def kept_versions(reader_id: int) -> dict[str, str]:
    """What a reader keeps and may still open: by edition the state of its words. A device that has another one fetches
    it anew, one that finds its edition missing throws it away."""
    rows = KeptEdition.objects.filter(reader_id=reader_id, edition__state__in=OPEN, edition__published_at__isnull=False)
    revisions = dict(rows.values_list("edition_id", "edition__revision").distinct()[:MOST_ASKED])
    pairs = set(
        Area.objects.filter(page__edition_id__in=revisions, story_id__isnull=False).values_list(
            "page__edition_id", "story_id"
        )
    )
    printed = in_print({story for _, story in pairs})
    gone = Counter(edition for edition, story in pairs if story not in printed)
    return {str(edition): f"{revision}-{gone[edition]}" for edition, revision in revisions.items()}

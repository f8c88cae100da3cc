"""What a reader's devices keep, and PDFs handed out."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from broadsheet.dates import local_date
from broadsheet.epaper.models import Handout, KeptEdition
from broadsheet.readers.actions import lock_reader

MOST_KEPT = 200


@transaction.atomic
def keep(*, reader_id: int, edition_id: int, device: str, now: datetime) -> None:
    """A device keeps an edition from now on; again changes only the time. The oldest is forgotten beyond MOST_KEPT."""
    KeptEdition.objects.update_or_create(
        reader_id=reader_id, edition_id=edition_id, device=device[:64], defaults={"kept_at": now}
    )
    rows = KeptEdition.objects.filter(reader_id=reader_id).order_by("-kept_at", "-id")
    for number in list(rows.values_list("pk", flat=True)[MOST_KEPT : MOST_KEPT + 50]):
        KeptEdition.objects.filter(pk=number).delete()


def let_go(*, reader_id: int, edition_id: int, device: str) -> None:
    """A device has thrown an edition away."""
    KeptEdition.objects.filter(reader_id=reader_id, edition_id=edition_id, device=device[:64]).delete()


@transaction.atomic
def hand_out(*, reader_id: int, edition_id: int, now: datetime) -> bool:
    """Note that a reader downloads a PDF; the same one again that day is not counted. False, and nothing noted, when
    the day's are used up."""
    # The reader's row is the lock: the day's last one is handed out once.
    lock_reader(reader_id=reader_id)
    day = local_date(now, settings.BROADSHEET.zone)
    handed = list(Handout.objects.filter(reader_id=reader_id, day=day).values_list("edition_id", flat=True))
    if edition_id in handed:
        return True
    if len(handed) >= settings.BROADSHEET.epaper_downloads_per_day:
        return False
    Handout.objects.create(reader_id=reader_id, edition_id=edition_id, day=day, number=len(handed) + 1, at=now)
    return True

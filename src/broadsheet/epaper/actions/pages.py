"""Pages are made and committed one by one: the first can be read while the last is still being made, and whoever comes
after a crash goes on with the page that is missing."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q
from PIL import Image

from broadsheet.bus.actions import emit
from broadsheet.epaper import files
from broadsheet.epaper.events import EditionPublished, EditionRevised
from broadsheet.epaper.models import Area, Edition, EditionPage
from broadsheet.epaper.rules.areas import Box, around, join_words
from broadsheet.epaper.values import FRONT_WIDTH

Tick = Callable[[], datetime]
LEASE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class NewArea:
    """An area as it is written; boxes in ten-thousandths of the page."""

    kind: str
    boxes: tuple[Box, ...]
    headline: str = ""
    text: str = ""
    story_id: int | None = None
    score: int = 0


@dataclass(frozen=True, slots=True)
class NewPage:
    """What was read of a page: the child's findings, the folder of its pictures, and the areas on it."""

    number: int
    source_key: str
    said: dict[str, Any]
    folder: Path
    areas: Sequence[NewArea]
    label: str = ""
    section: str = ""


def claim(*, edition_id: int, now: datetime) -> Edition | None:
    """Take the edition's pages on for a while; None when somebody else is at it."""
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    won = Edition.objects.filter(free, pk=edition_id, state="processing").update(leased_until=now + LEASE)
    return Edition.objects.get(pk=edition_id) if won else None


def release(*, edition_id: int) -> None:
    """Let go of an edition."""
    Edition.objects.filter(pk=edition_id).update(leased_until=None)


def picture_key(source_key: str) -> str:
    """Part of the names of a page's pictures: another page in its place has other names."""
    return hashlib.sha256(source_key.encode()).hexdigest()[:12]


def write_page(*, edition_id: int, page: NewPage, now: datetime) -> None:
    """Store a page's pictures, then enter the page with its words and areas. A page that failed is entered as such."""
    said = page.said
    key = picture_key(page.source_key)
    images = said.get("images", [])
    for width, _, _ in images:
        files.replace(
            files.picture_name(edition_id, page.number, width, key), page.folder / f"{said['page']}-{width}.jpg"
        )
    if page.number == 1 and images:
        write_front(edition_id, page.folder / f"{said['page']}-480.jpg")
    old = _enter(edition_id, page, key, now)
    for width, former in old:
        files.delete(files.picture_name(edition_id, page.number, width, former))


def write_front(edition_id: int, source: Path) -> None:
    """The small front for everyone: so coarse that its text cannot be read."""
    small = source.with_name("front.jpg")
    with Image.open(source) as picture:
        height = round(picture.height * FRONT_WIDTH / picture.width)
        picture.convert("RGB").resize((FRONT_WIDTH, height), Image.Resampling.BOX).save(small, "JPEG", quality=60)
    files.replace(files.front_name(edition_id), small)


@transaction.atomic
def _enter(edition_id: int, page: NewPage, key: str, now: datetime) -> list[tuple[int, str]]:
    """Returns (width, key) of the pictures that nobody needs any more."""
    edition = Edition.objects.select_for_update().get(pk=edition_id)
    row = EditionPage.objects.filter(edition=edition, number=page.number).first()
    row = row or EditionPage(edition=edition, number=page.number)
    old = [(size[0], row.picture_key) for size in row.images if row.picture_key != key]
    _fill(row, page, key, now)
    row.save()
    row.areas.all().delete()
    Area.objects.bulk_create(_area_rows(row, page.areas))
    ready = edition.pages.filter(state="ready").count()
    edition.pages_ready, edition.leased_until = ready, now + LEASE
    if ready and edition.published_at is None:
        edition.published_at = now
        emit(EditionPublished(edition_id))
    edition.save(update_fields=["pages_ready", "leased_until", "published_at"])
    return old


def _fill(row: EditionPage, page: NewPage, key: str, now: datetime) -> None:
    said = page.said
    failed = said.get("failed", "")
    words = [word[:5] for word in said.get("words", ())]
    row.source_key, row.picture_key, row.label, row.section = page.source_key, key, page.label, page.section
    row.state, row.reason, row.ready_at = ("failed", failed[:200], None) if failed else ("ready", "", now)
    row.width_mm, row.height_mm = said.get("width_mm", 0), said.get("height_mm", 0)
    row.images = said.get("images", [])
    row.scanned = not failed and not words
    row.text = join_words([word[0] for word in words])
    row.words = pack_words(words)


def pack_words(words: Sequence[Sequence[Any]]) -> bytes:
    """[[text, x0, y0, x1, y1], …] as the few bytes that a page keeps."""
    return zlib.compress(json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode(), 6) if words else b""


def _area_rows(row: EditionPage, areas: Sequence[NewArea]) -> list[Area]:
    made = []
    for number, area in enumerate(areas, 1):
        x0, y0, x1, y1 = around(area.boxes)
        made.append(
            Area(
                page=row, number=number, kind=area.kind, x0=x0, y0=y0, x1=x1, y1=y1, boxes=list(area.boxes),
                headline=area.headline[:300], text=area.text, story_id=area.story_id, score=area.score,
            )
        )  # fmt: skip
    return made


def finish(
    *, edition_id: int, pages: int, notes: Sequence[str], links: Sequence[tuple[int, int]], now: datetime
) -> None:
    """Every page is made: link what goes on elsewhere (`links` are pairs of area ids), drop pages of a longer edition
    that stood here before, and say so."""
    surplus = list(EditionPage.objects.filter(edition_id=edition_id, number__gt=pages))
    with transaction.atomic():
        edition = Edition.objects.select_for_update().get(pk=edition_id)
        edition.pages.filter(number__gt=pages).delete()
        standing = set(Area.objects.filter(page__edition=edition).values_list("pk", flat=True))
        for source, target in links:
            if {source, target} <= standing:
                Area.objects.filter(pk=source).update(continued_as=target)
        edition.pages_total = pages
        edition.pages_ready = edition.pages.filter(state="ready").count()
        edition.finished_at, edition.leased_until = now, None
        edition.revision += 1
        edition.notes = list(notes)[:40]
        edition.state, edition.reason = (
            ("published", "") if edition.pages_ready else ("failed", "No page of it could be made.")
        )
        edition.save()
        if edition.pages_ready and edition.revision > 1:
            emit(EditionRevised(edition_id, edition.revision))
    for row in surplus:
        for width, _, _ in row.images:
            files.delete(files.picture_name(edition_id, row.number, width, row.picture_key))


@transaction.atomic
def fail(*, edition_id: int, reason: str) -> None:
    """The edition cannot be made: say why, for its screen. One that could be read before can be read on."""
    edition = Edition.objects.select_for_update().get(pk=edition_id)
    stands = edition.published_at is not None and edition.pages.filter(state="ready").exists()
    edition.state, edition.reason, edition.leased_until = "published" if stands else "failed", reason[:300], None
    edition.revision += 1
    edition.save(update_fields=["state", "reason", "leased_until", "revision"])

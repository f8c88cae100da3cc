"""A story that left the site leaves the e-paper too: area, words and PDF at once, then the page's picture."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import transaction
from django.db.models import F
from PIL import Image, ImageDraw

from broadsheet.bus.actions import emit
from broadsheet.epaper import files
from broadsheet.epaper.actions import composing, downloads
from broadsheet.epaper.actions.pages import Tick, pack_words, write_front
from broadsheet.epaper.events import EditionRevised
from broadsheet.epaper.models import Area, Clip, Edition, EditionPage, Place
from broadsheet.epaper.queries import unpack_words
from broadsheet.epaper.rules.areas import Box, join_words

BLANK = (244, 241, 234)


def withdraw_story(*, story_id: int, tick: Tick) -> int:
    """Take the story off every page that shows it. Returns on how many it was. May be killed and called again."""
    pages = _close(story_id, tick())
    for page_id in pages:
        _blank(page_id, tick())
    editions = Edition.objects.filter(pages__in=pages).distinct()
    for edition in editions:
        if edition.kind == "typeset":
            _set_anew(edition, story_id)
        elif not edition.pdf_name:
            downloads.prepare_imported(edition_id=edition.pk)
    return len(pages)


@transaction.atomic
def _close(story_id: int, now: datetime) -> list[int]:
    """No reader sees a page of it from here on: neither picture, nor word, nor clipping, nor the PDF."""
    areas = Area.objects.filter(story_id=story_id).select_related("page")
    pages = list(EditionPage.objects.select_for_update().filter(areas__in=areas).order_by("pk").distinct())
    Clip.objects.filter(story_id=story_id, revoked_at=None).update(revoked_at=now)
    for page in pages:
        if page.areas.filter(story_id=story_id).exclude(kind="withdrawn").exists():
            page.areas.filter(story_id=story_id).update(kind="withdrawn", headline="", text="")
            _forget_words(page)
            page.state = "waiting"
            page.save()
    for edition in Edition.objects.filter(pages__in=[page for page in pages if page.state == "waiting"]).distinct():
        downloads.take_away(edition_id=edition.pk)
        Edition.objects.filter(pk=edition.pk).update(revision=F("revision") + 1)
        emit(EditionRevised(edition.pk, edition.revision + 1))
    return [page.pk for page in pages if page.state == "waiting"]


def _boxes(page: EditionPage) -> list[Box]:
    rows = page.areas.filter(kind="withdrawn").values_list("boxes", flat=True)
    return [(box[0], box[1], box[2], box[3]) for boxes in rows for box in boxes]


def _forget_words(page: EditionPage) -> None:
    boxes = _boxes(page)
    kept = [
        word
        for word in unpack_words(bytes(page.words))
        if not any(
            box[0] <= (word.box[0] + word.box[2]) / 2 <= box[2] and box[1] <= (word.box[1] + word.box[3]) / 2 <= box[3]
            for box in boxes
        )
    ]
    page.words = pack_words([[word.text, *word.box] for word in kept])
    page.text = join_words([word.text for word in kept])


def _blank(page_id: int, now: datetime) -> None:
    """Paint over the story in every size of the page's picture, then let the page be seen again."""
    page = EditionPage.objects.get(pk=page_id)
    boxes = _boxes(page)
    key = hashlib.sha256(f"{page.source_key} without {sorted(boxes)}".encode()).hexdigest()[:12]
    old = page.picture_key
    with TemporaryDirectory(prefix="edition-") as name:
        folder = Path(name)
        for width, _, _ in page.images:
            target = folder / f"{width}.jpg"
            _paint(page, width, boxes, target)
            files.replace(files.picture_name(page.edition_id, page.number, width, key), target)
            if page.number == 1 and width == 480:  # noqa: PLR2004 - the size the small front is made of
                write_front(page.edition_id, target)
    with transaction.atomic():
        page = EditionPage.objects.select_for_update().get(pk=page_id)
        page.state, page.picture_key, page.ready_at = "ready", key, now
        page.save(update_fields=["state", "picture_key", "ready_at"])
    if old != key:
        for width, _, _ in page.images:
            files.delete(files.picture_name(page.edition_id, page.number, width, old))


def _paint(page: EditionPage, width: int, boxes: Sequence[Box], target: Path) -> None:
    with files.storage().open(files.picture_name(page.edition_id, page.number, width, page.picture_key)) as file:
        picture = Image.open(file).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for x0, y0, x1, y1 in boxes:
        draw.rectangle(
            (
                x0 * picture.width / 10_000, y0 * picture.height / 10_000,
                x1 * picture.width / 10_000, y1 * picture.height / 10_000,
            ),
            fill=BLANK,
        )  # fmt: skip
    picture.save(target, "JPEG", quality=72)


def _set_anew(edition: Edition, story_id: int) -> None:
    """An automatic edition is set again without the story: its room goes to the others."""
    Place.objects.filter(edition=edition, story_id=story_id).delete()
    if edition.places.exists():
        composing.order(edition_id=edition.pk)


@transaction.atomic
def withdraw_edition(*, edition_id: int, reason: str) -> None:
    """Take a whole edition off the shelf; its files stay for the desk."""
    edition = Edition.objects.select_for_update().get(pk=edition_id)
    edition.state, edition.reason, edition.leased_until = "withdrawn", reason[:300], None
    edition.revision += 1
    edition.save(update_fields=["state", "reason", "leased_until", "revision"])
    emit(EditionRevised(edition_id, edition.revision))

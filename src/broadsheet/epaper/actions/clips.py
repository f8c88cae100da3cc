"""Clipping, sharing what was clipped, and taking it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F, Q

from broadsheet.epaper import clipping, cutting, files, queries, reading
from broadsheet.epaper.clipping import NO_BOX, Part
from broadsheet.epaper.models import Clip, EditionPage
from broadsheet.epaper.reading import OpenEdition
from broadsheet.epaper.values import Box
from broadsheet.readers.actions import lock_reader

MOST_CLIPS = 1000
KEPT = timedelta(days=62)
"""For how long a shared clipping that ended is remembered: by then no month counts it."""


class ClipRefusedError(Exception):
    """A clipping that is not made or shared: `reason` is gone, full, quota or off."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Cut:
    page: int
    area: int | None
    story: int | None
    box: Box
    title: str
    pictures: tuple[bytes, ...]


def clip_story(*, reader_id: int, edition_id: int, area_id: int, now: datetime) -> int:
    """Clip a story, over all the pages it stands on. Returns the clipping's id. ClipRefusedError: gone, full."""
    shown = _open(edition_id)
    area = shown.areas.get(area_id)
    first = next(iter(clipping.rules.chain(shown.areas, area_id)), None)
    if area is None or first is None:
        raise ClipRefusedError("gone")
    parts = clipping.parts_of(shown, page=first.page, area=first.id, box=NO_BOX)
    title = clipping.title_of(shown, first, first.page)
    made = _Cut(first.page, first.id, first.story_id, NO_BOX, title, _pictures(shown, parts))
    return _keep(reader_id, edition_id, made, now)


def clip_box(*, reader_id: int, edition_id: int, number: int, box: Box, now: datetime) -> int:
    """Clip what lies in a box that the reader drew on a page. As clip_story()."""
    shown = _open(edition_id)
    parts = clipping.parts_of(shown, page=number, area=None, box=box)
    if not parts:
        raise ClipRefusedError("gone")
    area = next((area for area in shown.on_page(number) if clipping.rules.inside(area.box, box)), None)
    title = clipping.title_of(shown, area, number)
    made = _Cut(number, None, None, box, title, _pictures(shown, parts))
    return _keep(reader_id, edition_id, made, now)


def _open(edition_id: int) -> OpenEdition:
    edition = queries.edition(edition_id)
    if edition is None:
        raise ClipRefusedError("gone")
    return reading.opened(edition, with_text=True)


def _pictures(shown: OpenEdition, parts: tuple[Part, ...]) -> tuple[bytes, ...]:
    """Cut before anything is written: no lock waits for it."""
    made = []
    for part in parts:
        page = shown.page(part.page)
        content = (
            queries.page_picture(shown.edition.id, part.page, page.images[-1][0]) if page and page.images else None
        )
        if content is None:
            raise ClipRefusedError("gone")
        made.append(cutting.cut(content, part.boxes, clipping.foreign_boxes(shown, part)))
    return tuple(made)


@transaction.atomic
def _keep(reader_id: int, edition_id: int, made: _Cut, now: datetime) -> int:
    lock_reader(reader_id=reader_id)
    page = EditionPage.objects.filter(edition_id=edition_id, number=made.page, state="ready").only("source_key").first()
    if page is None:
        raise ClipRefusedError("gone")
    if Clip.objects.filter(reader_id=reader_id).count() >= MOST_CLIPS:
        raise ClipRefusedError("full")
    x0, y0, x1, y1 = made.box
    row = Clip.objects.create(
        reader_id=reader_id,
        page=page,
        area_id=made.area,
        story_id=made.story,
        x0=x0,
        y0=y0,
        x1=x1,
        y1=y1,
        title=made.title[:300],
        source_key=page.source_key,
        created_at=now,
    )
    for part, content in enumerate(made.pictures, 1):
        name = files.clip_name(row.pk, part)
        files.delete(name)  # a number whose transaction did not last is given again
        files.storage().save(name, ContentFile(content))
    return row.pk


@transaction.atomic
def share_clip(*, reader_id: int, clip_id: int, now: datetime) -> str:
    """The link's token of the reader's own clipping: the standing one, or a new one, which counts in the month's
    allowance. ClipRefusedError: gone (nobody's, or ended), off, quota."""
    # The reader's row is the lock: the month's last one is given once.
    lock_reader(reader_id=reader_id)
    standing = clipping.clip_of(reader_id, clip_id, now)
    if standing is None or not standing.there or standing.state == "ended":
        raise ClipRefusedError("gone")
    if standing.state == "shared":
        return standing.token
    if not settings.BROADSHEET.epaper_clips_per_month:
        raise ClipRefusedError("off")
    if not clipping.left(reader_id, now):
        raise ClipRefusedError("quota")
    token = clipping.token_of(clip_id, now)
    until = now + timedelta(days=settings.BROADSHEET.epaper_clip_days)
    Clip.objects.filter(pk=clip_id, shared_at=None).update(
        token_digest=clipping.token_digest(token), shared_at=now, expires_at=until
    )
    return token


@transaction.atomic
def remove_clip(*, reader_id: int, clip_id: int, now: datetime) -> bool:
    """Take a shared clipping back at once, on every device; it stays counted in its month. One that was never shared is
    thrown away. False when it is not this reader's."""
    rows = Clip.objects.filter(pk=clip_id, reader_id=reader_id)
    row = rows.select_for_update().first()
    if row is None:
        return False
    if row.shared_at is None:
        rows.delete()
        transaction.on_commit(lambda: _throw_away(clip_id))
    else:
        rows.filter(revoked_at=None).update(revoked_at=now)
    return True


def count_opening(*, clip_id: int) -> None:
    """Somebody other than its owner looked at a shared clipping."""
    Clip.objects.filter(pk=clip_id).update(opened=F("opened") + 1)


def purge(*, now: datetime) -> None:
    """Forget shared clippings that ended long ago, with their pictures."""
    ended = Q(expires_at__lt=now - KEPT) | Q(revoked_at__lt=now - KEPT)
    for number in list(Clip.objects.filter(ended).values_list("pk", flat=True)[:1000]):
        _throw_away(number)
        Clip.objects.filter(pk=number).delete()


def _throw_away(clip_id: int) -> None:
    part = 1
    while files.storage().exists(files.clip_name(clip_id, part)):
        files.storage().delete(files.clip_name(clip_id, part))
        part += 1

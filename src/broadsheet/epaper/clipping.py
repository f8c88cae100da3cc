"""Clippings as values: their owner's list, and what a link shows to whoever has it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import QuerySet

from broadsheet.access.queries import benefit
from broadsheet.access.rules import Body
from broadsheet.dates import month_window
from broadsheet.epaper import files, queries, reading
from broadsheet.epaper.models import Clip
from broadsheet.epaper.reading import OpenEdition
from broadsheet.epaper.rules import reading as rules
from broadsheet.epaper.values import AreaView, Box, EditionView
from broadsheet.ids import keyed_digest

NO_BOX: Box = (0, 0, 0, 0)
"""Stands in a story's clipping: when its area is gone, no box may take its place."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is cut from one page: its boxes, and its words in paragraphs. `story`: the boxes are a story's own."""

    page: int
    boxes: tuple[Box, ...]
    text: tuple[str, ...]
    story: bool = False


@dataclass(frozen=True, slots=True)
class ClipRow:
    """A clipping of its owner's. `state`: own (not shared), shared, ended; `token` is "" unless it is shared, or when
    the secret it was made with is gone. `there`: what it shows is still in the paper."""

    id: int
    title: str
    state: str
    token: str
    created_at: datetime
    expires_at: datetime | None
    opened: int
    day: date
    city: str
    path: str
    parts: int
    there: bool


@dataclass(frozen=True, slots=True)
class ClipShown:
    """A shared clipping as anyone with the link sees it: this and nothing beside it."""

    id: int
    giver: int
    title: str
    edition: EditionView
    parts: tuple[Part, ...]
    expires_at: datetime


def token_of(clip_id: int, shared_at: datetime) -> str:
    """A link's token: 128 bits that are random to whoever lacks the installation's secret."""
    digest = keyed_digest(settings.BROADSHEET_SECRET, "epaper-clip", f"{clip_id} {shared_at.timestamp():.6f}".encode())
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def token_digest(token: str) -> str:
    """What is stored of a token."""
    return keyed_digest(b"", "epaper-clip-link", token.encode("utf-8", "replace"), 32).hex()


def left(reader_id: int, now: datetime) -> int:
    """How many clippings of the calendar month in the publisher's zone may still be shared; a revoked one counts."""
    start, end = month_window(now, settings.BROADSHEET.zone)
    shared = Clip.objects.filter(reader_id=reader_id, shared_at__gte=start, shared_at__lt=end).count()
    return max(0, int(settings.BROADSHEET.epaper_clips_per_month) - shared)


def parts_of(shown: OpenEdition, *, page: int, area: int | None, box: Box) -> tuple[Part, ...]:
    """What a clipping shows: a story over all its pages, or what lies in a box; () when that is not in the paper."""
    if area is not None:
        return tuple(
            Part(part.page, part.boxes, rules.paragraphs(part), story=True) for part in rules.chain(shown.areas, area)
        )
    here, gone = shown.page(page), shown.gone.get(page, ())
    if box == NO_BOX or here is None or not here.ready or any(rules.overlap(box, other) for other in gone):
        return ()
    inside = [word.text for word in reading.words(shown, page) if rules.holds(box, word.box)]
    return (Part(page, (box,), (" ".join(inside),) if inside else ()),)


def _parts(row: Clip, shown: OpenEdition | None) -> tuple[Part, ...]:
    """() too when the page was made anew since: something else stands there now."""
    here = shown.page(row.page.number) if shown else None
    if shown is None or here is None or here.source_key != row.source_key:
        return ()
    return parts_of(shown, page=here.number, area=row.area_id, box=(row.x0, row.y0, row.x1, row.y1))


def _rows(rows: QuerySet[Clip]) -> QuerySet[Clip]:
    return rows.select_related("page__edition").defer("page__text", "page__words")


def _opened(edition_id: int) -> OpenEdition | None:
    edition = queries.edition(edition_id)
    return reading.opened(edition, with_text=True) if edition else None


def clips_of(reader_id: int, now: datetime, limit: int = 100) -> Sequence[ClipRow]:
    """What a reader clipped, newest first."""
    rows = list(_rows(Clip.objects.filter(reader_id=reader_id)).order_by("-created_at", "-id")[:limit])
    editions = {number: _opened(number) for number in {row.page.edition_id for row in rows}}
    return [_row(row, editions[row.page.edition_id], now) for row in rows]


def clip_of(reader_id: int, clip_id: int, now: datetime) -> ClipRow | None:
    """One of them."""
    row = _rows(Clip.objects.filter(reader_id=reader_id, pk=clip_id)).first()
    return _row(row, _opened(row.page.edition_id), now) if row else None


def _row(row: Clip, shown: OpenEdition | None, now: datetime) -> ClipRow:
    live = (
        row.token_digest is not None and row.revoked_at is None and row.expires_at is not None and now < row.expires_at
    )
    token = token_of(row.pk, row.shared_at) if live and row.shared_at else ""
    parts = _parts(row, shown)
    edition = row.page.edition
    base = f"/epaper/{edition.date:%Y-%m-%d}/{edition.city + '/' if edition.city else ''}"
    return ClipRow(
        id=row.pk,
        title=row.title,
        state="own" if row.shared_at is None else "shared" if live else "ended",
        token=token if token_digest(token) == row.token_digest else "",
        created_at=row.created_at,
        expires_at=row.expires_at,
        opened=row.opened,
        day=edition.date,
        city=edition.title,
        path=f"{base}{row.page.number}/",
        parts=len(parts),
        there=bool(parts),
    )


def shown_by(token: str, now: datetime) -> ClipShown | None:
    """What a link shows now. None for a link that was never given, ended or was taken back, when its giver may no
    longer read the e-paper, and when what it shows is no longer in the paper: all these look alike."""
    row = _rows(Clip.objects.filter(token_digest=token_digest(token), revoked_at=None, expires_at__gt=now)).first()
    if row is None or row.expires_at is None or benefit("epaper", row.reader_id, now).body is not Body.FULL:
        return None
    shown = _opened(row.page.edition_id)
    parts = _parts(row, shown)
    if shown is None or not parts:
        return None
    return ClipShown(row.pk, row.reader_id, row.title, shown.edition, parts, row.expires_at)


def picture(clip_id: int, part: int) -> bytes | None:
    """What was cut out of a page for a clipping; whoever asks has asked shown_by() or clip_of() first."""
    try:
        with files.storage().open(files.clip_name(clip_id, part)) as file:
            return bytes(file.read())
    except FileNotFoundError:
        return None


def foreign_boxes(shown: OpenEdition, part: Part) -> list[Box]:
    """Words of other stories that reach into a story's boxes with an edge: they are painted over."""
    found = queries.page_words(shown.edition.id, part.page) if part.story else ()
    return [
        word.box
        for word in found
        if any(rules.overlap(box, word.box) for box in part.boxes)
        and not any(rules.holds(box, word.box) for box in part.boxes)
    ]


def title_of(shown: OpenEdition, area: AreaView | None, page: int) -> str:
    """What a clipping is called: its story's headline, else the page it is from."""
    return (shown.heading(area) if area else "") or f"From page {page}"

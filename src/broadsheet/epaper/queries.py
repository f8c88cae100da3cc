"""What others read of editions: frozen values, never rows. Whoever asks has asked access first; only front_picture()
and works() are for everyone."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from datetime import date

from django.db.models import QuerySet

from broadsheet.epaper import files
from broadsheet.epaper.models import Area, Edition, EditionPage
from broadsheet.epaper.rules.marks import mark_bytes, patched
from broadsheet.epaper.values import AreaView, EditionView, MarkedPdf, PageView, Word

OPEN = ("processing", "published")


def works() -> bool:
    """Whether there is an edition that a subscriber can open."""
    return _open().exists()


def _open() -> QuerySet[Edition]:
    return Edition.objects.filter(published_at__isnull=False, state__in=OPEN)


def _edition(row: Edition) -> EditionView:
    assert row.published_at is not None
    return EditionView(
        id=row.pk,
        date=row.date,
        city=row.city,
        title=row.title,
        language=row.language,
        kind=row.kind,
        state=row.state,
        pages_total=row.pages_total,
        pages_ready=row.pages_ready,
        revision=row.revision,
        published_at=row.published_at,
        has_pdf=bool(row.pdf_name),
        pdf_bytes=row.pdf_bytes,
    )


def edition(edition_id: int) -> EditionView | None:
    """An edition that readers may open; None for a draft, one that was withdrawn, or none at all."""
    row = _open().filter(pk=edition_id).first()
    return _edition(row) if row else None


def edition_of(day: date, city: str = "") -> EditionView | None:
    """The edition of a day and city, when readers may open it."""
    row = _open().filter(date=day, city=city).first()
    return _edition(row) if row else None


def latest(limit: int = 1, *, city: str | None = None, before: date | None = None) -> Sequence[EditionView]:
    """The newest editions; of one `city` when it is given, older than `before` when that is given."""
    rows = _open()
    if city is not None:
        rows = rows.filter(city=city)
    if before is not None:
        rows = rows.filter(date__lt=before)
    return [_edition(row) for row in rows.order_by("-date", "city")[:limit]]


def editions_between(first: date, end: date) -> Sequence[EditionView]:
    """The editions of the days in [first, end), oldest first: a month of the calendar."""
    rows = _open().filter(date__gte=first, date__lt=end).order_by("date", "city")
    return [_edition(row) for row in rows[:2000]]


def pages(edition_id: int) -> Sequence[PageView]:
    """The pages of an edition in order, those that are not ready included."""
    rows = EditionPage.objects.filter(edition_id=edition_id).defer("text", "words").order_by("number")
    return [_page(row) for row in rows]


def page(edition_id: int, number: int) -> PageView | None:
    """One page."""
    row = EditionPage.objects.filter(edition_id=edition_id, number=number).defer("text", "words").first()
    return _page(row) if row else None


def _page(row: EditionPage) -> PageView:
    return PageView(
        id=row.pk,
        number=row.number,
        label=row.label or str(row.number),
        section=row.section,
        ready=row.state == "ready",
        scanned=row.scanned,
        picture_key=row.picture_key,
        source_key=row.source_key,
        width_mm=row.width_mm,
        height_mm=row.height_mm,
        images=tuple((width, height, size) for width, height, size in row.images),
    )


def page_words(edition_id: int, number: int) -> Sequence[Word]:
    """The words of a ready page with their boxes, in reading order; none for a scanned page."""
    row = EditionPage.objects.filter(edition_id=edition_id, number=number, state="ready").only("words").first()
    return unpack_words(bytes(row.words)) if row else []


def unpack_words(packed: bytes) -> Sequence[Word]:
    """The words that a page holds as bytes."""
    if not packed:
        return []
    return [Word(text, (x0, y0, x1, y1)) for text, x0, y0, x1, y1 in json.loads(zlib.decompress(packed))]


def page_texts(edition_id: int) -> dict[int, str]:
    """The plain text of every ready page of an edition, by page number."""
    return dict(EditionPage.objects.filter(edition_id=edition_id, state="ready").values_list("number", "text"))


def areas(edition_id: int, number: int | None = None, *, with_text: bool = False) -> Sequence[AreaView]:
    """The areas of an edition, or of one page of it, in reading order."""
    rows = Area.objects.filter(page__edition_id=edition_id, page__state="ready").exclude(kind="withdrawn")
    if number is not None:
        rows = rows.filter(page__number=number)
    rows = rows.select_related("page", "continued_as__page").order_by("page__number", "number")
    rows = rows.defer("page__text", "page__words", "continued_as__text", "continued_as__page__words")
    found = list(rows if with_text else rows.defer("text"))
    came_from = _came_from([row.pk for row in found])
    return [_area(row, came_from.get(row.pk), with_text=with_text) for row in found]


def area(area_id: int) -> AreaView | None:
    """One area with its text."""
    rows = Area.objects.filter(pk=area_id, page__state="ready").exclude(kind="withdrawn")
    row = rows.select_related("page", "continued_as__page").first()
    return _area(row, _came_from([row.pk]).get(row.pk), with_text=True) if row else None


def _came_from(ids: list[int]) -> dict[int, tuple[int, int]]:
    rows = Area.objects.filter(continued_as__in=ids).values_list("continued_as", "pk", "page__number")
    return {target: (pk, number) for target, pk, number in rows}


def _area(row: Area, came_from: tuple[int, int] | None, *, with_text: bool) -> AreaView:
    further = row.continued_as
    return AreaView(
        id=row.pk,
        page=row.page.number,
        number=row.number,
        kind=row.kind,
        box=(row.x0, row.y0, row.x1, row.y1),
        boxes=tuple((x0, y0, x1, y1) for x0, y0, x1, y1 in row.boxes) or ((row.x0, row.y0, row.x1, row.y1),),
        headline=row.headline,
        story_id=row.story_id,
        score=row.score,
        continued_on=(further.pk, further.page.number) if further else None,
        continued_from=came_from,
        text=row.text if with_text else "",
    )


def page_picture(edition_id: int, number: int, width: int) -> bytes | None:
    """The JPEG of a ready page in one of its sizes; None when there is none such."""
    row = EditionPage.objects.filter(edition_id=edition_id, number=number, state="ready")
    found = row.values_list("picture_key", "images").first()
    if not found or width not in [size[0] for size in found[1]]:
        return None
    return _read(files.picture_name(edition_id, number, width, found[0]))


def front_picture(edition_id: int) -> bytes | None:
    """The small front that anyone may see, at most values.FRONT_WIDTH pixels across."""
    return _read(files.front_name(edition_id)) if _open().filter(pk=edition_id).exists() else None


def _read(name: str) -> bytes | None:
    try:
        with files.storage().open(name) as file:
            return file.read()
    except FileNotFoundError:
        return None


CHUNK = 256 * 1024


def marked_pdf(edition_id: int, *, name: str, contact: str) -> MarkedPdf | None:
    """The edition's PDF with a reader's name and address or number on each page; None when there is none to download.

    The file is read as the chunks are asked for; only the bytes of the mark differ from reader to reader.
    """
    row = _open().filter(pk=edition_id).exclude(pdf_name="").first()
    if row is None or not files.storage().exists(row.pdf_name):
        return None
    mark = mark_bytes(name, contact)
    day = f"{row.date:%Y-%m-%d}{'-' + row.city if row.city else ''}"
    return MarkedPdf(f"{day}.pdf", row.pdf_bytes, patched(_chunks(row.pdf_name), row.mark_places, mark))


def _chunks(name: str) -> Iterator[bytes]:
    with files.storage().open(name) as file:
        while chunk := file.read(CHUNK):
            yield chunk

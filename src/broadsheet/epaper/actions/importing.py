"""Makes the pages of an edition from the press's files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings

from broadsheet.epaper import files
from broadsheet.epaper.actions import downloads
from broadsheet.epaper.actions.pages import NewArea, NewPage, Tick, claim, fail, finish, release, write_page
from broadsheet.epaper.adapters import pdf
from broadsheet.epaper.models import Area, Edition, Intake
from broadsheet.epaper.rules.areas import Found, PageContent, PageWord, find_areas, follow
from broadsheet.epaper.rules.matching import Matcher, StoryWords
from broadsheet.newsroom.print_queries import cards_between, full_stories

DAYS_BEFORE = 2  # a story may have been on the site a day or two before it is printed
DAYS_AFTER = 1
_TAG = re.compile(r"<[^>]+>")


def make_pages(*, edition_id: int, tick: Tick) -> int | None:
    """Make the pages that are missing. Returns how many were made; None when somebody else is at it, or nothing is to
    be done. May be killed at any point and called again."""
    edition = claim(edition_id=edition_id, now=tick())
    if edition is None or edition.kind != "imported":
        return None
    try:
        return _make(edition, tick)
    except Exception as error:
        fail(edition_id=edition_id, reason=f"Its pages could not be made: {type(error).__name__}: {error}")
        raise
    except BaseException:
        release(edition_id=edition_id)
        raise


def _make(edition: Edition, tick: Tick) -> int:
    parts = list(edition.intakes.filter(outcome__in=["waiting", "imported"]).order_by("part"))
    matcher = _matcher(edition)
    made = offset = 0
    for part in parts:
        made += _make_part(edition, part, offset, matcher, tick)
        offset += part.pages
    Intake.objects.filter(pk__in=[part.pk for part in parts]).update(outcome="imported")
    notes = _notes(edition)
    finish(edition_id=edition.pk, pages=offset, notes=notes, links=links_of(edition), now=tick())
    downloads.prepare_imported(edition_id=edition.pk)
    return made


def _make_part(edition: Edition, part: Intake, offset: int, matcher: Matcher, tick: Tick) -> int:
    made = 0
    done = set(
        edition.pages.filter(state="ready", source_key__startswith=f"{part.sha256[:40]}-").values_list(
            "number", "source_key"
        )
    )
    missing = [
        number for number in range(1, part.pages + 1) if (offset + number, f"{part.sha256[:40]}-{number}") not in done
    ]
    if not missing:
        return 0
    with TemporaryDirectory(prefix="edition-") as folder, files.local(part.stored) as path:
        for said in pdf.read_pages(path, Path(folder), missing):
            page = NewPage(
                number=offset + said["page"],
                source_key=f"{part.sha256[:40]}-{said['page']}",
                said=said,
                folder=Path(folder),
                areas=list(_areas(said, matcher)),
            )
            write_page(edition_id=edition.pk, page=page, now=tick())
            # This page's alone: the child is at the next one in the same folder.
            for picture in Path(folder).glob(f"{said['page']}-*"):
                picture.unlink()
            made += 1
    return made


def _areas(said: dict[str, object], matcher: Matcher) -> Iterator[NewArea]:
    for found in _found(said):
        match = matcher.match(found.headline, found.text) if found.kind == "story" else None
        story_id, score = match or (None, 0)
        yield NewArea(found.kind, found.boxes, found.headline, found.text, story_id, score)


def _found(said: dict[str, object]) -> Sequence[Found]:
    if said.get("failed"):
        return []
    width, height = int(said["width_mm"]), int(said["height_mm"])  # type: ignore[call-overload]
    words = [PageWord(word[0], (word[1], word[2], word[3], word[4]), word[5]) for word in said["words"]]  # type: ignore[attr-defined]
    content = PageContent(
        words,
        [tuple(box) for box in said["pictures"]],  # type: ignore[attr-defined]
        [tuple(box) for box in said["rules"]],  # type: ignore[attr-defined]
        height / max(width, 1),
    )
    return find_areas(content)


def _matcher(edition: Edition) -> Matcher:
    """Knows the stories that this day's paper may have printed."""
    start = datetime.combine(edition.date, time(), settings.BROADSHEET.zone).astimezone(UTC)
    cards = cards_between(start - timedelta(days=DAYS_BEFORE), start + timedelta(days=DAYS_AFTER), limit=1000)
    stories = full_stories([card.id for card in cards])
    return Matcher(
        [
            StoryWords(
                story.public.id,
                story.public.headline,
                f"{story.public.standfirst}\n{_TAG.sub(' ', story.body_html)}",
            )
            for story in stories.values()
        ]
    )


def links_of(edition: Edition) -> list[tuple[int, int]]:
    """Which area of an edition goes on as which."""
    rows = Area.objects.filter(page__edition=edition, kind="story").select_related("page").defer("page__words")
    return follow([(row.pk, row.page.number, row.story_id, row.headline, row.text) for row in rows])


def _notes(edition: Edition) -> list[str]:
    notes = []
    scanned = list(edition.pages.filter(scanned=True).order_by("number").values_list("number", flat=True))
    if scanned:
        notes.append(f"Without a text layer, shown as pictures only: page {_pages(scanned)}.")
    failed = list(edition.pages.filter(state="failed").order_by("number").values_list("number", flat=True))
    if failed:
        notes.append(f"Could not be made: page {_pages(failed)}.")
    return notes


def _pages(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))

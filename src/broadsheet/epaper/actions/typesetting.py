"""Sets an automatic edition: its stories' whole text, through the newsroom's one door, into PDF; then its pages."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings

from broadsheet.epaper import files
from broadsheet.epaper.actions import downloads
from broadsheet.epaper.actions.importing import links_of
from broadsheet.epaper.actions.pages import NewArea, NewPage, Tick, claim, fail, finish, release, write_page
from broadsheet.epaper.adapters import pdf, typesetter
from broadsheet.epaper.models import Edition
from broadsheet.epaper.rules.areas import Box, join_words
from broadsheet.epaper.rules.job import Front, job_of
from broadsheet.newsroom.print_queries import full_stories, picture_files

SETTABLE = (".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp")


def compose(*, edition_id: int, tick: Tick) -> int | None:
    """Set the edition and make its pages. Returns how many; None when somebody else is at it or nothing is to be done.

    Whatever goes wrong is written on the edition, and what could be read before stays as it was.
    """
    edition = claim(edition_id=edition_id, now=tick())
    if edition is None or edition.kind != "typeset":
        return None
    try:
        with TemporaryDirectory(prefix="edition-") as name:
            return _set(edition, Path(name), tick)
    except typesetter.SettingFailedError as error:
        fail(edition_id=edition_id, reason=str(error))
        return None
    except Exception as error:
        fail(edition_id=edition_id, reason=f"It could not be set: {type(error).__name__}: {error}")
        raise
    except BaseException:
        release(edition_id=edition_id)
        raise


def _set(edition: Edition, folder: Path, tick: Tick) -> int:
    story_ids, job = _job(edition, folder)
    if not story_ids:
        raise typesetter.SettingFailedError("None of the chosen stories is published.")
    return _make_pages(edition, folder, typesetter.set_edition(folder, job), story_ids, tick)


def _job(edition: Edition, folder: Path) -> tuple[list[int], dict[str, Any]]:
    """The ids of the stories that are still published, in their order, and what the typesetter needs to know."""
    places = list(edition.places.all())
    stories = full_stories([place.story_id for place in places])
    pictures = picture_files(stories)
    names: dict[int, str] = {}
    for story_id, picture in pictures.items():
        if picture.suffix in SETTABLE:
            names[story_id] = f"picture-{story_id}{picture.suffix}"
            (folder / names[story_id]).write_bytes(picture.content)
    kept = [place for place in places if place.story_id in stories]
    options = settings.BROADSHEET
    front = Front(
        paper=options.name,
        tagline=options.tagline,
        address=options.public_host,
        day=edition.date,
        title=edition.title,
        language=edition.language,
    )
    job = job_of(front, [(stories[p.story_id], p.role, p.page, names.get(p.story_id, "")) for p in kept])
    return [place.story_id for place in kept], job


def _make_pages(edition: Edition, folder: Path, made: dict[str, Any], story_ids: Sequence[int], tick: Tick) -> int:
    source = folder / "edition.pdf"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    stored = f"{edition.pk}/set-{digest[:12]}.pdf"
    files.replace(stored, source)
    pages = {page["number"]: page for page in made["pages"]}
    heads = {key: story.public.headline for key, story in full_stories(story_ids).items()}
    for said in pdf.read_pages(source, folder, sorted(pages)):
        page = pages[said["page"]]
        areas = [
            _area(said, [tuple(box) for box in boxes], story_ids[key], heads.get(story_ids[key], ""))
            for key, boxes in page["areas"]
            if story_ids[key] in heads
        ]
        new = NewPage(said["page"], f"{digest[:40]}-{said['page']}", said, folder, areas, section=page["section"])
        write_page(edition_id=edition.pk, page=new, now=tick())
    notes = [f"No page had room for: {heads.get(story_ids[key], story_ids[key])}" for key in made["left_out"]]
    finish(edition_id=edition.pk, pages=len(pages), notes=notes, links=links_of(edition), now=tick())
    downloads.prepare(edition_id=edition.pk, parts=[stored])
    return len(pages)


def _area(said: dict[str, Any], boxes: Sequence[Box], story_id: int, headline: str) -> NewArea:
    return NewArea("story", tuple(boxes), headline, _text_in(said.get("words", ()), boxes), story_id, 100)


def _text_in(words: Sequence[Sequence[Any]], boxes: Sequence[Box]) -> str:
    """The words whose middle lies in one of the boxes, box after box."""
    found = []
    for x0, y0, x1, y1 in boxes:
        inside = [
            word[0] for word in words if x0 <= (word[1] + word[3]) / 2 <= x1 and y0 <= (word[2] + word[4]) / 2 <= y1
        ]
        if inside:
            found.append(join_words(inside))
    return "\n".join(found)

"""Old years in and out, a story a line: streamed, in bounded memory, as often as one likes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from django.conf import settings
from django.db import transaction

from broadsheet.archive import actions
from broadsheet.archive.models import Imported, Moved
from broadsheet.archive.transfer_rows import Line, LineError, as_line, lines_of, parse
from broadsheet.newsroom.actions import update_story
from broadsheet.newsroom.importing import checked, exported, import_stories
from broadsheet.newsroom.queries import touched_by_hand

BATCH = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a line: imported, updated, same (as last time), kept (an editor changed it here since), or refused
    with its reason."""

    line: int
    source_id: str
    status: str
    reason: str = ""
    story_id: int | None = None


def bring_in(path: Path, *, now: datetime, check_only: bool = False) -> Iterator[Outcome]:
    """Import a file of stories. Each batch is one transaction with the notes for the index: a run that was killed is
    run again, and what is there already is the same. Nothing is printed, mailed or pushed."""
    zone = settings.BROADSHEET.zone
    batch: list[tuple[int, Line]] = []
    with path.open("rb") as file:
        for number, text in lines_of(file):
            try:
                line = parse(text, zone)
            except LineError as error:
                yield Outcome(number, "", "refused", str(error))
                continue
            wrong = checked(line.story)
            if wrong:
                yield Outcome(number, line.source_id, "refused", wrong)
                continue
            batch.append((number, line))
            if len(batch) == BATCH:
                yield from _store(batch, now, check_only=check_only)
                batch = []
    yield from _store(batch, now, check_only=check_only)


def bring_in_rows(lines: Iterable[Line], *, now: datetime) -> list[Outcome]:
    """The same for stories that a program has at hand."""
    return list(_store(list(enumerate(lines, 1)), now, check_only=False))


def _store(batch: list[tuple[int, Line]], now: datetime, *, check_only: bool) -> Iterator[Outcome]:
    """One batch. A source's id that stands twice in it counts the first time."""
    fresh: dict[str, tuple[int, Line]] = {}
    out: list[Outcome] = []
    with transaction.atomic():
        known = {
            row.source_id: row for row in Imported.objects.filter(source_id__in=[one.source_id for _, one in batch])
        }
        for number, line in batch:
            row = known.get(line.source_id)
            if row is None and line.source_id in fresh:
                out.append(Outcome(number, line.source_id, "refused", "this source_id stands in the file already"))
            elif row is None:
                fresh[line.source_id] = (number, line)
            elif row.digest == line.digest:
                out.append(Outcome(number, line.source_id, "same", story_id=row.story_id))
            else:
                out.append(_again(number, line, row, now, check_only=check_only))
        if not check_only:
            out += _fresh(list(fresh.values()), now)
        else:
            out += [Outcome(number, line.source_id, "imported") for number, line in fresh.values()]
    yield from sorted(out, key=lambda one: one.line)


def _fresh(rows: list[tuple[int, Line]], now: datetime) -> list[Outcome]:
    ids = import_stories(stories=[line.story for _, line in rows], now=now)
    Imported.objects.bulk_create(
        Imported(source_id=line.source_id, story_id=story_id, digest=line.digest)
        for (_, line), story_id in zip(rows, ids, strict=True)
    )
    _lead_here([(path, story_id) for (_, line), story_id in zip(rows, ids, strict=True) for path in line.redirects])
    actions.note_many(story_ids=ids)
    return [
        Outcome(number, line.source_id, "imported", story_id=story_id)
        for (number, line), story_id in zip(rows, ids, strict=True)
    ]


def _again(number: int, line: Line, row: Imported, now: datetime, *, check_only: bool) -> Outcome:
    """The source has changed the story since: it is changed here too, unless an editor's hand was on it."""
    if touched_by_hand(row.story_id):
        return Outcome(number, line.source_id, "kept", "an editor has changed it here", row.story_id)
    if not check_only:
        update_story(story_id=row.story_id, copy=line.story.copy, now=now)
        Imported.objects.filter(pk=row.pk).update(digest=line.digest)
        _lead_here([(path, row.story_id) for path in line.redirects])
    return Outcome(number, line.source_id, "updated", story_id=row.story_id)


def _lead_here(pairs: list[tuple[str, int]]) -> None:
    """The first story that claims an old address has it."""
    Moved.objects.bulk_create([Moved(path=path, story_id=story_id) for path, story_id in pairs], ignore_conflicts=True)


def take_out(out: TextIO) -> int:
    """Write every published story, whole, in the form that bring_in() reads. How many."""
    zone, after, count = settings.BROADSHEET.zone, 0, 0
    while rows := list(exported(after, BATCH)):
        ids = [row.id for row in rows]
        names = dict(Imported.objects.filter(story_id__in=ids).values_list("story_id", "source_id"))
        ways: dict[int, list[str]] = {}
        for story_id, path in Moved.objects.filter(story_id__in=ids).order_by("pk").values_list("story_id", "path"):
            ways.setdefault(story_id, []).append(path)
        for row in rows:
            # Its address here is an old address wherever the paper goes.
            redirects = tuple(dict.fromkeys([*ways.get(row.id, []), row.path]))[:50]
            out.write(as_line(row, names.get(row.id) or f"broadsheet:{row.id}", redirects, zone) + "\n")
        after, count = ids[-1], count + len(rows)
    return count

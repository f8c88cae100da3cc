"""A file in, items or quarantine out. Never raises for what a file holds; a bad item does not block its neighbours."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from broadsheet.wire import formats, sniffer
from broadsheet.wire.assemble import Place, assemble
from broadsheet.wire.charset import decode
from broadsheet.wire.drafts import Draft
from broadsheet.wire.items import Item, Outcome, Quarantined, RawFile, UnreadableError

LARGEST_FILE: Final = 20 * 1024 * 1024
LONGEST_SECONDS: Final = 10.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hints:
    """What whoever hands a file in knows about it: a forced format, the source's name and its charset."""

    format: str | None = None
    source: str | None = None
    charset: str | None = None


def parse_path(path: Path | str, format: str | None = None, source: str | None = None) -> list[Outcome]:  # noqa: A002
    """The items of the file at `path`. OSError only when the file itself cannot be read."""
    where = Path(path)
    if where.stat().st_size > LARGEST_FILE:
        return [_too_large(str(path))]
    return parse_raw(RawFile(str(path), where.read_bytes()), Hints(format=format, source=source))


def parse_raw(raw: RawFile, hints: Hints = Hints()) -> list[Outcome]:
    """The items of a file already in memory, in the file's order."""
    if len(raw.content) > LARGEST_FILE:
        return [_too_large(raw.file)]
    deadline = time.monotonic() + LONGEST_SECONDS
    try:
        sniffer.refuse_at_sight(raw.content)
        decoded = decode(raw.content, source_charset=hints.charset)
        document = sniffer.open_document(decoded.text)
        reader = formats.reader_for(document, hints.format)
        drafts = reader.read(document)
    except UnreadableError as problem:
        return [Quarantined(raw.file, problem.reason, problem.detail)]
    except Exception as problem:  # noqa: BLE001 - a reader's own fault must not stop the wire
        _log.exception("reading %s failed", raw.file)
        return [Quarantined(raw.file, "not_well_formed", f"the reader failed: {type(problem).__name__}")]
    place = Place(raw.file, 0, reader.NAME, hints.source)
    return list(_assembled(drafts, place, decoded.warnings, deadline))


def _assembled(drafts: list[Draft], place: Place, warnings: tuple[str, ...], deadline: float) -> Iterable[Outcome]:
    for index, draft in enumerate(drafts):
        if time.monotonic() > deadline:
            yield Quarantined(place.file, "timeout", f"stopped after {LONGEST_SECONDS:.0f} s at item {index}", index)
            return
        draft.warnings.extend(warnings)
        yield _one(draft, replace(place, index=index))


def _one(draft: Draft, place: Place) -> Item | Quarantined:
    try:
        return assemble(draft, place)
    except UnreadableError as problem:
        return Quarantined(place.file, problem.reason, problem.detail, place.index)
    except Exception as problem:  # noqa: BLE001 - as above: the next item must be read
        _log.exception("item %s of %s failed", place.index, place.file)
        return Quarantined(place.file, "not_well_formed", f"the item failed: {type(problem).__name__}", place.index)


def _too_large(file: str) -> Quarantined:
    return Quarantined(file, "too_large", f"more than {LARGEST_FILE // 1024 // 1024} MB")


def read_limited(path: Path) -> bytes:
    """A file's bytes, one more than the limit at most: enough to see that it is too large."""
    with path.open("rb") as file:
        return file.read(LARGEST_FILE + 1)


def files_below(paths: Iterable[Path]) -> list[Path]:
    """The files named, and all below the folders named, sorted; hidden files and editors' droppings are left out."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
        else:
            found.append(path)
    return found

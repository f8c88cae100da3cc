"""The incoming folder: `epaper/incoming/2026-11-22/` or `2026-11-22-delhi/` with a PDF, or with one a page in the order
of their names. A folder is taken when nothing in it has changed since the last look; then it is put away."""

from __future__ import annotations

import logging
import re
import shutil
from datetime import date, datetime
from pathlib import Path

from django.conf import settings

from broadsheet.epaper.actions import intake

log = logging.getLogger(__name__)
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:-([a-z0-9-]{1,40}))?")
_seen: dict[Path, tuple[tuple[str, int, int], ...]] = {}


def folder() -> Path:
    """Where the press lays its files; always on this machine, wherever the editions' own files lie."""
    return Path(settings.BROADSHEET.data) / "epaper" / "incoming"


def take_in(*, now: datetime) -> int:
    """Take in every finished folder; one that fails never stops the others. Returns how many editions came of it."""
    root = folder()
    root.mkdir(parents=True, exist_ok=True)
    taken = 0
    for path in sorted(entry for entry in root.iterdir() if entry.is_dir() and _NAME.fullmatch(entry.name)):
        state = _state(path)
        if not state or _seen.get(path) != state:
            _seen[path] = state
            continue
        try:
            taken += _take(path, now)
        except (OSError, ValueError):
            log.exception("Taking in %s failed; it stays and is tried again.", path)
    return taken


def _state(path: Path) -> tuple[tuple[str, int, int], ...]:
    found = []
    for file in sorted(path.glob("*")):
        if file.suffix.lower() == ".pdf" and file.is_file():
            stat = file.stat()
            found.append((file.name, stat.st_size, stat.st_mtime_ns))
    return tuple(found)


def _take(path: Path, now: datetime) -> bool:
    match = _NAME.fullmatch(path.name)
    assert match is not None
    pdfs = [path / name for name, _, _ in _state(path)]
    city = match.group(2) or ""
    taken = intake.receive(
        paths=pdfs, day=date.fromisoformat(match.group(1)), city=city, title=city.replace("-", " ").title(), now=now
    )
    for each in taken.files:
        if each.reason:
            log.warning("%s of %s was not taken in: %s %s", each.name, path.name, each.reason, each.detail)
    _put_away(path, path.parent.parent / ("done" if taken.edition_id else "refused"))
    _seen.pop(path, None)
    return taken.fresh


def _put_away(path: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    place, number = target / path.name, 1
    while place.exists():
        number += 1
        place = target / f"{path.name}.{number}"
    shutil.move(str(path), place)

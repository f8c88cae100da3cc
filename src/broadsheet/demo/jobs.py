"""The dripping feed: every while another agency file lands in the incoming folder, as from an agency's upload."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from broadsheet import clock
from broadsheet.demo.furniture import furnish_next
from broadsheet.demo.queries import wire_file
from broadsheet.demo.rules import stamped
from broadsheet.demo.schedule import ARRIVALS
from broadsheet.wire.jobs import wire_folder

STATE = "demo-feed.json"
FURNISHED = "demo-rooms.json"


def drip() -> None:
    """Due every few seconds while a demo runs."""
    drip_into(folder=wire_folder() / "incoming", state=settings.BROADSHEET.data / STATE, now=clock.now())


def furnish() -> None:
    """One room of the demo paper after another, in the background: its front is there before."""
    furnish_next(state=settings.BROADSHEET.data / FURNISHED, now=clock.now())


def drip_into(*, folder: Path, state: Path, now: datetime) -> str | None:
    """Let the next file arrive if its time has come; returns its name, None when none is due.

    A file arrives a set while after the one before it, and none twice, however often the demo is stopped and started.
    """
    count, last = _read(state)
    if last is None or last > now:  # the first call, or a demo whose clock was set back
        _write(state, count, now)
        return None
    if count >= len(ARRIVALS) or now < last + _pause(count):
        return None
    name = ARRIVALS[count].file
    folder.mkdir(parents=True, exist_ok=True)
    # Written under a hidden name and renamed: whoever watches the folder never reads half a file.
    part = folder / f".{name}.part"
    part.write_text(stamped(wire_file(name), now), "utf-8")
    part.replace(folder / name)
    _write(state, count + 1, now)
    return name


def _pause(count: int) -> timedelta:
    before = ARRIVALS[count - 1].after if count else 0
    return timedelta(seconds=ARRIVALS[count].after - before)


def _read(state: Path) -> tuple[int, datetime | None]:
    try:
        kept = json.loads(state.read_text("utf-8"))
        return int(kept["arrived"]), datetime.fromisoformat(kept["last"])
    except (OSError, ValueError, KeyError):
        return 0, None


def _write(state: Path, count: int, now: datetime) -> None:
    part = state.with_suffix(".part")
    part.write_text(json.dumps({"arrived": count, "last": now.isoformat()}), "utf-8")
    part.replace(state)

"""What the demo paper has besides stories, put in once it answers: an edition, prices, lists, a partner.

Each room is furnished by a function of its own, `(now) -> None`, which may be repeated and then changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from broadsheet.demo import ads, archive, epaper, markets, newsletters, partners

ROOMS: tuple[tuple[str, Callable[[datetime], None]], ...] = (
    ("ads", ads.furnish),
    ("partners", partners.furnish),
    ("archive", archive.furnish),
    ("epaper", epaper.furnish),
    ("markets", markets.furnish),
    ("newsletters", newsletters.furnish),
)
"""(name, function), in the order in which they are furnished."""


def furnish_next(*, state: Path, now: datetime) -> str | None:
    """Furnish the first room that is still empty; returns its name, None when all are furnished."""
    try:
        done = list(json.loads(state.read_text("utf-8")))
    except (OSError, ValueError):
        done = []
    for name, room in ROOMS:
        if name not in done:
            room(now)
            part = state.with_suffix(".part")
            part.write_text(json.dumps([*done, name]), "utf-8")
            part.replace(state)
            return name
    return None

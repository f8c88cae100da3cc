"""Which stories the day's edition prints and where, when nobody says otherwise. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

MOST_STORIES = 60
FRONT = 6


@dataclass(frozen=True, slots=True)
class Candidate:
    """A published story of the day: `priority` 1 leads, 9 stands at the foot; `section` is its place in the menu."""

    story_id: int
    priority: int
    section: int
    published_at: datetime
    words: int = 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """A story's place: those of `page` 1 may stand on the front, 0 leaves it to the make-up."""

    story_id: int
    role: str
    page: int


def propose(candidates: Sequence[Candidate], most: int = MOST_STORIES) -> list[Chosen]:
    """The weightiest stories, newest first among equals: the first leads, the next five stand on the front, the rest
    follows in the order of the sections."""
    weighty = sorted(candidates, key=lambda one: (one.priority, -one.published_at.timestamp(), one.story_id))[:most]
    front, rest = weighty[:FRONT], weighty[FRONT:]
    rest.sort(key=lambda one: (one.section, one.priority, -one.published_at.timestamp(), one.story_id))
    return [
        *(Chosen(one.story_id, "lead" if place == 0 else "story", 1) for place, one in enumerate(front)),
        *(Chosen(one.story_id, "story", 0) for one in rest),
    ]

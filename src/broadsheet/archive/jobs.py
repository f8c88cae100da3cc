"""Background entries of the archive."""

from __future__ import annotations

from broadsheet import clock
from broadsheet.archive import actions
from broadsheet.archive.events import IndexLost
from broadsheet.archive.queries import search_index
from broadsheet.bus.queries import is_waiting
from broadsheet.newsroom.events import StoryPublished, StoryRemoved


def index_story(event: StoryPublished) -> None:
    _changed(event.story_id)


def unindex_story(event: StoryRemoved) -> None:
    _changed(event.story_id)


def rebuild_lost(event: IndexLost) -> None:  # noqa: ARG001 - there is one index
    actions.rebuild()


def ensure_index() -> None:
    """Build the index of a paper that has none yet, before somebody searches."""
    if not search_index().exists():
        actions.rebuild()


def turn_window() -> None:
    """The days that are open to everybody move on at midnight."""
    actions.turn_window()


def handler_name(job: object) -> str:
    """The name under which the bus knows a handler."""
    return f"{job.__module__}.{job.__qualname__}"  # type: ignore[attr-defined]


def _changed(story_id: int) -> None:
    """Note the story; the last job of a run writes for all of them in one commit."""
    actions.note(story_id=story_id)
    now = clock.now()
    more = any(is_waiting(handler_name(job), now) for job in (index_story, unindex_story))
    if not more or actions.is_pressing():
        actions.write_pending()

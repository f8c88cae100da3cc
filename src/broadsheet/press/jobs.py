"""Background entries of the press."""

from __future__ import annotations

from broadsheet.newsroom.events import StoryPublished, StoryRemoved
from broadsheet.press import actions


def print_published(event: StoryPublished) -> None:
    actions.print_story(event.story_id)


def pull_removed(event: StoryRemoved) -> None:
    actions.print_story(event.story_id)
    actions.reprint_mentioning(event.story_id)

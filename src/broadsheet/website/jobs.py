"""Background entries of the website."""

from __future__ import annotations

from broadsheet import clock
from broadsheet.bus.queries import is_waiting
from broadsheet.newsroom.events import StoryPublished, StoryRemoved
from broadsheet.newsroom.queries import story_facts
from broadsheet.website import actions


def reprint_fronts(event: StoryPublished | StoryRemoved) -> None:
    """Print the front and the story's section front, so that no reader waits for them.

    When the same is about to be done for another story, that one does it for both: an import of a thousand stories
    prints the front a few times, not a thousand. Sections left out are printed on their next request.
    """
    now = clock.now()
    if is_waiting(f"{reprint_fronts.__module__}.{reprint_fronts.__qualname__}", now):
        return
    actions.print_at(path="/", now=now)
    facts = story_facts(event.story_id)
    if facts:
        actions.print_at(path=f"/{facts.section}/", now=now)


def print_new_day() -> None:
    """Print the front for its date line; due at the publisher's midnight."""
    actions.rearrange_front()
    actions.print_at(path="/", now=clock.now())

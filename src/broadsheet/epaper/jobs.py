"""Background entries of the e-paper."""

from __future__ import annotations

from broadsheet import clock
from broadsheet.epaper import desk_queries
from broadsheet.epaper.actions import importing
from broadsheet.epaper.events import EditionReceived


def make_received(event: EditionReceived) -> None:
    """On EditionReceived: make its pages."""
    importing.make_pages(edition_id=event.edition_id, tick=clock.now)


def take_up_left() -> int:
    """Make the pages that a crash left unmade. Returns how many editions were gone on with."""
    left = desk_queries.left_unmade(clock.now())
    return sum(importing.make_pages(edition_id=edition_id, tick=clock.now) is not None for edition_id in left)

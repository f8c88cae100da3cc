"""Background entries of the e-paper."""

from __future__ import annotations

from broadsheet import clock
from broadsheet.epaper import desk_queries
from broadsheet.epaper.actions import importing, typesetting
from broadsheet.epaper.events import EditionOrdered, EditionReceived


def make_received(event: EditionReceived) -> None:
    """On EditionReceived: make its pages."""
    importing.make_pages(edition_id=event.edition_id, tick=clock.now)


def set_ordered(event: EditionOrdered) -> None:
    """On EditionOrdered: set it and make its pages."""
    typesetting.compose(edition_id=event.edition_id, tick=clock.now)


def take_up_left() -> int:
    """Make the pages that a crash left unmade. Returns how many editions were gone on with."""
    done = [
        importing.make_pages(edition_id=edition_id, tick=clock.now)
        for edition_id in desk_queries.left_unmade(clock.now())
    ]
    done += [
        typesetting.compose(edition_id=edition_id, tick=clock.now)
        for edition_id in desk_queries.left_unmade(clock.now(), "typeset")
    ]
    return sum(pages is not None for pages in done)

"""Background entries of the e-paper. Making pages takes seconds to minutes, nearly all of it in processes of its own:
it is done aside, one edition at a time, so that billing and printing do not wait for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.conf import settings
from django.db import connections

from broadsheet import clock
from broadsheet.epaper import desk_queries
from broadsheet.epaper.actions import clips, composing, importing, incoming, typesetting, withdrawing
from broadsheet.epaper.events import EditionOrdered, EditionReceived
from broadsheet.newsroom.events import StoryRemoved

log = logging.getLogger(__name__)
_bench = threading.Lock()


def make_received(event: EditionReceived) -> None:
    """On EditionReceived: make its pages."""
    _aside(lambda: importing.make_pages(edition_id=event.edition_id, tick=clock.now))


def set_ordered(event: EditionOrdered) -> None:
    """On EditionOrdered: set it and make its pages."""
    _aside(lambda: typesetting.compose(edition_id=event.edition_id, tick=clock.now))


def take_off_story(event: StoryRemoved) -> None:
    """On StoryRemoved: it leaves every page that shows it."""
    withdrawing.withdraw_story(story_id=event.story_id, tick=clock.now)


def take_up_left() -> None:
    """Go on with editions that a crash left unmade."""
    if not _bench.locked() and any(desk_queries.left_unmade(clock.now(), kind) for kind in ("imported", "typeset")):
        _aside(make_left)


def make_left() -> int:
    """Make the pages of every edition that nobody is at. Returns how many editions were gone on with."""
    done = [
        importing.make_pages(edition_id=edition_id, tick=clock.now)
        for edition_id in desk_queries.left_unmade(clock.now())
    ]
    done += [
        typesetting.compose(edition_id=edition_id, tick=clock.now)
        for edition_id in desk_queries.left_unmade(clock.now(), "typeset")
    ]
    return sum(pages is not None for pages in done)


def watch_incoming() -> int:
    """Take in what the press laid into the incoming folder. Returns how many editions came."""
    return incoming.take_in(now=clock.now())


def order_by_rule() -> None:
    """At the set hour, have the day's edition made by the rule, unless an editor was first."""
    hour = settings.BROADSHEET.epaper_auto_at
    if hour:
        composing.order_by_rule(at=hour, now=clock.now())


def _aside(work: Callable[[], object]) -> None:
    threading.Thread(target=_work, args=(work,), name="epaper", daemon=True).start()


def _work(work: Callable[[], object]) -> None:
    with _bench:
        try:
            work()
        except Exception:
            log.exception("Making an edition failed; its screen says why.")
        finally:
            connections.close_all()


def purge_clips() -> None:
    """Forget shared clippings that ended long ago."""
    clips.purge(now=clock.now())

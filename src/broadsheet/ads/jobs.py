"""Background entries of advertising."""

from __future__ import annotations

from broadsheet import clock
from broadsheet.ads import actions
from broadsheet.ads.queries import works


def write_seen() -> None:
    """What this process has added up and no further report has pushed out."""
    actions.write_seen()


def post_again() -> None:
    """What every gate knows of campaigns follows the option that says how many pages report."""
    if works():
        actions.post_if_changed(now=clock.now())

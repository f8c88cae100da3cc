"""Background entries of api."""

from __future__ import annotations

from broadsheet import clock
from broadsheet.api import actions


def purge() -> None:
    actions.purge(now=clock.now())

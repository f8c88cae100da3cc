"""Background entries of api."""

from __future__ import annotations

from broadsheet import clock
from broadsheet.api import actions
from broadsheet.readers.actions import forget_devices


def purge() -> None:
    """Codes nobody came for, tokens and devices that are long over."""
    actions.purge(now=clock.now())
    forget_devices(now=clock.now())

"""What plans include besides stories: which of it works here, what happens after what, and what is looked after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from broadsheet.access.products import connect_works
from broadsheet.server.worker import Every

HANDLERS: dict[type, tuple[Callable[[Any], None], ...]] = {}

# Whether a product has anything to offer in this installation now: one step on an index each, or an option.
WORKS: dict[str, Callable[[], bool]] = {}


def periodic() -> list[Every]:
    """What the worker looks after."""
    return []


def connect_ports() -> None:
    """Called once, when every app is loaded."""
    connect_works(WORKS)

"""What the server gives: cookies of this paper for a visitor at the limit and for a subscriber, without a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Held = Mapping[str, Mapping[str, str]]
_made: list[Callable[[], Held]] = []


def connect_cookies(make: Callable[[], Held]) -> None:
    """Called once, by server/wiring.py."""
    _made[:] = [make]


def cookies() -> Held:
    """{"at the limit": {name: value}, "subscriber": {...}}; {} when nobody makes them."""
    return _made[0]() if _made else {}

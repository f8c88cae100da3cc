"""What advertising must know of the newsroom, which it may not see: filled in by server/wiring.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Sections = Callable[[], Sequence[tuple[str, str]]]


def _none() -> Sequence[tuple[str, str]]:
    return ()


_sections: list[Sections] = [_none]


def connect_sections(sections: Sections) -> None:
    """`sections() -> [(slug, name), …]`. Called once, when the program starts."""
    _sections[:] = [sections]


def sections() -> Sequence[tuple[str, str]]:
    """Where a campaign may run: (slug, name) of the paper's sections, after the front."""
    return [("front", "The front page"), *_sections[0]()]

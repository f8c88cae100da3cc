"""What the newsroom asks of the layers above it: how a draft would look in print, and what the instruments are that a
story is tagged with. Filled in server/wiring.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_preview: list[Callable[[Any], Any]] = []
_instruments: list[Callable[[Sequence[str]], Mapping[str, str]]] = []


def connect_preview(view: Callable[[Any], Any]) -> None:
    """`view` takes an unsaved or saved Article and returns an HTTP response with its full variant."""
    _preview[:] = [view]


def preview(article: Any) -> Any:
    return _preview[0](article)


def connect_instruments(known: Callable[[Sequence[str]], Mapping[str, str]]) -> None:
    """`known` takes what an editor wrote (a code, a symbol) and returns the code of each that names an instrument."""
    _instruments[:] = [known]


def instruments(names: Sequence[str]) -> Mapping[str, str]:
    """The code of each name; without a markets section every well-formed one is taken as it stands."""
    if not names:
        return {}
    return _instruments[0](names) if _instruments else {name: name.lower() for name in names}

"""The one thing the newsroom asks of a layer above it: how a draft would look in print. Filled in server/wiring.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_preview: list[Callable[[Any], Any]] = []


def connect_preview(view: Callable[[Any], Any]) -> None:
    """`view` takes an unsaved or saved Article and returns an HTTP response with its full variant."""
    _preview[:] = [view]


def preview(article: Any) -> Any:
    return _preview[0](article)

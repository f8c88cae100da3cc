"""The PDF that readers may download: one file, with a place on each page for the reader's name."""

from __future__ import annotations

from collections.abc import Sequence


def prepare(*, edition_id: int, parts: Sequence[str]) -> None:
    """Join the stored parts into the edition's PDF and note where a name goes."""

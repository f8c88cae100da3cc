"""Reads price files from disk, no more of them than may be taken in."""

from __future__ import annotations

from pathlib import Path

from broadsheet.markets.files import LARGEST


def read_limited(path: Path) -> bytes:
    """The file's bytes, one more than is allowed at most: what is larger is refused without being read whole."""
    with path.open("rb") as stream:
        return stream.read(LARGEST + 1)

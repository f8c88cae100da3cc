"""Pictures of advertisements: which files are taken, how large they are, and under which name they lie."""

from __future__ import annotations

import re
from hashlib import blake2b
from pathlib import PurePath
from typing import Any

from django.core.exceptions import ValidationError
from PIL import Image, UnidentifiedImageError

MOST_BYTES = 200_000
FORMATS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "GIF": "gif"}
_SVG = re.compile(rb"<svg\b[^>]*>")
_LENGTH = rb"%s=[\"'](\d{2,4})(?:px)?[\"']"


def _svg_size(content: bytes) -> tuple[int, int] | None:
    opening = _SVG.search(content[:4000])
    if opening is None:
        return None
    found = [re.search(rb"\s" + _LENGTH % name, opening[0]) for name in (b"width", b"height")]
    return (int(found[0][1]), int(found[1][1])) if found[0] and found[1] else None


def _read(picture: Any) -> tuple[str, tuple[int, int]]:
    """Ending and size in pixels. ValidationError for anything that is no picture of a kind browsers show."""
    if picture.size > MOST_BYTES:
        raise ValidationError(f"The picture has {picture.size // 1000} kB; {MOST_BYTES // 1000} are the most.")
    picture.open("rb")
    content = picture.read()
    picture.seek(0)
    if PurePath(picture.name).suffix.lower() == ".svg":
        size = _svg_size(content)
        if size is None:
            raise ValidationError("Give the drawing a width and a height in whole pixels.")
        return "svg", size
    try:
        with Image.open(picture, formats=tuple(FORMATS)) as image:
            kind, size = FORMATS[image.format or ""], image.size
            image.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, KeyError, Image.DecompressionBombError):
        raise ValidationError("This is no PNG, JPEG, WebP, GIF or SVG that can be read.") from None
    finally:
        picture.seek(0)
    return kind, size


def check(picture: Any) -> None:
    """Refuses what `measure` cannot measure."""
    _read(picture)


def measure(picture: Any) -> tuple[int, int]:
    """Width and height in pixels."""
    return _read(picture)[1]


def place(_creative: Any, name: str) -> str:
    """Below the media: a name that says nothing of the file the advertiser sent, with an ending that is true."""
    digest = blake2b(name.encode(), digest_size=4).hexdigest()
    return f"ads/{digest}{PurePath(name).suffix.lower()}"

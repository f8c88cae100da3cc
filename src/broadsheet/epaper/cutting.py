"""Cuts a clipping out of a page's picture: what lies in its boxes, and white where anything else would be."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from broadsheet.epaper.values import Box

_SCALE, _QUALITY, _MARGIN = 10_000, 80, 12


def cut(page: bytes, boxes: Sequence[Box], foreign: Sequence[Box] = ()) -> bytes:
    """A JPEG of the boxes where they lie towards each other; `foreign` boxes are painted over."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 - start-up time

    with Image.open(BytesIO(page)) as opened:
        sheet = opened.convert("RGB")
    wide, high = sheet.size

    def pixels(box: Box) -> tuple[int, int, int, int]:
        x0, y0, x1, y1 = box
        return (x0 * wide // _SCALE, y0 * high // _SCALE, -(-x1 * wide // _SCALE), -(-y1 * high // _SCALE))

    places = [pixels(box) for box in boxes]
    left, top = min(place[0] for place in places), min(place[1] for place in places)
    right, bottom = max(place[2] for place in places), max(place[3] for place in places)
    made = Image.new("RGB", (right - left + 2 * _MARGIN, bottom - top + 2 * _MARGIN), "white")
    brush = ImageDraw.Draw(sheet)
    for place in map(pixels, foreign):
        brush.rectangle(place, fill="white")
    for place in places:
        made.paste(sheet.crop(place), (place[0] - left + _MARGIN, place[1] - top + _MARGIN))
    out = BytesIO()
    made.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()

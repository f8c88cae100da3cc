"""Reads one PDF in a process of its own, under limits: a hostile file ends this process and not the paper.

`probe FILE` prints {"pages": n} or {"refused": reason, "detail": …}. `pages FILE FOLDER FIRST [LAST]` writes the
pictures of each page into FOLDER and prints one JSON object a page. Django-free; nothing here is called in-process.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
from PIL import Image
from pypdfium2 import raw

from broadsheet.epaper.adapters.child_limits import hold_limits

WIDTHS = (2400, 1600, 800, 480, 160)
QUALITY = {2400: 70, 1600: 72, 800: 74, 480: 54, 160: 70}
MOST_CHARACTERS = 400_000
MOST_OBJECTS = 20_000
RENDERED = 1600
LAST_CODE, HALF = 0x110000, (0xD800, 0xE000)
LONGEST_SIDE = 4  # times the other: a page, not a strip
_ERRORS = {raw.FPDF_ERR_PASSWORD: "encrypted", raw.FPDF_ERR_SECURITY: "encrypted", raw.FPDF_ERR_FORMAT: "not_a_pdf"}


def _open(path: str) -> Any:
    try:
        return pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        code = getattr(error, "err_code", None) or raw.FPDF_GetLastError()
        _say({"refused": _ERRORS.get(code, "damaged"), "detail": str(error)[:200]})
        raise SystemExit(0) from None


def _say(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def probe(path: str) -> None:
    """Whether this is a PDF we may read, and its number of pages."""
    document = _open(path)
    if not len(document):
        _say({"refused": "no_pages", "detail": ""})
    else:
        _say({"pages": len(document)})


def read_pages(path: str, folder: Path, first: int, last: int) -> None:
    """Pictures, words and shapes of the pages `first`..`last` (from 1)."""
    document = _open(path)
    for number in range(first, min(last, len(document)) + 1):
        try:
            _say({"page": number, **_page(document[number - 1], folder, number)})
        except (pdfium.PdfiumError, ValueError, OSError, MemoryError) as error:
            _say({"page": number, "failed": f"{type(error).__name__}: {error}"[:200]})


def _page(page: Any, folder: Path, number: int) -> dict[str, Any]:
    width, height = page.get_size()
    if width <= 0 or height <= 0 or max(width, height) > LONGEST_SIDE * min(width, height):
        raise ValueError(f"its size is {width:.0f} x {height:.0f} points")
    words, more = _words(page)
    found = {
        "width_mm": round(width * 25.4 / 72),
        "height_mm": round(height * 25.4 / 72),
        "words": words,
        "text_cut": more,
        **_shapes(page),
    }
    return {**found, "images": _pictures(page, width, folder, number)}


def _pictures(page: Any, width: float, folder: Path, number: int) -> list[list[int]]:
    """The large sizes are rendered each, which is quicker than shrinking; a progressive file takes six times as long to
    write, and only the sizes that a reader waits for are worth it."""
    sizes, picture = [], None
    for across in WIDTHS:
        if picture is None or across >= RENDERED:
            picture = page.render(scale=across / width, rev_byteorder=True, prefer_bgrx=True).to_pil().convert("RGB")
        if picture.width != across:
            size = (across, round(picture.height * across / picture.width))
            picture = picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
        target = folder / f"{number}-{across}.jpg"
        picture.save(target, "JPEG", quality=QUALITY[across], progressive=200 < across < RENDERED)  # noqa: PLR2004
        sizes.append([across, picture.height, target.stat().st_size])
    return sizes[::-1]


def _words(page: Any) -> tuple[list[list[Any]], bool]:
    """[text, x0, y0, x1, y1, size in points, stream order kept]; positions in ten-thousandths of the page."""
    textpage = page.get_textpage()
    count = min(textpage.count_chars(), MOST_CHARACTERS)
    box = raw.FS_RECTF()
    at = _Positions(page)
    handle, words, letters = textpage.raw, [], []
    x0 = y0 = x1 = y1 = 0.0

    def close() -> None:
        if letters:
            words.append(["".join(letters), *at.box(x0, y0, x1, y1), round(y1 - y0, 1)])
            letters.clear()

    for index in range(count):
        code = raw.FPDFText_GetUnicode(handle, index)
        character = chr(code) if 0 < code < LAST_CODE and not HALF[0] <= code < HALF[1] else " "
        if character.isspace() or code in (0xFFFE, 0xFFFF, 2):
            # A hyphen at a line's end comes as U+0002 or U+FFFE: the word goes on in the next line.
            if code in (2, 0xFFFE):
                letters.append("\u00ad")
            close()
            continue
        if not raw.FPDFText_GetLooseCharBox(handle, index, ctypes.byref(box)):
            continue
        left, right = min(box.left, box.right), max(box.left, box.right)
        bottom, top = min(box.bottom, box.top), max(box.bottom, box.top)
        if letters and (left > x1 + (y1 - y0) * 0.6 or left < x0 - (y1 - y0) or abs(bottom - y0) > (y1 - y0) * 0.6):
            close()
        if not letters:
            x0, y0, x1, y1 = left, bottom, right, top
        letters.append(character)
        x0, y0, x1, y1 = min(x0, left), min(y0, bottom), max(x1, right), max(y1, top)
    close()
    more = textpage.count_chars() > MOST_CHARACTERS
    textpage.close()
    return words, more


class _Positions:
    """Turns points of the page's own space into ten-thousandths from the top left, its crop and rotation heeded."""

    def __init__(self, page: Any) -> None:
        self.page = page.raw
        self.x, self.y = ctypes.c_int(), ctypes.c_int()

    def _point(self, x: float, y: float) -> tuple[int, int]:
        raw.FPDF_PageToDevice(self.page, 0, 0, 10_000, 10_000, 0, x, y, ctypes.byref(self.x), ctypes.byref(self.y))
        return max(0, min(10_000, self.x.value)), max(0, min(10_000, self.y.value))

    def box(self, x0: float, y0: float, x1: float, y1: float) -> list[int]:
        (a, b), (c, d) = self._point(x0, y0), self._point(x1, y1)
        return [min(a, c), min(b, d), max(a, c), max(b, d)]


def _shapes(page: Any) -> dict[str, Any]:
    """Boxes of pictures, and of thin lines, which part articles."""
    at, pictures, rules = _Positions(page), [], []
    edges = [ctypes.c_float() for _ in range(4)]
    for index in range(min(raw.FPDFPage_CountObjects(page.raw), MOST_OBJECTS)):
        thing = raw.FPDFPage_GetObject(page.raw, index)
        kind = raw.FPDFPageObj_GetType(thing)
        if kind not in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_FORM):
            continue
        if not raw.FPDFPageObj_GetBounds(thing, *(ctypes.byref(edge) for edge in edges)):
            continue
        left, bottom, right, top = (edge.value for edge in edges)
        wide, high = right - left, top - bottom
        if kind == raw.FPDF_PAGEOBJ_PATH:
            if (wide > 40 and high < 3) or (high > 40 and wide < 3):  # noqa: PLR2004 - points
                rules.append(at.box(left, bottom, right, top))
        elif wide > 30 and high > 30:  # noqa: PLR2004 - points
            pictures.append(at.box(left, bottom, right, top))
    return {"pictures": pictures[:400], "rules": rules[:2000]}


def main(arguments: list[str]) -> None:
    hold_limits()
    if arguments[0] == "probe":
        probe(arguments[1])
    elif arguments[0] == "pages":
        last = int(arguments[4]) if len(arguments) > 4 else 100_000  # noqa: PLR2004 - the fifth
        read_pages(arguments[1], Path(arguments[2]), int(arguments[3]), last)


if __name__ == "__main__":
    main(sys.argv[1:])

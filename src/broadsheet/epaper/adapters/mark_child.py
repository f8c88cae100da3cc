"""Makes the PDF that readers download, in a process of its own: `OUT IN… [PAGE=PICTURE…]` joins the parts, puts
pictures in the place of pages, and prepares the mark.

Each page shows one shared form with a string of a fixed length; for a reader only those bytes are changed, in place.
The form's font is embedded and the form marked as no part of the text, so a tagged edition stays one. Django-free.
"""

from __future__ import annotations

import json
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from fontTools.ttLib import TTFont
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    StreamObject,
)

from broadsheet.epaper.adapters.child_limits import hold_limits
from broadsheet.epaper.rules.marks import ROOM, placeholder

FONT = Path(__file__).resolve().parent.parent / "marks" / "NotoSansMark.ttf"
FIRST, LAST = 32, 126
SIZE = 6.5
LEFT, UP = 30.0, 9.0  # points from the page's corner


def prepare(target: Path, parts: list[Path], pictures: dict[int, Path]) -> list[list[int]]:
    """Write the joined and prepared PDF. Returns [[offset, length]] of the string that a reader's name goes into."""
    if len(parts) == 1:
        writer = PdfWriter(clone_from=PdfReader(parts[0]))
    else:
        writer = PdfWriter()
        for part in parts:
            writer.append(part)
    for number, picture in pictures.items():
        _replace(writer, number - 1, picture)
    form = writer._add_object(_form(writer))  # noqa: SLF001 - pypdf has no other way to share an object between pages
    before = writer._add_object(_stream(b"q\n"))  # noqa: SLF001
    for page in writer.pages:
        _show(writer, page, form, before)
    out = BytesIO()
    writer.write(out)
    content = out.getvalue()
    at = content.find(placeholder())
    if at < 0 or content.find(placeholder(), at + 1) >= 0:
        raise ValueError("the place for the mark is not there, or twice")
    target.write_bytes(content)
    return [[at, ROOM]]


def _replace(writer: PdfWriter, index: int, picture: Path) -> None:
    """A picture of its size instead of a page; nothing of the page's own content stays reachable."""
    box = writer.pages[index].mediabox
    made = BytesIO()
    with Image.open(picture) as image:
        image.convert("RGB").save(made, "PDF", resolution=image.width / float(box.width) * 72, quality=75)
    new = PdfReader(made).pages[0]
    writer.remove_page(index, clean=True)
    writer.insert_page(new, index)


def _stream(content: bytes) -> DecodedStreamObject:
    stream = DecodedStreamObject()
    stream.set_data(content)
    return stream


def _show(writer: PdfWriter, page: Any, form: Any, before: Any) -> None:
    box = page.cropbox
    draw = (
        f"Q\n/Artifact BMC\nq 1 0 0 1 {float(box.left) + LEFT:.2f} {float(box.bottom) + UP:.2f} cm /BsMark Do Q\nEMC\n"
    )
    after = writer._add_object(_stream(draw.encode()))  # noqa: SLF001
    raw = page.get("/Contents")
    standing = raw.get_object() if raw is not None else ArrayObject()
    middle = list(standing) if isinstance(standing, ArrayObject) else [page.raw_get("/Contents")]
    page[NameObject("/Contents")] = ArrayObject([before, *middle, after])
    resources = page.get("/Resources")
    resources = DictionaryObject(resources.get_object()) if resources is not None else DictionaryObject()
    forms = DictionaryObject(resources["/XObject"].get_object()) if "/XObject" in resources else DictionaryObject()
    forms[NameObject("/BsMark")] = form
    resources[NameObject("/XObject")] = forms
    page[NameObject("/Resources")] = resources


def _form(writer: PdfWriter) -> StreamObject:
    form = _stream(b"BT /F " + str(SIZE).encode() + b" Tf 0.45 g 0 0 Td (" + placeholder() + b") Tj ET")
    form.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Form"),
            NameObject("/BBox"): ArrayObject([FloatObject(0), FloatObject(-3), FloatObject(900), FloatObject(12)]),
            NameObject("/Resources"): DictionaryObject(
                {NameObject("/Font"): DictionaryObject({NameObject("/F"): writer._add_object(_font(writer))})}  # noqa: SLF001
            ),
        }
    )
    return form


def _font(writer: PdfWriter) -> DictionaryObject:
    """A simple TrueType font of the printable ASCII signs, embedded."""
    font = TTFont(FONT)
    scale = 1000 / font["head"].unitsPerEm
    names, widths = font.getBestCmap(), font["hmtx"]
    file = StreamObject()
    file.set_data(FONT.read_bytes())
    file[NameObject("/Length1")] = NumberObject(FONT.stat().st_size)
    head, metrics = font["head"], font["hhea"]
    descriptor = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/FontDescriptor"),
            NameObject("/FontName"): NameObject("/BSMARK+NotoSans"),
            NameObject("/Flags"): NumberObject(32),
            NameObject("/FontBBox"): ArrayObject(
                [NumberObject(round(n * scale)) for n in (head.xMin, head.yMin, head.xMax, head.yMax)]
            ),
            NameObject("/ItalicAngle"): NumberObject(0),
            NameObject("/Ascent"): NumberObject(round(metrics.ascent * scale)),
            NameObject("/Descent"): NumberObject(round(metrics.descent * scale)),
            NameObject("/CapHeight"): NumberObject(714),
            NameObject("/StemV"): NumberObject(80),
            NameObject("/FontFile2"): writer._add_object(file.flate_encode()),  # noqa: SLF001
        }
    )
    return DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/TrueType"),
            NameObject("/BaseFont"): NameObject("/BSMARK+NotoSans"),
            NameObject("/FirstChar"): NumberObject(FIRST),
            NameObject("/LastChar"): NumberObject(LAST),
            NameObject("/Widths"): ArrayObject(
                [NumberObject(round(widths[names[code]][0] * scale)) for code in range(FIRST, LAST + 1)]
            ),
            NameObject("/Encoding"): NameObject("/WinAnsiEncoding"),
            NameObject("/FontDescriptor"): writer._add_object(descriptor),  # noqa: SLF001
        }
    )


def main(arguments: list[str]) -> None:
    hold_limits()
    try:
        split = [argument.partition("=") for argument in arguments[1:]]
        pictures = {int(number): Path(path) for number, _, path in split if number.isdecimal()}
        parts = [Path("".join(whole)) for whole in split if not whole[0].isdecimal()]
        places = prepare(Path(arguments[0]), parts, pictures)
    except Exception as error:  # noqa: BLE001 - a file of the press may break pypdf in any way
        sys.stdout.write(json.dumps({"failed": f"{type(error).__name__}: {error}"[:300]}))
    else:
        sys.stdout.write(json.dumps({"places": places}))


if __name__ == "__main__":
    main(sys.argv[1:])

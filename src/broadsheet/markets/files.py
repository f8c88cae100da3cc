"""From the bytes of a file to a Sheet: what kind of file it is, its text, its layout, its rows. Pure."""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from broadsheet.markets.adapters import amfi, bse, nse, plain, udiff
from broadsheet.markets.layouts import Layout, Reader
from broadsheet.markets.rows import BadValueError, Fault, Sheet, days_of

LARGEST = 200 * 1024 * 1024
MOST_FILES = 400
LAYOUTS: tuple[Layout, ...] = (
    *udiff.LAYOUTS,
    *nse.LAYOUTS,
    *bse.LAYOUTS,
    *amfi.LAYOUTS,
    *plain.LAYOUTS,
)
_HEAD = 4096
_HTML = re.compile(rb"^\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|\?xml|body|script|!--)", re.IGNORECASE)
_NAME_DAYS = (
    re.compile(r"(?<!\d)(\d{4})[-_]?(\d{2})[-_]?(\d{2})(?!\d)"),  # 20240708
    re.compile(r"(?<!\d)(\d{2})[-_]?([a-z]{3})[-_]?(\d{4})(?!\d)"),  # cm05JUL2024bhav
    re.compile(r"(?<!\d)(\d{2})[-_]?(\d{2})[-_]?(\d{4})(?!\d)"),  # ind_close_all_05072024
    re.compile(r"(?<!\d)(\d{2})(\d{2})(\d{2})(?!\d)"),  # EQ050724
)
_MOST_HEADER_LINES = 20
_LINE_END = re.compile("\r\n|\n|\r")


class RefusedFileError(Exception):
    """The file as a whole cannot be taken: `reason` is one word, the message is for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def unpack(name: str, data: bytes) -> list[tuple[str, bytes]]:
    """(name, bytes) of the files in a zip, or the file itself. Raises RefusedFileError.

    A web server that has no such file may say so in HTML and with the status of success: that is refused here.
    """
    if not data.strip():
        raise RefusedFileError("empty", "The file is empty.")
    if len(data) > LARGEST:
        raise RefusedFileError("too_large", f"The file is larger than {LARGEST // 1024 // 1024} MB.")
    if _HTML.match(data[:_HEAD]):
        raise RefusedFileError("html_page", "This is a web page, not a price file: the server had none, most likely.")
    if data[:2] != b"PK":
        if name.lower().endswith(".zip"):
            raise RefusedFileError("bad_zip", "The file is named .zip and is none.")
        return [(name, data)]
    try:
        return _unzip(data)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise RefusedFileError("bad_zip", f"The zip file is damaged or was cut off: {error}.") from None


def _unzip(data: bytes) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(entries) > MOST_FILES:
            raise RefusedFileError("too_large", f"The zip file holds more than {MOST_FILES} files.")
        left = LARGEST
        for entry in entries:
            base = entry.filename.rsplit("/", 1)[-1]
            if base.startswith(".") or "__MACOSX" in entry.filename:
                continue
            with archive.open(entry) as stream:
                # The size in the directory may be a lie; what comes out is counted.
                content = stream.read(left + 1)
            left -= len(content)
            if left < 0:
                raise RefusedFileError("too_large", f"Unpacked, it is larger than {LARGEST // 1024 // 1024} MB.")
            found.append((base, content))
    if not found:
        raise RefusedFileError("empty", "The zip file holds no file.")
    return found


def text_of(data: bytes) -> str:
    """The file's text: UTF-8 with or without a mark, UTF-16 with one, else Windows-1252, as spreadsheets save it."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    if "\0" in text:
        raise RefusedFileError("not_text", "The file is no text: a spreadsheet's own format, or damaged.")
    return text


def day_in_name(name: str) -> date | None:
    """The day a file's name speaks of; None when it names none."""
    lowered = name.lower()
    for pattern in _NAME_DAYS:
        for found in pattern.finditer(lowered):
            try:
                day = days_of("-".join(found.groups()))[0]
            except BadValueError:
                continue
            if 1980 <= day.year <= 2100:  # noqa: PLR2004
                return day
    return None


def read(name: str, data: bytes, *, day: date | None = None) -> Sheet:
    """The sheet in a file that unpack() gave. `day`: the day it is said to be of. Raises RefusedFileError."""
    if _HTML.match(data[:_HEAD]):
        raise RefusedFileError("html_page", "This is a web page, not a price file: the server had none, most likely.")
    text = text_of(data)
    named = day or day_in_name(name)
    if text.lstrip()[:1] in ("[", "{"):
        return _read_json(text, named)
    lines = _LINE_END.split(text)
    layout, place, header = _layout(lines)
    if layout is None:
        raise RefusedFileError(
            "unknown_layout", "No line of the file is the header of a layout that is known; docs/markets.md has them."
        )
    separator = ";" if layout.name == "amfi" else _separator(lines[place])
    sheet = Sheet(layout.name, layout.exchange, one_day=layout.one_day)
    reader = Reader(layout, named)
    fallback = {"day": named.isoformat()} if named and not layout.has_day else {}
    if not layout.has_day and named is None and "day" not in header.values():
        raise RefusedFileError("no_day", "Neither the file nor its name says which day it is of; say it with --day.")
    for line in _cells(lines, place, separator, header, layout):
        _take(sheet, reader, line, fallback)
    return _finished(sheet, reader)


def _separator(header: str) -> str:
    return max(",;\t|", key=header.count)


def _normal(cell: str) -> str:
    return " ".join(cell.strip().strip('"').split()).upper()


def _layout(lines: list[str]) -> tuple[Layout | None, int, dict[int, str]]:
    """The layout, the place of its header line and our names by column; some files begin with a title."""
    for place, line in enumerate(lines[:_MOST_HEADER_LINES]):
        names = [_normal(cell) for cell in line.split(_separator(line))]
        for layout in LAYOUTS:
            theirs = [layout.also.get(name, name) for name in names]
            if layout.signs <= set(theirs):
                ours = {column: name for name, column in layout.columns.items()}
                return layout, place, {n: ours[name] for n, name in enumerate(theirs) if name in ours}
    return None, 0, {}


@dataclass(frozen=True, slots=True)
class _Line:
    """`cells` by our names; `wrong`: why the line cannot be cut into them."""

    number: int
    text: str
    cells: dict[str, str]
    wrong: str = ""


def _cells(lines: list[str], place: int, separator: str, header: Mapping[int, str], layout: Layout) -> Iterator[_Line]:
    """The lines that hold data. Blank ones, the end mark of old systems and a header once more are none."""
    sector = ""
    names = [_normal(cell) for cell in lines[place].rstrip(separator + " ").split(separator)]
    for number, text in enumerate(lines[place + 1 :], place + 2):
        if not text.strip(" ,;\t|\x1a\ufeff"):
            continue
        if layout.name == "amfi" and separator not in text:
            sector = amfi.category(text) or sector
            continue
        cells = next(csv.reader([text], delimiter=separator, skipinitialspace=True), [])
        while len(cells) > len(names) and not cells[-1].strip():
            cells.pop()
        if [_normal(cell) for cell in cells] == names:
            continue
        named = {name: cells[column] for column, name in header.items() if column < len(cells)}
        if sector:
            named["sector"] = sector
        wrong = ""
        if len(cells) > len(names):
            wrong = "more columns than the header"
        elif len(cells) < len(names) and "close" not in named:
            wrong = "fewer columns than the header"
        yield _Line(number, text, named, wrong)


def _take(sheet: Sheet, reader: Reader, line: _Line, fallback: Mapping[str, str]) -> None:
    cells = dict(line.cells)
    if line.wrong:
        sheet.faults.append(Fault(line.number, line.text[:1000], "columns", line.wrong, cells))
        return
    segment, kind = (cells.pop(name, "").strip().upper() for name in ("segment", "type"))
    if segment not in ("", "CM") or (reader.layout.name == "udiff" and kind not in ("", "STK", "IDX")):
        sheet.skipped[f"segment {segment} {kind}".strip()] += 1
        return
    read = reader.read(line.number, line.text, cells, fallback)
    if isinstance(read, Fault):
        sheet.faults.append(read)
    else:
        sheet.rows.append(read)


def _finished(sheet: Sheet, reader: Reader) -> Sheet:
    if reader.rounded:
        sheet.warnings.append(f"{reader.rounded} prices had more than four decimals and were rounded")
    if not sheet.rows and not sheet.faults:
        raise RefusedFileError("no_rows", "The file has a header and no prices.")
    if not sheet.exchange:
        exchanges = Counter(row.exchange for row in sheet.rows)
        sheet.exchange = exchanges.most_common(1)[0][0] if exchanges else ""
    return sheet


def _read_json(text: str, named: date | None) -> Sheet:
    try:
        rows = plain.from_json(text)
    except (ValueError, RecursionError) as error:
        raise RefusedFileError("unknown_layout", f"This is not the JSON of prices: {error}.") from None
    layout = plain.PLAIN
    ours = {column: name for name, column in layout.columns.items()}
    sheet = Sheet("json", "", one_day=False)
    reader = Reader(layout, named)
    for number, row in enumerate(rows, 1):
        cells = {ours[layout.also.get(name, name)]: v for name, v in row.items() if layout.also.get(name, name) in ours}
        _take(sheet, reader, _Line(number, str(row), cells), {})
    return _finished(sheet, reader)

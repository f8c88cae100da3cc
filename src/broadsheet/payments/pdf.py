"""A document as a PDF of A4 pages: the paper's name as a newspaper prints it, and figures in columns.

The fonts lie in this package. Scripts of India are shaped, so that names read as they are written.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from broadsheet.payments.documents import Document, Party, Row

FONTS = Path(__file__).parent / "fonts"
INK, SOFT, LINE, ACCENT, GOOD = (23, 20, 16), (91, 83, 72), (217, 210, 196), (140, 29, 24), (36, 94, 52)
LEFT, RIGHT, TOP, BOTTOM = 18.0, 192.0, 16.0, 20.0
LEADING = 4.7
OWN = (("sans", "", "ans-Regular"), ("sans", "B", "ans-Bold"), ("serif", "B", "erif-Bold"))
SCRIPTS = {
    "Devanagari": 0x0900,
    "Bengali": 0x0980,
    "Gurmukhi": 0x0A00,
    "Gujarati": 0x0A80,
    "Oriya": 0x0B00,
    "Tamil": 0x0B80,
    "Telugu": 0x0C00,
    "Kannada": 0x0C80,
    "Malayalam": 0x0D00,
}
BLOCK = 0x80
# Signs that the fonts do not have, and what stands for them.
INSTEAD = {"−": "–", "\n": "\n"}


def pdf_of(document: Document) -> bytes:
    """The whole file. The same document gives the same bytes."""
    sheet = _sheet(document)
    _head(sheet, document)
    _parties(sheet, document)
    _rows(sheet, document)
    _sums(sheet, document)
    _small_print(sheet, document)
    return bytes(sheet.output())


def _sheet(document: Document) -> Any:
    from fpdf import FPDF  # noqa: PLC0415 - a second of start-up time for the few processes that print

    class Sheet(FPDF):
        """Pages that carry the document's number at their foot."""

        def normalize_text(self, text: str) -> str:
            known = {code for font in self.fonts.values() for code in font.cmap}
            made = (letter if ord(letter) in known else INSTEAD.get(letter, "?") for letter in text)
            return str(super().normalize_text("".join(made)))

        def footer(self) -> None:
            self.set_y(-14)
            _font(self, "sans", 7.5, SOFT)
            self.cell(RIGHT - LEFT - 20, 4, f"{document.paper}  ·  {document.title} {document.number}")
            self.cell(20, 4, f"{self.page_no()} of {{nb}}", align="R")

    sheet = Sheet(format="A4")
    sheet.set_margins(LEFT, TOP, 210 - RIGHT)
    sheet.set_auto_page_break(True, BOTTOM)
    sheet.c_margin = 0
    for family, style, name in OWN:
        sheet.add_font(family, style, FONTS / f"NotoS{name}.ttf")
    sheet.set_fallback_fonts([*_scripts(sheet, repr(document)), "sans"], exact_match=False)
    sheet.set_text_shaping(use_shaping_engine=True)
    sheet.set_title(f"{document.title} {document.number}")
    sheet.set_author(document.supplier.name)
    sheet.set_lang("en")
    sheet.set_creation_date(datetime.combine(document.issued_on, time(), UTC))
    sheet.add_page()
    return sheet


def _scripts(sheet: Any, text: str) -> list[str]:
    """Load the fonts of the Indian scripts that are written in `text`; their families."""
    used = [name for name, start in SCRIPTS.items() if any(start <= ord(letter) < start + BLOCK for letter in text)]
    for name in used:
        bold = "Bold" if name == "Devanagari" else "Regular"
        sheet.add_font(name, "", FONTS / f"NotoSans{name}-Regular.ttf")
        sheet.add_font(name, "B", FONTS / f"NotoSans{name}-{bold}.ttf")
    return used


def _font(sheet: Any, family: str, size: float, colour: tuple[int, int, int] = INK, *, bold: bool = False) -> None:
    sheet.set_font(family, "B" if bold or family == "serif" else "", size)
    sheet.set_text_color(*colour)


def _rule(sheet: Any, y: float, width: float = 0.2, colour: tuple[int, int, int] = INK, start: float = LEFT) -> None:
    sheet.set_draw_color(*colour)
    sheet.set_line_width(width)
    sheet.line(start, y, RIGHT, y)


def _head(sheet: Any, document: Document) -> None:
    _font(sheet, "serif", 24)
    sheet.multi_cell(RIGHT - LEFT, 11, document.paper, align="C", new_x="LMARGIN", new_y="NEXT")
    y = sheet.get_y() + 2
    _rule(sheet, y, 0.7)
    _rule(sheet, y + 1.1, 0.2)
    sheet.set_y(y + 7)
    _font(sheet, "serif", 17)
    sheet.cell(110, 9, document.title)
    if document.mark:
        colour = {"good": GOOD, "bad": ACCENT}.get(document.mood, SOFT)
        _font(sheet, "sans", 10.5, colour, bold=True)
        width = sheet.get_string_width(document.mark) + 9
        sheet.set_draw_color(*colour)
        sheet.set_line_width(0.5)
        sheet.set_xy(RIGHT - width, y + 7.2)
        sheet.cell(width, 8.4, document.mark, border=1, align="C")
    sheet.set_y(y + 20)


def _parties(sheet: Any, document: Document) -> None:
    """Three columns: from, to, and what the document is."""
    top = sheet.get_y()
    ends = [_party(sheet, LEFT, top, "From", document.supplier), _party(sheet, 80.0, top, "To", document.buyer)]
    y = top
    for label, value in document.facts:
        sheet.set_xy(140, y)
        _font(sheet, "sans", 7.5, SOFT)
        sheet.cell(RIGHT - 140, LEADING - 0.6, label, new_x="LEFT", new_y="NEXT")
        _font(sheet, "sans", 9, bold=label == "Number")
        sheet.multi_cell(RIGHT - 140, LEADING, value, align="L", new_x="LEFT", new_y="NEXT")
        y = sheet.get_y() + 1.2
    sheet.set_y(max(*ends, y) + 7)


def _party(sheet: Any, x: float, y: float, label: str, party: Party) -> float:
    width = 56.0
    sheet.set_xy(x, y)
    _font(sheet, "sans", 7.5, SOFT)
    sheet.cell(width, LEADING - 0.6, label, new_x="LEFT", new_y="NEXT")
    _font(sheet, "sans", 10, bold=True)
    sheet.multi_cell(width, 5.2, party.name, align="L", new_x="LEFT", new_y="NEXT")
    _font(sheet, "sans", 9)
    for line in party.lines:
        sheet.multi_cell(width, LEADING, line, align="L", new_x="LEFT", new_y="NEXT")
    if party.gstin:
        sheet.set_y(sheet.get_y() + 1)
        sheet.set_x(x)
        _font(sheet, "sans", 9, bold=True)
        sheet.cell(width, LEADING, f"GSTIN {party.gstin}", new_x="LEFT", new_y="NEXT")
    return float(sheet.get_y())


def _columns(rows: tuple[Row, ...]) -> tuple[tuple[str, float, str], ...]:
    """(heading, width, alignment); columns that no row needs are left out."""
    code = any(row.code for row in rows)
    quantity = any(row.quantity for row in rows)
    rest = 138.0 - (20 if code else 0) - (14 if quantity else 0)
    made = [("Description", rest, "L"), ("SAC", 20.0, "L"), ("Qty", 14.0, "R"), ("Amount", 36.0, "R")]
    return tuple(column for column in made if (column[0] != "SAC" or code) and (column[0] != "Qty" or quantity))


def _rows(sheet: Any, document: Document) -> None:
    columns = _columns(document.rows)
    _rule(sheet, sheet.get_y(), 0.5)
    sheet.set_y(sheet.get_y() + 1.4)
    _font(sheet, "sans", 8, SOFT, bold=True)
    for heading, width, align in columns:
        sheet.cell(width, 5, heading, align=align)
    sheet.ln(6.2)
    _rule(sheet, sheet.get_y(), 0.2)
    for row in document.rows:
        _one_row(sheet, row, columns)
    sheet.set_y(sheet.get_y() + 3)


def _one_row(sheet: Any, row: Row, columns: tuple[tuple[str, float, str], ...]) -> None:
    if sheet.will_page_break(16):
        sheet.add_page()
    y = sheet.get_y() + 1.8
    values = {"SAC": row.code, "Qty": row.quantity, "Amount": row.amount}
    x = LEFT + columns[0][1]
    _font(sheet, "sans", 9.5)
    for heading, width, align in columns[1:]:
        sheet.set_xy(x, y)
        sheet.cell(width, LEADING, values[heading], align=align)
        x += width
    sheet.set_xy(LEFT, y)
    sheet.multi_cell(columns[0][1] - 4, LEADING, row.text, align="L", new_x="LEFT", new_y="NEXT")
    if row.days:
        _font(sheet, "sans", 8.5, SOFT)
        sheet.multi_cell(columns[0][1] - 4, LEADING, row.days, align="L", new_x="LEFT", new_y="NEXT")
    sheet.set_y(sheet.get_y() + 1.8)
    _rule(sheet, sheet.get_y(), 0.2, LINE)


def _sums(sheet: Any, document: Document) -> None:
    start = 108.0
    for row in document.sums:
        if sheet.will_page_break(10):
            sheet.add_page()
        if row.strong:
            sheet.set_y(sheet.get_y() + 0.8)
            _rule(sheet, sheet.get_y(), 0.4, start=start)
            sheet.set_y(sheet.get_y() + 0.9)
        sheet.set_x(start)
        _font(sheet, "sans", 11 if row.strong else 9.5, INK if row.strong else SOFT, bold=row.strong)
        sheet.cell(RIGHT - start - 40, 6.4 if row.strong else 5.6, row.text)
        _font(sheet, "sans", 11 if row.strong else 9.5, bold=row.strong)
        sheet.cell(40, 6.4 if row.strong else 5.6, row.amount, align="R", new_x="LMARGIN", new_y="NEXT")


def _small_print(sheet: Any, document: Document) -> None:
    sheet.set_y(sheet.get_y() + 10)
    _font(sheet, "sans", 8, SOFT)
    for note in document.notes:
        sheet.multi_cell(RIGHT - LEFT, 4.2, note, align="L", new_x="LMARGIN", new_y="NEXT")

"""PDF files as a press makes them, by other software than ours."""

from __future__ import annotations

import html
from io import BytesIO
from pathlib import Path

from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas
from reportlab.platypus import Frame, Paragraph

WIDTH, HEIGHT = 330 * mm, 330 * mm
_BODY = ParagraphStyle("body", fontName="Times-Roman", fontSize=9, leading=10.8, alignment=4, firstLineIndent=9)
Article = tuple[str, list[str]]


def write(path: Path, pages: list[list[Article]], *, password: str = "", folio: str = "The Morning Press") -> Path:
    """A newspaper: each page has up to three articles, two side by side over one across the page."""
    locked = StandardEncryption(password, ownerPassword=password + "x") if password else None
    sheet = canvas.Canvas(str(path), pagesize=(WIDTH, HEIGHT), encrypt=locked, invariant=1)
    for number, articles in enumerate(pages, 1):
        sheet.setFont("Times-Roman", 9)
        sheet.drawString(15 * mm, HEIGHT - 15 * mm, f"{number}  {folio}")
        x, y, high = 15 * mm, HEIGHT - 25 * mm, 135 * mm
        for place, article in enumerate(articles):
            columns = 5 if place == 2 else 2 if place else 3
            _article(sheet, article, x, y, columns=columns, high=high)
            x += columns * 61 * mm
            if place == 1:
                x, y = 15 * mm, y - high - 6 * mm
                sheet.line(15 * mm, y + 3 * mm, WIDTH - 15 * mm, y + 3 * mm)
        sheet.showPage()
    sheet.save()
    return path


def _article(sheet: canvas.Canvas, article: Article, x: float, y: float, *, columns: int, high: float) -> None:
    headline, paragraphs = article
    wide = columns * 57 * mm + (columns - 1) * 4 * mm
    head = Paragraph(html.escape(headline), ParagraphStyle("h", fontName="Times-Bold", fontSize=20, leading=23))
    _, tall = head.wrap(wide, 200 * mm)
    head.drawOn(sheet, x, y - tall)
    flow = [Paragraph(html.escape(text), _BODY) for text in paragraphs]
    for column in range(columns):
        frame = Frame(x + column * 61 * mm, y - high, 57 * mm, high - tall - 4 * mm, 0, 0, 0, 0)
        frame.addFromList(flow, sheet)


def scanned(path: Path) -> Path:
    """A page that is a picture and nothing else."""
    from PIL import Image

    picture = BytesIO()
    Image.effect_noise((600, 900), 40).save(picture, "PNG")
    picture.seek(0)
    sheet = canvas.Canvas(str(path), pagesize=(WIDTH, HEIGHT), invariant=1)
    sheet.drawImage(ImageReader(picture), 0, 0, WIDTH, HEIGHT)
    sheet.showPage()
    sheet.save()
    return path

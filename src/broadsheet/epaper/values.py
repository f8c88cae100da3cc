"""What the e-paper tells others: frozen values. Boxes are (x0, y0, x1, y1) in ten-thousandths of the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

Box = tuple[int, int, int, int]
WIDTHS = (160, 480, 800, 1600, 2400)
"""Pixels across of the pictures of a page: thumbnail, first look (under 80 kB, so that a slow line shows it within a
second), phone, desktop, zoom."""
FRONT_WIDTH = 200
"""Pixels across of the small front page that anyone may see: no word of its text can be read."""


@dataclass(frozen=True, slots=True)
class EditionView:
    """An edition that readers may open. While `state` is processing, only `pages_ready` of `pages_total` can be."""

    id: int
    date: date
    city: str
    title: str
    language: str
    kind: str
    state: str
    pages_total: int
    pages_ready: int
    revision: int
    published_at: datetime
    has_pdf: bool
    pdf_bytes: int


@dataclass(frozen=True, slots=True)
class PageView:
    """`images` are (width, height, bytes) in pixels, small first; empty while the page is not ready."""

    id: int
    number: int
    label: str
    section: str
    ready: bool
    scanned: bool
    picture_key: str
    source_key: str
    width_mm: int
    height_mm: int
    images: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class AreaView:
    """`continued_on` is (area id, page number) of where the story goes on, `continued_from` of where it came from."""

    id: int
    page: int
    number: int
    kind: str
    box: Box
    boxes: tuple[Box, ...]
    headline: str
    story_id: int | None
    score: int
    continued_on: tuple[int, int] | None
    continued_from: tuple[int, int] | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class MarkedPdf:
    """A PDF with a reader's name on each page: `size` bytes come out of `chunks`, read from the disk as they go."""

    name: str
    size: int
    chunks: Iterator[bytes]

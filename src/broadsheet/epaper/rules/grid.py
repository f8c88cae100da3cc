"""The broadsheet's grid: six columns and lines of eleven points. Lengths in points, heights of boxes in lines."""

from __future__ import annotations

import math

MM = 72 / 25.4
PAGE_WIDTH, PAGE_HEIGHT = 370 * MM, 560 * MM
COLUMNS = 6
GUTTER = 13.0
LINE = 11.0
MARGIN = 14 * MM
TOP = 25 * MM
LIVE = PAGE_WIDTH - 2 * MARGIN
COLUMN = (LIVE - (COLUMNS - 1) * GUTTER) / COLUMNS
LINES = math.floor((PAGE_HEIGHT - TOP - 13 * MM) / LINE)
MASTHEAD = 8
"""Lines that the nameplate takes of the front page."""
RULE = 2
"""Lines between one row of stories and the next."""


def width_of(columns: int) -> float:
    """The width of so many columns with the gutters between them."""
    return columns * COLUMN + (columns - 1) * GUTTER


def x_of(column: int) -> float:
    """Where a column begins."""
    return MARGIN + column * (COLUMN + GUTTER)


def y_of(line: float) -> float:
    """Where a line of the page begins."""
    return TOP + line * LINE


def lines_of(points: float) -> int:
    """The lines that a height takes."""
    return max(0, math.ceil(points / LINE - 0.02))

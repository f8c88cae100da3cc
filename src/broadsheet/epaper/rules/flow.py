"""How a story's text runs from column to column: paragraphs are split at lines, and no line of one stands alone at the
top of a column. Pure; counts lines only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LONE = 2  # a paragraph's last line never stands alone over a column


@dataclass(frozen=True, slots=True)
class Unit:
    """A paragraph or another run of lines. `whole` units are not split; `keep` asks for two lines of the next below."""

    lines: int
    whole: bool = False
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """The lines [start, end) of a unit's `total`."""

    unit: int
    start: int
    end: int
    total: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a story: lines before `line` of unit `unit` are set already."""

    unit: int = 0
    line: int = 0


START = Mark()


def left(units: Sequence[Unit], mark: Mark) -> int:
    """Lines from the mark to the end."""
    return sum(unit.lines for unit in units[mark.unit :]) - mark.line


def fill(units: Sequence[Unit], mark: Mark, room: int) -> tuple[tuple[Piece, ...], Mark]:
    """What goes into a column of `room` lines from the mark on, and where the next column begins."""
    pieces: list[Piece] = []
    at, line = mark.unit, mark.line
    while at < len(units) and room > 0:
        unit = units[at]
        rest = unit.lines - line
        take = _take(units, at, rest, room)
        if take:
            pieces.append(Piece(at, line, line + take, unit.lines))
        room -= take
        if take < rest:
            return tuple(pieces), Mark(at, line + take)
        at, line = at + 1, 0
    return tuple(pieces), Mark(at, line)


def _take(units: Sequence[Unit], at: int, rest: int, room: int) -> int:
    unit = units[at]
    if unit.keep and at + 1 < len(units) and room < rest + min(LONE, units[at + 1].lines):
        return 0
    if rest <= room:
        return rest
    if unit.whole:
        return 0
    take = room
    if rest - take < LONE:
        take = rest - LONE
    return max(0, take)


def pour(units: Sequence[Unit], mark: Mark, rooms: Sequence[int]) -> tuple[list[tuple[Piece, ...]], Mark]:
    """Fill column after column. Returns each one's pieces and where the text stopped."""
    columns = []
    for room in rooms:
        pieces, mark = fill(units, mark, room)
        columns.append(pieces)
    return columns, mark


def is_end(units: Sequence[Unit], mark: Mark) -> bool:
    """Whether nothing is left."""
    return mark.unit >= len(units)

"""A planned issue as what the typesetter draws, in reading order, and the areas that readers tap. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from broadsheet.epaper.rules.flow import Mark, Piece, pour
from broadsheet.epaper.rules.grid import (
    COLUMNS,
    GUTTER,
    LINE,
    LINES,
    MARGIN,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    RULE,
    width_of,
    x_of,
    y_of,
)
from broadsheet.epaper.rules.issue import Issue, Sheet
from broadsheet.epaper.rules.makeup import FROM, Placed, rooms

Box = tuple[int, int, int, int]
MOST_SPREAD = 5.0  # points between paragraphs


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page's drawing list, and its areas: (story's key, boxes, first word's mark)."""

    number: int
    section: str
    things: tuple[dict[str, Any], ...]
    areas: tuple[tuple[int, tuple[Box, ...]], ...]


def draw(issue: Issue, top_of: Mapping[int, int]) -> list[Drawn]:
    """Every page's drawing list; `top_of` are the lines kept free at the top of a page, by its number."""
    turned = _turned(issue)
    return [_sheet(sheet, turned, top_of.get(sheet.number, 0)) for sheet in issue.sheets]


def _turned(issue: Issue) -> dict[tuple[int, Mark], int]:
    """On which page the text of a story goes on from a mark."""
    return {
        (placed.item.key, placed.item.mark): sheet.number
        for sheet in issue.sheets
        for placed in sheet.made.placed
        if placed.item.comes_from
    }


def _sheet(sheet: Sheet, turned: Mapping[tuple[int, Mark], int], top: int) -> Drawn:
    things: list[dict[str, Any]] = []
    areas: list[tuple[int, tuple[Box, ...]]] = []
    things += _rules(sheet.made.placed, top)
    for placed in sheet.made.placed:
        mark = sheet.goes_on.get(placed.item.key)
        further = turned.get((placed.item.key, mark)) if mark else None
        made = _story(placed, top, further)
        things += made
        areas.append((placed.item.key, _boxes(made)))
    if sheet.made.filler:
        line, high = sheet.made.filler
        columns = COLUMNS - (sheet.number == 1)
        first = COLUMNS - columns
        things.append(
            {
                "t": "filler", "x": x_of(first), "y": y_of(top + line), "w": width_of(columns), "h": high * LINE,
            }
        )  # fmt: skip
    return Drawn(sheet.number, sheet.section, tuple(things), tuple(areas))


def _story(placed: Placed, top: int, further: int | None) -> list[dict[str, Any]]:
    item, shape = placed.item, placed.shape
    x, wide = x_of(placed.column), width_of(shape.columns)
    line = float(top + placed.line)
    base: dict[str, Any] = {"s": item.key, "x": x, "w": wide}
    things: list[dict[str, Any]] = []
    if item.kicker:
        things.append({**base, "t": "kicker", "y": y_of(line)})
    things.append(
        {
            **base, "t": "head", "y": y_of(line) + (12.0 if item.kicker else 0.0), "size": shape.size,
            "h": shape.head * LINE, "columns": shape.columns,
        }
    )  # fmt: skip
    if shape.deck:
        things.append({**base, "t": "deck", "y": y_of(line) + shape.head * LINE + 2.0, "h": shape.deck * LINE})
    things += _text(placed, line + shape.top, further)
    return things


def _text(placed: Placed, line: float, further: int | None) -> list[dict[str, Any]]:
    item, shape = placed.item, placed.shape
    things: list[dict[str, Any]] = []
    if shape.across == shape.columns and shape.high:
        things.append(_picture(placed, placed.column, line))
        line += shape.high
    elif shape.across:
        things.append(_picture(placed, placed.column + shape.columns - shape.across, line))
    room = rooms(shape, item=item, cut=shape.cut)
    poured, _ = pour(item.units, item.mark, room)
    for number, pieces in enumerate(poured):
        under = 0 < shape.across < shape.columns and number >= shape.columns - shape.across
        start = line + (shape.high if under else 0)
        column = {
            "t": "col", "s": item.key, "x": x_of(placed.column + number), "y": y_of(start), "w": width_of(1),
            "pieces": [_piece(piece) for piece in pieces],
            "from": item.comes_from if number == 0 else 0,
            "goes": (further or 0) if shape.cut and number == len(poured) - 1 else 0,
            "lines": room[number] + (FROM if number == 0 and item.comes_from else 0)
            + (1 if shape.cut and number == len(poured) - 1 else 0),
        }  # fmt: skip
        column["spread"] = _spread(pieces, room[number])
        if pieces or column["from"] or column["goes"]:
            things.append(column)
    return things


def _spread(pieces: Sequence[Piece], room: int) -> float:
    """Points added between the paragraphs of a column that would end a little above its neighbours."""
    used = sum(piece.end - piece.start for piece in pieces)
    gaps = len(pieces) - 1
    if gaps < 1 or used >= room or room - used > max(2, 0.16 * room):
        return 0.0
    return round(min(MOST_SPREAD, (room - used) * LINE / gaps), 2)


def _piece(piece: Piece) -> list[int]:
    return [piece.unit, piece.start, piece.end, piece.total]


def _picture(placed: Placed, column: int, line: float) -> dict[str, Any]:
    shape, item = placed.shape, placed.item
    caption = item.captions[shape.across - 1] if item.captions else 0
    return {
        "t": "pic", "s": item.key, "x": x_of(column), "y": y_of(line) + 2.0, "w": width_of(shape.across),
        "h": (shape.high - 1 - caption) * LINE, "caption": caption * LINE,
    }  # fmt: skip


def _rules(placed: Sequence[Placed], top: int) -> list[dict[str, Any]]:
    """Thin lines between rows, and between neighbours in a row."""
    things: list[dict[str, Any]] = []
    for one in placed:
        if one.line:
            things.append(
                {
                    "t": "rule", "x": x_of(one.column), "y": y_of(top + one.line - RULE * 0.62),
                    "w": width_of(one.shape.columns), "h": 0,
                }
            )  # fmt: skip
        left = [other for other in placed if other.line == one.line and other.column < one.column]
        if left:
            things.append(
                {
                    "t": "rule", "x": x_of(one.column) - GUTTER / 2, "y": y_of(top + one.line) + 2, "w": 0,
                    "h": one.shape.lines * LINE - 4,
                }
            )  # fmt: skip
    return things


def _boxes(things: Sequence[dict[str, Any]]) -> tuple[Box, ...]:
    found = []
    for thing in things:
        if thing["t"] == "col":
            high = thing["lines"] * LINE
        elif thing["t"] == "pic":
            high = thing["h"] + thing["caption"] + 4
        else:
            high = thing.get("h", LINE)
        found.append(box_of(thing["x"], thing["y"], thing["w"], high))
    return tuple(found)


def box_of(x: float, y: float, wide: float, high: float) -> Box:
    """Points as ten-thousandths of the page."""
    return (
        max(0, round((x - 2) / PAGE_WIDTH * 10_000)),
        max(0, round((y - 2) / PAGE_HEIGHT * 10_000)),
        min(10_000, round((x + wide + 2) / PAGE_WIDTH * 10_000)),
        min(10_000, round((y + high + 2) / PAGE_HEIGHT * 10_000)),
    )


def rail(
    briefs: Sequence[tuple[int, float]], top: int
) -> tuple[list[dict[str, Any]], list[tuple[int, tuple[Box, ...]]]]:
    """The narrow column of briefs on the front: (story's key, points high) from the top until it is full."""
    things: list[dict[str, Any]] = []
    areas: list[tuple[int, tuple[Box, ...]]] = []
    y, foot = y_of(top) + 26, y_of(LINES)
    shown = []
    for key, high in briefs:
        if y + high > foot:
            continue
        shown.append((key, high))
        y += high
    air = min(16.0, (foot - y) / max(1, len(shown)))
    y = y_of(top) + 26
    for key, high in shown:
        things.append({"t": "brief", "s": key, "x": MARGIN, "y": y, "w": width_of(1), "h": high})
        areas.append((key, (box_of(MARGIN, y, width_of(1), high),)))
        y += high + air
    return things, areas

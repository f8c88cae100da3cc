"""Makes up and sets one automatic edition in a process of its own: `FOLDER` holds job.json and the pictures, and gets
edition.pdf and made.json. No network, no fonts but those that come with the product. Django-free.

First the galley: how many lines everything takes. Then the make-up decides what stands where; then the pages are drawn.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import typst

from broadsheet.epaper.adapters.child_limits import hold_limits
from broadsheet.epaper.rules import grid
from broadsheet.epaper.rules.flow import Unit
from broadsheet.epaper.rules.issue import plan
from broadsheet.epaper.rules.makeup import ALL_SIZES, Item
from broadsheet.epaper.rules.ragged import Ragged
from broadsheet.epaper.rules.sheets import Drawn, draw, rail

HERE = Path(__file__).resolve().parent.parent
FONTS = (HERE / "fonts", HERE.parent / "payments" / "fonts")
LAYOUTS = ("style.typ", "galley.typ", "main.typ")
RAIL_AIR = 12.0
# What style.typ sets: a deck's line, a headline's in parts of its size, and the least size of the display face.
DECK, LATIN_LINE, OTHER_LINE, DISPLAY = 11.2, 1.02, 1.34, 21
_JOINED = re.compile("[\u0600-\u1fff]")


def fonts() -> Any:
    """The fonts that come with the product and no others: an edition looks the same on every machine."""
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder) for folder in FONTS]
    )


def set_edition(folder: Path) -> dict[str, Any]:
    """Make up and set the edition of `folder`. Returns what made.json holds."""
    began = time.perf_counter()
    job = json.loads((folder / "job.json").read_text("utf-8"))
    for name in LAYOUTS:
        shutil.copyfile(HERE / "typst" / name, folder / name)
    stories = job["stories"]
    data = {
        "line": grid.LINE,
        "widths": [grid.width_of(count) for count in range(1, grid.COLUMNS + 1)],
        "stories": stories,
        "words": job["words"],
    }
    known = fonts()
    for story in stories:
        _count_letters(story)
        if story["picture"]:
            story["picture"] = _settable(folder, story["picture"], story["aspect"], known)
    _write(folder / "data.json", data)
    compiler = typst.Compiler(str(folder / "galley.typ"), root=str(folder), font_paths=known)
    measured = json.loads(compiler.query("<found>", field="value", one=True))
    galley = time.perf_counter()
    items = [_item(number, story, found) for number, (story, found) in enumerate(zip(stories, measured, strict=True))]
    issue = plan([item for item in items if item.role != "brief"], least=job["least_pages"], most=job["most_pages"])
    drawn = draw(issue, {1: grid.MASTHEAD})
    drawn[0] = _with_rail(drawn[0], drawn, stories, measured, job["words"])
    _balance(drawn, stories, measured)
    made_up = time.perf_counter()
    front = job["front"]
    front["dateline"][-1] = front["dateline"][-1].replace("{}", str(len(drawn)))
    _write(
        folder / "plan.json",
        {**front, **geometry(), "letters": _letters(stories, measured), "sheets": [_sheet(sheet) for sheet in drawn]},
    )
    compiler.compile(
        str(folder / "main.typ"), output=str(folder / "edition.pdf"), format="pdf", pdf_standards=["ua-1"],
        timestamp=job["timestamp"],
    )  # fmt: skip
    made = {
        "pages": [
            {"number": sheet.number, "section": sheet.section, "areas": [[key, boxes] for key, boxes in sheet.areas]}
            for sheet in drawn
        ],
        "left_out": list(issue.left_out),
        "seconds": {
            "galley": round(galley - began, 3),
            "make_up": round(made_up - galley, 3),
            "setting": round(time.perf_counter() - made_up, 3),
        },
    }
    _write(folder / "made.json", made)
    return made


def _settable(folder: Path, name: str, aspect: float, known: Any) -> str:
    """The picture's name, or that of a drawing made of dots: words in scripts that join their letters would be words
    without meaning to those who listen to a PDF; its alternative text says what it shows."""
    if not name.endswith(".svg") or not _JOINED.search((folder / name).read_text("utf-8", "replace")):
        return name
    source = (
        f'#set page(width: 400pt, height: {400 / aspect}pt, margin: 0pt)\n#image("{name}", width: 100%, height: 100%)'
    )
    (folder / "picture.typ").write_text(source, "utf-8")
    flat = f"{name}.png"
    typst.Compiler(str(folder / "picture.typ"), root=str(folder), font_paths=known).compile(
        output=str(folder / flat), format="png", ppi=288
    )
    return flat


def _count_letters(story: dict[str, Any]) -> None:
    """For each paragraph after how many letters each of its words ends, and whether all are of one style."""
    for paragraph in story["paras"]:
        sizes = (len(word if isinstance(word, str) else word[0]) + 1 for word in paragraph["w"])
        paragraph["ends"] = list(accumulate(sizes))
        paragraph["plain"] = all(isinstance(word, str) for word in paragraph["w"])


def _letters(stories: Sequence[dict[str, Any]], measured: Sequence[dict[str, Any]]) -> list[float]:
    """About how many letters a line of each story holds."""
    made = []
    for story, found in zip(stories, measured, strict=True):
        pairs = list(zip(story["paras"], found["paras"], strict=True))
        lines = sum(max(0.5, count - 0.5) for paragraph, count in pairs if paragraph["k"] != "h")
        letters = sum(paragraph["ends"][-1] for paragraph, _ in pairs if paragraph["k"] != "h")
        made.append(round(letters / max(lines, 0.5), 2))
    return made


def _balance(sheets: Sequence[Drawn], stories: Sequence[dict[str, Any]], measured: Sequence[dict[str, Any]]) -> None:
    """Narrow each headline's measure until its lines are about equally long."""
    for sheet in sheets:
        for thing in sheet.things:
            if thing["t"] == "head":
                key = thing["s"]
                _, thing["w"] = _head(stories[key], measured[key], thing["size"], thing["columns"])


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")), "utf-8")


def geometry() -> dict[str, float]:
    """The page, in points."""
    return {
        "width": grid.PAGE_WIDTH,
        "height": grid.PAGE_HEIGHT,
        "margin": grid.MARGIN,
        "live": grid.LIVE,
        "masthead": grid.y_of(grid.MASTHEAD),
    }


def _sheet(sheet: Drawn) -> dict[str, Any]:
    return {"number": sheet.number, "section": sheet.section, "things": sheet.things}


def _item(number: int, story: dict[str, Any], found: dict[str, Any]) -> Item:
    units = [Unit(found["byline"], whole=True, keep=True)] if found["byline"] else []
    for paragraph, lines in zip(story["paras"], found["paras"], strict=True):
        head = paragraph["k"] == "h"
        units.append(Unit(lines + head, whole=head, keep=head))
    if found["tail"]:
        units.append(Unit(found["tail"], whole=True))
    return Item(
        key=number,
        units=tuple(units),
        heads={(columns, size): _head(story, found, size, columns)[0] for columns, size in ALL_SIZES},
        decks={
            columns: 2 * (lines := ragged.lines(grid.width_of(columns))) - 2 + DECK * lines
            for columns in range(1, grid.COLUMNS + 1)
            if (ragged := _ragged(found["wide"]["deck"])).words and story["role"] != "brief"
        },
        captions=tuple(
            _ragged(found["wide"]["caption"]).lines(grid.width_of(columns)) if story["caption"] else 0
            for columns in range(1, grid.COLUMNS + 1)
        ),
        aspect=story["aspect"],
        loose=story["loose"],
        role=story["role"],
        section=story["section"],
        kicker=bool(story["kicker"]),
        weight=story["weight"],
        page=story["page"],
        rank=story["rank"],
    )


def _ragged(found: tuple[list[float], float]) -> Ragged:
    words, space = found
    return Ragged(tuple(words) if words != [0] else (), space)


def _head(story: dict[str, Any], found: dict[str, Any], size: int, columns: int) -> tuple[float, float]:
    """(height, width of the measure that makes its lines about equally long) of a headline."""
    large = size >= DISPLAY
    ragged = _ragged(found["wide"]["display" if large else "plain"])
    scale = size / (100 if large else 20)
    wide = grid.width_of(columns)
    line = LATIN_LINE if story["latin"] else OTHER_LINE
    rows = ragged.lines(wide, scale)
    set_in = size * (1 if story["latin"] else 0.9)
    return rows * line * set_in + (rows - 1) * 0.03 * set_in, ragged.balanced(wide, scale)


def _with_rail(
    front: Drawn,
    sheets: Sequence[Drawn],
    stories: Sequence[dict[str, Any]],
    measured: Sequence[dict[str, Any]],
    words: dict[str, str],
) -> Drawn:
    """The front's narrow column: the briefs, then what stands inside, the first of each page first."""
    on_front = {key for key, _ in front.areas}
    page_of: dict[int, int] = {}
    for sheet in sheets[1:]:
        for key, _ in sheet.areas:
            page_of.setdefault(key, sheet.number)
    briefs = [number for number, story in enumerate(stories) if story["role"] == "brief"]
    firsts = [
        key
        for rank in range(3)
        for sheet in sheets[1:]
        for key in [key for key, _ in sheet.areas if key not in on_front and stories[key]["deck"]][rank : rank + 1]
    ]
    chosen = list(dict.fromkeys([*briefs, *firsts]))
    things, areas = rail([(key, measured[key]["brief"] + RAIL_AIR) for key in chosen], grid.MASTHEAD)
    for thing in things:
        if thing["s"] in page_of:
            thing["page"] = page_of[thing["s"]]
    head = {
        "t": "railhead", "x": grid.MARGIN, "y": grid.y_of(grid.MASTHEAD) + 1, "w": grid.COLUMN,
        "text": words["briefs"] if briefs else words["inside"],
    }  # fmt: skip
    line = {
        "t": "rule", "x": grid.x_of(1) - grid.GUTTER / 2, "y": grid.y_of(grid.MASTHEAD), "w": 0,
        "h": (grid.LINES - grid.MASTHEAD) * grid.LINE,
    }  # fmt: skip
    return Drawn(front.number, front.section, (*front.things, line, head, *things), (*front.areas, *areas))


def main(arguments: list[str]) -> None:
    hold_limits()
    folder = Path(arguments[0])
    try:
        set_edition(folder)
    except typst.TypstError as error:
        _write(folder / "made.json", {"failed": error.message, "detail": "; ".join([*error.hints, *error.trace])[:500]})


if __name__ == "__main__":
    main(sys.argv[1:])

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
from pathlib import Path
from typing import Any

import typst

from broadsheet.epaper.adapters.child_limits import hold_limits
from broadsheet.epaper.rules import grid
from broadsheet.epaper.rules.flow import Unit
from broadsheet.epaper.rules.issue import plan
from broadsheet.epaper.rules.makeup import ALL_SIZES, Item
from broadsheet.epaper.rules.sheets import Drawn, draw, rail

HERE = Path(__file__).resolve().parent.parent
FONTS = (HERE / "fonts", HERE.parent / "payments" / "fonts")
LAYOUTS = ("style.typ", "galley.typ", "main.typ")
RAIL_AIR = 12.0
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
    for story in stories:
        story["heads"] = ALL_SIZES
        story["decks"] = list(range(1, grid.COLUMNS + 1))
    data = {
        "line": grid.LINE,
        "widths": [grid.width_of(count) for count in range(1, grid.COLUMNS + 1)],
        "stories": stories,
        "words": job["words"],
    }
    known = fonts()
    for story in stories:
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
    made_up = time.perf_counter()
    front = job["front"]
    front["dateline"][-1] = front["dateline"][-1].replace("{}", str(len(drawn)))
    _write(folder / "plan.json", {**front, **_geometry(), "sheets": [_sheet(sheet) for sheet in drawn]})
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


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")), "utf-8")


def _geometry() -> dict[str, float]:
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
        heads={(columns, size): height for columns, size, height in found["heads"]},
        decks={columns: height for columns, height in found["decks"]} if story["role"] != "brief" else {},
        captions=tuple(found["captions"]) or (0,) * grid.COLUMNS,
        aspect=story["aspect"],
        loose=story["loose"],
        role=story["role"],
        section=story["section"],
        kicker=bool(story["kicker"]),
        weight=story["weight"],
        page=story["page"],
        rank=story["rank"],
    )


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

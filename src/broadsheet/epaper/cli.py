"""The commands `broadsheet epaper import` and `broadsheet epaper list`."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from broadsheet import clock
from broadsheet.epaper import desk_queries as queries
from broadsheet.epaper.actions import importing, intake

FOUND_WRONG = 1


def add_commands(subparsers: Any) -> None:
    """Adds `epaper` with `import` and `list`."""
    epaper = subparsers.add_parser("epaper", help="the pages of the press, as an edition that readers turn")
    commands = epaper.add_subparsers(dest="epaper_command", required=True, metavar="COMMAND")
    taking = commands.add_parser("import", help="make an edition from the press's PDF, or from a PDF a page")
    taking.add_argument("files", nargs="+", type=Path, metavar="FILE", help="in the order of the pages")
    taking.add_argument(
        "--date", type=date.fromisoformat, metavar="DATE", help="the day on its front; today when left out"
    )
    taking.add_argument("--city", default="", help="the city's slug, when the day has several editions")
    taking.add_argument("--title", default="", help="what readers see of the city, such as Late City")
    taking.add_argument("--language", default="en")
    # SUPPRESS keeps a global --json given before the command.
    taking.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object per line")
    taking.set_defaults(run=run_import)
    listing = commands.add_parser("list", help="the newest editions")
    listing.add_argument("--limit", type=int, default=20, metavar="N")
    listing.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object per line")
    listing.set_defaults(run=run_list)


def run_import(args: argparse.Namespace, out: TextIO | None = None) -> int:
    """Takes the files in and makes the pages. 0 when every page can be read; 1 when a file or a page was refused."""
    out = out or sys.stdout
    missing = [path for path in args.files if not path.is_file()]
    if missing:
        sys.stderr.write(f"broadsheet: there is no file {missing[0]}\n")
        return 2
    now = clock.now()
    day = args.date or queries.today(now)
    taken = intake.receive(paths=args.files, day=day, city=args.city, title=args.title, language=args.language, now=now)
    for each in taken.files:
        row = {"file": each.name, "outcome": each.outcome, "pages": each.pages, "reason": each.reason or None}
        _say(args, out, row, f"{each.name}: {each.outcome} {each.reason} {each.detail}".rstrip())
    if taken.edition_id is None:
        return FOUND_WRONG
    importing.make_pages(edition_id=taken.edition_id, tick=clock.now)
    found = queries.desk_edition(taken.edition_id)
    assert found is not None
    _say(args, out, _as_json(found), _as_line(found))
    return 0 if found.state == "published" and found.pages_ready == found.pages_total else FOUND_WRONG


def run_list(args: argparse.Namespace, out: TextIO | None = None) -> int:
    """Prints the newest editions, drafts and failed ones too. 0."""
    for found in queries.desk_editions(max(1, args.limit)):
        _say(args, out or sys.stdout, _as_json(found), _as_line(found))
    return 0


def _say(args: argparse.Namespace, out: TextIO, row: dict[str, Any], line: str) -> None:
    out.write((json.dumps(row, ensure_ascii=False) if getattr(args, "json", False) else line) + "\n")


def _as_line(found: queries.DeskEdition) -> str:
    name = f" {found.title or found.city}" if found.title or found.city else ""
    notes = "".join(f"\n            {note}" for note in (found.reason, *found.notes) if note)
    return (
        f"{found.date}  edition {found.id}{name}: {found.state}, {found.pages_ready}/{found.pages_total} pages{notes}"
    )


def _as_json(found: queries.DeskEdition) -> dict[str, Any]:
    return {
        "edition_id": found.id,
        "date": found.date.isoformat(),
        "city": found.city or None,
        "kind": found.kind,
        "state": found.state,
        "pages": found.pages_total,
        "pages_ready": found.pages_ready,
        "areas": found.areas,
        "linked": found.linked,
        "reason": found.reason or None,
        "notes": list(found.notes),
    }

"""The command `broadsheet archive`: search, rebuild, import and export."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, TextIO

from broadsheet import clock
from broadsheet.archive import actions, queries, transfer
from broadsheet.archive.index import IndexUnavailableError
from broadsheet.dates import rfc3339

FOUND_WRONG, USAGE = 1, 2
EVERY = 10_000  # lines between two words of progress


def add_commands(subparsers: Any) -> None:
    """Adds `archive` with its verbs."""
    archive = subparsers.add_parser("archive", help="search the paper's stories; bring old years in, take all out")
    commands = archive.add_subparsers(dest="archive_command", required=True, metavar="COMMAND")
    search = commands.add_parser("search", help="published stories that have every word, best first")
    search.add_argument("query", nargs="+", metavar="QUERY", help='words; "quoted words" must stand together')
    search.add_argument("--page", type=int, default=1, metavar="N", help="twenty stories a page")
    # SUPPRESS keeps a global --json given before the command.
    search.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object per line")
    search.set_defaults(run=run_search)
    rebuild = commands.add_parser("rebuild", help="build the search index anew from what is published")
    rebuild.set_defaults(run=run_rebuild)
    bring = commands.add_parser("import", help="old years from a file, one story as JSON a line")
    bring.add_argument("path", metavar="PATH", type=Path)
    bring.add_argument("--check", action="store_true", help="say what would come of each line, and change nothing")
    bring.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one object for each line read")
    bring.set_defaults(run=run_import)
    take = commands.add_parser("export", help="every published story, whole, in the form that import reads")
    take.add_argument("path", metavar="PATH", help="a file, or - for stdout")
    take.set_defaults(run=run_export)


def run_search(args: argparse.Namespace, out: TextIO | None = None) -> int:
    """Prints what a reader would find. 0, also when nothing is found; 1 when there is no index to search in."""
    out = out or sys.stdout
    try:
        found = queries.search(" ".join(args.query), max(1, args.page))
    except IndexUnavailableError as error:
        sys.stderr.write(f"{error} Build it with `broadsheet archive rebuild`.\n")
        return FOUND_WRONG
    for hit in found.hits:
        if getattr(args, "json", False):
            out.write(json.dumps(_as_json(hit), ensure_ascii=False) + "\n")
        else:
            out.write(f"{hit.card.published_at:%Y-%m-%d}  {hit.card.headline}\n            {hit.card.path}\n")
    sys.stderr.write(f"{found.total_text}\n")
    return 0


def _as_json(hit: queries.Hit) -> dict[str, Any]:
    card = hit.card
    return {
        "story_id": card.id,
        "url": card.path,
        "headline": card.headline,
        "standfirst": card.standfirst,
        "section": card.section.slug,
        "tier": card.tier,
        "language": card.language,
        "published_at": rfc3339(card.published_at),
    }


def run_rebuild(args: argparse.Namespace, out: TextIO | None = None) -> int:  # noqa: ARG001 - every command has this form
    """Builds the index anew. 0."""
    (out or sys.stdout).write(f"{actions.rebuild()} stories\n")
    return 0


def run_import(args: argparse.Namespace, out: TextIO | None = None) -> int:
    """Prints the lines that gave no story, with --json every line. 0 when all did, 1 when some did not."""
    out = out or sys.stdout
    if not args.path.is_file():
        sys.stderr.write(f"broadsheet: {args.path} is not a file.\n")
        return USAGE
    counts: Counter[str] = Counter()
    as_json = getattr(args, "json", False)
    for one in transfer.bring_in(args.path, now=clock.now(), check_only=args.check):
        counts[one.status] += 1
        if as_json:
            told = {"line": one.line, "source_id": one.source_id, "status": one.status}
            out.write(json.dumps({**told, "reason": one.reason or None, "story_id": one.story_id}) + "\n")
        elif one.status in ("refused", "kept"):
            out.write(f"line {one.line}: {one.reason}\n")
        if counts.total() % EVERY == 0:
            sys.stderr.write(f"{counts.total():,} lines\n")
    if not args.check:
        actions.write_pending()
    words = ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items())) or "nothing in it"
    (sys.stderr if as_json else out).write(f"{words}\n")
    return FOUND_WRONG if counts["refused"] else 0


def run_export(args: argparse.Namespace, out: TextIO | None = None) -> int:
    """0. The file appears whole or not at all."""
    if args.path == "-":
        count = transfer.take_out(out or sys.stdout)
    else:
        path = Path(args.path)
        part = path.with_name(f"{path.name}.part")
        with part.open("w", encoding="utf-8") as file:
            count = transfer.take_out(file)
        part.replace(path)
    sys.stderr.write(f"{count:,} stories\n")
    return 0

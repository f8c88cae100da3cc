"""The commands `broadsheet archive search` and `broadsheet archive rebuild`."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, TextIO

from broadsheet.archive import actions, queries
from broadsheet.archive.index import IndexUnavailableError
from broadsheet.dates import rfc3339

FOUND_WRONG = 1


def add_commands(subparsers: Any) -> None:
    """Adds `archive` with `search` and `rebuild`."""
    archive = subparsers.add_parser("archive", help="search the paper's stories")
    commands = archive.add_subparsers(dest="archive_command", required=True, metavar="COMMAND")
    search = commands.add_parser("search", help="published stories that have every word, best first")
    search.add_argument("query", nargs="+", metavar="QUERY", help='words; "quoted words" must stand together')
    search.add_argument("--page", type=int, default=1, metavar="N", help="twenty stories a page")
    # SUPPRESS keeps a global --json given before the command.
    search.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object per line")
    search.set_defaults(run=run_search)
    rebuild = commands.add_parser("rebuild", help="build the search index anew from what is published")
    rebuild.set_defaults(run=run_rebuild)


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

"""The commands `broadsheet wire parse` and `broadsheet wire import`: arguments and printing, no decisions."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, TextIO

from broadsheet.wire import formats
from broadsheet.wire.blocks import word_count
from broadsheet.wire.items import Item, Outcome, Quarantined, as_json
from broadsheet.wire.parse import files_below, parse_path

USAGE_ERROR = 2


def add_commands(subparsers: Any) -> None:
    """Adds `wire parse` and `wire import`; the parsed arguments name their function in `run`."""
    wire = subparsers.add_parser("wire", help="read agency files, or file them as stories")
    commands = wire.add_subparsers(dest="wire_command", required=True, metavar="COMMAND")
    parse = commands.add_parser("parse", help="read files and print one object per item; touches no database")
    parse.add_argument("paths", nargs="+", metavar="PATH", type=Path, help="a file, or a folder of files")
    parse.add_argument(
        "--format", dest="wire_format", choices=formats.names(), help="read as this format, whatever the content says"
    )
    parse.set_defaults(run=run_parse)
    file = commands.add_parser("import", help="file items as stories, one object per file and item")
    file.add_argument("paths", nargs="+", metavar="PATH", type=Path, help="a file, or a folder of files")
    file.add_argument("--publish", action="store_true", help="publish what passes the auto-publish gate")
    file.add_argument("--tier", choices=("free", "metered", "registered", "premium"), help="the tier new stories get")
    # By name: parsing must not load the database that importing needs.
    file.set_defaults(run="broadsheet.wire.importing:run_import")
    for command in (parse, file):
        command.add_argument("--source", metavar="NAME", help="the agency or feed the files come from")
        command.add_argument("--strict", action="store_true", help="exit 1 when a file was quarantined")
        _globals(command)


def _globals(parser: argparse.ArgumentParser) -> None:
    """The program's own options once more, behind the command; SUPPRESS keeps what stood before it."""
    parser.add_argument("--data", metavar="DIR", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    for name in ("--json", "--quiet"):
        parser.add_argument(name, action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def run_parse(args: argparse.Namespace, out: TextIO | None = None) -> int:
    """Prints what the files hold. 0; 1 with --strict when something was quarantined; 2 when a path cannot be read."""
    out = out or sys.stdout
    machine = bool(getattr(args, "json", False))
    counts: Counter[str] = Counter()
    unreadable = 0
    for path in files_below(args.paths):
        try:
            outcomes = parse_path(path, format=args.wire_format, source=args.source)
        except OSError as problem:
            sys.stderr.write(f"{path}: {problem.strerror}\n")
            unreadable += 1
            continue
        for outcome in outcomes:
            counts["quarantined" if isinstance(outcome, Quarantined) else "items"] += 1
            out.write((json.dumps(as_json(outcome), ensure_ascii=False) if machine else _line(outcome)) + "\n")
    if not machine and not getattr(args, "quiet", False):
        sys.stderr.write(f"{counts['items']} items, {counts['quarantined']} quarantined\n")
    if unreadable:
        return USAGE_ERROR
    return 1 if counts["quarantined"] and getattr(args, "strict", False) else 0


def _line(outcome: Outcome) -> str:
    if isinstance(outcome, Quarantined):
        return f"{outcome.file}: quarantined ({outcome.reason}): {outcome.detail}"
    return f"{outcome.file} [{outcome.index}] {outcome.format}{_marks(outcome)}: {outcome.headline or '(no headline)'}"


def _marks(item: Item) -> str:
    marks = [
        f"v{item.version}" if item.version is not None else "",
        item.pub_status if item.pub_status != "usable" else "",
        "embargoed" if item.embargoed else "",
        f"{word_count(item.body_text)} words",
        item.credit or "",
    ]
    return " " + ", ".join(mark for mark in marks if mark)

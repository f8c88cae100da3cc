"""The commands `broadsheet markets import`, `fetch` and `rebuild`: arguments and printing, no decisions."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings

from broadsheet import clock
from broadsheet.bus.queries import standing
from broadsheet.markets import folder
from broadsheet.markets.actions import imports, snapshots, stories
from broadsheet.markets.actions.imports import Report
from broadsheet.markets.jobs import FEED, ask_feed
from broadsheet.markets.models import Instrument

FOUND_WRONG = 1
USAGE_ERROR = 2


def add_commands(subparsers: Any) -> None:
    """Adds `markets` with its commands."""
    markets = subparsers.add_parser("markets", help="prices of the day's end for the investor section")
    commands = markets.add_subparsers(dest="markets_command", required=True, metavar="COMMAND")
    take = commands.add_parser("import", help="take in price files of exchanges; prints what became of each")
    take.add_argument("paths", nargs="+", metavar="PATH", type=Path, help="a file, a zip, or a folder of them")
    take.add_argument(
        "--day", type=date.fromisoformat, metavar="YYYY-MM-DD", help="the day the file is of; confirms an odd one"
    )
    take.add_argument("--strict", action="store_true", help="exit 1 when a file was refused or a row held")
    take.set_defaults(run=run_import)
    fetch = commands.add_parser("fetch", help="ask the feed of the option markets_feed_url now")
    fetch.set_defaults(run=run_fetch)
    rebuild = commands.add_parser("rebuild", help="compute snapshots and links of stories anew from prices and stories")
    rebuild.set_defaults(run=run_rebuild)
    for command in (take, fetch):
        # SUPPRESS keeps a global --json given before the command.
        command.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object per file")


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.is_file() and not each.name.startswith("."))
        else:
            yield path


def run_import(args: argparse.Namespace, out: TextIO | None = None) -> int:
    """0; 1 with --strict when something was refused or held; 2 when a path cannot be read."""
    out = out or sys.stdout
    wrong = False
    for path in _files(args.paths):
        try:
            data = folder.read_limited(path)
        except OSError as error:
            sys.stderr.write(f"broadsheet: {path}: {error.strerror}\n")
            return USAGE_ERROR
        reports = imports.take_file(name=path.name, data=data, now=clock.now(), came_by="command", day=args.day)
        for report in reports:
            _print(report, out, as_json=getattr(args, "json", False))
            wrong = wrong or report.status == "refused" or bool(report.rows_held)
    snapshots.refresh_stale()
    return FOUND_WRONG if wrong and args.strict else 0


def run_fetch(args: argparse.Namespace, out: TextIO | None = None) -> int:
    """0; 1 when the feed gave nothing that could be taken in; 2 when there is none."""
    if not settings.BROADSHEET.markets_feed_url:
        sys.stderr.write("broadsheet: the option markets_feed_url is empty.\n")
        return USAGE_ERROR
    report = ask_feed(clock.now(), standing(FEED) or {})
    if report:
        _print(report, out or sys.stdout, as_json=getattr(args, "json", False))
    problem = (standing(FEED) or {}).get("problem")
    if problem:
        sys.stderr.write(f"broadsheet: {problem}\n")
    return FOUND_WRONG if problem else 0


def run_rebuild(args: argparse.Namespace, out: TextIO | None = None) -> int:  # noqa: ARG001 - every command's form
    """Computes everything that is computed. 0."""
    ids = list(Instrument.objects.order_by("pk").values_list("pk", flat=True))
    snapshots.refresh(ids)
    linked = stories.link_all()
    (out or sys.stdout).write(f"{len(ids)} instruments, {linked} stories\n")
    return 0


def _object(report: Report) -> dict[str, Any]:
    """A report as the command prints it."""
    row = dataclasses.asdict(report)
    return {**row, "day": report.day.isoformat() if report.day else None, "warnings": list(report.warnings)}


def _print(report: Report, out: TextIO, *, as_json: bool) -> None:
    if as_json:
        out.write(json.dumps(_object(report), ensure_ascii=False) + "\n")
        return
    out.write(f"{report.file}: {report.status}{': ' + report.detail if report.detail else ''}\n")
    if report.status == "done":
        out.write(
            f"  {report.exchange or '-'} {report.day}, {report.layout}: {report.rows_read} rows, "
            f"{report.rows_new} new, {report.rows_changed} changed, {report.rows_same} known, {report.rows_held} held, "
            f"{report.rows_skipped} not followed\n"
        )
        out.writelines(f"  {warning}\n" for warning in report.warnings)

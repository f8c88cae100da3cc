"""`billing import` and `billing export`: whole bases and books, in and out."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO

from broadsheet.payments import exports
from broadsheet.subscriptions import exporting
from broadsheet.subscriptions.actions.history import today
from broadsheet.subscriptions.cli_words import Row, UsageError, WrongError, actor_of, command, day, tell
from broadsheet.subscriptions.import_rows import BadFileError
from broadsheet.subscriptions.importing import BATCH, Tally, import_file

PROGRESS = 10 * BATCH
BOOKS: dict[str, Callable[[date, date], Iterator[tuple[str, ...]]]] = {
    "invoices": lambda since, until: exports.invoices(since=since, until=until),
    "gstr1": lambda since, until: exports.gstr1(since=since, until=until),
    "journal": lambda since, until: exports.journal(since=since, until=until),
    "deferred": lambda since, until: exports.deferred_by_month(),  # noqa: ARG005 - what is deferred is deferred now
}


def add_to(commands: Any) -> None:
    take = command(commands, "import", run_import, "take an existing subscriber base over from a CSV file")
    take.add_argument("file", metavar="FILE.csv", type=Path)
    take.add_argument("--dry-run", action="store_true", help="say what would be refused; change nothing")
    take.add_argument("--rejects", type=Path, metavar="FILE", help="where refused lines go (default FILE.rejects.csv)")
    take.add_argument("--actor", default="", metavar="NAME", help="who does this (default cli:<user>)")
    give = command(
        commands, "export", run_export, "subscribers, invoices, rows of a GST return, journal, deferred revenue"
    )
    give.add_argument("what", choices=("subscribers", *BOOKS))
    give.add_argument("--since", type=day, metavar="DATE", help="documents of this day and later")
    give.add_argument("--until", type=day, metavar="DATE", help="documents before this day (default tomorrow)")
    give.add_argument("--status", default="", help="subscribers: of this status alone")
    give.add_argument("--out", type=Path, metavar="FILE", help="CSV into this file, not to stdout")


def run_import(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    """Exit status 1 when a line was refused, 2 when the file cannot be read."""
    tally = Tally()
    rejects = args.rejects or args.file.with_name(f"{args.file.stem}.rejects.csv")
    if rejects.resolve() == args.file.resolve():
        raise UsageError("--rejects names the very file that is read.")

    def progress() -> None:
        if tally.rows % PROGRESS < BATCH:
            tell(args, f"{tally.rows} lines read, {tally.imported} taken, {tally.known} known, {tally.refused} refused")

    try:
        for refusal in import_file(
            args.file, rejects=rejects, dry_run=args.dry_run, actor=actor_of(args), now=now, tally=tally,
            progress=progress,
        ):  # fmt: skip
            yield {"status": "refused", **asdict(refusal)}
    except BadFileError as error:
        raise UsageError(str(error)) from None
    yield {
        "status": "done",
        "file": str(args.file),
        **asdict(tally),
        "rejects": str(rejects) if tally.refused else None,
        "dry_run": args.dry_run,
    }
    if tally.refused:
        raise WrongError(f"{tally.refused} lines were refused; they stand in {rejects}.")


def run_export(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    """CSV on stdout (or into --out); with --json one object a line."""
    if args.what == "subscribers":
        rows = exporting.subscribers(args.status)
        if getattr(args, "json", False) and args.out is None:
            yield from rows
            return
        _written(args, _with_heading(exporting.COLUMNS, map(exporting.as_cells, rows)))
        return
    since, until = args.since or date.min, args.until or date.fromordinal(today(now).toordinal() + 1)
    if since >= until:
        raise UsageError("--until lies before --since.")
    table = BOOKS[args.what](since, until)
    if getattr(args, "json", False) and args.out is None:
        heading = next(iter(table))
        yield from (dict(zip(heading, row, strict=True)) for row in table)
        return
    _written(args, table)


def _with_heading(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    yield heading
    yield from rows


def _written(args: argparse.Namespace, table: Iterable[tuple[str, ...]]) -> None:
    if args.out is None:
        _write(table, sys.stdout)
        return
    try:
        with args.out.open("w", encoding="utf-8", newline="") as file:
            count = _write(table, file)
    except OSError as error:
        raise UsageError(f"{args.out}: {error.strerror}.") from None
    tell(args, f"{count} rows in {args.out}")


def _write(table: Iterable[tuple[str, ...]], file: TextIO) -> int:
    writer = csv.writer(file, lineterminator="\n")
    count = -1
    for row in table:
        writer.writerow(row)
        count += 1
    return count

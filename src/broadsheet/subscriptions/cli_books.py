"""`billing check`, `reconcile`, `jobs`: whether all is as it should be."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from broadsheet.payments.adapters.registry import providers
from broadsheet.payments.desk_queries import money_waiting
from broadsheet.payments.reconcile import reconcile
from broadsheet.subscriptions import check, desk_queries
from broadsheet.subscriptions.cli_words import UNREACHABLE, Row, WrongError, command, count, tell

PROGRESS = 20_000  # subscriptions between two words on stderr


def add_to(commands: Any) -> None:
    books = command(commands, "reconcile", run_reconcile, "compare our books with the providers'")
    books.add_argument("--days", type=count, default=7, metavar="N", help="how far back (default 7)")
    command(
        commands, "check", run_check, "whether everything is true that must be: one object for each thing that is not"
    )
    command(commands, "jobs", run_jobs, "what is due, what waits for somebody, what went wrong")


def run_reconcile(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    """Exit status 1 when something does not agree; 3 when a provider could not be asked."""
    report = reconcile(now=now, days=args.days)
    yield {"event": "reconciled", **asdict(report), "clean": report.clean}
    if report.unreachable:
        raise WrongError(f"Not reachable: {', '.join(report.unreachable)}.", UNREACHABLE)
    if not report.clean:
        raise WrongError("The books do not agree; `billing jobs` counts what is open.")


def run_check(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    """Exit status 1 when something is broken."""
    found = 0

    def progress(count: int) -> None:
        if count % PROGRESS < check.BATCH:
            tell(args, f"{count} subscriptions looked at")

    for violation in check.violations(now=now, progress=progress):
        found += 1
        yield asdict(violation)
    if found:
        raise WrongError(f"{found} rules are broken.")
    tell(args, "Nothing is broken.")


def run_jobs(args: argparse.Namespace, now: datetime) -> Iterator[Row]:  # noqa: ARG001 - a command's signature
    counts = desk_queries.due_counts(now)
    for due in counts:
        yield {"record": "due", **asdict(due)}
    money = asdict(money_waiting())
    oldest = min((due.oldest for due in counts if due.oldest), default=None)
    yield {
        "record": "jobs",
        "at": now,
        "due": sum(due.due for due in counts),
        "oldest_due": oldest,
        "last_run": desk_queries.last_run(),
        "last_change_by_a_job": desk_queries.last_system_event(),
        "providers": list(providers()),
        **money,
    }

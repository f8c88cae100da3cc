"""`broadsheet billing …`: results on stdout, one JSON object an event with `--json`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from broadsheet import clock
from broadsheet.bus.actions import remember
from broadsheet.dates import day_start, local_date, parse_instant, rfc3339
from broadsheet.money import format_money
from broadsheet.payments.adapters.registry import all_sandboxed
from broadsheet.readers.queries import reader
from broadsheet.subscriptions import cli_books, cli_deeds, cli_files, cli_finding, cli_money
from broadsheet.subscriptions.actions import Happened, run_due
from broadsheet.subscriptions.desk_queries import LAST_RUN


def add_commands(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    """Add `billing` with its own commands; each sets `run` to a function of the parsed arguments.

    Returns the group: packages above add theirs to it (server/cli.py).
    """
    billing = subparsers.add_parser("billing", help="renewals and the subscription desk")
    commands = billing.add_subparsers(dest="billing_command", required=True, metavar="COMMAND")
    due = commands.add_parser("run-due", help="run all billing jobs that are due, once")
    due.add_argument("--until", required=True, metavar="INSTANT", help="such as 2027-04-10T12:00:00+05:30")
    # SUPPRESS keeps what was given before the command.
    due.add_argument("--data", metavar="DIR", default=argparse.SUPPRESS, help="the paper's folder")
    due.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object an event")
    due.add_argument("--quiet", action="store_true", default=argparse.SUPPRESS, help="no progress on stderr")
    due.set_defaults(run=run_run_due)
    for part in (cli_finding, cli_deeds, cli_money, cli_books, cli_files):
        part.add_to(commands)
    return commands


def instants(start: datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """`start`, then the first instant of each local day, then `until`: what a healthy installation would have run.

    In the past there is no walk: what was due by then is done now, in one run.
    """
    if until <= start:
        yield until
        return
    yield start
    day = local_date(start, zone) + timedelta(days=1)
    while (instant := day_start(day, zone)) < until:
        yield instant
        day += timedelta(days=1)
    yield until


def as_json(event: Happened, zone: ZoneInfo) -> str:
    card = reader(event.reader_id)
    head = {
        "at": rfc3339(event.at.astimezone(zone)),
        "event": event.kind,
        "reader": card.email if card else str(event.reader_id),
        "subscription": event.subscription_id,
    }
    return json.dumps({**head, **event.facts}, ensure_ascii=False)


def as_line(event: Happened, zone: ZoneInfo) -> str:
    facts = dict(event.facts)
    if "amount_minor" in facts and "currency" in facts:
        facts["amount"] = format_money(facts.pop("amount_minor"), facts.pop("currency"))
    told = " ".join(f"{name}={value}" for name, value in facts.items() if not isinstance(value, list))
    return f"{event.at.astimezone(zone):%Y-%m-%d %H:%M} subscription {event.subscription_id} {event.kind} {told}"


def run_run_due(args: argparse.Namespace) -> int:
    """`billing run-due --until INSTANT`. Exit status 2 for an instant that cannot be read or must not be walked to."""
    try:
        until = parse_instant(args.until)
    except ValueError:
        wanted = "an instant with its offset, such as 2027-04-10T12:00:00+05:30"
        print(f"--until: {args.until!r} is not {wanted}.", file=sys.stderr)
        return 2
    now = clock.now()
    if until > now and not all_sandboxed():
        print("--until lies in the future: refused, because a provider here moves real money.", file=sys.stderr)
        return 2
    zone = ZoneInfo(settings.BROADSHEET.time_zone)
    show = as_json if getattr(args, "json", False) else as_line
    for instant in instants(now, until, zone):
        for event in run_due(now=instant):
            print(show(event, zone), flush=True)
    remember(LAST_RUN, {"at": rfc3339(now)})
    return 0

"""`billing find` and `billing show`: whose it is, and all that happened."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from broadsheet.payments.desk_queries import profiles_of
from broadsheet.readers.queries import readers_by_ids
from broadsheet.subscriptions import desk_queries
from broadsheet.subscriptions.cli_words import Row, WrongError, command, count, row_of
from broadsheet.subscriptions.queries import balance

MOST = 20


def add_to(commands: Any) -> None:
    find = command(commands, "find", run_find, "whose address, name, invoice, credit note, payment or mandate it is")
    find.add_argument(
        "text", metavar="TEXT", help="the beginning of an address, a name or a document's number; else whole"
    )
    find.add_argument("--limit", type=count, default=MOST, metavar="N", help=f"at most so many (default {MOST})")
    show = command(commands, "show", run_show, "one subscription with everything that happened to it")
    show.add_argument("subscription", metavar="WHOM", help="a subscription's number, a mail address, an invoice")


def run_find(args: argparse.Namespace, now: datetime) -> Iterator[Row]:  # noqa: ARG001 - a command's signature
    """Exit status 1 when nothing is found."""
    found = desk_queries.find(args.text, args.limit)
    yield from (asdict(match) for match in found)
    if not found:
        raise WrongError(f"Nothing here begins with, or is called, {args.text!r}.")


def run_show(args: argparse.Namespace, now: datetime) -> Iterator[Row]:  # noqa: ARG001 - a command's signature
    row = row_of(args.subscription)
    card = readers_by_ids([row.reader_id])[row.reader_id]
    values = asdict(row)
    yield {
        "record": "subscription",
        "subscription": values.pop("id"),
        "reader": card.email,
        "name": card.name,
        **values,
        "balance_minor": balance(row.id),
        "billed_to": profiles_of([row.reader_id]).get(row.reader_id, {}),
    }
    yield from desk_queries.timeline(row.id)

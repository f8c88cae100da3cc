"""What the desk's commands have in common: their arguments, how a result is printed, how a refusal is told, a dry run.

A command is a function of its arguments and the instant; whatever it yields is printed, one object a line.
"""

from __future__ import annotations

import argparse
import getpass
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from django.conf import settings
from django.db import transaction

from broadsheet import clock
from broadsheet.dates import rfc3339
from broadsheet.money import format_money
from broadsheet.payments import crash
from broadsheet.payments.adapters import NoAnswerError
from broadsheet.readers.queries import reader, reader_by_email
from broadsheet.subscriptions.actions import Happened, note_reason
from broadsheet.subscriptions.desk_queries import events_after, last_event_id, subscription_of_number
from broadsheet.subscriptions.queries import SubscriptionRow, current_subscription, subscription
from broadsheet.subscriptions.rules import RefusedError

DONE, FOUND_WRONG, USAGE, UNREACHABLE = 0, 1, 2, 3
# Deeds of readers too, who give no reason: the desk's stands beside them.
UNREASONED = ("uncancel", "pause", "resume", "change-plan", "quantity", "pay", "retry", "approve")
Row = Mapping[str, Any]
Command = Callable[[argparse.Namespace, datetime], Iterable[Row | Happened]]
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,3})?")


class UsageError(Exception):
    """The command line makes no sense; nothing was done."""


class WrongError(Exception):
    """The command ran, printed what it found, and what it found is wrong: the exit status says so."""

    def __init__(self, text: str, status: int = FOUND_WRONG) -> None:
        super().__init__(text)
        self.status = status


def zone() -> ZoneInfo:
    return ZoneInfo(settings.BROADSHEET.time_zone)


# --- arguments ---


def whoever() -> str:
    """The actor of a command that names none."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):
        return "cli:unknown"


def command(commands: Any, name: str, run: Command, text: str, **more: Any) -> argparse.ArgumentParser:
    """Add a command to the group. SUPPRESS keeps what was given before it."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=more.pop("description", text))
    hidden = argparse.SUPPRESS
    parser.add_argument("--data", metavar="DIR", default=hidden, help="the paper's folder")
    parser.add_argument("--json", action="store_true", default=hidden, help="one JSON object a line")
    parser.add_argument("--quiet", action="store_true", default=hidden, help="no progress on stderr")
    parser.set_defaults(run=lambda args: execute(args, run))
    return parser


def deed(commands: Any, name: str, run: Command, text: str, *, target: bool = True) -> argparse.ArgumentParser:
    """Add a command that changes something: it has a target, an actor, a reason, and a dry run."""
    parser = command(commands, name, run, text)
    if target:
        parser.add_argument("subscription", metavar="WHOM", help="a subscription's number, a mail address, an invoice")
    parser.add_argument("--actor", default="", metavar="NAME", help="who does this (default cli:<user>)")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; it stands in the history")
    parser.add_argument("--dry-run", action="store_true", help="say what would happen; change nothing")
    return parser


def actor_of(args: argparse.Namespace) -> str:
    return (args.actor or whoever())[:60]


def day(text: str) -> date:
    """For argparse: `2027-04-10`."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write it as 2027-04-10") from None


def count(text: str) -> int:
    """For argparse: a whole number above nothing."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**9):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def amount(text: str) -> Decimal:
    """For argparse: `450` or `450.50`, in whole units of the currency; `minor` turns it into minor units."""
    plain = text.replace(",", "")
    if not _AMOUNT.fullmatch(plain) or not Decimal(plain):
        raise argparse.ArgumentTypeError(f"{text!r} is no amount; write 450 or 450.50, in units of the currency")
    return Decimal(plain)


def own_key(text: str) -> str:
    """For argparse: a name under which something is done once."""
    if text and not re.fullmatch(r"[A-Za-z0-9._-]{1,40}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no key: up to 40 letters, digits, dots, dashes")
    return text


def minor(given: Decimal, currency: str) -> int:
    """An amount of the command line in minor units. UsageError for a part of a paisa."""
    scaled = given.scaleb(get_currency_precision(currency))
    if scaled != scaled.to_integral_value():
        raise UsageError(f"{given} is no amount of {currency}: it has too many decimals.")
    return int(scaled)


# --- whom a command is about ---


def subscription_id(text: str) -> int:
    """The subscription that a number, a mail address or an invoice's number means: of a reader, the live one, else the
    last. RefusedError `not_found`."""
    plain = text.strip().removeprefix("#").removeprefix("subscription:")
    found: int | None = None
    if plain.isascii() and plain.isdigit():
        found = int(plain) if len(plain) < 18 and subscription(int(plain)) else None  # noqa: PLR2004 - of a BIGINT
    elif "@" in plain:
        found = _of_address(plain)
    elif "/" in plain:
        found = subscription_of_number(plain)
    if found is None:
        raise RefusedError("not_found")
    return found


def _of_address(email: str) -> int | None:
    card = reader_by_email(email)
    row = current_subscription(card.id) if card else None
    return row.id if row else None


def row_of(text: str) -> SubscriptionRow:
    found = subscription(subscription_id(text))
    if found is None:
        raise RefusedError("not_found")
    return found


def reader_id(email: str) -> int:
    """RefusedError `no_such_reader`."""
    card = reader_by_email(email)
    if card is None:
        raise RefusedError("no_such_reader")
    return card.id


# --- printing ---


def plain(value: Any) -> Any:
    """A value as JSON says it: instants in the publisher's zone, dates as dates."""
    if isinstance(value, datetime):
        return rfc3339(value.astimezone(zone()))
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(part) for name, part in asdict(value).items()}
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    return value


def as_row(event: Happened) -> dict[str, Any]:
    """An event as the interfaces print it."""
    card = reader(event.reader_id)
    return {
        "at": rfc3339(event.at.astimezone(zone())),
        "event": event.kind,
        "reader": card.email if card else str(event.reader_id),
        "subscription": event.subscription_id,
        **event.facts,
    }


def as_text(row: Row) -> str:
    """For people: `name value` pairs, money formatted, what is empty left out."""
    currency = str(row.get("currency") or settings.BROADSHEET.currency)
    told = []
    for name, value in row.items():
        if value in (None, "", [], {}) or name == "currency":
            continue
        label = name.removesuffix("_minor").replace("_", " ")
        told.append(f"{label} {_said(name, value, currency)}")
    return "  ".join(told)


def _said(name: str, value: Any, currency: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_minor") and isinstance(value, int):
        return format_money(value, currency)
    if isinstance(value, Mapping):
        parts = (f"{key.removesuffix('_minor')} {_said(key, part, currency)}" for key, part in value.items())
        return f"({', '.join(parts)})"
    if isinstance(value, list):
        return "; ".join(_said(name, part, currency) for part in value)
    return str(value)


def show(args: argparse.Namespace, row: Row | Happened) -> None:
    values = plain(as_row(row) if isinstance(row, Happened) else row)
    print(json.dumps(values, ensure_ascii=False) if getattr(args, "json", False) else as_text(values), flush=True)


def tell(args: argparse.Namespace, text: str) -> None:
    """Progress, on stderr."""
    if not getattr(args, "quiet", False):
        print(text, file=sys.stderr, flush=True)


# --- running ---


def execute(args: argparse.Namespace, run: Command) -> int:
    """Run a command and print what it yields. A refusal is one object with `refused`, and exit status 1."""
    try:
        for row in run(args, clock.now()):
            show(args, row)
    except RefusedError as refusal:
        show(args, {"refused": refusal.reason, "command": getattr(args, "billing_command", "")})
        return FOUND_WRONG
    except WrongError as wrong:
        if str(wrong):
            tell(args, str(wrong))
        return wrong.status
    except UsageError as error:
        return _fail(str(error), USAGE)
    except LookupError as error:
        if type(error) is not LookupError:  # a mistake of ours
            raise
        return _fail(str(error), USAGE)  # such as a provider that is not installed (any more)
    except NoAnswerError as error:
        return _fail(f"the payment provider did not answer: {error}", UNREACHABLE)
    return DONE


def _fail(text: str, status: int) -> int:
    print(f"broadsheet: {text}", file=sys.stderr)
    return status


def _reasoned(args: argparse.Namespace, happened: list[Happened]) -> list[Happened]:
    """The reason of a deed whose own event has no room for one."""
    name = getattr(args, "billing_command", "")
    about = next((event.subscription_id for event in happened if event.subscription_id), None)
    if not args.reason.strip() or name not in UNREASONED or about is None:
        return []
    return note_reason(
        subscription_id=about, command=name, actor=actor_of(args), reason=args.reason, now=happened[-1].at
    )


def once(args: argparse.Namespace, number: int, work: Callable[[str], list[Happened]]) -> Iterator[Row]:
    """As `done`, under the key that was given; a repeat says so."""
    key = f"desk:{number}:{args.key}" if args.key else ""
    told = False
    for row in done(args, lambda: work(key)):
        told = True
        yield row
    if not told and key:
        yield {"event": "known", "key": args.key}


class _StopError(BaseException):
    """The dry run has come to where somebody else's machine would be asked. Not an Exception: nobody handles it."""


def done(args: argparse.Namespace, work: Callable[[], list[Happened]]) -> Iterator[Row]:
    """What a deed did, event by event; with --dry-run what it would do, and then nothing of it is kept."""
    if not args.dry_run:
        happened = work()
        yield from map(as_row, [*happened, *_reasoned(args, happened)])
        return
    for event in rehearsed(work):
        yield {**as_row(event), "dry_run": True}


def rehearsed(work: Callable[[], object]) -> list[Happened]:
    """Do it inside a transaction that is taken back, up to the point at which a provider would be asked.

    Real tills hold no transaction of ours: nothing may be asked of them that is not meant.
    """

    def stop(name: str) -> None:
        if name in ("before_charge", "before_refund"):
            raise _StopError(name)

    last = last_event_id()
    before = crash.install(stop)
    events: list[Happened] = []
    try:
        with transaction.atomic():
            # A savepoint of its own: whoever stops takes back only what came after the last step that was written.
            _until_stopped(work)
            events = events_after(last)
            transaction.set_rollback(True)
    finally:
        crash.install(before)
    return events


def _until_stopped(work: Callable[[], object]) -> None:
    try:
        work()
    except _StopError:
        return

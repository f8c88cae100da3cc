"""`billing extend`, `comp`, `cancel`, `pause` and the other deeds of the desk that bill nobody by themselves."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from broadsheet.readers.actions import ensure_reader
from broadsheet.readers.queries import reader_by_email
from broadsheet.subscriptions import actions
from broadsheet.subscriptions.actions import ChangeQuote, Happened
from broadsheet.subscriptions.cli_words import Row, UsageError, actor_of, count, day, deed, done, subscription_id
from broadsheet.subscriptions.rules import RefusedError


def add_to(commands: Any) -> None:
    extend = deed(commands, "extend", run_extend, "give days on top of what is paid")
    extend.add_argument("--days", type=count, required=True)
    comp = deed(commands, "comp", run_comp, "give a plan for nothing, until a day", target=False)
    comp.add_argument("email", metavar="EMAIL", help="an account is made when there is none")
    comp.add_argument("plan", metavar="PLAN")
    comp.add_argument("--until", type=day, required=True, metavar="DATE", help="the first day without")
    cancel = deed(commands, "cancel", run_cancel, "no further charge; --now ends it at once")
    cancel.add_argument("--now", action="store_true", help="end it now, not at the end of what is paid")
    cancel.add_argument(
        "--refund", choices=("none", "unused", "credit"), default="none", help="with --now: what becomes of the rest"
    )
    deed(commands, "uncancel", run_uncancel, "take a cancellation back")
    pause = deed(commands, "pause", run_pause, "stop for some days, which are given back at the end")
    pause.add_argument("--days", type=count, required=True)
    deed(commands, "resume", run_resume, "end a pause before its time")
    change = deed(commands, "change-plan", run_change_plan, "another plan; --preview says what it would cost")
    change.add_argument("plan", metavar="PLAN")
    change.add_argument("--when", choices=("auto", "now", "period_end"), default="auto")
    change.add_argument("--keep-date", action="store_true", help="the day of renewal stays (same interval only)")
    change.add_argument("--preview", action="store_true", help="the invoice it would bring; change nothing")
    seats = deed(commands, "quantity", run_quantity, "more seats now, fewer from the next period on")
    seats.add_argument("quantity", type=count, metavar="N")
    seats.add_argument("--preview", action="store_true", help="the invoice it would bring; change nothing")
    merge = deed(commands, "merge", run_merge, "two accounts of one person become one", target=False)
    merge.add_argument("kept", metavar="KEPT", help="the address they go on with")
    merge.add_argument("gone", metavar="GONE", help="the address that is closed")


def run_extend(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    number = subscription_id(args.subscription)
    return done(
        args,
        lambda: actions.extend(
            subscription_id=number, days=args.days, actor=actor_of(args), reason=args.reason, now=now
        ),
    )


def run_comp(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    if "@" not in args.email:
        raise UsageError(f"{args.email!r} is no mail address.")

    def work() -> list[Happened]:
        ensure_reader(email=args.email, now=now)
        card = reader_by_email(args.email)
        if card is None:
            raise RefusedError("account_closed")
        return actions.comp(
            reader_id=card.id,
            plan_code=args.plan,
            until=args.until,
            actor=actor_of(args),
            reason=args.reason,
            now=now,
        )

    return done(args, work)


def run_cancel(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    if args.refund != "none" and not args.now:
        raise UsageError("--refund goes with --now: what is paid for stays readable to its last day otherwise.")
    number = subscription_id(args.subscription)
    return done(
        args,
        lambda: actions.cancel(
            subscription_id=number,
            when="now" if args.now else "period_end",
            refund=args.refund,
            actor=actor_of(args),
            reason=args.reason,
            now=now,
        ),
    )


def run_uncancel(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    number = subscription_id(args.subscription)
    return done(args, lambda: actions.uncancel(subscription_id=number, actor=actor_of(args), now=now))


def run_pause(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    number = subscription_id(args.subscription)
    return done(args, lambda: actions.pause(subscription_id=number, days=args.days, actor=actor_of(args), now=now))


def run_resume(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    number = subscription_id(args.subscription)
    return done(args, lambda: actions.resume(subscription_id=number, actor=actor_of(args), now=now))


def quoted(number: int, quote: ChangeQuote) -> Row:
    """A change before it is made: the very invoice it would bring."""
    return {"preview": True, "subscription": number, **asdict(quote), "due_minor": quote.due_minor}


def run_change_plan(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    number = subscription_id(args.subscription)
    what: dict[str, Any] = {
        "subscription_id": number,
        "plan_code": args.plan,
        "when": args.when,
        "keep_date": args.keep_date,
        "now": now,
    }
    if args.preview:
        yield quoted(number, actions.preview_change(**what))
        return
    yield from done(args, lambda: actions.change_plan(**what, actor=actor_of(args)))


def run_quantity(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    number = subscription_id(args.subscription)
    what: dict[str, Any] = {"subscription_id": number, "quantity": args.quantity, "now": now}
    if args.preview:
        yield quoted(number, actions.preview_quantity(**what))
        return
    yield from done(args, lambda: actions.set_quantity(**what, actor=actor_of(args)))


def run_merge(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    return done(
        args,
        lambda: actions.merge_readers(
            kept_email=args.kept, gone_email=args.gone, actor=actor_of(args), reason=args.reason, now=now
        ),
    )

"""`billing refund`, `pay`, `retry`, `paylink`, `credit`: the desk's commands that move money."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.conf import settings

from broadsheet.dates import rfc3339
from broadsheet.payments.desk_queries import waiting_refunds
from broadsheet.payments.queries import refund
from broadsheet.subscriptions import actions, desk_queries, jobs_letters
from broadsheet.subscriptions.actions.refunding import subscription_of
from broadsheet.subscriptions.cli_words import (
    Row,
    UsageError,
    WrongError,
    actor_of,
    amount,
    command,
    count,
    deed,
    done,
    minor,
    once,
    own_key,
    row_of,
    subscription_id,
)
from broadsheet.subscriptions.events import SubscriptionRenewed
from broadsheet.subscriptions.rules import RefusedError


def add_to(commands: Any) -> None:
    back = deed(commands, "refund", run_refund, "give money of the newest payment back")
    back.add_argument("--amount", type=amount, required=True, help="such as 450 or 450.50")
    back.add_argument("--no-adjust", action="store_true", help="no credit note: the reader owes it again")
    back.add_argument(
        "--key", type=own_key, default="", metavar="KEY", help="asked for once under this name, however often it is run"
    )
    command(commands, "refunds", run_refunds, "refunds above the limit that wait for a second pair of eyes")
    for name, run, text in (
        ("approve", run_approve, "let a waiting refund go: another person than who asked for it"),
        ("refuse", run_refuse, "do not let a waiting refund go"),
    ):
        one = deed(commands, name, run, text, target=False)
        one.add_argument("refund", type=count, metavar="ID", help="as `billing refunds` prints it")
    deed(commands, "retry", run_retry, "charge an overdue one now")
    paid = deed(commands, "pay", run_pay, "book a transfer, a cheque or cash")
    paid.add_argument("--amount", type=amount, help="without it: all that is owed")
    paid.add_argument("--reference", default="", metavar="TEXT", help="such as the number of the cheque")
    paid.add_argument(
        "--key", type=own_key, default="", metavar="KEY", help="booked once under this name, however often it is run"
    )
    link = deed(commands, "paylink", run_paylink, "a till's page for what is owed")
    link.add_argument("--rail", choices=("card", "upi"), default="card")
    receipt = deed(commands, "resend-receipt", run_resend_receipt, "send a receipt once more")
    receipt.add_argument("--invoice", default="", metavar="NUMBER", help="without it: the newest that is paid")
    credit = deed(commands, "credit", run_credit, "let the reader's next invoices come to less")
    credit.add_argument("--amount", type=amount, required=True, help="such as 450 or 450.50")
    credit.add_argument(
        "--key", type=own_key, default="", metavar="KEY", help="given once under this name, however often it is run"
    )


def run_refund(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    row = row_of(args.subscription)
    if not args.reason.strip():
        raise UsageError("A refund needs its --reason: it stands on the credit note.")
    return once(
        args,
        row.id,
        lambda key: actions.refund_payment(
            subscription_id=row.id,
            amount_minor=minor(args.amount, row.currency),
            adjust=not args.no_adjust,
            actor=actor_of(args),
            reason=args.reason,
            key=key,
            now=now,
        ),
    )


def run_refunds(args: argparse.Namespace, now: datetime) -> Iterator[Row]:  # noqa: ARG001 - a command's signature
    for row in waiting_refunds():
        values = asdict(row)
        yield {"refund": values.pop("id"), "subscription": subscription_of(row), **values}


def _waiting(args: argparse.Namespace) -> int:
    if refund(args.refund) is None:
        raise RefusedError("not_found")
    return int(args.refund)


def run_approve(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    number = _waiting(args)
    return done(args, lambda: actions.approve_refund(refund_id=number, actor=actor_of(args), now=now))


def run_refuse(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    number = _waiting(args)
    return done(
        args,
        lambda: actions.refuse_refund(refund_id=number, actor=actor_of(args), reason=args.reason, now=now),
    )


def run_retry(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    """Exit status 1 when the till said no."""
    number, declined = subscription_id(args.subscription), False
    for row in done(args, lambda: actions.retry(subscription_id=number, actor=actor_of(args), now=now)):
        declined = declined or (row["event"] == "charge" and row.get("result") == "failed")
        yield row
    if declined:
        raise WrongError("The charge was declined.")


def run_pay(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    row = row_of(args.subscription)
    return once(
        args,
        row.id,
        lambda key: actions.pay(
            subscription_id=row.id,
            amount_minor=None if args.amount is None else minor(args.amount, row.currency),
            reference=args.reference,
            key=key,
            actor=actor_of(args),
            now=now,
        ),
    )


def run_paylink(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    if args.dry_run:
        raise UsageError("A pay link is harmless until somebody pays by it: there is no dry run.")
    row = row_of(args.subscription)
    site = settings.BROADSHEET.public_url
    page = actions.start_payment(subscription_id=row.id, return_url="/account/", rail=args.rail, now=now)
    url = page.url if "://" in page.url else site + page.url
    yield {"subscription": row.id, "url": url, "key": page.key}


def run_resend_receipt(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    number = subscription_id(args.subscription)
    bill = args.invoice.strip().upper() or desk_queries.newest_paid_invoice(number)
    invoice_id = desk_queries.invoice_id_of(number, bill)
    if invoice_id is None:
        raise RefusedError("nothing_paid")
    if not args.dry_run:
        jobs_letters.send_receipt(SubscriptionRenewed(number, invoice_id, rfc3339(now)))
        actions.note_receipt(subscription_id=number, number=bill, actor=actor_of(args), reason=args.reason, now=now)
    yield {"subscription": number, "invoice": bill, "sent": not args.dry_run}


def run_credit(args: argparse.Namespace, now: datetime) -> Iterator[Row]:
    row = row_of(args.subscription)
    return once(
        args,
        row.id,
        lambda key: actions.give_credit(
            reader_id=row.reader_id,
            subscription_id=row.id,
            amount_minor=minor(args.amount, row.currency),
            currency=row.currency,
            reason=args.reason,
            key=key,
            actor=actor_of(args),
            now=now,
        ),
    )

"""`broadsheet partners`: stock, the monthly files both ways, what is to be revoked, vouchers for a partner."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings

from broadsheet import clock
from broadsheet.dates import add_months, day_start, month_window
from broadsheet.partners import actions, inward, queries, statements, stocking
from broadsheet.partners.models import Offer, Welcome

FOUND_WRONG, USAGE = 1, 2


def add_commands(subparsers: Any) -> None:
    """Adds `partners` with its verbs."""
    partners = subparsers.add_parser("partners", help="other titles' access for our subscribers, and ours for theirs")
    verbs = partners.add_subparsers(dest="verb", required=True, metavar="COMMAND")

    def verb(name: str, words: str, run: Any, *, partner: bool = True) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=words)
        if partner:
            made.add_argument("--partner", required=True, metavar="CODE")
        made.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object a line")
        made.set_defaults(run=run)
        return made

    verb("list", "partners, their offers and how many codes are left", run_list, partner=False)
    put = verb("codes", "put a file of codes into stock", run_codes)
    put.add_argument("--offer", required=True, metavar="CODE")
    put.add_argument("file", metavar="FILE")
    month = verb("report", "the month's claims as CSV", run_report)
    month.add_argument("--month", metavar="YYYY-MM", help="the last whole month by default")
    verb("reconcile", "what the partner says against what we know", run_reconcile).add_argument("file", metavar="FILE")
    told = verb("revocations", "what ended and was not reported yet, as CSV", run_revocations)
    told.add_argument("--mark", action="store_true", help="note that these were reported")
    make = verb("vouchers", "codes for the partner's own subscribers; they are printed once", run_vouchers)
    make.add_argument("--welcome", required=True, metavar="CODE")
    make.add_argument("--count", type=int, required=True, metavar="N")
    make.add_argument("--expires", metavar="YYYY-MM-DD", help="the last day on which they can be redeemed")
    verb("revoke", "end what the partner's file names: vouchers or subjects", run_revoke).add_argument(
        "file", metavar="FILE"
    )


@contextmanager
def _lines(name: str) -> Iterator[Iterable[str]]:
    if name == "-":
        yield sys.stdin
    else:
        with Path(name).open(encoding="utf-8-sig", errors="replace", newline="") as file:
            yield file


def _refuse(words: str) -> int:
    sys.stderr.write(f"broadsheet: {words}\n")
    return USAGE


def _unknown(args: argparse.Namespace) -> str:
    if queries.name_of(args.partner) is None:
        return f"there is no partner {args.partner!r}; there are {', '.join(queries.partner_codes()) or 'none'}."
    file = getattr(args, "file", "-")
    return "" if file == "-" or Path(file).is_file() else f"{file} is not a file."


def _put(args: argparse.Namespace, out: TextIO, rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> int:
    """CSV with a first line of names, or one JSON object a line. How many rows."""
    count = 0
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    as_json = getattr(args, "json", False)
    if not as_json:
        writer.writeheader()
    for row in rows:
        if as_json:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
        else:
            writer.writerow(row)
        count += 1
    return count


def run_list(args: argparse.Namespace, out: TextIO | None = None) -> int:
    now = clock.now()
    rows = Offer.objects.select_related("partner").order_by("partner__position", "partner_id", "position", "id")
    found = (
        {
            "partner": row.partner.code,
            "offer": row.code,
            "kind": row.kind,
            "active": row.active and row.partner.active,
            "left": queries.stock_of(row, now).left if row.kind == Offer.Kind.CODES else None,
        }
        for row in rows
    )
    _put(args, out or sys.stdout, found, ("partner", "offer", "kind", "active", "left"))
    return 0


def run_codes(args: argparse.Namespace, out: TextIO | None = None) -> int:
    """0 when every line gave a code or was blank or known, 1 when lines have problems."""
    out, wrong = out or sys.stdout, _unknown(args)
    offer = Offer.objects.filter(partner__code=args.partner, code=args.offer).first()
    if wrong or offer is None:
        return _refuse(wrong or f"{args.partner} has no offer {args.offer!r}.")
    with _lines(args.file) as lines:
        batch = stocking.add_codes(offer_id=offer.pk, name=args.file, lines=lines, by="command line", now=clock.now())
    if getattr(args, "json", False):
        out.write(json.dumps({**batch.counts, "problems": batch.problems}) + "\n")
    else:
        for problem in batch.problems:
            out.write(f"line {problem['line']}: {problem['words']}\n")
        out.write(", ".join(f"{count} {name}" for name, count in batch.counts.items() if count) + "\n")
    return FOUND_WRONG if any(batch.counts[name] for name in ("bad_date", "bad_code", "expired", "twice")) else 0


def _month(text: str | None, now: datetime) -> tuple[datetime, datetime]:
    """ValueError for what is not a month."""
    zone = settings.BROADSHEET.zone
    if not text:
        end, _ = month_window(now, zone)
        return day_start(add_months(end.astimezone(zone).date(), -1), zone), end
    first = date.fromisoformat(f"{text}-01")
    return day_start(first, zone), day_start(add_months(first, 1), zone)


def run_report(args: argparse.Namespace, out: TextIO | None = None) -> int:
    wrong = _unknown(args)
    if wrong:
        return _refuse(wrong)
    try:
        start, end = _month(args.month, clock.now())
    except ValueError:
        return _refuse(f"--month is written 2027-01, not {args.month!r}.")
    count = _put(args, out or sys.stdout, queries.month_report(args.partner, start, end), queries.REPORT_COLUMNS)
    sys.stderr.write(f"{count} claims\n")
    return 0


def run_reconcile(args: argparse.Namespace, out: TextIO | None = None) -> int:
    """0 when both books say the same, 1 with the differences."""
    wrong = _unknown(args)
    if wrong:
        return _refuse(wrong)
    with _lines(args.file) as lines:
        found = (
            {"line": one.line, "subject": one.subject, "code": one.code, "reason": one.reason, "words": one.words}
            for one in statements.reconcile(partner=args.partner, lines=lines)
        )
        try:
            count = _put(args, out or sys.stdout, found, ("line", "subject", "code", "reason", "words"))
        except ValueError as error:
            return _refuse(str(error))
    sys.stderr.write(f"{count or 'no'} differences\n")
    return FOUND_WRONG if count else 0


def run_revocations(args: argparse.Namespace, out: TextIO | None = None) -> int:
    wrong = _unknown(args)
    if wrong:
        return _refuse(wrong)
    rows = list(queries.revocations(args.partner))
    _put(args, out or sys.stdout, rows, ("claim", "offer", "subject", "code", "ended_on", "reason"))
    if args.mark:
        actions.mark_reported(claim_ids=[int(row["claim"]) for row in rows], now=clock.now())
    return 0


def run_vouchers(args: argparse.Namespace, out: TextIO | None = None) -> int:
    out, wrong = out or sys.stdout, _unknown(args)
    if wrong:
        return _refuse(wrong)
    if not Welcome.objects.filter(partner__code=args.partner, code=args.welcome).exists():
        return _refuse(f"{args.partner} has no welcome {args.welcome!r}.")
    try:
        expires = date.fromisoformat(args.expires) if args.expires else None
    except ValueError:
        return _refuse(f"--expires is written 2027-12-31, not {args.expires!r}.")
    if not 1 <= args.count <= inward.MOST_VOUCHERS:
        return _refuse(f"--count is from 1 to {inward.MOST_VOUCHERS}.")
    made = inward.make_vouchers(
        partner=args.partner, welcome=args.welcome, count=args.count, expires_on=expires, now=clock.now()
    )
    for code in made:
        out.write((json.dumps({"code": code}) if getattr(args, "json", False) else code) + "\n")
    return 0


def run_revoke(args: argparse.Namespace, out: TextIO | None = None) -> int:
    """0 when all were known, 1 when some were not."""
    wrong, unknown = _unknown(args), 0
    if wrong:
        return _refuse(wrong)
    rows = []
    with _lines(args.file) as lines:
        for line, text, outcome in inward.revoke_lines(partner=args.partner, lines=lines, now=clock.now()):
            unknown += outcome == "unknown"
            rows.append({"line": line, "name": text, "outcome": outcome})
    _put(args, out or sys.stdout, rows, ("line", "name", "outcome"))
    return FOUND_WRONG if unknown else 0

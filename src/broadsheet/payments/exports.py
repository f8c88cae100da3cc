"""What accountants take away: invoices, the rows of a GST return, the journal, deferred revenue by month.

Each is a generator of rows of text, the heading first, that reads the database as it is read: memory does not grow with
the paper. Days are `[since, until)` by the date of the document; amounts are in whole units with their decimals.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any, TextIO

from babel.numbers import get_currency_precision
from django.conf import settings
from django.db.models import Max, Min, Q

from broadsheet.dates import add_months, local_date
from broadsheet.payments import places, postings
from broadsheet.payments.earning import NOT_YET
from broadsheet.payments.models import CreditNote, Deferral, Invoice, InvoiceLine, JournalEntry
from broadsheet.payments.series import INVOICES, NOTES
from broadsheet.payments.taxes import TaxSplit

Rows = Iterator[tuple[str, ...]]
CHUNK = 1000
# An inter-State sale to a consumer above this much is reported by itself (since August 2024).
LARGE_MINOR = 1_00_000_00
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def write_csv(rows: Iterable[tuple[str, ...]], file: TextIO) -> int:
    """Write rows as CSV; the number of rows without the heading."""
    writer = csv.writer(file)
    count = -1
    for row in rows:
        writer.writerow(row)
        count += 1
    return count


def decimal(minor: int, currency: str) -> str:
    """`90000` of INR -> `900.00`"""
    digits = get_currency_precision(currency)
    return f"{Decimal(minor).scaleb(-digits):.{digits}f}"


def plain(text: object) -> str:
    """Text that a spreadsheet will not take for a formula: a buyer chooses their own name."""
    made = str(text)
    return f"'{made}" if made[:1] in ("=", "+", "-", "@", "\t", "\r") else made


def invoices(*, since: date, until: date) -> Rows:
    """Every invoice, void ones too, in the order of their numbers."""
    yield (
        "number", "date", "status", "paid_on", "kind", "subject", "period_start", "period_end", "buyer", "organisation",
        "gstin", "address", "state", "pin", "country", "place_of_supply", "sac", "currency", "taxable", "rate", "cgst",
        "sgst", "igst", "vat", "tax", "total", "credit_used", "credited", "paid", "due",
    )  # fmt: skip
    zone = settings.BROADSHEET.zone
    for row in _issued(Invoice, since, until):
        parts = dict(postings.document_split(row.taxable_minor, row.tax_minor, row.tax).parts)
        buyer = {name: plain(row.buyer.get(name, "")) for name in ("name", "organisation", "gstin", "address", "state")}
        money = [row.taxable_minor, *(parts.get(name, 0) for name in postings.TAXES), row.total_minor]
        money += [row.credit_minor, row.noted_minor, row.paid_minor, row.due_minor]
        amounts = [decimal(minor, row.currency) for minor in money]
        yield (
            row.number, row.issued_on.isoformat(), row.status,
            local_date(row.paid_at, zone).isoformat() if row.paid_at else "", row.kind, row.subject,
            row.period_start.isoformat(), row.period_end.isoformat(), *buyer.values(), plain(row.buyer.get("pin", "")),
            row.buyer.get("country", "IN"), row.tax.get("place_of_supply", ""), str(row.tax.get("sac", "")),
            row.currency, amounts[0], str(row.tax.get("rate", "")), *amounts[1:],
        )  # fmt: skip


def journal(*, since: date, until: date) -> Rows:
    """Every line of the journal, by day and entry: a debit or a credit, the other column empty."""
    yield ("entry", "date", "key", "text", "document", "account", "debit", "credit", "currency", "reader")
    entries = JournalEntry.objects.filter(booked_on__gte=since, booked_on__lt=until).order_by("booked_on", "id")
    for row in entries.prefetch_related("lines").iterator(chunk_size=CHUNK):
        about = (str(row.pk), row.booked_on.isoformat(), row.key, plain(row.text), row.document)
        for line in sorted(row.lines.all(), key=lambda line: line.pk):
            amount = decimal(abs(line.amount_minor), row.currency)
            sides = (amount, "") if line.amount_minor > 0 else ("", amount)
            yield (*about, line.account, *sides, row.currency, str(line.reader_id or ""))


def deferred_by_month() -> Rows:
    """What is deferred now, by the month in which it will be earned. The first is the month to be closed next, and
    `not begun` are gifts that wait for somebody to redeem them."""
    yield ("currency", "month", "earned", "deferred_after")
    months: dict[tuple[str, date], int] = defaultdict(int)
    left: dict[str, int] = defaultdict(int)
    waiting: dict[str, int] = defaultdict(int)
    rows = Deferral.objects.filter(due_on__isnull=False).order_by("line")
    for row in rows.iterator(chunk_size=CHUNK):
        left[row.currency] += row.amount_minor - row.earned_minor
        if row.due_on == NOT_YET:
            waiting[row.currency] += row.amount_minor - row.earned_minor
            continue
        before, close = row.earned_minor, row.due_on
        while before != row.amount_minor or close == row.due_on:
            after = postings.earned_by(row.amount_minor, row.start, row.end, close)
            months[row.currency, add_months(close, -1)] += after - before
            before, close = after, add_months(close, 1)
    for (currency, month), amount in sorted(months.items()):
        left[currency] -= amount
        yield (currency, f"{month:%Y-%m}", decimal(amount, currency), decimal(left[currency], currency))
    for currency, amount in sorted(waiting.items()):
        yield (currency, "not begun", decimal(amount, currency), decimal(left[currency] - amount, currency))


def gstr1(*, since: date, until: date) -> Rows:
    """The sections of a GSTR-1 return, each row with its section: `b2b` (to firms), `b2cl` (large ones to consumers in
    other States), `b2cs` (all other sales to consumers, by place and rate, less their notes), `exp` (abroad), `cdnr`
    (notes to firms), `cdnur` (notes to what stands in b2cl and exp) and `docs` (numbers used: the first, the last as
    `invoice_number`, how many as `value`, and as `taxable` how many of them are void).

    Void invoices are in `docs` alone; those that will never be paid are sales all the same.
    """
    yield (
        "section", "gstin", "name", "number", "date", "invoice_number", "invoice_date", "place_of_supply",
        "reverse_charge", "value", "rate", "taxable", "igst", "cgst", "sgst",
    )  # fmt: skip
    small: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for bill in _issued(Invoice, since, until):
        if bill.tax.get("kind") == "gst" and bill.status != Invoice.Status.VOID:
            yield from _reported(bill, None, small)
    for note in _issued(CreditNote, since, until):
        if note.tax.get("kind") == "gst" and note.invoice.status != Invoice.Status.VOID:
            yield from _reported(note.invoice, note, small)
    for (place, rate), sums in sorted(small.items()):
        taxable, igst, cgst, sgst = (decimal(minor, "INR") for minor in sums)
        yield ("b2cs", "", "", "", "", "", "", place, "N", "", rate, taxable, igst, cgst, sgst)
    yield from _documents(since, until)


def _reported(bill: Invoice, note: CreditNote | None, small: dict[tuple[str, str], list[int]]) -> Rows:
    """The row of one document, or its amounts added to the small ones."""
    split = _effect(bill) if note is None else postings.document_split(note.taxable_minor, note.tax_minor, note.tax)
    parts = dict(split.parts)
    taxes = [parts.get(name, 0) for name in ("igst", "cgst", "sgst")]
    section, rate = _section(bill, note), str(bill.tax.get("rate", "0"))
    place = _place(bill)
    if section == "b2cs":
        sign = 1 if note is None else -1
        sums = small[place, rate]
        for position, minor in enumerate([split.taxable_minor, *taxes]):
            sums[position] += sign * minor
        return
    own = note or bill
    first = (bill.number, _day(bill.issued_on)) if note else ("", "")
    name = bill.buyer.get("organisation") or bill.buyer.get("name", "")
    amounts = [decimal(minor, bill.currency) for minor in (split.taxable_minor, *taxes)]
    yield (
        section, bill.buyer.get("gstin", ""), plain(name), own.number, _day(own.issued_on), *first, place, "N",
        decimal(split.total_minor, bill.currency), rate, *amounts,
    )  # fmt: skip


def _section(bill: Invoice, note: CreditNote | None) -> str:
    abroad = places.state_code(bill.tax.get("place_of_supply", "")) == places.ABROAD
    if bill.buyer.get("gstin") and not abroad:
        return "b2b" if note is None else "cdnr"
    if abroad:
        return "exp" if note is None else "cdnur"
    if "igst_minor" in bill.tax and bill.total_minor > LARGE_MINOR:
        return "b2cl" if note is None else "cdnur"
    return "b2cs"


def _effect(bill: Invoice) -> TaxSplit:
    """What an invoice does to tax; another figure than its own only where it left something for the reader's credit."""
    whole = postings.document_split(bill.taxable_minor, bill.tax_minor, bill.tax)
    if bill.total_minor:
        return whole
    carried = InvoiceLine.Kind.CARRIED
    lines = [postings.Billed(line.amount_minor, timed=False, carried=line.kind == carried) for line in bill.lines.all()]
    return postings.effect(lines, whole, bill.tax)


def _place(bill: Invoice) -> str:
    """`29-Karnataka`, as the return writes it."""
    place = bill.tax.get("place_of_supply", "")
    code = places.state_code(place)
    return f"{code}-Other Countries" if code == places.ABROAD else f"{code}-{place}"


def _day(day: date) -> str:
    """`10-Jan-2027`, whatever the locale of the machine."""
    return f"{day.day:02}-{MONTHS[day.month - 1]}-{day.year}"


def _documents(since: date, until: date) -> Rows:
    for title, model, series in (("Invoices", Invoice, INVOICES), ("Credit notes", CreditNote, NOTES)):
        rows = model.objects.filter(issued_on__gte=since, issued_on__lt=until, number__startswith=f"{series}/")
        ends = rows.aggregate(first=Min("pk"), last=Max("pk"))
        if ends["first"] is None:
            continue
        numbers = dict(model.objects.filter(pk__in=ends.values()).values_list("pk", "number"))
        count = rows.count()
        void = rows.filter(Q(status=Invoice.Status.VOID)).count() if model is Invoice else 0
        first, last = numbers[ends["first"]], numbers[ends["last"]]
        yield ("docs", "", title, first, "", last, "", "", "", str(count), "", str(void), "", "", "")


def _issued(model: type[Any], since: date, until: date) -> Iterator[Any]:
    rows = model.objects.filter(issued_on__gte=since, issued_on__lt=until).order_by("issued_on", "id")
    return (rows.select_related("invoice") if model is CreditNote else rows).iterator(chunk_size=CHUNK)

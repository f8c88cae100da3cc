"""Everything that must be true of money, looked for in the rows themselves: for `billing check`.

Constraints of the database forbid most of it; this also finds what somebody did to the tables by hand. Tables are
walked by spans of their ids, so that neither this process nor the database holds more than a span: memory does not grow
with the paper.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Length

from broadsheet.payments import postings
from broadsheet.payments.journal import Violation, balance, check_journal, spans, within
from broadsheet.payments.models import (
    CreditEntry,
    CreditNote,
    DocumentSeries,
    Invoice,
    InvoiceLine,
    JournalLine,
    Payment,
    Refund,
)
from broadsheet.payments.series import NOTES

CHUNK = 1000
Amounts = dict[tuple[int, str], int]


def violations() -> Iterator[Violation]:
    """Every broken rule of money, as it is found. Nothing is changed."""
    yield from documents_add_up()
    yield from notes_are_counted()
    yield from refunds_are_counted()
    yield from collected_once()
    yield from series_have_no_gap()
    yield from check_journal()
    yield from credit_is_booked()
    yield from receivables_are_of_invoices()
    yield from clearing_is_empty()


def documents_add_up() -> Iterator[Violation]:
    """Lines make the total (or, with tax on top, what is taxable), and the taxes make the tax. Halves are equal."""
    fields = ("number", "taxable_minor", "tax_minor", "total_minor", "tax")
    for span in spans(Invoice):
        bills = Invoice.objects.filter(**within("pk", span)).order_by("pk")
        lines = dict(
            InvoiceLine.objects.filter(**within("invoice", span))
            .values_list("invoice")
            .annotate(sum=Sum("amount_minor"))
            .order_by("invoice")
        )
        for pk, number, taxable, tax, total, facts in _rows(bills, "pk", *fields):
            wanted = total if facts.get("inclusive", True) else taxable
            if lines.get(pk, 0) != wanted:
                yield Violation("lines_make_the_total", number, f"lines {lines.get(pk, 0)}, document {wanted}")
            yield from _tax_adds_up(number, taxable, tax, total, facts)
    for number, taxable, tax, total, facts in _rows(CreditNote.objects.order_by("pk"), *fields):
        yield from _tax_adds_up(number, taxable, tax, total, facts)


def _tax_adds_up(number: str, taxable: int, tax: int, total: int, facts: dict[str, Any]) -> Iterator[Violation]:
    split = postings.document_split(taxable, tax, facts)
    parts = dict(split.parts)
    if split.total_minor != total or sum(parts.values()) != tax:
        yield Violation("taxes_make_the_tax", number, f"taxable {taxable}, tax {tax}, parts {parts}, total {total}")
    # A note of a paisa or two cannot carry two equal halves; the next one evens them out.
    if abs(parts.get("cgst", 0) - parts.get("sgst", 0)) > (1 if number.startswith("CN") else 0):
        yield Violation("halves_are_equal", number, f"{parts}")


def notes_are_counted() -> Iterator[Violation]:
    """An invoice knows what its notes took back, and that is no more than it came to."""
    for span in spans(Invoice):
        bills = Invoice.objects.filter(**within("pk", span))
        counted = bills.annotate(notes_minor=Coalesce(Sum("notes__total_minor"), 0))
        wrong = counted.exclude(notes_minor=F("noted_minor"), noted_minor__lte=F("total_minor")).order_by("pk")
        for number, noted, notes, total in _rows(wrong, "number", "noted_minor", "notes_minor", "total_minor"):
            yield Violation("notes_are_counted", number, f"notes come to {notes}, counted {noted}, total {total}")


def refunds_are_counted() -> Iterator[Violation]:
    """A payment knows what was set aside to go back, and that is no more than it brought."""
    lost = Q(refunds__status=Refund.Status.REFUSED) | Q(refunds__status=Refund.Status.FAILED, refunds__note=None)
    back = Coalesce(Sum("refunds__amount_minor", filter=~lost & Q(refunds__isnull=False)), 0)
    for span in spans(Payment):
        payments = Payment.objects.filter(**within("pk", span)).annotate(back=back)
        wrong = payments.exclude(back=F("refunded_minor"), refunded_minor__lte=F("amount_minor")).order_by("pk")
        for key, amount, counted, sent in _rows(wrong, "key", "amount_minor", "refunded_minor", "back"):
            yield Violation("refunds_are_counted", key, f"refunds come to {sent}, counted {counted}, paid {amount}")


def collected_once() -> Iterator[Violation]:
    """One invoice is collected by a till once."""
    paid = Payment.objects.filter(status=Payment.Status.SUCCEEDED, surplus=False).exclude(kind=Payment.Kind.HAND)
    for span in spans(Invoice):
        times = paid.filter(**within("invoice", span)).values("invoice").annotate(times=Count("pk"))
        twice = times.filter(times__gt=1).order_by("invoice")
        for number, many in twice.values_list("invoice__number", "times"):
            yield Violation("collected_once", number, f"collected {many} times")


def series_have_no_gap() -> Iterator[Violation]:
    """Each series counts from 1 to its last number, and every document belongs to one."""
    known = 0
    for series in DocumentSeries.objects.order_by("name"):
        expected = 0
        for number in _numbers(series.name):
            known += 1
            expected += 1
            ordinal = int(number.rpartition("/")[2])
            if ordinal != expected:
                yield Violation("series_has_no_gap", series.name, f"{number} follows {expected - 1}")
                expected = ordinal
        if expected != series.last:
            yield Violation(
                "series_has_no_gap", series.name, f"the last is {expected}, the series counts {series.last}"
            )
    strangers = Invoice.objects.count() + CreditNote.objects.count() - known
    if strangers:
        yield Violation("documents_are_of_a_series", "", f"{strangers} documents belong to no series")


def _numbers(series: str) -> Iterator[str]:
    """The numbers of a series in their order, read off their index: those with more digits come last."""
    model = CreditNote if series.startswith(f"{NOTES}/") else Invoice
    rows = model.objects.filter(number__startswith=f"{series}/").annotate(size=Length("number"))
    padded = len(f"{series}/000001")
    for some in (rows.filter(size__lte=padded), rows.filter(size__gt=padded)):
        yield from some.order_by("number").values_list("number", flat=True).iterator(chunk_size=CHUNK)


def credit_is_booked() -> Iterator[Violation]:
    """The credit each reader holds is what the books say, and nobody has less than none."""
    for span in spans(JournalLine, CreditEntry, field="reader"):
        for who, credit, book in side_by_side(_held(span), _booked(postings.CREDIT, span)):
            if credit != -book:
                yield Violation("credit_is_booked", _reader(who), f"holds {credit}, the books say {-book}")
            if credit < 0:
                yield Violation("credit_is_not_negative", _reader(who), f"holds {credit}")


def receivables_are_of_invoices() -> Iterator[Violation]:
    """What each reader owes in the books is what their invoices leave open."""
    for span in spans(JournalLine, Invoice, field="reader"):
        for who, owed, book in side_by_side(_owed(span), _booked(postings.RECEIVABLE, span)):
            if owed != book:
                yield Violation("receivable_is_of_invoices", _reader(who), f"owes {owed}, the books say {book}")


def _held(span: tuple[int, int]) -> Amounts:
    rows = CreditEntry.objects.filter(**within("reader", span)).values_list("reader", "currency")
    sums = rows.annotate(sum=Sum("amount_minor")).order_by()
    return {(reader, currency): total for reader, currency, total in sums}


def _owed(span: tuple[int, int]) -> Amounts:
    due = F("total_minor") - F("credit_minor") - F("paid_minor") - F("noted_minor")
    bills = Invoice.objects.filter(**within("reader", span)).annotate(due=due).order_by()
    fields = ("reader", "currency", "status", "due", "pk", "paid_minor")
    sums: Amounts = defaultdict(int)
    for reader, currency, status, left, pk, paid in _rows(bills, *fields):
        if status == Invoice.Status.VOID:
            sums[reader, currency] -= paid
        elif status == Invoice.Status.UNCOLLECTIBLE:
            lines = JournalLine.objects.filter(entry__key=f"uncollectible:{pk}", account=postings.RECEIVABLE)
            sums[reader, currency] += left + (lines.aggregate(sum=Sum("amount_minor"))["sum"] or 0)
        else:
            sums[reader, currency] += left
    return sums


def clearing_is_empty() -> Iterator[Violation]:
    """What invoices left over has become credit, and money that nobody owed is that of surplus payments."""
    for currency in JournalLine.objects.order_by().values_list("entry__currency", flat=True).distinct():
        carried = balance(postings.CARRIED, currency)
        if carried:
            yield Violation("carried_is_credit", currency, f"{-carried} was left over and is nobody's credit")
        payments = Payment.objects.filter(surplus=True, currency=currency, status=Payment.Status.SUCCEEDED)
        came = payments.aggregate(sum=Sum("amount_minor"))["sum"] or 0
        refunds = Refund.objects.filter(
            payment__surplus=True, payment__currency=currency, status=Refund.Status.SUCCEEDED
        )
        went = refunds.aggregate(sum=Sum("amount_minor"))["sum"] or 0
        booked = -balance(postings.SURPLUS, currency)
        if booked != came - went:
            yield Violation("surplus_is_booked", currency, f"{came - went} is to go back, the books say {booked}")


def _rows(rows: QuerySet[Any], *fields: str) -> Iterator[tuple[Any, ...]]:
    return rows.values_list(*fields).iterator(chunk_size=CHUNK)


def _booked(account: str, span: tuple[int, int]) -> Amounts:
    """By (reader, currency), what is on an account. It is no condition: the index of readers finds the rows."""
    lines = JournalLine.objects.filter(**within("reader", span)).values_list("reader", "entry__currency")
    sums = lines.annotate(sum=Sum("amount_minor", filter=Q(account=account))).order_by()
    return {(reader, currency): total for reader, currency, total in sums if total}


def side_by_side(left: Amounts, right: Amounts) -> Iterator[tuple[tuple[int, str], int, int]]:
    """Who is on either side, in order, with both amounts: 0 where a side has none."""
    for who in sorted(left.keys() | right.keys()):
        yield who, left.get(who, 0), right.get(who, 0)


def _reader(who: tuple[int, str]) -> str:
    return f"reader {who[0]} {who[1]}"

"""The books: what payments.actions calls, inside its transactions, when something happened to money.

Every `book_...` adds one entry under a key of its own; called again it changes nothing. The pure rules stand in
payments.postings, the months' earning in payments.earning.
"""

from __future__ import annotations

from datetime import date, datetime

from broadsheet.payments import earning, journal, postings
from broadsheet.payments.earning import begin_service, move_service, recognise_revenue
from broadsheet.payments.journal import (
    Balance,
    Violation,
    check_journal,
    deferred_revenue,
    is_booked,
    local_day,
    trial_balance,
)
from broadsheet.payments.models import CreditNote, Dispute, Invoice, InvoiceLine, Payment, Refund
from broadsheet.payments.taxes import TaxSplit, share

__all__ = [
    "Balance",
    "Violation",
    "begin_service",
    "book_credit_given",
    "book_credit_used",
    "book_dispute_closed",
    "book_dispute_opened",
    "book_fee",
    "book_invoice",
    "book_note",
    "book_payment",
    "book_refund",
    "book_revived",
    "book_uncollectible",
    "book_void",
    "check_journal",
    "deferred_revenue",
    "local_day",
    "move_service",
    "recognise_revenue",
    "trial_balance",
]


def _book(
    invoice: Invoice, key: str, posting: postings.Posting, text: str, now: datetime, *, document: str = ""
) -> None:
    journal.write(
        key=key,
        posting=posting,
        text=text,
        currency=invoice.currency,
        now=now,
        document=document or invoice.number,
        reader_id=invoice.reader_id,
    )


def _billed(invoice: Invoice, lines: list[InvoiceLine]) -> list[postings.Billed]:
    carried = InvoiceLine.Kind.CARRIED
    timed = earning.is_timed
    return [postings.Billed(line.amount_minor, timed(invoice, line), line.kind == carried) for line in lines]


def _whole(row: Invoice | CreditNote) -> TaxSplit:
    return postings.document_split(row.taxable_minor, row.tax_minor, row.tax)


def _less_notes(invoice: Invoice, *, but: CreditNote | None = None) -> TaxSplit:
    """What an invoice still comes to after its notes."""
    whole = _whole(invoice)
    sums = dict(whole.parts)
    taxable, tax = whole.taxable_minor, whole.tax_minor
    for note in CreditNote.objects.filter(invoice=invoice).exclude(pk=but.pk if but else None):
        part = _whole(note)
        taxable, tax = taxable - part.taxable_minor, tax - part.tax_minor
        sums.update({name: sums[name] - amount for name, amount in part.parts})
    return TaxSplit(taxable, tax, tuple(sums.items()))


def book_invoice(*, invoice: Invoice, now: datetime, lines: list[InvoiceLine] | None = None) -> None:
    """Finalised: owed, its tax due, the rest deferred by its lines' days.

    `lines` are those of an invoice that was written just now, so that nothing has to be looked up.
    """
    key = f"invoice:{invoice.pk}"
    if lines is None:
        if is_booked(key):
            return
        lines = list(invoice.lines.all())
    billed, whole = _billed(invoice, lines), _whole(invoice)
    _book(invoice, key, postings.invoice_finalised(billed, whole, invoice.tax), f"Invoice {invoice.number}", now)
    amounts = postings.nets(billed, postings.effect(billed, whole, invoice.tax), invoice.tax)
    earning.defer(invoice, lines, amounts, local_day(now))


def book_credit_used(*, invoice: Invoice, amount_minor: int, now: datetime) -> None:
    """So much of an invoice is met from the reader's credit. Once an invoice."""
    key = f"credit-used:{invoice.pk}"
    if not is_booked(key):
        _book(invoice, key, postings.credit_used(amount_minor), f"Credit used for {invoice.number}", now)


def book_credit_given(
    *, key: str, reader_id: int, currency: str, amount_minor: int, source: str, now: datetime
) -> None:
    """A reader holds more credit. `source`: goodwill, change, payment or note. `key` is that of the credit entry."""
    if is_booked(f"credit:{key}"):
        return
    journal.write(
        key=f"credit:{key}",
        posting=postings.credit_given(amount_minor, source),
        text=f"Credit ({source})",
        currency=currency,
        now=now,
        reader_id=reader_id,
    )


def _credit_back(invoice: Invoice) -> postings.Posting:
    return postings.reversed_posting(postings.credit_used(invoice.credit_minor))


def book_void(*, invoice: Invoice, now: datetime) -> None:
    """Never owed: all of it is taken back, earned or not, and the credit it had used is the reader's again."""
    key = f"void:{invoice.pk}"
    if is_booked(key):
        return
    left, rows = _less_notes(invoice), earning.held(invoice.pk)
    deferred = sum(row.amount_minor for row in rows)
    for row in rows:
        row.amount_minor = 0
    earned = earning.catch_up(rows, local_day(now))
    taken = postings.note_written(left, deferred)
    posting = postings.posting(*taken, *earned, *_credit_back(invoice))
    _book(invoice, key, posting, f"Invoice {invoice.number} void", now)


def book_uncollectible(*, invoice: Invoice, now: datetime) -> None:
    """Owed and lost. What was not earned yet never will be; the credit it had used is the reader's again."""
    key = f"uncollectible:{invoice.pk}"
    if is_booked(key):
        return
    owed = _written_off(invoice)
    rows, day = earning.held(invoice.pk), local_day(now)
    given = earning.give_up(rows=rows, day=day, most_minor=_net_of(invoice, owed))
    earned = earning.catch_up(rows, day)
    posting = postings.posting(*postings.written_off(owed, given), *earned, *_credit_back(invoice))
    _book(invoice, key, posting, f"Invoice {invoice.number} uncollectible", now)


def _written_off(invoice: Invoice) -> int:
    """What is lost of an invoice whose used credit went back."""
    return invoice.total_minor - invoice.paid_minor - invoice.noted_minor


def _net_of(invoice: Invoice, amount_minor: int) -> int:
    return share(amount_minor, invoice.taxable_minor, invoice.total_minor) if invoice.total_minor else 0


def book_revived(*, invoice: Invoice, now: datetime) -> None:
    """Given up and paid after all: call it before its status changes. The credit that went back is not asked for again:
    what it had met is given away."""
    key = f"revived:{invoice.pk}"
    if is_booked(key):
        return
    rows, left, day = earning.held(invoice.pk), _less_notes(invoice), local_day(now)
    before = sum(row.amount_minor for row in rows)
    lines = list(invoice.lines.all())
    amounts = postings.nets(_billed(invoice, lines), _whole(invoice), invoice.tax)
    taken = (
        postings.spread(invoice.taxable_minor - left.taxable_minor, amounts)
        if sum(amounts) > 0
        else (0,) * len(amounts)
    )
    by_line = {line.pk: (line, net - part) for line, net, part in zip(lines, amounts, taken, strict=True)}
    for row in rows:
        line, row.amount_minor = by_line[row.pk]
        row.start, row.end = line.service_start or earning.NOT_YET, line.service_end or earning.NOT_YET
    back = sum(row.amount_minor for row in rows) - before
    earned = earning.catch_up(rows, day)
    if invoice.status == Invoice.Status.VOID:
        undone = postings.reversed_posting(postings.note_written(left, back))
    else:
        undone = postings.reversed_posting(postings.written_off(_written_off(invoice), back))
    gift = postings.posting((postings.GOODWILL, invoice.credit_minor), (postings.RECEIVABLE, -invoice.credit_minor))
    _book(invoice, key, postings.posting(*undone, *earned, *gift), f"Invoice {invoice.number} paid after all", now)


def book_payment(*, payment: Payment, invoice: Invoice, amount_minor: int, now: datetime) -> None:
    """Money arrived: `amount_minor` of it for the invoice, or owed by nobody when it is a surplus."""
    key = f"payment:{payment.pk}"
    if not is_booked(key):
        posting = postings.payment_settled(amount_minor, payment.provider, surplus=payment.surplus)
        _book(invoice, key, posting, f"Payment for {invoice.number}", now)


def book_note(*, note: CreditNote, now: datetime, unearned_from: date | None = None) -> None:
    """A credit note: the reader owes less, its tax and its revenue are taken back.

    `unearned_from`: the service ends that day; the note is for what lay behind. Without it the service goes on.
    """
    key = f"note:{note.pk}"
    if is_booked(key):
        return
    invoice, part = note.invoice, _whole(note)
    rows = earning.held(invoice.pk)
    rest = _less_notes(invoice, but=note).taxable_minor - sum(row.amount_minor for row in rows)
    deferred = earning.take_back(rows=rows, taxable_minor=part.taxable_minor, rest_minor=rest, ends_on=unearned_from)
    earned = earning.catch_up(rows, local_day(now))
    posting = postings.posting(*postings.note_written(part, deferred), *earned)
    _book(invoice, key, posting, f"Credit note {note.number} to {invoice.number}", now, document=note.number)


def book_refund(*, refund: Refund, now: datetime) -> None:
    """Money went back. With a note the reader is square; without one they owe the invoice again."""
    key = f"refund:{refund.pk}"
    if not is_booked(key):
        payment = refund.payment
        posting = postings.refund_settled(refund.amount_minor, payment.provider, surplus=payment.surplus)
        _book(payment.invoice, key, posting, f"Refund of {payment.invoice.number}", now)


def book_dispute_opened(*, dispute: Dispute, now: datetime) -> None:
    """The reader's bank holds the money."""
    key = f"dispute:{dispute.pk}"
    if not is_booked(key):
        payment = dispute.payment
        posting = postings.dispute_opened(dispute.amount_minor, payment.provider)
        _book(payment.invoice, key, posting, f"Dispute {dispute.provider_ref}", now)


def book_dispute_closed(*, dispute: Dispute, now: datetime) -> None:
    """Won: the money is back. Lost: so is what the invoice would still have earned; its tax stays due."""
    key = f"dispute-closed:{dispute.pk}"
    if is_booked(key):
        return
    payment, invoice = dispute.payment, dispute.payment.invoice
    if dispute.status == Dispute.Status.WON:
        posting = postings.dispute_won(dispute.amount_minor, payment.provider)
        _book(invoice, key, posting, f"Dispute {dispute.provider_ref} won", now)
        return
    rows, day = earning.held(invoice.pk), local_day(now)
    given = earning.give_up(rows=rows, day=day, most_minor=_net_of(invoice, dispute.amount_minor))
    earned = earning.catch_up(rows, day)
    posting = postings.posting(*postings.dispute_lost(dispute.amount_minor, given), *earned)
    _book(invoice, key, posting, f"Dispute {dispute.provider_ref} lost", now)


def book_fee(*, key: str, provider: str, amount_minor: int, currency: str, text: str, now: datetime) -> None:
    """What a provider kept of what it collected. `key` is the provider's own name for it."""
    if not is_booked(f"fee:{provider}:{key}"):
        journal.write(
            key=f"fee:{provider}:{key}",
            posting=postings.fee_kept(amount_minor, provider),
            text=text,
            currency=currency,
            now=now,
        )

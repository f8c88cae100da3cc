"""Invoices and credit notes: made once, numbered without a gap, taxed at the rate of their day, never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from broadsheet.dates import local_date
from broadsheet.payments import ledger, rules
from broadsheet.payments.actions import credit
from broadsheet.payments.models import BillingProfile, CreditNote, Invoice, InvoiceLine
from broadsheet.payments.queries import InvoiceRow, credit_balance, invoice_row, tax_rate_on
from broadsheet.payments.series import next_number
from broadsheet.payments.taxes import TaxSplit, part_of, split
from broadsheet.payments.values import Line, Taxed


class InvoiceStateError(ValueError):
    """The invoice's status does not allow what was asked; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Money:
    """What a set of lines comes to for one reader: `credit_minor` of the total would be met from their credit."""

    split: TaxSplit
    tax: Mapping[str, Any]
    credit_minor: int

    @property
    def due_minor(self) -> int:
        return self.split.total_minor - self.credit_minor


def today(now: datetime) -> date:
    return local_date(now, settings.BROADSHEET.zone)


def quote(
    *, reader_id: int, lines: Sequence[Line], taxed: Taxed, currency: str, now: datetime, state: str | None = None,
    country: str | None = None,
) -> Money:  # fmt: skip
    """What an invoice of these lines would come to today. Writes nothing; `state` and `country` override the
    reader's own."""
    profile = BillingProfile.objects.filter(pk=reader_id).first()
    amount = sum(line.amount_minor for line in lines)
    parts, tax = _taxed(amount, taxed, profile, state, today(now), country=country)
    held = max(0, credit_balance(reader_id, currency))
    return Money(parts, tax, min(held, parts.total_minor))


def _taxed(
    amount: int,
    taxed: Taxed,
    profile: BillingProfile | None,
    state: str | None,
    day: date,
    *,
    country: str | None = None,
) -> tuple[TaxSplit, dict[str, Any]]:
    country = country or (profile.country if profile else "IN")
    rate = tax_rate_on(taxed.code, country, day) if taxed.code else None
    if rate is None:
        return TaxSplit(amount, 0), {}
    where = state if state is not None else (profile.state if profile else "")
    supply = rules.place_of_supply(
        kind=rate.kind, country=country, state=where, publisher_state=settings.BROADSHEET.publisher_state
    )
    # Services to readers abroad are an export: named at a rate of nothing.
    rate_bp = 0 if supply.export else rate.rate_bp
    parts = split(amount, kind=rate.kind, rate_bp=rate_bp, inclusive=taxed.inclusive, intra=supply.intra)
    tax: dict[str, Any] = {
        "kind": rate.kind,
        "rate": rules.rate_words(rate_bp),
        "inclusive": taxed.inclusive,
        "taxable_minor": parts.taxable_minor,
        **{f"{name}_minor": value for name, value in parts.parts},
    }
    if rate.kind == "gst":
        tax |= {"place_of_supply": supply.place, "sac": rate.sac or settings.BROADSHEET.publisher_sac}
    return parts, tax


@transaction.atomic
def open_invoice(
    *,
    reader_id: int,
    subject: str,
    kind: str,
    period_index: int | None,
    period_start: date,
    period_end: date,
    currency: str,
    lines: Sequence[Line],
    taxed: Taxed,
    context: Mapping[str, Any] | None = None,
    now: datetime,
) -> InvoiceRow:
    """A finalised invoice with its lines. One with a `period_index` is made at the first call and found at
    every later one, until it is void. Credit the reader holds is used up; when nothing is left to pay, it is paid
    already.

    Call it while holding the lock of what is billed.
    """
    if period_index is not None:
        found = Invoice.objects.filter(subject=subject, period_index=period_index).exclude(status="void").first()
        if found is not None:
            return invoice_row(found, lines=True)
    day = today(now)
    profile = BillingProfile.objects.filter(pk=reader_id).first()
    parts, tax = _taxed(sum(line.amount_minor for line in lines), taxed, profile, None, day)
    if parts.total_minor < 0:
        raise InvoiceStateError("An invoice does not come to less than nothing.")
    number = next_number(series="BS", day=day)
    row = Invoice.objects.create(
        number=number,
        key=f"{subject}:{kind}:{number}",
        kind=kind,
        reader_id=reader_id,
        subject=subject,
        period_index=period_index,
        period_start=period_start,
        period_end=period_end,
        currency=currency,
        taxable_minor=parts.taxable_minor,
        tax_minor=parts.tax_minor,
        total_minor=parts.total_minor,
        tax=tax,
        buyer=_buyer(profile),
        supplier=_supplier(),
        context=dict(context or {}),
        issued_on=day,
        issued_at=now,
    )
    written = InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=row,
            position=position,
            kind=line.kind,
            text=line.text[:200],
            quantity=line.quantity,
            amount_minor=line.amount_minor,
            service_start=line.start,
            service_end=line.end,
        )
        for position, line in enumerate(lines, start=1)
    )
    ledger.book_invoice(invoice=row, lines=written, now=now)
    _use_credit(row, now)
    return invoice_row(row, lines=written)


def _buyer(profile: BillingProfile | None) -> dict[str, str]:
    if profile is None:
        return {}
    names = ("name", "organisation", "address", "country", "state", "pin", "gstin")
    return {name: value for name in names if (value := getattr(profile, name))}


def _supplier() -> dict[str, str]:
    options = settings.BROADSHEET
    facts = {
        "name": options.publisher_legal_name or options.name,
        "address": options.publisher_address,
        "state": options.publisher_state,
        "gstin": options.publisher_gstin,
    }
    return {name: value for name, value in facts.items() if value}


def _use_credit(row: Invoice, now: datetime) -> None:
    held = credit_balance(row.reader_id, row.currency)
    use = min(max(0, held), row.total_minor)
    if use:
        credit.change(
            key=f"use:{row.number}",
            reader_id=row.reader_id,
            currency=row.currency,
            amount_minor=-use,
            reason=f"used for invoice {row.number}",
            now=now,
        )
        row.credit_minor = use
        ledger.book_credit_used(invoice=row, amount_minor=use, now=now)
    if row.due_minor == 0:
        row.status, row.paid_at = Invoice.Status.PAID, now
    if use or row.status == Invoice.Status.PAID:
        row.save(update_fields=["credit_minor", "status", "paid_at"])


@transaction.atomic
def set_period(*, invoice_id: int, period_start: date, period_end: date) -> None:
    """Fix the period a payment just bought, in the transaction that applies it; days may have passed since issue."""
    row = Invoice.objects.get(pk=invoice_id)
    if (row.period_start, row.period_end) == (period_start, period_end):
        return
    Invoice.objects.filter(pk=invoice_id).update(period_start=period_start, period_end=period_end)
    # What is earned follows the days that were bought.
    moved = InvoiceLine.objects.filter(invoice=row, service_start=row.period_start, service_end=row.period_end)
    moved.update(service_start=period_start, service_end=period_end)
    ledger.move_service(
        invoice_id=invoice_id, was=(row.period_start, row.period_end), now_is=(period_start, period_end)
    )


@transaction.atomic
def earn_over(*, invoice_id: int, start: date, end: date) -> None:
    """Say over which days a paid invoice is earned whose service begins later, such as a gift's."""
    InvoiceLine.objects.filter(invoice_id=invoice_id, service_start=None).update(service_start=start, service_end=end)
    ledger.begin_service(invoice_id=invoice_id, start=start, end=end)


def _leave(invoice_id: int, status: str, now: datetime) -> Invoice | None:
    """Take an open invoice out of what is owed; the credit it had used goes back to the reader."""
    row = Invoice.objects.select_for_update().get(pk=invoice_id)
    if row.status == Invoice.Status.PAID:
        raise InvoiceStateError(f"Invoice {row.number} is paid: money goes back by a refund.")
    if row.status != Invoice.Status.OPEN:
        return None
    row.status = status
    row.voided_at = now
    row.save(update_fields=["status", "voided_at"])
    if row.credit_minor:
        credit.change(
            key=f"unused:{row.number}",
            reader_id=row.reader_id,
            currency=row.currency,
            amount_minor=row.credit_minor,
            reason=f"invoice {row.number} is {status}",
            now=now,
        )
    return row


@transaction.atomic
def void_invoice(*, invoice_id: int, now: datetime) -> None:
    """Nobody owes this any more. Its number stays used. Raises InvoiceStateError when it is paid."""
    row = _leave(invoice_id, Invoice.Status.VOID, now)
    if row is not None:
        ledger.book_void(invoice=row, now=now)


@transaction.atomic
def mark_uncollectible(*, invoice_id: int, now: datetime) -> None:
    """It was owed and will not be paid: written off, still listed. Raises InvoiceStateError when it is paid."""
    row = _leave(invoice_id, Invoice.Status.UNCOLLECTIBLE, now)
    if row is not None:
        ledger.book_uncollectible(invoice=row, now=now)


def taken_back(row: Invoice) -> TaxSplit:
    """What earlier notes took back of an invoice."""
    names = [name for name, _ in _whole(row).parts]
    notes = list(CreditNote.objects.filter(invoice=row))
    parts = tuple((name, sum(note.tax.get(f"{name}_minor", 0) for note in notes)) for name in names)
    return TaxSplit(sum(note.taxable_minor for note in notes), sum(note.tax_minor for note in notes), parts)


def _whole(row: Invoice) -> TaxSplit:
    names = ("cgst", "sgst", "igst", "vat", "tax")
    parts = tuple((name, row.tax[f"{name}_minor"]) for name in names if f"{name}_minor" in row.tax)
    return TaxSplit(row.taxable_minor, row.tax_minor, parts)


@transaction.atomic
def write_note(
    *, invoice_id: int, amount_minor: int, reason: str, key: str, now: datetime, unearned_from: date | None = None
) -> CreditNote:
    """A credit note over `amount_minor` (tax included) of an invoice, with its share of the tax; found again by `key`.

    `unearned_from`: the day from which what it takes back would have been earned. InvoiceStateError: more than is left.
    """
    row = Invoice.objects.select_for_update().get(pk=invoice_id)
    found = CreditNote.objects.filter(key=key).first()
    if found is not None:
        return found
    try:
        part = part_of(_whole(row), amount_minor, taken=taken_back(row))
    except ValueError as error:
        raise InvoiceStateError(str(error)) from None
    day = today(now)
    tax = {name: value for name, value in row.tax.items() if not name.endswith("_minor")}
    if tax:
        tax |= {"taxable_minor": part.taxable_minor, **{f"{name}_minor": value for name, value in part.parts}}
    note = CreditNote.objects.create(
        number=next_number(series="CN", day=day),
        key=key,
        invoice=row,
        currency=row.currency,
        taxable_minor=part.taxable_minor,
        tax_minor=part.tax_minor,
        total_minor=amount_minor,
        tax=tax,
        reason=reason[:200],
        issued_on=day,
        issued_at=now,
    )
    Invoice.objects.filter(pk=row.pk).update(noted_minor=row.noted_minor + amount_minor)
    ledger.book_note(note=note, unearned_from=unearned_from, now=now)
    return note

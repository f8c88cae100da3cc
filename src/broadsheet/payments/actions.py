"""The only writers of invoices, payments and mandates.

A charge is three steps, each repeatable: `begin_payment` writes the attempt and its key (one transaction), the
provider is asked (outside any), `apply_payment_result` writes what it said (one transaction). The browser's return,
a repeated job and a provider's late word all end in the same `apply_payment_result`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F

from broadsheet.bus.actions import emit
from broadsheet.dates import local_date, rfc3339
from broadsheet.payments import rules
from broadsheet.payments.adapters import ChargeRequest, ChargeResult, CheckoutRequest
from broadsheet.payments.adapters.registry import checkout_provider, provider
from broadsheet.payments.events import PaymentFailed, PaymentSettled
from broadsheet.payments.models import Invoice, InvoiceLine, InvoiceSeries, Mandate, Payment
from broadsheet.payments.queries import InvoiceRow, PaymentRow, invoice_row, payment_row


class InvoiceStateError(ValueError):
    """The invoice's status does not allow what was asked; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `apply_payment_result` did. `changed` is False for a repeat: then somebody else has had the effect."""

    changed: bool
    payment: PaymentRow
    invoice: InvoiceRow


def _next_number(now: datetime) -> str:
    year = rules.fiscal_year(local_date(now, ZoneInfo(settings.BROADSHEET.time_zone)))
    InvoiceSeries.objects.get_or_create(name=year)
    # The update takes the series' row lock until the invoice commits: numbers are consecutive and never lost.
    InvoiceSeries.objects.filter(name=year).update(last=F("last") + 1)
    return rules.invoice_number(year, InvoiceSeries.objects.values_list("last", flat=True).get(name=year))


@transaction.atomic
def open_invoice(
    *,
    reader_id: int,
    subject: str,
    period_index: int,
    period_start: date,
    period_end: date,
    currency: str,
    lines: Sequence[tuple[str, int]],
    now: datetime,
) -> InvoiceRow:
    """The invoice of one period of `subject`: made at the first call, found at every later one, whatever its status.

    `lines` are (text, amount in minor units). Call it while holding the lock of what is billed.
    """
    found = Invoice.objects.filter(subject=subject, period_index=period_index).first()
    if found is not None:
        return invoice_row(found)
    row = Invoice.objects.create(
        number=_next_number(now),
        reader_id=reader_id,
        subject=subject,
        period_index=period_index,
        period_start=period_start,
        period_end=period_end,
        currency=currency,
        total_minor=sum(amount for _, amount in lines),
        issued_at=now,
    )
    InvoiceLine.objects.bulk_create(
        InvoiceLine(invoice=row, position=position, text=text, amount_minor=amount)
        for position, (text, amount) in enumerate(lines, start=1)
    )
    return invoice_row(row)


@transaction.atomic
def set_period(*, invoice_id: int, period_start: date, period_end: date) -> None:
    """Fix the period a payment just bought, in the transaction that applies it; a day may have passed since issue."""
    Invoice.objects.filter(pk=invoice_id).update(period_start=period_start, period_end=period_end)


@transaction.atomic
def void_invoice(*, invoice_id: int, now: datetime) -> None:
    """Nobody owes this any more. Its number stays used. Raises InvoiceStateError when it is paid."""
    row = Invoice.objects.select_for_update().get(pk=invoice_id)
    if row.status == Invoice.Status.PAID:
        raise InvoiceStateError(f"Invoice {row.number} is paid: money goes back by a refund.")
    Invoice.objects.filter(pk=invoice_id, status=Invoice.Status.OPEN).update(status=Invoice.Status.VOID, voided_at=now)


@transaction.atomic
def begin_payment(*, invoice_id: int, key: str, kind: str, mandate_id: int | None, now: datetime) -> PaymentRow:
    """Write down the attempt before anybody is asked for money. An attempt whose result is unknown is returned instead
    of a second one: whoever died in the middle is continued under the same key.
    """
    invoice = Invoice.objects.select_for_update().get(pk=invoice_id)
    if invoice.status != Invoice.Status.OPEN:
        raise InvoiceStateError(f"Invoice {invoice.number} is {invoice.status}; there is nothing to collect.")
    unfinished = Payment.objects.filter(invoice=invoice, status__in=Payment.UNRESOLVED).first()
    if unfinished is not None:
        return payment_row(unfinished)
    mandate = Mandate.objects.get(pk=mandate_id) if mandate_id else None
    row, _ = Payment.objects.get_or_create(
        key=key,
        defaults={
            "invoice": invoice,
            "kind": kind,
            "provider": mandate.provider if mandate else checkout_provider().code,
            "mandate": mandate,
            "amount_minor": invoice.total_minor,
            "currency": invoice.currency,
            "created_at": now,
        },
    )
    return payment_row(row)


def _description(row: Payment) -> str:
    line = row.invoice.lines.first()
    return f"{settings.BROADSHEET.name}: {line.text if line else row.invoice.number}"[:200]


def open_checkout(*, key: str, return_url: str, now: datetime) -> str:
    """The till's page for an attempt: the URL to send the reader to. Asking again gives the same page."""
    row = Payment.objects.select_related("invoice").get(key=key)
    return provider(row.provider).open_checkout(
        CheckoutRequest(
            key=row.key,
            amount_minor=row.amount_minor,
            currency=row.currency,
            description=_description(row),
            return_url=return_url,
            at=now,
        )
    )


def request_charge(*, key: str, now: datetime) -> ChargeResult:
    """Ask the provider to charge by mandate. Never call it inside a transaction: it waits for somebody else's machine.

    It writes nothing here; repeating it after a crash asks with the same key and gets the first answer.
    """
    row = Payment.objects.select_related("invoice", "mandate").get(key=key)
    if row.mandate is None or row.mandate.status != Mandate.Status.ACTIVE:
        return ChargeResult(status="failed", failure_code="no_mandate", at=now)
    return provider(row.provider).charge(
        ChargeRequest(
            key=row.key,
            amount_minor=row.amount_minor,
            currency=row.currency,
            description=_description(row),
            mandate_ref=row.mandate.provider_ref,
            at=now,
        )
    )


def fetch_result(*, key: str) -> ChargeResult | None:
    """What the provider knows of an attempt; None when it was never asked."""
    row = Payment.objects.get(key=key)
    return provider(row.provider).fetch(key)


def withdraw_checkout(*, key: str, now: datetime) -> ChargeResult:
    """Close the till's page of an attempt. If the reader was faster, that payment is the result."""
    row = Payment.objects.get(key=key)
    return provider(row.provider).withdraw(key, now)


def _keep_mandate(row: Payment, reader_id: int, ref: str, now: datetime) -> Mandate:
    mandate, _ = Mandate.objects.get_or_create(
        provider=row.provider, provider_ref=ref, defaults={"reader_id": reader_id, "created_at": now}
    )
    return mandate


@transaction.atomic
def apply_payment_result(*, key: str, result: ChargeResult, now: datetime) -> Outcome:
    """Write what the provider said about `key`, once. Repeats, late noes and words out of order change nothing.

    Money for an invoice that somebody voided in the meantime pays it after all: a payment is never lost. Money for one
    that is paid already is marked `surplus`.
    """
    row = Payment.objects.select_for_update().get(key=key)
    invoice = Invoice.objects.select_for_update().get(pk=row.invoice_id)
    if not rules.may_move(row.status, result.status):
        return Outcome(changed=False, payment=payment_row(row), invoice=invoice_row(invoice))
    at = result.at or now
    row.status = result.status
    row.provider_ref = result.provider_ref or row.provider_ref
    row.failure_code = result.failure_code
    row.settled_at = at if result.status in ("succeeded", "failed") else None
    if result.status == "succeeded":
        if result.mandate_ref and row.mandate_id is None:
            row.mandate = _keep_mandate(row, invoice.reader_id, result.mandate_ref, at)
        row.surplus = invoice.status == Invoice.Status.PAID
        if not row.surplus:
            invoice.status, invoice.paid_at, invoice.voided_at = Invoice.Status.PAID, at, None
            invoice.save(update_fields=["status", "paid_at", "voided_at"])
    row.save(update_fields=["status", "provider_ref", "failure_code", "settled_at", "mandate", "surplus"])
    if result.status == "succeeded" and not row.surplus:
        emit(PaymentSettled(row.pk, invoice.pk, invoice.subject, rfc3339(at)))
    elif result.status == "failed":
        emit(PaymentFailed(row.pk, invoice.pk, invoice.subject, result.failure_code, rfc3339(at)))
    return Outcome(changed=True, payment=payment_row(row), invoice=invoice_row(invoice))


def revoke_mandate(*, mandate_id: int, now: datetime) -> None:
    """End the permission at the provider, then in our book: dying in between leaves it to be revoked again."""
    row = Mandate.objects.get(pk=mandate_id)
    provider(row.provider).revoke_mandate(row.provider_ref, now)
    Mandate.objects.filter(pk=mandate_id, status=Mandate.Status.ACTIVE).update(
        status=Mandate.Status.REVOKED, revoked_at=now
    )


def mark_surplus(*, invoice_id: int) -> bool:
    """The money for this invoice bought nothing and has to go back. False when that was known already."""
    rows = Payment.objects.filter(invoice_id=invoice_id, status=Payment.Status.SUCCEEDED, surplus=False)
    return bool(rows.update(surplus=True))

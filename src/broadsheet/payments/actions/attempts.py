"""Collecting an invoice through a till.

A charge is three steps, each repeatable: `begin_payment` writes the attempt and its key (one transaction), the
provider is asked (outside any), `apply_payment_result` writes what it said (one transaction). The browser's return,
a repeated job, a webhook and a provider's late word all end in the same `apply_payment_result`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from broadsheet.bus.actions import emit
from broadsheet.dates import rfc3339
from broadsheet.payments import ledger, rules
from broadsheet.payments.actions.documents import InvoiceStateError
from broadsheet.payments.actions.mandates import keep_mandate, mark_mandate_refused
from broadsheet.payments.adapters import ChargeRequest, ChargeResult, CheckoutRequest, MandateWish
from broadsheet.payments.adapters.registry import checkout_provider, provider
from broadsheet.payments.events import PaymentFailed, PaymentSettled
from broadsheet.payments.models import Invoice, Mandate, Payment
from broadsheet.payments.queries import InvoiceRow, PaymentRow, invoice_row, payment_row, reader_email


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `apply_payment_result` did. `changed` is False for a repeat: then somebody else has had the effect."""

    changed: bool
    payment: PaymentRow
    invoice: InvoiceRow


@transaction.atomic
def begin_payment(
    *, invoice_id: int, key: str, kind: str, mandate_id: int | None, now: datetime, told_at: datetime | None = None
) -> PaymentRow:
    """Write down the attempt before anybody is asked for money. An attempt whose result is unknown is returned instead
    of a second one: whoever died in the middle is continued under the same key. `told_at`: when the reader's bank was
    told of the debit, where it wants to be.
    """
    invoice = Invoice.objects.select_for_update().get(pk=invoice_id)
    if invoice.status != Invoice.Status.OPEN:
        raise InvoiceStateError(f"Invoice {invoice.number} is {invoice.status}; there is nothing to collect.")
    rows = Payment.objects.filter(Q(invoice=invoice, status__in=Payment.UNRESOLVED) | Q(key=key))
    known = sorted(rows, key=lambda row: row.status not in Payment.UNRESOLVED)
    if known:
        return payment_row(known[0])
    mandate = Mandate.objects.get(pk=mandate_id) if mandate_id else None
    # The invoice's lock is held: nobody else makes an attempt on it now.
    row = Payment.objects.create(
        key=key,
        invoice=invoice,
        kind=kind,
        provider=mandate.provider if mandate else checkout_provider().code,
        mandate=mandate,
        amount_minor=invoice.due_minor,
        currency=invoice.currency,
        created_at=now,
        notice_requested_at=told_at,
        notice_sent_at=told_at,
    )
    return payment_row(row)


def _description(row: Payment) -> str:
    line = row.invoice.lines.first()
    return f"{settings.BROADSHEET.name}: {line.text if line else row.invoice.number}"[:200]


def open_checkout(*, key: str, return_url: str, now: datetime, mandate: MandateWish | None = None) -> str:
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
            customer=f"reader:{row.invoice.reader_id}",
            email=reader_email(row.invoice.reader_id),
            mandate=mandate,
        )
    )


def request_charge(*, key: str, now: datetime, present: bool = False, notice_ref: str = "") -> ChargeResult:
    """Ask the provider to charge by mandate. Never call it inside a transaction: it waits for somebody else's machine.

    It writes nothing here; repeating it after a crash asks with the same key and gets the first answer. NoAnswerError:
    nobody knows yet.
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
            customer=f"reader:{row.invoice.reader_id}",
            email=reader_email(row.invoice.reader_id),
            present=present,
            notice_ref=notice_ref,
        )
    )


def check_later(*, key: str, check_at: datetime) -> None:
    """Nobody knows what became of an attempt: it is asked after again at `check_at`."""
    Payment.objects.filter(key=key, status__in=Payment.UNRESOLVED).update(check_at=check_at)


def fetch_result(*, key: str, now: datetime) -> ChargeResult | None:
    """What the provider knows of an attempt; None when it was never asked."""
    row = Payment.objects.get(key=key)
    return provider(row.provider).fetch(key, now)


def withdraw_checkout(*, key: str, now: datetime) -> ChargeResult:
    """Close the till's page of an attempt. If the reader was faster, that payment is the result."""
    row = Payment.objects.get(key=key)
    return provider(row.provider).withdraw(key, now)


@transaction.atomic(savepoint=False)
def apply_payment_result(*, key: str, result: ChargeResult, now: datetime) -> Outcome:
    """Write what the provider said about `key`, once. Repeats, late noes and words out of order change nothing.

    Money for an invoice that somebody voided or wrote off in the meantime pays it after all: a payment is never lost.
    Money for one that is paid already is marked `surplus`.
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
    row.check_at = None
    if result.status == "succeeded":
        if result.mandate is not None and row.mandate_id is None:
            row.mandate = keep_mandate(
                provider_code=row.provider, reader_id=invoice.reader_id, seen=result.mandate, now=at
            )
        _collect(row, invoice, at)
    elif result.failure_code == "hard_declined" and row.mandate_id:
        mark_mandate_refused(mandate_id=row.mandate_id)
    row.save(update_fields=["status", "provider_ref", "failure_code", "settled_at", "check_at", "mandate", "surplus"])
    if result.status == "succeeded" and not row.surplus:
        emit(PaymentSettled(row.pk, invoice.pk, invoice.subject, rfc3339(at)))
    elif result.status == "failed":
        emit(PaymentFailed(row.pk, invoice.pk, invoice.subject, result.failure_code, rfc3339(at)))
    return Outcome(changed=True, payment=payment_row(row), invoice=invoice_row(invoice))


def _collect(row: Payment, invoice: Invoice, at: datetime) -> None:
    row.surplus = invoice.status == Invoice.Status.PAID
    if not row.surplus:
        if invoice.status != Invoice.Status.OPEN:
            # The credit it had used went back when it was given up; the payment covers what was left.
            ledger.book_revived(invoice=invoice, now=at)
        invoice.paid_minor += row.amount_minor
        invoice.status, invoice.paid_at, invoice.voided_at = Invoice.Status.PAID, at, None
        invoice.save(update_fields=["paid_minor", "status", "paid_at", "voided_at"])
    ledger.book_payment(payment=row, invoice=invoice, amount_minor=row.amount_minor, now=at)

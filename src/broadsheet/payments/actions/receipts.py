"""Money that arrived by other roads than a till's charge: a transfer, cash, a cheque, a collective link."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from broadsheet.bus.actions import emit
from broadsheet.dates import rfc3339
from broadsheet.payments import ledger
from broadsheet.payments.actions.credit import give_credit
from broadsheet.payments.actions.documents import InvoiceStateError
from broadsheet.payments.events import PaymentSettled
from broadsheet.payments.models import Invoice, Payment
from broadsheet.payments.queries import PaymentRow, payment_row


@transaction.atomic
def pay_by_hand(*, invoice_id: int, key: str, amount_minor: int, reference: str, now: datetime) -> PaymentRow:
    """Book money for an invoice of which something is owed, once a key: an open one, or a paid one of which something
    went back without a note. A part leaves the rest owed; what is too much becomes credit.

    InvoiceStateError when a charge for it is under way (its answer would come on top), or nothing is owed.
    """
    invoice = Invoice.objects.select_for_update().get(pk=invoice_id)
    done = Payment.objects.filter(key=key).first()
    if done is not None:
        return payment_row(done)
    if invoice.status not in (Invoice.Status.OPEN, Invoice.Status.PAID) or invoice.due_minor <= 0:
        raise InvoiceStateError(f"Invoice {invoice.number} is {invoice.status}; there is nothing to collect.")
    if Payment.objects.filter(invoice=invoice, status__in=Payment.UNRESOLVED).exists():
        raise InvoiceStateError(f"A charge for invoice {invoice.number} is under way.")
    part = min(amount_minor, invoice.due_minor)
    row = Payment.objects.create(
        invoice=invoice,
        key=key,
        kind=Payment.Kind.HAND,
        provider="manual",
        provider_ref=reference[:120],
        status=Payment.Status.SUCCEEDED,
        amount_minor=amount_minor,
        currency=invoice.currency,
        created_at=now,
        settled_at=now,
    )
    invoice.paid_minor += part
    if invoice.due_minor == 0:
        invoice.status, invoice.paid_at = Invoice.Status.PAID, invoice.paid_at or now
    invoice.save(update_fields=["paid_minor", "status", "paid_at"])
    ledger.book_payment(payment=row, invoice=invoice, amount_minor=part, now=now)
    if amount_minor > part:
        give_credit(
            key=f"over:{key}",
            reader_id=invoice.reader_id,
            currency=invoice.currency,
            amount_minor=amount_minor - part,
            reason=f"paid beyond invoice {invoice.number}",
            source="payment",
            now=now,
        )
    if invoice.status == Invoice.Status.PAID:
        emit(PaymentSettled(row.pk, invoice.pk, invoice.subject, rfc3339(now)))
    return payment_row(row)

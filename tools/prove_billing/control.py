"""What protects a charge, taken out: the harness that finds nothing must find something then.

Random keys instead of `renew:…`, no unique indexes, nobody asks what became of an attempt before making the next, and
nobody minds that an invoice is settled already.
"""

from __future__ import annotations

from django.db import connection

from broadsheet import ids
from broadsheet.payments import actions as payments
from broadsheet.payments import ledger
from broadsheet.payments.actions import attempts
from broadsheet.payments.models import Invoice, Mandate, Payment
from broadsheet.payments.queries import PaymentRow, payment_row
from broadsheet.subscriptions.actions import renewals

INDEXES = (
    "payments_one_open_attempt",
    "payments_one_success",
    "payments_one_open_debit_per_mandate",
    "payments_invoice_once_per_period",
)


def drop_constraints() -> None:
    with connection.cursor() as cursor:
        for name in INDEXES:
            cursor.execute(f"DROP INDEX {name}")


def take_out() -> None:
    """In a worker: the code without what protects it."""
    payments.begin_payment = _begin_anew
    payments.fetch_result = lambda **_: None
    renewals._unfinished = lambda _: None  # noqa: SLF001 - taken out on purpose
    attempts._collect = _collect_again  # noqa: SLF001 - as above


def _begin_anew(
    *, invoice_id: int, key: str, kind: str, mandate_id: int | None, now: object, **_: object
) -> PaymentRow:
    bill, mandate = Invoice.objects.get(pk=invoice_id), Mandate.objects.get(pk=mandate_id)
    row = Payment.objects.create(
        key=f"{key.split(':', maxsplit=1)[0]}:{key.split(':')[1]}:{ids.token(12)}",
        invoice=bill,
        kind=kind,
        provider=mandate.provider,
        mandate=mandate,
        amount_minor=bill.due_minor,
        currency=bill.currency,
        created_at=now,
    )
    return payment_row(row)


def _collect_again(row: Payment, invoice: Invoice, at: object) -> None:
    row.surplus = False
    invoice.paid_minor, invoice.status, invoice.paid_at = invoice.paid_minor + row.amount_minor, "paid", at
    invoice.save(update_fields=["paid_minor", "status", "paid_at"])
    ledger.book_payment(payment=row, invoice=invoice, amount_minor=row.amount_minor, now=at)

"""What other apps may know of invoices and payments: frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from broadsheet.payments.models import Invoice, Payment


@dataclass(frozen=True, slots=True)
class LineRow:
    text: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """`period_end` is exclusive. `status` is open, paid or void."""

    id: int
    number: str
    reader_id: int
    subject: str
    period_index: int
    period_start: date
    period_end: date
    currency: str
    total_minor: int
    status: str
    issued_at: datetime
    paid_at: datetime | None
    lines: tuple[LineRow, ...] = ()


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """One attempt. `status` is pending, processing, succeeded or failed."""

    id: int
    invoice_id: int
    key: str
    kind: str
    provider: str
    status: str
    failure_code: str
    mandate_id: int | None
    amount_minor: int
    currency: str
    settled_at: datetime | None
    surplus: bool

    @property
    def unresolved(self) -> bool:
        return self.status in Payment.UNRESOLVED


def invoice_row(row: Invoice, *, lines: bool = False) -> InvoiceRow:
    return InvoiceRow(
        id=row.pk,
        number=row.number,
        reader_id=row.reader_id,
        subject=row.subject,
        period_index=row.period_index,
        period_start=row.period_start,
        period_end=row.period_end,
        currency=row.currency,
        total_minor=row.total_minor,
        status=row.status,
        issued_at=row.issued_at,
        paid_at=row.paid_at,
        lines=tuple(LineRow(line.text, line.amount_minor) for line in row.lines.all()) if lines else (),
    )


def payment_row(row: Payment) -> PaymentRow:
    return PaymentRow(
        id=row.pk,
        invoice_id=row.invoice_id,
        key=row.key,
        kind=row.kind,
        provider=row.provider,
        status=row.status,
        failure_code=row.failure_code,
        mandate_id=row.mandate_id,
        amount_minor=row.amount_minor,
        currency=row.currency,
        settled_at=row.settled_at,
        surplus=row.surplus,
    )


def invoice(invoice_id: int) -> InvoiceRow | None:
    row = Invoice.objects.filter(pk=invoice_id).first()
    return invoice_row(row, lines=True) if row else None


def invoice_of_period(subject: str, period_index: int) -> InvoiceRow | None:
    row = Invoice.objects.filter(subject=subject, period_index=period_index).first()
    return invoice_row(row) if row else None


def readers_invoice(reader_id: int, number: str) -> InvoiceRow | None:
    """One invoice with its lines, if it is this reader's."""
    row = Invoice.objects.filter(reader_id=reader_id, number=number).first()
    return invoice_row(row, lines=True) if row else None


def readers_invoices(reader_id: int, limit: int = 100) -> tuple[InvoiceRow, ...]:
    """Paid invoices, newest first: what is open is still being paid, what is void was never owed."""
    rows = Invoice.objects.filter(reader_id=reader_id, status=Invoice.Status.PAID).order_by("-id")[:limit]
    return tuple(invoice_row(row) for row in rows)


def payments_of(invoice_id: int) -> tuple[PaymentRow, ...]:
    """Every attempt on an invoice, oldest first."""
    return tuple(payment_row(row) for row in Payment.objects.filter(invoice_id=invoice_id).order_by("id"))


def payment(key: str) -> PaymentRow | None:
    row = Payment.objects.filter(key=key).first()
    return payment_row(row) if row else None


def unresolved_payments(*, kind: str, older_than: datetime, limit: int = 500) -> tuple[PaymentRow, ...]:
    """Attempts of one kind begun before `older_than` whose result we do not know yet, oldest first."""
    rows = Payment.objects.filter(status__in=Payment.UNRESOLVED, kind=kind, created_at__lt=older_than)
    return tuple(payment_row(row) for row in rows.order_by("created_at", "id")[:limit])


def invoice_of_payment(key: str) -> InvoiceRow | None:
    row = Payment.objects.select_related("invoice").filter(key=key).first()
    return invoice_row(row.invoice) if row else None

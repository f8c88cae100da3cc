"""What other apps may know of invoices and payments: frozen values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q, Sum

from broadsheet.payments.conditions import PENDING_REFUND, UNRESOLVED
from broadsheet.payments.models import (
    BillingProfile,
    CreditEntry,
    Dispute,
    Invoice,
    InvoiceLine,
    Mandate,
    Payment,
    Refund,
    TaxRate,
)
from broadsheet.readers.queries import reader


@dataclass(frozen=True, slots=True)
class LineRow:
    text: str
    amount_minor: int
    kind: str = "plan"
    quantity: int = 1
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """`period_end` is exclusive. `status` is open, paid, void or uncollectible; `due_minor` is what is still owed."""

    id: int
    number: str
    kind: str
    reader_id: int
    subject: str
    period_index: int | None
    period_start: date
    period_end: date
    currency: str
    taxable_minor: int
    tax_minor: int
    total_minor: int
    credit_minor: int
    noted_minor: int
    due_minor: int
    tax: dict[str, Any]
    context: dict[str, Any]
    status: str
    issued_on: date
    issued_at: datetime
    paid_at: datetime | None
    lines: tuple[LineRow, ...] = ()

    @property
    def notable_minor(self) -> int:
        """What credit notes may still take back of it."""
        return self.total_minor - self.noted_minor


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
    refunded_minor: int
    currency: str
    created_at: datetime
    settled_at: datetime | None
    check_at: datetime | None
    surplus: bool

    @property
    def unresolved(self) -> bool:
        return self.status in Payment.UNRESOLVED


@dataclass(frozen=True, slots=True)
class MandateRow:
    """`max_minor`: the most one debit may take; None: the rail's own limit."""

    id: int
    reader_id: int
    provider: str
    ref: str
    rail: str
    max_minor: int | None
    label: str
    status: str

    @property
    def usable(self) -> bool:
        return self.status == Mandate.Status.ACTIVE


@dataclass(frozen=True, slots=True)
class RefundRow:
    """`status` is waiting (for a second member of staff), pending, succeeded, failed or refused."""

    id: int
    key: str
    payment_id: int
    invoice_id: int
    subject: str
    amount_minor: int
    currency: str
    status: str
    reason: str
    note: str
    asked_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DisputeRow:
    id: int
    payment_id: int
    invoice_id: int
    subject: str
    provider_ref: str
    status: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A credit note."""

    number: str
    invoice_number: str
    issued_on: date
    amount_minor: int
    currency: str
    reason: str


def invoice_row(row: Invoice, *, lines: bool | Sequence[InvoiceLine] = False) -> InvoiceRow:
    """`lines`: whether to read them, or those that were just written."""
    names = (
        "number", "kind", "reader_id", "subject", "period_index", "period_start", "period_end", "currency",
        "taxable_minor", "tax_minor", "total_minor", "credit_minor", "noted_minor", "due_minor", "tax",
        "context", "status", "issued_on", "issued_at", "paid_at",
    )  # fmt: skip
    told = tuple(
        LineRow(line.text, line.amount_minor, line.kind, line.quantity, line.service_start, line.service_end)
        for line in (row.lines.all() if lines is True else lines or ())
    )
    return InvoiceRow(id=row.pk, lines=told, **{name: getattr(row, name) for name in names})


def payment_row(row: Payment) -> PaymentRow:
    names = (
        "invoice_id", "key", "kind", "provider", "status", "failure_code", "mandate_id", "amount_minor",
        "refunded_minor", "currency", "created_at", "settled_at", "check_at", "surplus",
    )  # fmt: skip
    return PaymentRow(id=row.pk, **{name: getattr(row, name) for name in names})


def mandate_row(row: Mandate) -> MandateRow:
    return MandateRow(
        row.pk, row.reader_id, row.provider, row.provider_ref, row.rail, row.max_minor, row.label, row.status
    )


def refund_row(row: Refund) -> RefundRow:
    return RefundRow(
        id=row.pk,
        key=row.key,
        payment_id=row.payment_id,
        invoice_id=row.payment.invoice_id,
        subject=row.payment.invoice.subject,
        amount_minor=row.amount_minor,
        currency=row.payment.currency,
        status=row.status,
        reason=row.reason,
        note=row.note.number if row.note else "",
        asked_by=row.asked_by,
        created_at=row.created_at,
    )


def dispute_row(row: Dispute) -> DisputeRow:
    bill = row.payment.invoice
    return DisputeRow(row.pk, row.payment_id, bill.pk, bill.subject, row.provider_ref, row.status, row.amount_minor)


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """Whom a reader's invoices name; `country` is empty as long as they have not said."""

    name: str = ""
    organisation: str = ""
    address: str = ""
    country: str = ""
    state: str = ""
    pin: str = ""
    gstin: str = ""


def billing_profile(reader_id: int) -> ProfileRow:
    row = BillingProfile.objects.filter(pk=reader_id).first()
    names = ("name", "organisation", "address", "country", "state", "pin", "gstin")
    return ProfileRow(**{name: getattr(row, name) for name in names}) if row else ProfileRow()


def reader_email(reader_id: int) -> str:
    """Where a till sends its own receipt; empty for a closed account."""
    card = reader(reader_id)
    return card.email if card else ""


def tax_rate_on(code: str, country: str, day: date) -> TaxRate | None:
    """The rate of `code` for a buyer in `country` on `day`: the country's own, else the one without a country."""
    rows = TaxRate.objects.filter(
        Q(valid_to=None) | Q(valid_to__gt=day), code=code, country__in=(country, ""), valid_from__lte=day
    )
    return rows.order_by("-country", "-valid_from").first()


def tax_codes() -> tuple[str, ...]:
    """The codes there are tax rates of."""
    return tuple(TaxRate.objects.order_by("code").values_list("code", flat=True).distinct())


def credit_balance(reader_id: int, currency: str) -> int:
    """The credit a reader holds with us, in minor units."""
    rows = CreditEntry.objects.filter(reader_id=reader_id, currency=currency)
    return rows.aggregate(held=Sum("amount_minor"))["held"] or 0


def invoice(invoice_id: int) -> InvoiceRow | None:
    row = Invoice.objects.filter(pk=invoice_id).first()
    return invoice_row(row, lines=True) if row else None


def invoice_of_period(subject: str, period_index: int) -> InvoiceRow | None:
    """The invoice of one period that is not void."""
    rows = Invoice.objects.filter(subject=subject, period_index=period_index)
    row = rows.exclude(status=Invoice.Status.VOID).first()
    return invoice_row(row) if row else None


def invoices_of(subject: str, *, void: bool = False) -> tuple[InvoiceRow, ...]:
    """Every invoice of one subject, oldest first; void ones only when asked for."""
    rows = Invoice.objects.filter(subject=subject).order_by("id")
    return tuple(invoice_row(row) for row in (rows if void else rows.exclude(status=Invoice.Status.VOID)))


def open_invoices_of(subject: str) -> tuple[InvoiceRow, ...]:
    """What is owed, oldest first."""
    rows = Invoice.objects.filter(subject=subject, status=Invoice.Status.OPEN).order_by("id")
    return tuple(invoice_row(row) for row in rows)


def owing_invoices_of(subject: str) -> tuple[InvoiceRow, ...]:
    """Open ones, and paid ones of which something went back without a credit note; oldest first."""
    rows = Invoice.objects.filter(subject=subject, status__in=(Invoice.Status.OPEN, Invoice.Status.PAID)).order_by("id")
    return tuple(bill for bill in map(invoice_row, rows) if bill.due_minor > 0)


def readers_invoices(reader_id: int, limit: int = 100) -> tuple[InvoiceRow, ...]:
    """Paid invoices, newest first: what is open is still being paid, what is void was never owed."""
    rows = Invoice.objects.filter(reader_id=reader_id, status=Invoice.Status.PAID).order_by("-id")[:limit]
    return tuple(invoice_row(row) for row in rows)


def payments_of(invoice_id: int) -> tuple[PaymentRow, ...]:
    """Every attempt on an invoice, oldest first."""
    return tuple(payment_row(row) for row in Payment.objects.filter(invoice_id=invoice_id).order_by("id"))


def payments_of_subject(subject: str) -> tuple[PaymentRow, ...]:
    """Every attempt on any invoice of a subject, oldest first."""
    return tuple(payment_row(row) for row in Payment.objects.filter(invoice__subject=subject).order_by("id"))


def refunds_of_subject(subject: str) -> tuple[RefundRow, ...]:
    rows = Refund.objects.filter(payment__invoice__subject=subject).select_related("payment__invoice", "note")
    return tuple(refund_row(row) for row in rows.order_by("id"))


def disputes_of_subject(subject: str) -> tuple[DisputeRow, ...]:
    rows = Dispute.objects.filter(payment__invoice__subject=subject).select_related("payment__invoice")
    return tuple(dispute_row(row) for row in rows.order_by("id"))


def payment(key: str) -> PaymentRow | None:
    row = Payment.objects.filter(key=key).first()
    return payment_row(row) if row else None


def payment_by_id(payment_id: int) -> PaymentRow | None:
    row = Payment.objects.filter(pk=payment_id).first()
    return payment_row(row) if row else None


def refund(refund_id: int) -> RefundRow | None:
    row = Refund.objects.select_related("payment__invoice", "note").filter(pk=refund_id).first()
    return refund_row(row) if row else None


def refund_by_key(key: str) -> RefundRow | None:
    row = Refund.objects.select_related("payment__invoice", "note").filter(key=key).first()
    return refund_row(row) if row else None


def pending_refunds(*, now: datetime, older_than: datetime, limit: int = 500) -> tuple[RefundRow, ...]:
    """Refunds that were asked for before `older_than` and whose hour to ask (again) has come, oldest first."""
    rows = Refund.objects.filter(PENDING_REFUND, Q(check_at=None) | Q(check_at__lte=now), created_at__lt=older_than)
    # First which, then the rest of them: most of the time there are none, and no plan may begin with all payments.
    due = list(rows.order_by("created_at", "id").values_list("pk", flat=True)[:limit])
    if not due:
        return ()
    found = Refund.objects.select_related("payment__invoice", "note").filter(pk__in=due)
    return tuple(refund_row(row) for row in found.order_by("created_at", "id"))


def mandate(mandate_id: int | None) -> MandateRow | None:
    row = Mandate.objects.filter(pk=mandate_id).first() if mandate_id else None
    return mandate_row(row) if row else None


def pending_mandates(reader_id: int) -> tuple[MandateRow, ...]:
    """What a reader was asked for and has not answered as far as we know, newest first."""
    rows = Mandate.objects.filter(reader_id=reader_id, status=Mandate.Status.PENDING).order_by("-id")
    return tuple(mandate_row(row) for row in rows)


def mandate_of_ref(provider: str, ref: str) -> MandateRow | None:
    row = Mandate.objects.filter(provider=provider, provider_ref=ref).first()
    return mandate_row(row) if row else None


def mandates_asked(reader_id: int) -> int:
    """How many mandates a reader was ever asked for."""
    return Mandate.objects.filter(reader_id=reader_id).count()


def dispute_named(provider_ref: str) -> DisputeRow | None:
    row = Dispute.objects.filter(provider_ref=provider_ref).select_related("payment__invoice").first()
    return dispute_row(row) if row else None


def unresolved_payments(*, kind: str, older_than: datetime, now: datetime, limit: int = 500) -> tuple[PaymentRow, ...]:
    """Attempts of one kind begun before `older_than` whose result we do not know yet and whose hour to be asked after
    has come, oldest first."""
    rows = Payment.objects.filter(
        UNRESOLVED, Q(check_at=None) | Q(check_at__lte=now), kind=kind, created_at__lt=older_than
    )
    return tuple(payment_row(row) for row in rows.order_by("created_at", "id")[:limit])


def invoice_of_payment(key: str) -> InvoiceRow | None:
    row = Payment.objects.select_related("invoice").filter(key=key).first()
    return invoice_row(row.invoice) if row else None

"""What the subscription desk asks of money: whose a number is, all that lies around one subject, what waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.db.models import Q

from broadsheet.payments.adapters.registry import providers
from broadsheet.payments.models import (
    BillingProfile,
    CreditEntry,
    CreditNote,
    Discrepancy,
    Dispute,
    Invoice,
    Mandate,
    Payment,
    Refund,
    WebhookEvent,
)
from broadsheet.payments.queries import RefundRow, refund_row

__all__ = [
    "DisputeFacts",
    "Found",
    "MandateFacts",
    "MoneyWaiting",
    "NoteFacts",
    "credit_entry_exists",
    "disputes_about",
    "failed_webhooks",
    "found_by_number",
    "found_by_provider",
    "mandate_facts",
    "mandates_by_id",
    "mandates_known",
    "money_waiting",
    "notes_about",
    "open_discrepancies",
    "profiles_of",
    "waiting_refunds",
]

LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Found:
    """A document or a provider's name for something: whose it is and what it is about (such as `subscription:12`)."""

    match: str
    ref: str
    reader_id: int
    subject: str


@dataclass(frozen=True, slots=True)
class MandateFacts:
    """A mandate with its dates."""

    id: int
    reader_id: int
    provider: str
    ref: str
    rail: str
    max_minor: int | None
    label: str
    status: str
    valid_until: date | None
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NoteFacts:
    """A credit note with its instant."""

    number: str
    invoice: str
    at: datetime
    amount_minor: int
    currency: str
    reason: str


@dataclass(frozen=True, slots=True)
class DisputeFacts:
    """A chargeback with its instants."""

    ref: str
    payment: str
    status: str
    amount_minor: int
    currency: str
    at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class MoneyWaiting:
    """What of money waits for somebody: counts, and the oldest attempt nobody knows the end of."""

    unresolved: int
    oldest_unresolved: datetime | None
    waiting_refunds: int
    pending_refunds: int
    failed_refunds: int
    failed_webhooks: int
    received_webhooks: int
    open_discrepancies: int
    open_disputes: int


def prefixed(field: str, text: str) -> Q:
    """Rows whose `field` begins with `text`, by the field's index whichever database it is."""
    if connection.vendor == "postgresql":
        return Q(**{f"{field}__startswith": text})  # by the index of patterns that Django makes beside a unique one
    return Q(**{f"{field}__gte": text, f"{field}__lt": text + LAST})


def found_by_number(number: str, limit: int) -> list[Found]:
    """Invoices and credit notes whose number begins with `number`."""
    text = number.strip().upper()
    bills = Invoice.objects.filter(prefixed("number", text)).order_by("number")
    found = [Found("invoice", row.number, row.reader_id, row.subject) for row in bills[:limit]]
    notes = CreditNote.objects.filter(prefixed("number", text)).select_related("invoice").order_by("number")
    found += [Found("credit_note", row.number, row.invoice.reader_id, row.invoice.subject) for row in notes[:limit]]
    return found[:limit]


def _of_payment(match: str, row: Payment) -> Found:
    return Found(match, row.provider_ref or row.key, row.invoice.reader_id, row.invoice.subject)


def found_by_provider(text: str, limit: int) -> list[Found]:
    """What a provider calls so: a payment, a mandate, a dispute; or our own key of a payment or a refund. Exact."""
    codes = [*providers(), "manual"]
    paid = Payment.objects.filter(provider__in=codes, provider_ref=text).select_related("invoice").order_by("-id")
    found = [_of_payment("payment", row) for row in paid[:limit]]
    keyed = Payment.objects.filter(key=text).select_related("invoice").first()
    if keyed is not None:
        found.append(_of_payment("payment", keyed))
    mandates = Mandate.objects.filter(provider__in=codes, provider_ref=text)
    found += [Found("mandate", row.provider_ref, row.reader_id, "") for row in mandates[:limit]]
    for row in Dispute.objects.filter(provider_ref=text).select_related("payment__invoice"):
        bill = row.payment.invoice
        found.append(Found("dispute", row.provider_ref, bill.reader_id, bill.subject))
    refund = Refund.objects.filter(key=text).select_related("payment__invoice").first()
    if refund is not None:
        found.append(Found("refund", refund.key, refund.payment.invoice.reader_id, refund.payment.invoice.subject))
    return found[:limit]


def _facts(row: Mandate) -> MandateFacts:
    return MandateFacts(
        row.pk, row.reader_id, row.provider, row.provider_ref, row.rail, row.max_minor, row.label, row.status,
        row.valid_until, row.created_at, row.revoked_at,
    )  # fmt: skip


def mandate_facts(mandate_id: int | None) -> MandateFacts | None:
    row = Mandate.objects.filter(pk=mandate_id).first() if mandate_id else None
    return _facts(row) if row else None


def notes_about(subject: str) -> list[NoteFacts]:
    """The credit notes on the invoices of a subject, oldest first."""
    rows = CreditNote.objects.filter(invoice__subject=subject).select_related("invoice").order_by("id")
    return [
        NoteFacts(row.number, row.invoice.number, row.issued_at, row.total_minor, row.currency, row.reason)
        for row in rows
    ]


def disputes_about(subject: str) -> list[DisputeFacts]:
    rows = Dispute.objects.filter(payment__invoice__subject=subject).select_related("payment").order_by("id")
    return [
        DisputeFacts(
            row.provider_ref, row.payment.key, row.status, row.amount_minor, row.payment.currency, row.opened_at,
            row.closed_at,
        )
        for row in rows
    ]  # fmt: skip


def credit_entry_exists(key: str) -> bool:
    """Whether a reader's credit was changed under this key."""
    return CreditEntry.objects.filter(key=key).exists()


def mandates_by_id(ids: Sequence[int]) -> dict[int, MandateFacts]:
    return {row.pk: _facts(row) for row in Mandate.objects.filter(pk__in=ids)}


def mandates_known(refs: Sequence[str]) -> set[tuple[str, str]]:
    """Which of these references are in use, as (provider, reference)."""
    rows = Mandate.objects.filter(provider__in=[*providers()], provider_ref__in=refs)
    return set(rows.values_list("provider", "provider_ref"))


def profiles_of(reader_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """Whom the invoices of these readers name, by reader."""
    names = ("name", "organisation", "address", "country", "state", "pin", "gstin")
    rows = BillingProfile.objects.filter(pk__in=reader_ids)
    return {row.pk: {name: getattr(row, name) for name in names} for row in rows}


def waiting_refunds() -> Iterator[RefundRow]:
    """Refunds above the limit that nobody has looked at yet, oldest first."""
    rows = Refund.objects.filter(status=Refund.Status.WAITING).select_related("payment__invoice", "note")
    for row in rows.order_by("created_at", "id").iterator(chunk_size=500):
        yield refund_row(row)


def money_waiting() -> MoneyWaiting:
    unresolved = Payment.objects.filter(status__in=Payment.UNRESOLVED)
    return MoneyWaiting(
        unresolved=unresolved.count(),
        oldest_unresolved=unresolved.order_by("created_at").values_list("created_at", flat=True).first(),
        waiting_refunds=Refund.objects.filter(status=Refund.Status.WAITING).count(),
        pending_refunds=Refund.objects.filter(status=Refund.Status.PENDING).count(),
        failed_refunds=Refund.objects.filter(status=Refund.Status.FAILED, note=None).count(),
        failed_webhooks=WebhookEvent.objects.filter(status=WebhookEvent.Status.FAILED).count(),
        received_webhooks=WebhookEvent.objects.filter(status=WebhookEvent.Status.RECEIVED).count(),
        open_discrepancies=Discrepancy.objects.filter(closed_at=None).count(),
        open_disputes=Dispute.objects.filter(status=Dispute.Status.OPENED).count(),
    )


def failed_webhooks(limit: int = 50) -> list[dict[str, object]]:
    """Messages that came to nothing, newest first."""
    rows = WebhookEvent.objects.filter(status=WebhookEvent.Status.FAILED).order_by("-id")
    return list(rows.values("id", "provider", "event_id", "received_at", "error")[:limit])


def open_discrepancies(limit: int = 100) -> list[dict[str, object]]:
    """Where a provider's book and ours do not agree and nobody has said why, newest first."""
    rows = Discrepancy.objects.filter(closed_at=None).order_by("-id")[:limit]
    return [
        {
            "id": row.pk, "kind": row.get_kind_display(), "provider": row.provider, "ref": row.ref,
            "facts": ", ".join(f"{name} {value}" for name, value in row.facts.items()), "found_at": row.found_at,
        }
        for row in rows
    ]  # fmt: skip

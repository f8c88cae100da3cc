"""What happened to money. Emitted once for each payment that settles and each that fails."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PaymentSettled:
    """An invoice is paid. `at` is the instant of payment, RFC 3339."""

    payment_id: int
    invoice_id: int
    subject: str
    at: str


@dataclass(frozen=True, slots=True)
class PaymentFailed:
    """An attempt came to nothing; the invoice stays as it was."""

    payment_id: int
    invoice_id: int
    subject: str
    failure_code: str
    at: str


@dataclass(frozen=True, slots=True)
class RefundSettled:
    """Money reached the reader's bank again."""

    refund_id: int
    payment_id: int
    subject: str
    amount_minor: int
    at: str


@dataclass(frozen=True, slots=True)
class WebhookReceived:
    """A provider's message was verified and kept."""

    event_pk: int

"""Chargebacks: the reader's bank takes a payment back until somebody decides."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from broadsheet.payments import ledger
from broadsheet.payments.models import Dispute, Payment
from broadsheet.payments.queries import DisputeRow, dispute_row


@transaction.atomic
def open_dispute(*, payment_id: int, provider_ref: str, amount_minor: int, now: datetime) -> DisputeRow:
    """Write down that a payment is disputed; the money is gone until it is won. Found again by the provider's name."""
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    row, made = Dispute.objects.get_or_create(
        provider_ref=provider_ref,
        defaults={"payment": payment, "amount_minor": amount_minor or payment.amount_minor, "opened_at": now},
    )
    if made:
        ledger.book_dispute_opened(dispute=row, now=now)
    return dispute_row(row)


@transaction.atomic
def close_dispute(*, provider_ref: str, won: bool, now: datetime) -> DisputeRow | None:
    """How it ended. None when it was closed before, or never opened."""
    row = Dispute.objects.select_for_update().filter(provider_ref=provider_ref, status=Dispute.Status.OPENED).first()
    if row is None:
        return None
    row.status = Dispute.Status.WON if won else Dispute.Status.LOST
    row.closed_at = now
    row.save(update_fields=["status", "closed_at"])
    ledger.book_dispute_closed(dispute=row, now=now)
    return dispute_row(row)

"""The credit a reader holds: given by staff, left over from a change, or paid beyond what was owed."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from broadsheet.payments import ledger
from broadsheet.payments.models import CreditEntry


def change(*, key: str, reader_id: int, currency: str, amount_minor: int, reason: str, now: datetime) -> bool:
    """Add to (or, negative, take from) a reader's credit, once a key, in the caller's transaction. The books are the
    caller's. False when it was done before."""
    _, made = CreditEntry.objects.get_or_create(
        key=key,
        defaults={
            "reader_id": reader_id,
            "currency": currency,
            "amount_minor": amount_minor,
            "reason": reason[:200],
            "at": now,
        },
    )
    return made


@transaction.atomic
def give_credit(
    *, key: str, reader_id: int, currency: str, amount_minor: int, reason: str, source: str, now: datetime
) -> bool:
    """Let a reader hold `amount_minor` more. `source` says where it comes from in the books: `goodwill` (given away),
    `change` (carried over from an invoice), `payment` (paid beyond what was owed), `note` (a credit note not paid out).
    """
    if amount_minor <= 0:
        raise ValueError(f"A credit is an amount above nothing, not {amount_minor}.")
    made = change(key=key, reader_id=reader_id, currency=currency, amount_minor=amount_minor, reason=reason, now=now)
    if made:
        ledger.book_credit_given(
            key=key, reader_id=reader_id, currency=currency, amount_minor=amount_minor, source=source, now=now
        )
    return made

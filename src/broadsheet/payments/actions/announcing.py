"""The word to a reader's bank that has to go before a debit, where the till asks for one."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from broadsheet.payments.adapters import ChargeRequest
from broadsheet.payments.adapters.registry import provider
from broadsheet.payments.queries import mandate, reader_email


def announce_debit(
    *, mandate_id: int, key: str, amount_minor: int, currency: str, text: str, debit_at: datetime, now: datetime
) -> str:
    """Have the bank told of the debit that will be asked for as `key`; the provider's reference for that. Never inside
    a transaction; telling again under the same key is telling once. NoAnswerError: nobody knows whether it was."""
    held = mandate(mandate_id)
    if held is None:
        raise LookupError(f"There is no mandate {mandate_id}.")
    request = ChargeRequest(
        key=key,
        amount_minor=amount_minor,
        currency=currency,
        description=f"{settings.BROADSHEET.name}: {text}"[:200],
        mandate_ref=held.ref,
        at=now,
        customer=f"reader:{held.reader_id}",
        email=reader_email(held.reader_id),
    )
    return provider(held.provider).notify_debit(request, debit_at)

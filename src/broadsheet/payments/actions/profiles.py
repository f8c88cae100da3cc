"""Whom a reader's invoices name."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from broadsheet.payments.models import BillingProfile


@transaction.atomic
def save_profile(*, reader_id: int, now: datetime, **fields: str) -> None:
    """Write the given fields (name, organisation, address, country, state, pin, gstin); the others stay as they are.

    Invoices that were made keep what they said. Fields are checked by payments.places.profile_errors.
    """
    BillingProfile.objects.update_or_create(reader_id=reader_id, defaults={**fields, "updated_at": now})

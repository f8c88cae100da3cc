"""What comes with an existing subscriber base: mandates given elsewhere, and whom invoices name. Written in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from broadsheet.payments.models import BillingProfile, Mandate


@dataclass(frozen=True, slots=True)
class MandateGiven:
    """A standing permission a reader gave before they came here."""

    reader_id: int
    provider: str
    ref: str
    rail: str
    max_minor: int | None


@transaction.atomic
def take_mandates(*, given: Sequence[MandateGiven], now: datetime) -> dict[tuple[str, str], int]:
    """Write them down as usable; the ids by (provider, reference). IntegrityError for one that is known."""
    rows = Mandate.objects.bulk_create(
        Mandate(
            reader_id=one.reader_id,
            provider=one.provider,
            provider_ref=one.ref,
            rail=one.rail,
            max_minor=one.max_minor,
            label="taken over",
            created_at=now,
        )
        for one in given
    )
    return {(row.provider, row.provider_ref): row.pk for row in rows}


@transaction.atomic
def take_profiles(*, by_reader: Mapping[int, Mapping[str, str]], now: datetime) -> None:
    """Whom the invoices of readers name who have said nothing themselves."""
    rows = [BillingProfile(reader_id=pk, updated_at=now, **said) for pk, said in by_reader.items()]
    BillingProfile.objects.bulk_create(rows, ignore_conflicts=True)

"""The standing permission to charge: asked for, kept, ended."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from broadsheet.payments.adapters import CheckoutRequest, MandateSeen, MandateWish
from broadsheet.payments.adapters.registry import checkout_provider, provider
from broadsheet.payments.models import Mandate
from broadsheet.payments.queries import MandateRow, mandate_row, reader_email


def keep_mandate(*, provider_code: str, reader_id: int, seen: MandateSeen, now: datetime) -> Mandate:
    """The mandate a provider told us of; found again when it tells us twice."""
    mandate, _ = Mandate.objects.get_or_create(
        provider=provider_code,
        provider_ref=seen.ref,
        defaults={
            "reader_id": reader_id,
            "rail": seen.rail,
            "max_minor": seen.max_minor,
            "label": seen.label,
            "created_at": now,
        },
    )
    return mandate


@transaction.atomic
def begin_mandate(*, reader_id: int, rail: str, max_minor: int | None, key: str, now: datetime) -> MandateRow:
    """Write down that a reader is asked for a mandate, before anybody is asked. Found again by `key`."""
    row, _ = Mandate.objects.get_or_create(
        provider=checkout_provider().code,
        provider_ref=key,
        defaults={
            "reader_id": reader_id,
            "rail": rail,
            "max_minor": max_minor,
            "status": Mandate.Status.PENDING,
            "created_at": now,
        },
    )
    return mandate_row(row)


def open_mandate_page(*, mandate_id: int, currency: str, return_url: str, now: datetime) -> str:
    """The till's page on which the reader allows later debits; nothing is charged there."""
    row = Mandate.objects.get(pk=mandate_id)
    return provider(row.provider).open_checkout(
        CheckoutRequest(
            key=row.provider_ref,
            amount_minor=0,
            currency=currency,
            description=f"{settings.BROADSHEET.name}: payment method",
            return_url=return_url,
            at=now,
            customer=f"reader:{row.reader_id}",
            email=reader_email(row.reader_id),
            mandate=MandateWish(row.rail, row.max_minor),
        )
    )


def complete_mandate(*, mandate_id: int, now: datetime) -> MandateRow | None:
    """Fetch what the reader decided. None while nobody has; a refused one stays pending and is worth nothing."""
    row = Mandate.objects.get(pk=mandate_id)
    if row.status != Mandate.Status.PENDING:
        return mandate_row(row)
    result = provider(row.provider).fetch(row.provider_ref, now)
    if result is None or result.status != "succeeded" or result.mandate is None:
        return None
    seen = result.mandate
    Mandate.objects.filter(pk=row.pk, status=Mandate.Status.PENDING).update(
        provider_ref=seen.ref,
        rail=seen.rail,
        max_minor=seen.max_minor,
        label=seen.label,
        status=Mandate.Status.ACTIVE,
    )
    return mandate_row(Mandate.objects.get(pk=row.pk))


def revoke_mandate(*, mandate_id: int, now: datetime) -> None:
    """End the permission at the provider, then in our book: dying in between leaves it to be revoked again."""
    row = Mandate.objects.get(pk=mandate_id)
    if row.status == Mandate.Status.REVOKED:
        return
    provider(row.provider).revoke_mandate(row.provider_ref, now)
    Mandate.objects.filter(pk=mandate_id).exclude(status=Mandate.Status.REVOKED).update(
        status=Mandate.Status.REVOKED, revoked_at=now
    )


def mark_mandate_refused(*, mandate_id: int) -> None:
    """The bank said no for good: nothing is tried by it again."""
    Mandate.objects.filter(pk=mandate_id, status=Mandate.Status.ACTIVE).update(status=Mandate.Status.REFUSED)


def note_mandate_revoked(*, mandate_id: int, now: datetime) -> None:
    """The provider told us that it has ended there."""
    Mandate.objects.filter(pk=mandate_id).exclude(status=Mandate.Status.REVOKED).update(
        status=Mandate.Status.REVOKED, revoked_at=now
    )

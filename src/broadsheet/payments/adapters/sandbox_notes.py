"""What the sandbox has to tell about its book, as the messages a provider would send.

Each is a value first; `message` signs it. A message's name follows from what it says: telling the same twice is a
duplicate, as with real providers.
"""

from __future__ import annotations

from datetime import datetime

from broadsheet.payments.adapters import WebhookNote
from broadsheet.payments.adapters.sandbox import ref_of, refund_of, result_of, webhook_secret
from broadsheet.payments.adapters.sandbox_messages import Message, signed
from broadsheet.payments.models import SandboxCharge, SandboxRefund


def charge_note(key: str, at: datetime) -> WebhookNote:
    """What became of a charge, as known at `at`. LookupError when the till never heard of it."""
    row = SandboxCharge.objects.filter(key=key).first()
    if row is None:
        raise LookupError(f"The till has no charge {key!r}.")
    result = result_of(row, at)
    return WebhookNote(
        event_id=f"evt_{row.pk}_{result.status}",
        kind="charge",
        key=key,
        charge_ref=ref_of(row),
        amount_minor=row.amount_minor,
        result=result,
        at=at,
    )


def refund_note(key: str, at: datetime) -> WebhookNote:
    row = SandboxRefund.objects.select_related("charge").filter(key=key).first()
    if row is None:
        raise LookupError(f"The till has no refund {key!r}.")
    return WebhookNote(
        event_id=f"evt_refund_{row.pk}",
        kind="refund",
        key=key,
        charge_ref=ref_of(row.charge),
        amount_minor=row.amount_minor,
        result=refund_of(row),
        at=at,
    )


def dispute_note(charge_key: str, status: str, at: datetime) -> WebhookNote:
    """A chargeback of a charge: `opened`, `won` or `lost`. Banks name the charge, not our key."""
    row = SandboxCharge.objects.filter(key=charge_key).first()
    if row is None:
        raise LookupError(f"The till has no charge {charge_key!r}.")
    return WebhookNote(
        event_id=f"evt_dispute_{row.pk}_{status}",
        kind="dispute",
        charge_ref=ref_of(row),
        dispute=status,
        dispute_ref=f"sandbox_dispute_{row.pk}",
        amount_minor=row.amount_minor,
        at=at,
    )


def revoked_note(mandate_ref: str, at: datetime) -> WebhookNote:
    """The reader ended a mandate at their bank."""
    return WebhookNote(event_id=f"evt_{mandate_ref}_revoked", kind="mandate_revoked", mandate_ref=mandate_ref, at=at)


def message(note: WebhookNote, at: datetime) -> Message:
    """`note` as the built-in till sends it to `/hooks/sandbox/` at `at`."""
    return signed(note, webhook_secret(), at)

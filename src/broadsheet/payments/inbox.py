"""What providers send us: verified and kept as it came, then understood, as often as somebody likes.

A message is never acted upon while the provider waits. What it says goes the same road as the answer to a question of
ours (`payments.ports`), so a message that is lost, doubled, late or out of order changes nothing but the time.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from broadsheet.bus.actions import emit
from broadsheet.payments import crash, ports
from broadsheet.payments.adapters import ChargeResult, RefundResult, SignatureError, WebhookNote
from broadsheet.payments.adapters.registry import provider as provider_of
from broadsheet.payments.conditions import RECEIVED
from broadsheet.payments.events import WebhookReceived
from broadsheet.payments.models import Mandate, Payment, Refund, WebhookEvent

log = logging.getLogger(__name__)

MOST_BYTES = 512 * 1024
# How long a message that could not be understood is tried again: as long as providers themselves repeat one.
TRIED_AGAIN = timedelta(days=3)
_BATCH = 200
_STATUS = WebhookEvent.Status


class UnknownHereError(LookupError):
    """The message is about money that is not (or not yet) in our book."""


def receive(*, provider: str, headers: Mapping[str, str], body: bytes, now: datetime) -> int:
    """Keep a provider's message; the HTTP status to answer with. Header names are in lower case.

    200: kept, now or earlier. 400: not signed by the provider, or no message: nothing is kept. 404: no such provider
    here. 413: too large.
    """
    try:
        till = provider_of(provider)
    except LookupError:
        return 404
    if len(body) > MOST_BYTES:
        return 413
    try:
        note = till.parse_webhook(headers, body, now)
    except (SignatureError, ValueError) as error:
        log.warning("A message for %s was refused: %s", provider, error)
        return 400
    keep(provider=provider, event_id=note.event_id, body=body, now=now)
    crash.point("webhook_kept")
    return 200


def keep(*, provider: str, event_id: str, body: bytes, now: datetime) -> bool:
    """Store a verified message with the job that understands it. False when it was there already."""
    try:
        with transaction.atomic():
            row = WebhookEvent.objects.create(provider=provider, event_id=event_id, body=body, received_at=now)
            emit(WebhookReceived(row.pk))
    except IntegrityError:
        if WebhookEvent.objects.filter(provider=provider, event_id=event_id).exists():
            return False
        raise
    return True


def process_received(*, now: datetime) -> int:
    """Understand everything that nobody has understood yet, oldest first; how many messages that were."""
    done, last = 0, 0
    while True:
        ids = list(
            WebhookEvent.objects.filter(RECEIVED, pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_BATCH]
        )
        for pk in ids:
            process(event_pk=pk, now=now)
        done += len(ids)
        if len(ids) < _BATCH:
            return done
        last = ids[-1]


def process_failed(*, now: datetime) -> int:
    """Try those of the last days again that came to nothing, such as word of a charge we had not written down yet."""
    rows = WebhookEvent.objects.filter(status=_STATUS.FAILED, received_at__gte=now - TRIED_AGAIN)
    rows = rows.order_by("received_at", "pk")
    return sum(process(event_pk=pk, now=now) != _STATUS.FAILED for pk in list(rows.values_list("pk", flat=True)))


def replay(*, event_pk: int, now: datetime) -> str:
    """Understand a kept message once more, whatever became of it; its status then. LookupError when there is none."""
    if not WebhookEvent.objects.filter(pk=event_pk).exists():
        raise LookupError(f"There is no message {event_pk}.")
    WebhookEvent.objects.filter(pk=event_pk).update(status=_STATUS.RECEIVED, error="", done_at=None)
    return process(event_pk=event_pk, now=now)


def process(*, event_pk: int, now: datetime) -> str:
    """Do what one message says, unless that is done; its status then. What goes wrong is written into its row.

    Two at once are no harm: every effect is had once, by its own key.
    """
    row = WebhookEvent.objects.get(pk=event_pk)
    if row.status in (_STATUS.DONE, _STATUS.IGNORED):
        return row.status
    status, told = _STATUS.DONE, ""
    try:
        note = provider_of(row.provider).read_webhook(row.event_id, bytes(row.body))
        crash.point("webhook_read")
        if not _follow(row.provider, note, now):
            status, told = _STATUS.IGNORED, "Nothing that concerns us."
    except UnknownHereError as error:
        status, told = _STATUS.FAILED, str(error)
    except Exception as error:
        log.exception("Message %s of %s could not be understood.", row.event_id, row.provider)
        status, told = _STATUS.FAILED, f"{type(error).__name__}: {error}"
    crash.point("webhook_followed")
    WebhookEvent.objects.filter(pk=event_pk).exclude(status=_STATUS.DONE).update(
        status=status, error=told[:500], done_at=now if status != _STATUS.FAILED else None
    )
    return status


def _follow(provider: str, note: WebhookNote, now: datetime) -> bool:
    """Hand a note to whom it concerns; False when it concerns nobody."""
    if note.kind == "charge" and isinstance(note.result, ChargeResult):
        ports.record_result(key=_charge_key(provider, note), result=note.result, now=now)
    elif note.kind == "refund" and isinstance(note.result, RefundResult):
        ports.refund_result(key=_refund_key(provider, note), result=note.result, now=now)
    elif note.kind == "dispute":
        ports.dispute(
            key=_charge_key(provider, note),
            status=note.dispute,
            dispute_ref=note.dispute_ref,
            amount_minor=note.amount_minor,
            now=now,
        )
    elif note.kind == "mandate_revoked":
        ports.mandate_revoked(provider=provider, mandate_ref=_mandate_ref(provider, note.mandate_ref), now=now)
    else:
        return False
    return True


def _charge_key(provider: str, note: WebhookNote) -> str:
    if note.key and Payment.objects.filter(key=note.key, provider=provider).exists():
        return note.key
    if note.charge_ref:
        rows = Payment.objects.filter(provider=provider, provider_ref=note.charge_ref)
        if key := rows.values_list("key", flat=True).first():
            return key
    raise UnknownHereError(f"No payment here is {note.key or note.charge_ref!r}.")


def _refund_key(provider: str, note: WebhookNote) -> str:
    if note.key and Refund.objects.filter(key=note.key, payment__provider=provider).exists():
        return note.key
    if isinstance(note.result, RefundResult) and note.result.provider_ref:
        rows = Refund.objects.filter(payment__provider=provider, provider_ref=note.result.provider_ref)
        if key := rows.values_list("key", flat=True).first():
            return key
    raise UnknownHereError(f"No refund here is {note.key or note.charge_ref!r}.")


def _mandate_ref(provider: str, ref: str) -> str:
    """The mandate's whole reference in our book; some messages only tell its last part."""
    mine = Mandate.objects.filter(provider=provider)
    if mine.filter(provider_ref=ref).exists():
        return ref
    return mine.filter(provider_ref__endswith=f"/{ref}").values_list("provider_ref", flat=True).first() or ref

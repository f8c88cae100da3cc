"""Giving money of a subscription back: the desk's refunds, and what cancellations owe."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from broadsheet.payments import actions as payments
from broadsheet.payments.actions import RefundRefusedError
from broadsheet.payments.adapters import RefundResult
from broadsheet.payments.queries import (
    RefundRow,
    payments_of_subject,
    pending_refunds,
    refund,
    refund_by_key,
    refunds_of_subject,
)
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions.history import Happened, lock, record, subject, tell
from broadsheet.subscriptions.models import Segment, Subscription

ALONE = timedelta(minutes=5)  # whoever asked for a refund submits it; the job takes what was left lying


def credit_note_facts(row: RefundRow) -> dict[str, Any]:
    return {"number": row.note, "amount_minor": row.amount_minor}


def refund_payment(
    *,
    subscription_id: int,
    amount_minor: int,
    actor: str,
    now: datetime,
    adjust: bool = True,
    reason: str = "",
    key: str = "",
    approved: bool = False,
) -> list[Happened]:
    """Give an amount of the newest payment back; `adjust` writes a credit note, without it the reader owes it again.

    Above the publisher's limit it waits for another member of staff. RefusedError: `nothing_paid`, `too_much`.
    """
    with transaction.atomic():
        subscription = lock(subscription_id)
        if key and refund_by_key(key) is not None:
            return []  # asked for before; what was left lying is sent by the job
        paid = [p for p in payments_of_subject(subject(subscription_id)) if p.status == "succeeded"]
        if not paid:
            raise rules.RefusedError("nothing_paid")
        newest = paid[-1]
        count = len(refunds_of_subject(subject(subscription_id)))
        try:
            row = payments.ask_refund(
                payment_id=newest.id,
                amount_minor=amount_minor,
                key=key or f"refund:{subscription_id}:{newest.id}:{count + 1}",
                reason=reason or "Refund",
                adjust=adjust,
                actor=actor,
                now=now,
                approved=approved,
            )
        except RefundRefusedError as refusal:
            raise rules.RefusedError(refusal.reason) from None
        happened: list[Happened] = []
        if row.status == "waiting":
            facts = {"amount_minor": row.amount_minor, "id": row.id}
            return [record(subscription, "refund_waits", facts, now=now, actor=actor, reason=reason)]
        if row.note:
            happened.append(record(subscription, "credit_note", credit_note_facts(row), now=now, actor=actor))
            _take_from_cover(subscription_id, row)
    return happened + submit_and_tell(refund_id=row.id, subscription_id=subscription_id, now=now)


def _take_from_cover(subscription_id: int, row: RefundRow) -> None:
    """What went back of a paid line is not given back again when the plan is changed or cancelled."""
    segment = Segment.objects.filter(subscription_id=subscription_id, invoice_id=row.invoice_id).first()
    if segment is not None:
        segment.returned_minor += row.amount_minor
        segment.save(update_fields=["returned_minor"])


def submit_and_tell(*, refund_id: int, subscription_id: int, now: datetime) -> list[Happened]:
    """Have the provider send it, outside of any transaction, and write that it went."""
    before = refund(refund_id)
    row = payments.submit_refund(refund_id=refund_id, now=now)
    if before is None or before.status == row.status:
        return []
    return _told(row, subscription_id, now)


def _told(row: RefundRow, subscription_id: int | None, now: datetime) -> list[Happened]:
    owner = Subscription.objects.filter(pk=subscription_id).first() if subscription_id else None
    facts = {"amount_minor": row.amount_minor, "currency": row.currency, "result": row.status, "reason": row.reason}
    if owner is None:
        return []
    return [tell("refund", facts, reader_id=owner.reader_id, subscription_id=owner.pk, now=now)]


def approve_refund(*, refund_id: int, actor: str, now: datetime) -> list[Happened]:
    """The second pair of eyes says yes. RefusedError: `not_waiting`, `same_person`."""
    try:
        row = payments.approve_refund(refund_id=refund_id, actor=actor, now=now)
    except RefundRefusedError as refusal:
        raise rules.RefusedError(refusal.reason) from None
    number = subscription_of(row)
    happened: list[Happened] = []
    if row.note and number:
        with transaction.atomic():
            subscription = lock(number)
            happened.append(record(subscription, "credit_note", credit_note_facts(row), now=now, actor=actor))
            _take_from_cover(number, row)
    return happened + (submit_and_tell(refund_id=row.id, subscription_id=number, now=now) if number else [])


def subscription_of(row: RefundRow) -> int | None:
    return rules.number_of(row.subject)


def submit_refunds(*, now: datetime) -> list[Happened]:
    """Send what was asked for and left lying: by whoever died, or by a provider that did not answer."""
    happened: list[Happened] = []
    for row in pending_refunds(now=now, older_than=now - ALONE):
        number = subscription_of(row)
        if number is None:
            payments.submit_refund(refund_id=row.id, now=now)
        else:
            happened += submit_and_tell(refund_id=row.id, subscription_id=number, now=now)
    return happened


def record_refund_result(*, key: str, result: RefundResult, now: datetime) -> list[Happened]:
    """A provider's word on a refund, by webhook or comparison."""
    before = refund_by_key(key)
    row = payments.apply_refund_result(key=key, result=result, now=now)
    if before is None or before.status == row.status:
        return []
    return _told(row, subscription_of(row), now)

"""Money on its way back: asked for (transaction), submitted to the provider (none), applied (transaction).

The payment's `refunded_minor` holds the amount from the asking on, so that two refunds never share a rupee. Whoever
dies in the middle is continued under the same key.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction

from broadsheet.bus.actions import emit
from broadsheet.dates import rfc3339
from broadsheet.payments import crash, ledger
from broadsheet.payments.actions.credit import give_credit
from broadsheet.payments.actions.documents import write_note
from broadsheet.payments.adapters import NoAnswerError, RefundRequest, RefundResult
from broadsheet.payments.adapters.registry import provider
from broadsheet.payments.events import RefundSettled
from broadsheet.payments.models import Invoice, Payment, Refund
from broadsheet.payments.queries import RefundRow, refund_row

ASK_AGAIN = timedelta(hours=1)


class RefundRefusedError(ValueError):
    """What was asked cannot be given back; nothing was changed. `reason` is a word of the interfaces."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@transaction.atomic
def ask_refund(
    *,
    payment_id: int,
    amount_minor: int,
    key: str,
    reason: str,
    adjust: bool,
    actor: str,
    now: datetime,
    unearned_from: date | None = None,
    approved: bool = False,
) -> RefundRow:
    """Set an amount of a payment aside to go back, found again by `key`.

    `adjust` writes a credit note: the invoice comes to less. Without it the reader owes the amount again. A refund
    above the publisher's `refund_limit` waits for another member of staff unless it is `approved` (what the rules owe a
    reader). RefundRefusedError: `nothing_paid`, `too_much`.
    """
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    found = Refund.objects.filter(key=key).first()
    if found is not None:
        return refund_row(found)
    if payment.status != Payment.Status.SUCCEEDED:
        raise RefundRefusedError("nothing_paid")
    if not 0 < amount_minor <= payment.amount_minor - payment.refunded_minor:
        raise RefundRefusedError("too_much")
    invoice = Invoice.objects.get(pk=payment.invoice_id)
    # What a note took back was given back already, as money or as credit.
    if amount_minor > invoice.total_minor - invoice.noted_minor:
        raise RefundRefusedError("too_much")
    payment.refunded_minor += amount_minor
    payment.save(update_fields=["refunded_minor"])
    limit = settings.BROADSHEET.refund_limit * 100
    waits = bool(limit) and amount_minor > limit and not approved
    row = Refund.objects.create(
        payment=payment,
        key=key,
        amount_minor=amount_minor,
        status=Refund.Status.WAITING if waits else Refund.Status.PENDING,
        reason=reason[:200],
        adjust=adjust,
        asked_by=actor[:60],
        created_at=now,
    )
    if adjust and not waits:
        _note(row, unearned_from, now)
    return refund_row(row)


def _note(row: Refund, unearned_from: date | None, now: datetime) -> None:
    """The document comes with the promise; the money follows when the provider has sent it."""
    row.note = write_note(
        invoice_id=row.payment.invoice_id,
        amount_minor=row.amount_minor,
        reason=row.reason,
        key=f"refund:{row.key}",
        now=now,
        unearned_from=unearned_from,
    )
    row.save(update_fields=["note"])


@transaction.atomic
def approve_refund(*, refund_id: int, actor: str, now: datetime) -> RefundRow:
    """The second pair of eyes. RefundRefusedError: `not_waiting`, `same_person`."""
    row = Refund.objects.select_for_update().get(pk=refund_id)
    if row.status != Refund.Status.WAITING:
        raise RefundRefusedError("not_waiting")
    if row.asked_by == actor:
        raise RefundRefusedError("same_person")
    row.status, row.approved_by = Refund.Status.PENDING, actor[:60]
    row.save(update_fields=["status", "approved_by"])
    if row.adjust:
        _note(row, None, now)
    return refund_row(row)


@transaction.atomic
def refuse_refund(*, refund_id: int, actor: str, now: datetime) -> RefundRow:
    """Somebody else said no: the amount may be asked for again. RefundRefusedError: `not_waiting`."""
    row = Refund.objects.select_for_update().get(pk=refund_id)
    if row.status != Refund.Status.WAITING:
        raise RefundRefusedError("not_waiting")
    row.status, row.approved_by, row.settled_at = Refund.Status.REFUSED, actor[:60], now
    row.save(update_fields=["status", "approved_by", "settled_at"])
    _release(row)
    return refund_row(row)


def _release(row: Refund) -> None:
    payment = Payment.objects.select_for_update().get(pk=row.payment_id)
    payment.refunded_minor -= row.amount_minor
    payment.save(update_fields=["refunded_minor"])


def submit_refund(*, refund_id: int, now: datetime) -> RefundRow:
    """Have the provider send the money and write what it said. Never inside a transaction; may be repeated."""
    row = Refund.objects.select_related("payment").get(pk=refund_id)
    if row.status != Refund.Status.PENDING:
        return refund_row(row)
    Refund.objects.filter(pk=row.pk).update(check_at=now + ASK_AGAIN)
    crash.point("before_refund")
    try:
        result = provider(row.payment.provider).refund(
            RefundRequest(
                key=row.key,
                charge_key=row.payment.key,
                charge_ref=row.payment.provider_ref,
                amount_minor=row.amount_minor,
                currency=row.payment.currency,
                reason=row.reason,
                at=now,
            )
        )
    except NoAnswerError:
        return refund_row(row)
    crash.point("after_refund")
    return apply_refund_result(key=row.key, result=result, now=now)


@transaction.atomic
def apply_refund_result(*, key: str, result: RefundResult, now: datetime) -> RefundRow:
    """Write what the provider said, once: its answer, its webhook and the comparison of books all end here."""
    row = Refund.objects.select_for_update().select_related("payment__invoice").get(key=key)
    if row.status != Refund.Status.PENDING or result.status not in ("succeeded", "failed"):
        return refund_row(row)
    row.provider_ref = result.provider_ref or row.provider_ref
    row.settled_at = result.at or now
    if result.status == "failed":
        row.status, row.failure_code = Refund.Status.FAILED, result.failure_code[:40]
        row.save(update_fields=["status", "failure_code", "provider_ref", "settled_at"])
        if row.note_id is None:
            _release(row)
        else:  # the note stands: what could not be sent back is the reader's credit
            _turn_into_credit(row.payment.invoice_id, row.amount_minor, f"refund {row.key}", row.reason, now)
        return refund_row(row)
    row.status = Refund.Status.SUCCEEDED
    row.save(update_fields=["status", "provider_ref", "settled_at"])
    invoice = Invoice.objects.select_for_update().get(pk=row.payment.invoice_id)
    if not row.payment.surplus:
        # With a note both what is owed and what was collected fall; without one the reader owes it again.
        invoice.paid_minor -= row.amount_minor
        invoice.save(update_fields=["paid_minor"])
    ledger.book_refund(refund=row, now=now)
    emit(RefundSettled(row.pk, row.payment_id, invoice.subject, row.amount_minor, rfc3339(now)))
    return refund_row(row)


@transaction.atomic
def credit_instead(
    *, invoice_id: int, amount_minor: int, key: str, reason: str, now: datetime, unearned_from: date | None = None
) -> str:
    """Take an amount of a paid invoice back into the reader's credit instead of sending it. The note's number; found
    again by `key`."""
    before = Invoice.objects.select_for_update().get(pk=invoice_id).noted_minor
    note = write_note(
        invoice_id=invoice_id, amount_minor=amount_minor, reason=reason, key=key, now=now, unearned_from=unearned_from
    )
    if Invoice.objects.get(pk=invoice_id).noted_minor != before:
        _turn_into_credit(invoice_id, amount_minor, key, reason, now)
    return note.number


def _turn_into_credit(invoice_id: int, amount_minor: int, key: str, reason: str, now: datetime) -> None:
    invoice = Invoice.objects.select_for_update().get(pk=invoice_id)
    invoice.paid_minor -= amount_minor
    invoice.save(update_fields=["paid_minor"])
    give_credit(
        key=f"note:{key}",
        reader_id=invoice.reader_id,
        currency=invoice.currency,
        amount_minor=amount_minor,
        reason=reason,
        source="note",
        now=now,
    )


def refund_surplus(*, payment_id: int, now: datetime) -> RefundRow | None:
    """Money that nobody owed goes back by itself: nobody may keep it. None when nothing is left of it."""
    payment = Payment.objects.get(pk=payment_id)
    left = payment.amount_minor - payment.refunded_minor
    if not payment.surplus or left <= 0:
        return None
    return ask_refund(
        payment_id=payment_id,
        amount_minor=left,
        key=f"surplus:{payment.key}",
        reason="paid although nothing was owed",
        adjust=False,
        actor="system",
        now=now,
        approved=True,
    )

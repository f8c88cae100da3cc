"""What the desk does that readers cannot: charge again now, refuse a refund, and say why something was done."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from broadsheet.payments import actions as payments
from broadsheet.payments.actions import RefundRefusedError
from broadsheet.payments.queries import mandate, open_invoices_of
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions.ending import charge_under_way
from broadsheet.subscriptions.actions.history import Happened, lock, record, subject, today
from broadsheet.subscriptions.actions.refunding import subscription_of
from broadsheet.subscriptions.actions.renewals import may_be_charged, work_one


def retry(*, subscription_id: int, actor: str, now: datetime) -> list[Happened]:
    """Charge an overdue renewal now, not on the next day of its plan. What the charge leads to is as on any other day.

    RefusedError: `nothing_overdue`, `charge_under_way`, `no_mandate`, `may_not_be_charged` (above a limit, or declined
    for good: a pay link is what is left).
    """
    with transaction.atomic():
        subscription = lock(subscription_id)
        if subscription.status not in ("past_due", "suspended") or subscription.past_due_since is None:
            raise rules.RefusedError("nothing_overdue")
        if charge_under_way(subscription):
            raise rules.RefusedError("charge_under_way")
        held = mandate(subscription.mandate_id)
        if subscription.collection != "automatic" or held is None or not held.usable:
            raise rules.RefusedError("no_mandate")
        if not all(may_be_charged(subscription, bill) for bill in open_invoices_of(subject(subscription_id))):
            raise rules.RefusedError("may_not_be_charged")
        subscription.next_attempt_on, subscription.due_at = today(now), now
        subscription.save(update_fields=["next_attempt_on", "due_at"])
        happened = [record(subscription, "retry_requested", now=now, actor=actor)]
    return happened + work_one(subscription_id=subscription_id, now=now)


@transaction.atomic
def refuse_refund(*, refund_id: int, actor: str, reason: str, now: datetime) -> list[Happened]:
    """A waiting refund does not go: its amount may be asked for again. RefusedError: `not_waiting`."""
    try:
        row = payments.refuse_refund(refund_id=refund_id, actor=actor, now=now)
    except RefundRefusedError as refusal:
        raise rules.RefusedError(refusal.reason) from None
    number = subscription_of(row)
    if number is None:
        return []
    facts = {"id": row.id, "amount_minor": row.amount_minor, "currency": row.currency}
    return [record(lock(number), "refund_refused", facts, now=now, actor=actor, reason=reason)]


@transaction.atomic
def note_receipt(*, subscription_id: int, number: str, actor: str, reason: str, now: datetime) -> list[Happened]:
    """A receipt was sent once more, for who asks later."""
    facts = {"kind": "receipt", "channel": "email", "number": number}
    return [record(lock(subscription_id), "notice", facts, now=now, actor=actor, reason=reason)]


@transaction.atomic
def note_reason(*, subscription_id: int, command: str, actor: str, reason: str, now: datetime) -> list[Happened]:
    """Why the desk did what readers do without giving a reason, beside what it did."""
    return [record(lock(subscription_id), "desk_note", {"command": command}, now=now, actor=actor, reason=reason)]

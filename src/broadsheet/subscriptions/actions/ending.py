"""The end of a subscription: no access, nothing owed, no mandate that could still be used."""

from __future__ import annotations

from datetime import datetime

from broadsheet.payments import actions as payments
from broadsheet.payments.queries import open_invoices_of, payments_of
from broadsheet.subscriptions.actions import notices
from broadsheet.subscriptions.actions.history import Happened, subject
from broadsheet.subscriptions.actions.rights import sync_access
from broadsheet.subscriptions.models import Subscription


def charge_under_way(subscription: Subscription) -> bool:
    """Whether somebody was asked for money and has not answered."""
    bills = open_invoices_of(subject(subscription.pk))
    return any(payment.unresolved for bill in bills for payment in payments_of(bill.id))


def finish(subscription: Subscription, now: datetime, *, uncollectible: bool = False) -> list[Happened]:
    """Inside the caller's transaction, after its move to a terminal status. The mandate goes when it is committed.

    What is still owed is written off where it was served and not paid (`uncollectible`), else void: nobody pays for
    days that nobody gave. An invoice with a charge under way is left to the answer.
    """
    subscription.ended_at = now
    subscription.next_attempt_on = subscription.due_at = None
    subscription.pending_plan = subscription.pending_quantity = None
    subscription.save()
    for bill in open_invoices_of(subject(subscription.pk)):
        if any(payment.unresolved for payment in payments_of(bill.id)):
            continue
        if uncollectible and bill.kind == "period":
            payments.mark_uncollectible(invoice_id=bill.id, now=now)
        else:
            payments.void_invoice(invoice_id=bill.id, now=now)
    notices.drop(subscription, now)
    return sync_access(subscription, now)

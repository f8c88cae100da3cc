"""Back from the till with something else than a first checkout: what is owed, another payment method, a gift."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from broadsheet.payments import actions as payments
from broadsheet.payments.queries import invoice, payments_of, payments_of_subject, pending_mandates
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions.checkout import Answer, close_checkout, collect, collect_all
from broadsheet.subscriptions.actions.history import subject
from broadsheet.subscriptions.actions.methods import complete_mandate
from broadsheet.subscriptions.models import Gift, Subscription


def leave_checkout(*, reader_id: int, now: datetime) -> None:
    """Close a checkout nobody has paid: who is billed has changed, and its invoice names somebody else. One that was
    paid in the meantime counts."""
    for pk in Subscription.objects.filter(reader_id=reader_id, status="incomplete").values_list("pk", flat=True):
        close_checkout(pk, "checkout_replaced", now)


def complete_payment(*, subscription_id: int, now: datetime) -> Answer:
    """Fetch and apply what the till decided about what was owed: `paid` once nothing of it is open."""
    for payment in payments_of_subject(subject(subscription_id)):
        if payment.unresolved and payment.kind == "checkout":
            collect(payment.key, now)
    tried = [p for p in payments_of_subject(subject(subscription_id)) if p.kind == "checkout"]
    if not tried or tried[-1].unresolved:
        return "open"
    return "paid" if tried[-1].status == "succeeded" else "declined"


def complete_new_mandate(*, subscription_id: int, actor: str, now: datetime) -> bool:
    """Take the mandate into use that the reader has just allowed; False while none was. The till does not say which
    page they come from, so the last few that were asked for are looked at, newest first."""
    row = Subscription.objects.get(pk=subscription_id)
    for held in pending_mandates(row.reader_id)[:3]:
        try:
            complete_mandate(subscription_id=subscription_id, mandate_id=held.id, actor=actor, now=now)
        except rules.RefusedError:
            continue
        return True
    return False


def complete_gift(*, gift_id: int, now: datetime) -> Answer:
    """Fetch and apply what the till decided about a gift."""
    gift = Gift.objects.get(pk=gift_id)
    if gift.status in ("paid", "redeemed"):
        return "paid"
    if gift.invoice_id is None:
        return "open"
    return collect_all(gift.invoice_id, now)


def pay_gift(*, gift_id: int, return_url: str, now: datetime) -> str:
    """The till's page for a gift that is not paid yet: the one that is open, else a new attempt. RefusedError
    `nothing_to_pay`."""
    with transaction.atomic():
        gift = Gift.objects.select_for_update().get(pk=gift_id)
        bill = invoice(gift.invoice_id) if gift.invoice_id else None
        if gift.status != "open" or bill is None or bill.status != "open":
            raise rules.RefusedError("nothing_to_pay")
        key = f"gift:{gift.pk}:{len(payments_of(bill.id)) + 1}"
        row = payments.begin_payment(invoice_id=bill.id, key=key, kind="checkout", mandate_id=None, now=now)
    return payments.open_checkout(key=row.key, return_url=return_url, now=now, mandate=None)

"""Subscriptions given as presents: bought, sent on their day, redeemed, never renewed by themselves."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from broadsheet import ids
from broadsheet.bus.actions import emit
from broadsheet.dates import rfc3339
from broadsheet.payments import actions as payments
from broadsheet.payments.queries import InvoiceRow, invoice, payments_of
from broadsheet.payments.values import Line
from broadsheet.readers.actions import lock_reader
from broadsheet.readers.queries import reader
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions import notices
from broadsheet.subscriptions.actions.billing import charge_facts, invoice_facts, plan_words, price_for_new, taxed
from broadsheet.subscriptions.actions.due import set_due
from broadsheet.subscriptions.actions.history import Happened, move, record, take_schedule, tell, today
from broadsheet.subscriptions.actions.rights import sync_access
from broadsheet.subscriptions.events import GiftBought, GiftDue
from broadsheet.subscriptions.models import Gift, Plan, Subscription


def buy_gift(
    *,
    giver_id: int,
    plan_code: str,
    to_email: str,
    now: datetime,
    send_on: date | None = None,
    message: str = "",
) -> tuple[Gift, str, list[Happened]]:
    """Begin to buy a term of a plan for somebody: the gift, the key of the attempt to pay it (empty when the giver's
    credit paid it) and what happened. The till's page is opened by `payments.open_checkout`.

    RefusedError: `unknown_plan`, `plan_retired`, `unpriced`.
    """
    with transaction.atomic():
        plan = Plan.objects.filter(code=plan_code).first()
        if plan is None:
            raise rules.RefusedError("unknown_plan")
        if plan.retired or not plan.published:
            raise rules.RefusedError("plan_retired")
        day = today(now)
        newest = plan.prices.order_by("-new_from", "-id").first()
        if newest is None:
            raise rules.RefusedError("unpriced")
        price = price_for_new(plan, newest.currency, day)
        gift = Gift.objects.create(
            giver_id=giver_id,
            plan=plan,
            to_email=to_email.strip().lower(),
            message=message.strip()[:500],
            send_on=send_on or day,
            token=ids.token(),
            created_at=now,
        )
        made = payments.open_invoice(
            reader_id=giver_id,
            subject=f"gift:{gift.pk}",
            kind="gift",
            period_index=1,
            period_start=day,
            period_end=rules.boundary(day, plan.months, 1),
            currency=price.currency,
            lines=[Line(f"Gift: {plan_words(plan)}", price.amount_minor, "plan", 1)],
            taxed=taxed(plan),
            now=now,
        )
        gift.invoice_id = made.id
        gift.save(update_fields=["invoice_id"])
        bill = invoice(made.id)
        assert bill is not None
        happened = [tell("invoice_finalised", invoice_facts(bill), reader_id=giver_id, subscription_id=None, now=now)]
        if bill.status == "paid":
            return gift, "", happened + settle(bill, now)
        payment = payments.begin_payment(
            invoice_id=bill.id, key=f"gift:{gift.pk}:1", kind="checkout", mandate_id=None, now=now
        )
    return gift, payment.key, happened


def record_outcome(outcome: payments.Outcome, *, key: str, now: datetime) -> list[Happened]:
    """What the till said about a gift's invoice, inside the caller's transaction."""
    facts = charge_facts(outcome, key)
    happened = [tell("charge", facts, reader_id=outcome.invoice.reader_id, subscription_id=None, now=now)]
    if outcome.payment.status == "succeeded" and not outcome.payment.surplus:
        happened += settle(outcome.invoice, now)
    return happened


def settle(bill: InvoiceRow, now: datetime) -> list[Happened]:
    """A paid gift waits for its day, once."""
    number = rules.number_of(bill.subject, "gift")
    if number is None:
        return []
    with transaction.atomic():
        gift = Gift.objects.select_for_update().get(pk=number)
        if gift.status not in (Gift.Status.OPEN, Gift.Status.VOID):
            return []
        gift.status = Gift.Status.PAID
        gift.save(update_fields=["status"])
        facts = {"number": bill.number, "amount_minor": bill.total_minor, "currency": bill.currency, "kind": "gift"}
        happened = [tell("payment", facts, reader_id=gift.giver_id, subscription_id=None, now=now)]
        emit(GiftBought(gift.pk, bill.id, rfc3339(now)))
        bought = {"plan": gift.plan.code, "to": gift.to_email, "send_on": gift.send_on}
        happened.append(tell("gift_bought", bought, reader_id=gift.giver_id, subscription_id=None, now=now))
    return happened


def expire_gifts(*, now: datetime) -> list[Happened]:
    """Close what nobody paid within 23 hours; whoever paid in the meantime has it."""
    happened: list[Happened] = []
    rows = Gift.objects.filter(status=Gift.Status.OPEN, created_at__lte=now - rules.CHECKOUT_KEPT).order_by(
        "created_at"
    )
    for pk, invoice_id in list(rows.values_list("pk", "invoice_id")[:500]):
        for payment in payments_of(invoice_id) if invoice_id else ():
            if payment.unresolved:
                result = payments.withdraw_checkout(key=payment.key, now=now)
                with transaction.atomic():
                    outcome = payments.apply_payment_result(key=payment.key, result=result, now=now)
                    happened += record_outcome(outcome, key=payment.key, now=now) if outcome.changed else []
        with transaction.atomic():
            gift = Gift.objects.select_for_update().get(pk=pk)
            if gift.status != Gift.Status.OPEN:
                continue
            gift.status = Gift.Status.VOID
            gift.save(update_fields=["status"])
            if invoice_id:
                payments.void_invoice(invoice_id=invoice_id, now=now)
    return happened


def send_gifts(*, now: datetime) -> list[Happened]:
    """Tell those whose gift's day has come."""
    happened: list[Happened] = []
    rows = Gift.objects.filter(status=Gift.Status.PAID, sent_at=None, send_on__lte=today(now)).order_by("send_on", "id")
    for pk in list(rows.values_list("pk", flat=True)[:500]):
        with transaction.atomic():
            gift = Gift.objects.select_for_update().get(pk=pk)
            if gift.sent_at is not None:
                continue
            gift.sent_at = now
            gift.save(update_fields=["sent_at"])
            emit(GiftDue(gift.pk, rfc3339(now)))
            facts = {"kind": "gift", "channel": "email", "to": gift.to_email}
            happened.append(tell("notice", facts, reader_id=gift.giver_id, subscription_id=None, now=now))
    return happened


@transaction.atomic
def redeem_gift(*, reader_id: int, now: datetime, token: str = "") -> list[Happened]:
    """Begin what was given: from today for the plan's months, then over. Without a token the oldest gift to the
    reader's own address.

    RefusedError: `no_gift`, `already_subscribed` (the gift keeps).
    """
    lock_reader(reader_id=reader_id)
    gift = _waiting(reader_id, token)
    if gift is None:
        raise rules.RefusedError("no_gift")
    if Subscription.objects.filter(reader_id=reader_id, status__in=rules.LIVE).exists():
        raise rules.RefusedError("already_subscribed")
    day = today(now)
    earlier = Subscription.objects.filter(reader_id=reader_id, started_at__isnull=False).order_by("-id").first()
    subscription = Subscription(
        reader_id=reader_id,
        plan=gift.plan,
        origin=Subscription.Origin.GIFT,
        collection=Subscription.Collection.SEND_INVOICE,
        fixed_term=True,
        anchor=day,
        period_start=day,
        period_end=rules.boundary(day, gift.plan.months, 1),
        previous=earlier,
        created_at=now,
    )
    subscription.save()
    created = {"plan": gift.plan.code, "status": "incomplete", "gift": gift.pk}
    happened = [record(subscription, "subscription_created", created, now=now, actor=f"reader:{reader_id}")]
    happened += move(subscription, "given", now=now, reason="gift")
    take_schedule(subscription, rules.first_period(day, gift.plan.months, 1))
    subscription.started_at = now
    set_due(subscription)
    subscription.save()
    gift.status, gift.redeemed_at, gift.subscription = Gift.Status.REDEEMED, now, subscription
    gift.save(update_fields=["status", "redeemed_at", "subscription"])
    if gift.invoice_id:
        payments.earn_over(invoice_id=gift.invoice_id, start=subscription.period_start, end=subscription.period_end)
    happened += sync_access(subscription, now)
    notices.plan(subscription, now)
    return happened


def _waiting(reader_id: int, token: str) -> Gift | None:
    rows = Gift.objects.select_for_update().filter(status=Gift.Status.PAID)
    if token:
        return rows.filter(token=token).first()
    card = reader(reader_id)
    return rows.filter(to_email=card.email.lower()).order_by("id").first() if card else None

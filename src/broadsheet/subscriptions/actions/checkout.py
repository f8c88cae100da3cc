"""From a plan to the till and back."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from urllib.parse import urlencode

from django.db import transaction
from django.urls import reverse

from broadsheet.bus.actions import emit
from broadsheet.dates import local_date, rfc3339
from broadsheet.payments import actions as payments
from broadsheet.payments.adapters import MandateWish
from broadsheet.payments.queries import InvoiceRow, invoice_of_period, payments_of, unresolved_payments
from broadsheet.readers.actions import lock_reader
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions import notices
from broadsheet.subscriptions.actions.billing import discount_of, is_fresh, issue_period, price_for_new
from broadsheet.subscriptions.actions.due import set_due
from broadsheet.subscriptions.actions.history import (
    Happened,
    lock,
    move,
    record,
    subject,
    take_schedule,
    today,
    zone,
)
from broadsheet.subscriptions.actions.rights import sync_access
from broadsheet.subscriptions.actions.settlement import record_result, settle
from broadsheet.subscriptions.events import TrialStarted
from broadsheet.subscriptions.models import Coupon, Plan, Subscription

log = logging.getLogger(__name__)

FIRST = 1
ASK_AGAIN = timedelta(hours=1)
LOST_AFTER = timedelta(minutes=10)  # a reader who is still typing a card number is not lost
Answer = Literal["paid", "declined", "open"]


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where to send the reader to pay or to allow later charges; `url` is empty when there is nothing to do there."""

    subscription_id: int
    key: str
    url: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader wants to buy. `trial` None: the plan's trial, if this is their first subscription."""

    plan_code: str
    quantity: int = 1
    coupon: str = ""
    rail: str = "card"
    mandate_max_minor: int | None = None
    trial: bool | None = None
    collection: str = "automatic"


def start_checkout(
    *,
    reader_id: int,
    plan_code: str,
    now: datetime,
    next_path: str = "",
    quantity: int = 1,
    coupon: str = "",
    rail: str = "card",
    mandate_max_minor: int | None = None,
    trial: bool | None = None,
    collection: str = "automatic",
) -> Checkout:
    """Begin to buy a plan, or go on with it: pressing twice opens one subscription, one invoice, one page of the till.

    RefusedError: `unknown_plan`, `plan_retired`, `unpriced`, `already_subscribed`, `bad_quantity`, `bad_coupon`.
    `next_path` is where the reader wants to go on.
    """
    wanted = Wanted(plan_code, quantity, coupon, rail, mandate_max_minor, trial, collection)
    _leave_other_checkout(reader_id=reader_id, wanted=wanted, now=now)
    with transaction.atomic():
        lock_reader(reader_id=reader_id)
        plan = sellable(plan_code)
        subscription = Subscription.objects.filter(reader_id=reader_id, status__in=rules.LIVE).first()
        if subscription is not None and (subscription.status != "incomplete" or subscription.plan_id != plan.pk):
            raise rules.RefusedError("already_subscribed")
        subscription = subscription or _create(reader_id, plan, wanted, now)
        back = _back(subscription, next_path)
        wish = MandateWish(rail, mandate_max_minor) if collection == "automatic" else None
        opened = _open(subscription, wish, now)
    if opened is None:
        return Checkout(subscription.pk, "", "")
    if isinstance(opened, int):
        url = payments.open_mandate_page(mandate_id=opened, currency=_currency(subscription), return_url=back, now=now)
        return Checkout(subscription.pk, "", url)
    return Checkout(subscription.pk, opened, payments.open_checkout(key=opened, return_url=back, now=now, mandate=wish))


def _back(subscription: Subscription, next_path: str) -> str:
    back = reverse("subscribe_thanks", args=[subscription.pk])
    return f"{back}?{urlencode({'next': next_path})}" if next_path else back


def _currency(subscription: Subscription) -> str:
    assert subscription.price is not None
    return subscription.price.currency


def _open(subscription: Subscription, wish: MandateWish | None, now: datetime) -> str | int | None:
    """The key of the attempt to pay, or the id of the mandate to ask for, or None where nothing is asked at a till."""
    bill = invoice_of_period(subject(subscription.pk), FIRST)
    if bill is None or bill.status == "paid":
        if subscription.status != "incomplete" or wish is None:
            return None
        held = payments.begin_mandate(
            reader_id=subscription.reader_id,
            rail=wish.rail,
            max_minor=wish.max_minor,
            key=f"mandate:{subscription.pk}:1",
            now=now,
        )
        # Nobody is charged, so no open payment says that somebody may never come back: the row is looked at by itself.
        Subscription.objects.filter(pk=subscription.pk).update(mandate=held.id, due_at=now + LOST_AFTER)
        return held.id
    if wish is None:
        return None
    key = f"checkout:{subscription.pk}:{len(payments_of(bill.id)) + 1}"
    return payments.begin_payment(invoice_id=bill.id, key=key, kind="checkout", mandate_id=None, now=now).key


def sellable(code: str) -> Plan:
    """RefusedError: `unknown_plan`, `plan_retired`."""
    plan = Plan.objects.filter(code=code).first()
    if plan is None:
        raise rules.RefusedError("unknown_plan")
    if plan.retired or not plan.published:
        raise rules.RefusedError("plan_retired")
    return plan


def coupon_named(code: str, plan: Plan, *, reader_id: int | None, day: date) -> Coupon | None:
    """RefusedError `bad_coupon` for one that is unknown, over, used up, or not for this plan or this reader."""
    if not code:
        return None
    row = Coupon.objects.filter(code__iexact=code.strip()).first()
    holds = row is not None and (row.valid_from is None or row.valid_from <= day)
    if row is None or not holds or (row.valid_to is not None and row.valid_to <= day):
        raise rules.RefusedError("bad_coupon")
    used = Subscription.objects.filter(coupon=row).exclude(status__in=("incomplete", "incomplete_expired"))
    before = Subscription.objects.filter(reader_id=reader_id, started_at__isnull=False)
    if (
        discount_of(row, None, plan) is None
        or (row.max_redemptions is not None and used.count() >= row.max_redemptions)
        or (row.first_time_only and reader_id is not None and before.exists())
    ):
        raise rules.RefusedError("bad_coupon")
    return row


def periods_of(coupon: Coupon | None) -> int | None:
    """For how many periods a coupon holds; None: for good."""
    if coupon is None or coupon.duration == "forever":
        return None
    return 1 if coupon.duration == "once" else coupon.periods


def _create(reader_id: int, plan: Plan, wanted: Wanted, now: datetime) -> Subscription:
    day = today(now)
    if not plan.min_quantity <= wanted.quantity <= plan.max_quantity:
        raise rules.RefusedError("bad_quantity")
    coupon = coupon_named(wanted.coupon, plan, reader_id=reader_id, day=day)
    price = price_for_new(plan, _sold_in(plan), day)
    earlier = Subscription.objects.filter(reader_id=reader_id, started_at__isnull=False).order_by("-id").first()
    subscription = Subscription(
        reader_id=reader_id,
        plan=plan,
        price_id=price.id,
        quantity=wanted.quantity,
        collection=wanted.collection,
        coupon=coupon,
        coupon_left=periods_of(coupon),
        anchor=day,
        period_start=day,
        period_end=rules.boundary(day, plan.months, 1),
        previous=earlier,
        created_at=now,
    )
    set_due(subscription)
    subscription.save()
    actor = f"reader:{reader_id}"
    facts = {"plan": plan.code, "quantity": wanted.quantity, "status": "incomplete"}
    record(subscription, "subscription_created", facts, now=now, actor=actor)
    tries = plan.trial_days and (earlier is None if wanted.trial is None else wanted.trial)
    if tries:
        _promise_trial(subscription, plan.trial_days, now)
        if wanted.collection != "automatic":
            start_trial(subscription, now)
        return subscription
    bill, _ = issue_period(subscription, rules.first_period(day, plan.months, FIRST), now)
    if bill.status == "paid" and wanted.collection != "automatic":
        settle(subscription, bill, now)
    return subscription


def _sold_in(plan: Plan) -> str:
    """The currency of a plan's newest price: a plan is sold in one."""
    row = plan.prices.order_by("-new_from", "-id").first()
    if row is None:
        raise rules.RefusedError("unpriced")
    return row.currency


def _promise_trial(subscription: Subscription, days: int, now: datetime) -> None:
    """The trial ends after so many days at the hour it began: an instant, not a midnight."""
    local = now.astimezone(zone())
    subscription.trial_end = (local.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=zone())
    subscription.save(update_fields=["trial_end"])


def start_trial(subscription: Subscription, now: datetime) -> list[Happened]:
    """Inside the caller's lock: read from now on, pay from the trial's end."""
    assert subscription.trial_end is not None
    happened = move(subscription, "trial_started", now=now)
    day, ends = today(now), local_date(subscription.trial_end, zone())
    take_schedule(subscription, rules.Schedule(ends, FIRST, 0, day, max(ends, day + timedelta(days=1))))
    subscription.started_at = now
    set_due(subscription)
    subscription.save()
    emit(TrialStarted(subscription.pk, rfc3339(now)))
    happened += sync_access(subscription, now)
    notices.plan(subscription, now)
    return happened


def _leave_other_checkout(*, reader_id: int, wanted: Wanted, now: datetime) -> None:
    """Close a checkout that is stale, of something else, or at an older price, unless it has been paid already."""
    other = Subscription.objects.filter(reader_id=reader_id, status="incomplete").select_related("plan").first()
    if other is None:
        return
    bill = invoice_of_period(subject(other.pk), FIRST)
    same = (
        other.plan.code == wanted.plan_code
        and other.quantity == wanted.quantity
        and other.collection == wanted.collection
        and (other.coupon.code if other.coupon else "").casefold() == wanted.coupon.strip().casefold()
        and not other.plan.retired
    )
    fresh = other.created_at > now - rules.CHECKOUT_KEPT
    if not (same and fresh and (bill is None or is_fresh(bill, other, now))):
        close_checkout(other.pk, "checkout_replaced", now)


def complete_checkout(*, subscription_id: int, now: datetime) -> Answer:
    """Fetch what the till decided and apply it: `paid` means the reader may read from this moment on."""
    subscription = Subscription.objects.get(pk=subscription_id)
    bill = invoice_of_period(subject(subscription_id), FIRST)
    if bill is None or (bill.status == "paid" and subscription.status == "incomplete"):
        return _complete_mandate(subscription, bill, now)
    return collect_all(bill.id, now)


def _complete_mandate(subscription: Subscription, bill: InvoiceRow | None, now: datetime) -> Answer:
    """Nothing is paid at the till, but later charges are allowed there: then the trial, or what credit paid, begins."""
    if subscription.status != "incomplete":
        return "paid" if subscription.started_at else "declined"
    held = payments.complete_mandate(mandate_id=subscription.mandate_id, now=now) if subscription.mandate_id else None
    if held is None or not held.usable:
        return "open"
    with transaction.atomic():
        row = lock(subscription.pk)
        if row.status == "incomplete":
            if bill is None:
                start_trial(row, now)
            else:
                settle(row, bill, now)
    return "paid"


def collect_all(invoice_id: int, now: datetime) -> Answer:
    """Fetch and apply what the till decided about every attempt on an invoice."""
    for payment in payments_of(invoice_id):
        if payment.unresolved:
            collect(payment.key, now)
    attempts = payments_of(invoice_id)
    if any(payment.status == "succeeded" for payment in attempts):
        return "paid"
    return "declined" if attempts and attempts[-1].status == "failed" else "open"


def collect(key: str, now: datetime) -> list[Happened]:
    """Fetch and apply what the till decided about one attempt."""
    result = payments.fetch_result(key=key, now=now)
    return record_result(key=key, result=result, now=now) if result is not None else []


def collect_checkouts(*, now: datetime) -> list[Happened]:
    """For readers who paid and never came back from the till: their subscription starts all the same."""
    happened: list[Happened] = []
    for payment in unresolved_payments(kind="checkout", older_than=now - LOST_AFTER, now=now):
        try:
            happened += collect(payment.key, now)
            # Still nobody has decided: the till is not asked every second.
            payments.check_later(key=payment.key, check_at=now + LOST_AFTER)
        except Exception:
            log.exception("The result of %s could not be fetched.", payment.key)
    return happened


def close_checkout(subscription_id: int, event: rules.Event, now: datetime) -> list[Happened]:
    """Close the till's page first: if the reader was faster, the payment counts and the subscription starts."""
    happened: list[Happened] = []
    bill = invoice_of_period(subject(subscription_id), FIRST)
    if _came_back_never(subscription_id, bill, now):
        return happened
    for payment in payments_of(bill.id) if bill else ():
        if payment.unresolved:
            result = payments.withdraw_checkout(key=payment.key, now=now)
            happened += record_result(key=payment.key, result=result, now=now)
    with transaction.atomic():
        subscription = lock(subscription_id)
        if subscription.status != "incomplete":
            return happened
        happened += move(subscription, event, now=now)
        subscription.ended_at = now
        subscription.due_at = None
        subscription.save(update_fields=["status", "ended_at", "due_at"])
        if bill and bill.status == "open":
            payments.void_invoice(invoice_id=bill.id, now=now)
    return happened


def _came_back_never(subscription_id: int, bill: InvoiceRow | None, now: datetime) -> bool:
    """Whether a reader allowed later charges at the till and never came back: they have what they wanted."""
    subscription = Subscription.objects.get(pk=subscription_id)
    asked = subscription.mandate_id is not None and (bill is None or bill.status == "paid")
    return subscription.status == "incomplete" and asked and _complete_mandate(subscription, bill, now) == "paid"


def expire_checkouts(*, now: datetime) -> list[Happened]:
    """Close what nobody paid within 23 hours."""
    happened: list[Happened] = []
    rows = Subscription.objects.filter(status="incomplete", due_at__lte=now).order_by("due_at", "id")
    for pk, begun in list(rows.values_list("pk", "created_at")[:500]):
        try:
            ends = begun + rules.CHECKOUT_KEPT
            if ends <= now:
                happened += close_checkout(pk, "checkout_expired", now)
            elif not _came_back_never(pk, invoice_of_period(subject(pk), FIRST), now):
                again = min(now + ASK_AGAIN, ends)
                Subscription.objects.filter(pk=pk, status="incomplete").update(due_at=again)
        except Exception:
            log.exception("Checkout of subscription %s could not be closed.", pk)
    return happened

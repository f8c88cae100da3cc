"""Another plan, more or fewer seats: what it would cost, and doing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction

from broadsheet.bus.actions import emit
from broadsheet.dates import rfc3339
from broadsheet.payments import actions as payments
from broadsheet.payments.queries import InvoiceRow, PaymentRow, mandate, open_invoices_of, payments_of
from broadsheet.payments.values import Line
from broadsheet.subscriptions import pricing, proration, rules
from broadsheet.subscriptions.actions import notices
from broadsheet.subscriptions.actions.billing import (
    discount_of,
    issue,
    plan_words,
    price_for_new,
    price_for_renewal,
    taxed,
)
from broadsheet.subscriptions.actions.checkout import sellable
from broadsheet.subscriptions.actions.due import due_since
from broadsheet.subscriptions.actions.ending import charge_under_way
from broadsheet.subscriptions.actions.groups import fit_seats
from broadsheet.subscriptions.actions.history import Happened, lock, policies, record, subject, today
from broadsheet.subscriptions.actions.renewals import LEASE, collect
from broadsheet.subscriptions.actions.rights import sync_access
from broadsheet.subscriptions.actions.settlement import settle
from broadsheet.subscriptions.events import ChangeScheduled
from broadsheet.subscriptions.models import Plan, Segment, Subscription


@dataclass(frozen=True, slots=True)
class ChangeQuote:
    """A change before it is made: the very invoice it would bring. `lines` is empty where nothing is charged.

    `when`: `now` or `period_end`; `starts` is the first day of the new plan and `renews_on` the next charge after it.
    """

    when: str
    plan: str
    lines: tuple[Line, ...]
    total_minor: int
    tax_minor: int
    credit_minor: int
    currency: str
    starts: date
    renews_on: date
    renewal_minor: int
    carried_minor: int
    tax: Mapping[str, Any] = field(default_factory=dict)  # as invoices keep it

    @property
    def due_minor(self) -> int:
        return self.total_minor - self.credit_minor


@dataclass(frozen=True, slots=True)
class _Change:
    """A change that is worked out: the quote, and what its invoice has to know."""

    quote: ChangeQuote
    plan: Plan
    price: pricing.PriceRow
    keep_date: bool
    start: date
    end: date
    context: dict[str, Any]


def covered(subscription: Subscription) -> list[proration.Covered]:
    """The paid lines that still cover days, oldest first."""
    rows = Segment.objects.filter(subscription=subscription, closed_on=None).order_by("id")
    return [
        proration.Covered(row.pk, row.invoice_id, row.start, row.end, row.amount_minor, row.returned_minor)
        for row in rows
    ]


def _may_change(subscription: Subscription, day: date) -> None:
    if subscription.status not in ("trialing", "active", "past_due") or subscription.fixed_term:
        raise rules.RefusedError("not_active")
    if subscription.status == "past_due" and rules.changes_blocked(due_since(subscription), day, policies()):
        raise rules.RefusedError("payment_overdue")
    if subscription.cancel_at_period_end:
        raise rules.RefusedError("cancelled")


def preview_change(
    *, subscription_id: int, plan_code: str, now: datetime, when: str = "auto", keep_date: bool = False
) -> ChangeQuote:
    """What `change_plan` with the same arguments would do now; writes nothing. RefusedError as there."""
    subscription = Subscription.objects.select_related("plan", "price", "coupon").get(pk=subscription_id)
    _may_change(subscription, today(now))
    return _work_out(subscription, sellable(plan_code), when, keep_date, now).quote


def _work_out(subscription: Subscription, plan: Plan, when: str, keep_date: bool, now: datetime) -> _Change:
    how, day = policies(), today(now)
    if not plan.min_quantity <= subscription.quantity <= plan.max_quantity:
        raise rules.RefusedError("bad_quantity")
    old = price_for_renewal(subscription, day)
    price = price_for_new(plan, old.currency, day)
    if when == "auto":
        when, kept = proration.when_to_change(
            old_minor=old.amount_minor,
            new_minor=price.amount_minor,
            old_months=subscription.plan.months,
            new_months=plan.months,
        )
        keep_date = keep_date or kept
    if keep_date and plan.months != subscription.plan.months:
        raise rules.RefusedError("interval_differs")
    discount = discount_of(subscription.coupon, subscription.coupon_left, plan)
    whole = pricing.discounted(price.amount_minor * subscription.quantity, discount, how.rounding)
    free = subscription.status == "trialing" or when == "period_end"
    first_day = subscription.period_end if free else proration.first_new_day(day, how)
    if free:
        ends = first_day if subscription.status == "trialing" else rules.boundary(first_day, plan.months, 1)
        quote = ChangeQuote(
            "now" if subscription.status == "trialing" else "period_end", plan.code, (), 0, 0, 0, price.currency,
            day if subscription.status == "trialing" else first_day, ends, whole, 0,
        )  # fmt: skip
        return _Change(quote, plan, price, keep_date, first_day, ends, {})
    # What is not paid yet has nothing unused: a renewal that is overdue, or due and not done yet, is replaced by the
    # new plan's first period.
    keep_date = keep_date and subscription.status == "active" and first_day < subscription.period_end
    end = subscription.period_end if keep_date else rules.boundary(first_day, plan.months, 1)
    paid = covered(subscription)
    lines = proration.change_lines(
        paid,
        proration.Offered(plan_words(plan, subscription.quantity), whole, plan.months, subscription.quantity),
        day=first_day,
        start=first_day,
        end=end,
        whole_days=((end - subscription.period_start) if keep_date else (end - first_day)).days,
        rounding=how.rounding,
    )
    return _priced(
        subscription,
        plan,
        price=price,
        keep_date=keep_date,
        day=first_day,
        end=end,
        lines=lines,
        paid=paid,
        whole=whole,
        coupon=discount is not None,
        now=now,
    )


def _priced(
    subscription: Subscription,
    plan: Plan,
    *,
    price: pricing.PriceRow,
    keep_date: bool,
    day: date,
    end: date,
    lines: list[Line],
    paid: Sequence[proration.Covered],
    whole: int,
    coupon: bool,
    now: datetime,
) -> _Change:
    money = payments.quote(
        reader_id=subscription.reader_id, lines=lines, taxed=taxed(plan), currency=price.currency, now=now
    )
    left = proration.carried(lines)
    over = payments.quote(
        reader_id=subscription.reader_id,
        lines=[Line("", left)],
        taxed=taxed(plan),
        currency=price.currency,
        now=now,
    ).split.total_minor
    quote = ChangeQuote(
        when="now",
        plan=plan.code,
        lines=tuple(lines),
        total_minor=money.split.total_minor,
        tax_minor=money.split.tax_minor,
        credit_minor=money.credit_minor,
        currency=price.currency,
        starts=day,
        renews_on=end,
        renewal_minor=whole,
        carried_minor=over,
        tax=money.tax,
    )
    rests = proration.all_unused(paid, day, policies().rounding)
    context = {
        "plan": plan.pk,
        "price": price.id,
        "quantity": subscription.quantity,
        "index": subscription.period_index,
        "closes": [[rest.segment_id, rest.amount_minor] for rest in rests],
        "day": day.isoformat(),
        "carried": over,
        "coupon": coupon and not keep_date,
    }
    return _Change(quote, plan, price, keep_date, day, end, context)


def change_plan(
    *,
    subscription_id: int,
    plan_code: str,
    actor: str,
    now: datetime,
    when: str = "auto",
    keep_date: bool = False,
) -> list[Happened]:
    """Change to another plan: now, against the unused rest of what was paid, or at the end of the period.

    A reader who is there pays at once by the mandate they gave; without one the invoice is open until they pay it.
    RefusedError: `unknown_plan`, `plan_retired`, `unpriced`, `same_plan`, `not_active`, `payment_overdue`, `cancelled`,
    `interval_differs`, `bad_quantity`, `charge_under_way`, and `payment_declined`: then nothing changed but that it was
    tried.
    """
    with transaction.atomic():
        subscription = lock(subscription_id)
        _may_change(subscription, today(now))
        if charge_under_way(subscription):
            raise rules.RefusedError("charge_under_way")
        plan = sellable(plan_code)
        if plan.pk == subscription.plan_id:
            return _withdraw(subscription, actor, now)
        change = _work_out(subscription, plan, when, keep_date, now)
        if subscription.status == "trialing":
            return _switch(subscription, change, actor, now)
        if change.quote.when == "period_end":
            return _schedule(subscription, change, actor, now)
        bill, happened = _invoice_change(subscription, change, now)
        payment = None
        if bill.status == "paid":
            happened += settle(subscription, bill, now)
        else:
            payment = _begin(subscription, bill, "change", now)
    return happened + _collected(payment, bill, now)


def _withdraw(subscription: Subscription, actor: str, now: datetime) -> list[Happened]:
    """Back to the plan they have: what was to come at the period's end does not."""
    if subscription.pending_plan is None:
        raise rules.RefusedError("same_plan")
    subscription.pending_plan = None
    subscription.save(update_fields=["pending_plan"])
    notices.plan(subscription, now)
    return [record(subscription, "change_withdrawn", {"plan": subscription.plan.code}, now=now, actor=actor)]


def _switch(subscription: Subscription, change: _Change, actor: str, now: datetime) -> list[Happened]:
    """During a trial nothing is paid: the plan that will be charged at its end is another one."""
    old = subscription.plan.code
    subscription.plan, subscription.price_id = change.plan, change.price.id
    subscription.save()
    happened = [record(subscription, "plan_changed", {"from": old, "to": change.plan.code}, now=now, actor=actor)]
    happened += sync_access(subscription, now)
    notices.plan(subscription, now)
    return happened


def _schedule(subscription: Subscription, change: _Change, actor: str, now: datetime) -> list[Happened]:
    subscription.pending_plan = change.plan
    subscription.save(update_fields=["pending_plan"])
    notices.plan(subscription, now)
    emit(ChangeScheduled(subscription.pk, rfc3339(now)))
    facts = {"plan": change.plan.code, "effective": subscription.period_end}
    return [record(subscription, "change_scheduled", facts, now=now, actor=actor)]


def _invoice_change(subscription: Subscription, change: _Change, now: datetime) -> tuple[InvoiceRow, list[Happened]]:
    for other in open_invoices_of(subject(subscription.pk)):
        # An unpaid renewal, or an earlier change nobody paid: this one takes its place.
        payments.void_invoice(invoice_id=other.id, now=now)
    index = None if change.keep_date else subscription.period_index + 1
    return issue(
        subscription,
        kind="change",
        index=index,
        start=change.start,
        end=change.end,
        lines=change.quote.lines,
        plan=change.plan,
        currency=change.price.currency,
        context=change.context,
        now=now,
    )


def _begin(subscription: Subscription, bill: InvoiceRow, kind: str, now: datetime) -> PaymentRow | None:
    """The attempt to collect at once; None where there is no mandate and the reader pays by a link."""
    held = mandate(subscription.mandate_id)
    if subscription.collection != "automatic" or held is None or not held.usable:
        return None
    tries = len(payments_of(bill.id)) + 1
    # Whoever dies before the answer is written down is continued by the next run.
    Subscription.objects.filter(pk=subscription.pk).update(due_at=now + LEASE)
    return payments.begin_payment(
        invoice_id=bill.id,
        key=f"{kind}:{subscription.pk}:{bill.id}:{tries}",
        kind="change",
        mandate_id=held.id,
        now=now,
    )


def _collected(payment: PaymentRow | None, bill: InvoiceRow, now: datetime) -> list[Happened]:
    if payment is None:
        return []
    # The reader is there and confirms this amount: the limits of debits behind their back do not hold.
    happened = collect(payment, now, present=True)
    last = payments_of(bill.id)[-1]
    if last.status == "failed":
        raise rules.RefusedError("payment_declined")
    return happened


def preview_quantity(*, subscription_id: int, quantity: int, now: datetime) -> ChangeQuote:
    """What `set_quantity` would do now; writes nothing. RefusedError as there."""
    subscription = Subscription.objects.select_related("plan", "price").get(pk=subscription_id)
    return _work_out_seats(subscription, quantity, now)[0]


def _work_out_seats(subscription: Subscription, quantity: int, now: datetime) -> tuple[ChangeQuote, pricing.PriceRow]:
    day, plan, how = today(now), subscription.plan, policies()
    if subscription.status not in ("trialing", "active") or subscription.fixed_term:
        raise rules.RefusedError("not_active")
    if not plan.min_quantity <= quantity <= plan.max_quantity:
        raise rules.RefusedError("bad_quantity")
    if quantity == subscription.quantity and not subscription.pending_quantity:
        raise rules.RefusedError("same_quantity")
    price = price_for_renewal(subscription, day)
    renewal = price.amount_minor * quantity
    # Nothing is left of a period whose renewal is due and not done yet: the renewal will be of the new number.
    over = proration.first_new_day(day, how) >= subscription.period_end
    if quantity <= subscription.quantity or subscription.status == "trialing" or over:
        starts = day if subscription.status == "trialing" else subscription.period_end
        when = "now" if subscription.status == "trialing" else "period_end"
        return ChangeQuote(when, plan.code, (), 0, 0, 0, price.currency, starts, starts, renewal, 0), price
    added = quantity - subscription.quantity
    discount = discount_of(subscription.coupon, subscription.coupon_left, plan)
    unit = (
        pricing.discounted(price.amount_minor, discount, how.rounding) if _lasting(subscription) else price.amount_minor
    )
    lines = proration.seat_lines(
        text=f"{added} more seats until {subscription.period_end:%d %b %Y}",
        unit_minor=unit,
        added=added,
        day=proration.first_new_day(day, how),
        start=subscription.period_start,
        end=subscription.period_end,
        rounding=how.rounding,
    )
    money = payments.quote(
        reader_id=subscription.reader_id, lines=lines, taxed=taxed(plan), currency=price.currency, now=now
    )
    quote = ChangeQuote(
        "now", plan.code, tuple(lines), money.split.total_minor, money.split.tax_minor, money.credit_minor,
        price.currency, day, subscription.period_end, renewal, 0, money.tax,
    )  # fmt: skip
    return quote, price


def _lasting(subscription: Subscription) -> bool:
    """A share for good holds for added seats too; one for some periods has been used on this one."""
    coupon = subscription.coupon
    return coupon is not None and coupon.duration == "forever" and coupon.percent_bp is not None


def set_quantity(*, subscription_id: int, quantity: int, actor: str, now: datetime) -> list[Happened]:
    """More seats: now, for their share of the period. Fewer: from the next period on.

    RefusedError: `not_active`, `bad_quantity`, `same_quantity`, `charge_under_way`, `payment_declined`.
    """
    with transaction.atomic():
        subscription = lock(subscription_id)
        if charge_under_way(subscription):
            raise rules.RefusedError("charge_under_way")
        quote, price = _work_out_seats(subscription, quantity, now)
        if not quote.lines:
            return _fewer(subscription, quantity, actor, now)
        subscription.pending_quantity = None
        subscription.save(update_fields=["pending_quantity"])
        bill, happened = issue(
            subscription,
            kind="seats",
            index=None,
            start=quote.starts,
            end=subscription.period_end,
            lines=quote.lines,
            plan=subscription.plan,
            currency=price.currency,
            context={"quantity": quantity, "index": subscription.period_index},
            now=now,
        )
        payment = None
        if bill.status == "paid":
            happened += settle(subscription, bill, now)
        else:
            payment = _begin(subscription, bill, "seats", now)
    return happened + _collected(payment, bill, now)


def _fewer(subscription: Subscription, quantity: int, actor: str, now: datetime) -> list[Happened]:
    if subscription.status == "trialing":
        subscription.quantity = quantity
        subscription.save(update_fields=["quantity"])
        notices.plan(subscription, now)
        happened = [record(subscription, "quantity_changed", {"quantity": quantity}, now=now, actor=actor)]
        return happened + fit_seats(subscription, now)
    subscription.pending_quantity = quantity if quantity != subscription.quantity else None
    subscription.save(update_fields=["pending_quantity"])
    notices.plan(subscription, now)
    emit(ChangeScheduled(subscription.pk, rfc3339(now)))
    facts = {"quantity": quantity, "effective": subscription.period_end}
    return [record(subscription, "quantity_scheduled", facts, now=now, actor=actor)]

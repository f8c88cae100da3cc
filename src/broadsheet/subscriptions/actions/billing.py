"""What a period costs a subscriber, and the invoice of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from broadsheet.payments import actions as payments
from broadsheet.payments.queries import InvoiceRow, invoice_of_period, payments_of
from broadsheet.payments.values import Line, Taxed
from broadsheet.subscriptions import cards, pricing, rules
from broadsheet.subscriptions.actions.history import Happened, policies, record, subject, today
from broadsheet.subscriptions.models import Coupon, Plan, Price, Subscription


def price_rows(plan: Plan, currency: str) -> list[pricing.PriceRow]:
    rows = Price.objects.filter(plan=plan, currency=currency)
    return [price_row(row) for row in rows]


def price_row(row: Price) -> pricing.PriceRow:
    return pricing.PriceRow(row.pk, row.amount_minor, row.currency, row.new_from, row.existing_from)


def price_for_new(plan: Plan, currency: str, day: date) -> pricing.PriceRow:
    """RefusedError `unpriced` when the plan costs nothing yet: what has no price is not sold."""
    row = pricing.price_for_new(price_rows(plan, currency), day)
    if row is None:
        raise rules.RefusedError("unpriced")
    return row


def price_for_renewal(subscription: Subscription, day: date) -> pricing.PriceRow:
    """RefusedError `unpriced` for what was given, which has no price to renew at."""
    if subscription.price is None:
        raise rules.RefusedError("unpriced")
    agreed = price_row(subscription.price)
    return pricing.price_for_holder(price_rows(subscription.plan, agreed.currency), agreed, day)


def taxed(plan: Plan) -> Taxed:
    return Taxed(plan.tax, plan.tax_inclusive)


def discount_of(coupon: Coupon | None, left: int | None, plan: Plan) -> pricing.Discount | None:
    """What a coupon takes off the next period; None when it is used up or is for other plans."""
    if coupon is None or left == 0:
        return None
    if coupon.plans.exists() and not coupon.plans.filter(pk=plan.pk).exists():
        return None
    return pricing.Discount(coupon.percent_bp, coupon.amount_minor)


def plan_words(plan: Plan, quantity: int = 1) -> str:
    words = f"{plan.name} subscription, {cards.period_words(plan.months, 'en')}"
    return words if quantity == 1 else f"{words}, {quantity} seats"


def period_lines(
    plan: Plan, *, unit_minor: int, quantity: int, discount: pricing.Discount | None, start: date, end: date
) -> list[Line]:
    """The lines of one whole period; their sum is what it costs before tax on top."""
    amount = unit_minor * quantity
    lines = [Line(plan_words(plan, quantity), amount, "plan", quantity, start, end)]
    less = amount - pricing.discounted(amount, discount, policies().rounding)
    if less:
        lines.append(Line("Discount", -less, "discount", 1, start, end))
    return lines


def charge_facts(outcome: payments.Outcome, key: str) -> dict[str, object]:
    """An attempt as the command line prints it."""
    facts: dict[str, object] = {
        "number": outcome.invoice.number,
        "attempt": [payment.key for payment in payments_of(outcome.invoice.id)].index(key) + 1,
        "amount_minor": outcome.payment.amount_minor,
        "currency": outcome.payment.currency,
        "result": outcome.payment.status,
    }
    if outcome.payment.failure_code:
        facts["failure_code"] = outcome.payment.failure_code
    return facts


def issue(
    subscription: Subscription,
    *,
    kind: str,
    index: int | None,
    start: date,
    end: date,
    lines: Sequence[Line],
    plan: Plan,
    currency: str,
    context: dict[str, Any],
    now: datetime,
    looked: bool = False,
) -> tuple[InvoiceRow, list[Happened]]:
    """An invoice of this subscription and the event that tells of it; found again when it has been made, unless the
    caller has looked."""
    if not looked and index is not None:
        found = invoice_of_period(subject(subscription.pk), index)
        if found is not None:
            return found, []
    made = payments.open_invoice(
        reader_id=subscription.reader_id,
        subject=subject(subscription.pk),
        kind=kind,
        period_index=index,
        period_start=start,
        period_end=end,
        currency=currency,
        lines=lines,
        taxed=taxed(plan),
        context=context,
        now=now,
    )
    return made, [record(subscription, "invoice_finalised", invoice_facts(made), now=now)]


def invoice_facts(bill: InvoiceRow) -> dict[str, Any]:
    """An invoice as the command line prints it."""
    facts: dict[str, Any] = {
        "number": bill.number,
        "date": bill.issued_on,
        "period_start": bill.period_start,
        "period_end": bill.period_end,
        "lines": [{"text": line.text, "amount_minor": line.amount_minor} for line in bill.lines],
        "tax": bill.tax,
        "total_minor": bill.total_minor,
        "currency": bill.currency,
    }
    if bill.credit_minor:
        facts["credit_used_minor"] = bill.credit_minor
    return facts


def issue_period(
    subscription: Subscription, schedule: rules.Schedule, now: datetime
) -> tuple[InvoiceRow, list[Happened]]:
    """The invoice of a whole period, if it has not been issued: at the price that holds for this subscriber then."""
    found = invoice_of_period(subject(subscription.pk), schedule.index)
    if found is not None:
        return found, []
    plan = subscription.plan
    price = price_for_renewal(subscription, schedule.start)
    discount = discount_of(subscription.coupon, subscription.coupon_left, plan)
    lines = period_lines(
        plan,
        unit_minor=price.amount_minor,
        quantity=subscription.quantity,
        discount=discount,
        start=schedule.start,
        end=schedule.end,
    )
    context = {"plan": plan.pk, "price": price.id, "quantity": subscription.quantity, "coupon": discount is not None}
    return issue(
        subscription,
        kind="period",
        index=schedule.index,
        start=schedule.start,
        end=schedule.end,
        lines=lines,
        plan=plan,
        currency=price.currency,
        context=context,
        now=now,
        looked=True,
    )


def is_fresh(bill: InvoiceRow, subscription: Subscription, now: datetime) -> bool:
    """Whether an open first invoice still states today's price."""
    if subscription.price is None:
        return False
    price = price_for_new(subscription.plan, bill.currency, today(now))
    return price.id == subscription.price_id

"""What a checkout would come to before anybody buys, and what the next renewal will. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from broadsheet.payments import actions as payments
from broadsheet.payments.adapters.registry import checkout_provider
from broadsheet.payments.taxes import TaxSplit
from broadsheet.payments.values import Line
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions.billing import discount_of, period_lines, price_for_new, taxed
from broadsheet.subscriptions.actions.checkout import coupon_named, periods_of, sellable
from broadsheet.subscriptions.actions.history import today
from broadsheet.subscriptions.models import Plan, Subscription

INDIA = "IN"


@dataclass(frozen=True, slots=True)
class CheckoutQuote:
    """A purchase before it is made. All totals hold every tax.

    `lines` add up to the first period before tax on top; `split` and `tax` are its taxes. With a trial nothing is paid
    now and the first period is charged on `next_on`. `later_minor` is what a period costs once the coupon is used up,
    after `reduced` periods (None: for good).
    """

    plan_code: str
    plan_name: str
    months: int
    quantity: int
    lines: tuple[Line, ...]
    split: TaxSplit
    tax: Mapping[str, Any]
    inclusive: bool
    credit_minor: int
    currency: str
    trial_days: int
    next_on: date
    next_minor: int
    later_minor: int
    coupon: str
    reduced: int | None

    @property
    def total_minor(self) -> int:
        return self.split.total_minor

    @property
    def due_minor(self) -> int:
        """What is paid at the till."""
        return 0 if self.trial_days else self.split.total_minor - self.credit_minor


def quote_checkout(
    *,
    reader_id: int,
    plan_code: str,
    now: datetime,
    quantity: int = 1,
    coupon: str = "",
    country: str | None = None,
    state: str | None = None,
    trial: bool | None = None,
) -> CheckoutQuote:
    """What `start_checkout` would charge. RefusedError: `unknown_plan`, `plan_retired`, `unpriced`, `bad_quantity`,
    `bad_coupon`."""
    plan, day = sellable(plan_code), today(now)
    if not plan.min_quantity <= quantity <= plan.max_quantity:
        raise rules.RefusedError("bad_quantity")
    found = coupon_named(coupon, plan, reader_id=reader_id, day=day)
    newest = plan.prices.order_by("-new_from", "-id").first()
    if newest is None:
        raise rules.RefusedError("unpriced")
    price = price_for_new(plan, newest.currency, day)
    days = _trial_days(plan, reader_id, trial)
    start = day + timedelta(days=days)
    end = rules.boundary(start, plan.months, 1)
    periods = periods_of(found) if found else 0
    unit, discount = price.amount_minor, discount_of(found, periods, plan)
    lines = period_lines(plan, unit_minor=unit, quantity=quantity, discount=discount, start=start, end=end)
    whole = period_lines(plan, unit_minor=unit, quantity=quantity, discount=None, start=start, end=end)

    def money(some: list[Line]) -> payments.Money:
        return payments.quote(
            reader_id=reader_id, lines=some, taxed=taxed(plan), currency=price.currency, now=now, state=state,
            country=country,
        )  # fmt: skip

    first, later = money(lines), money(whole).split.total_minor
    again = periods is None or periods > 1
    return CheckoutQuote(
        plan_code=plan.code,
        plan_name=plan.name,
        months=plan.months,
        quantity=quantity,
        lines=tuple(lines),
        split=first.split,
        tax=first.tax,
        inclusive=plan.tax_inclusive,
        credit_minor=first.credit_minor,
        currency=price.currency,
        trial_days=days,
        next_on=start if days else end,
        next_minor=first.split.total_minor if days or again else later,
        later_minor=later,
        coupon=found.code if found else "",
        reduced=periods,
    )


def _trial_days(plan: Plan, reader_id: int, trial: bool | None) -> int:
    if not plan.trial_days or trial is False:
        return 0
    known = Subscription.objects.filter(reader_id=reader_id, started_at__isnull=False).exists()
    return 0 if known and trial is None else plan.trial_days


def quote_renewal(*, subscription_id: int, amount_minor: int, now: datetime) -> payments.Money:
    """What `amount_minor` (a renewal before tax on top) comes to for this subscriber, tax and credit counted."""
    row = Subscription.objects.select_related("plan", "pending_plan", "price").get(pk=subscription_id)
    plan = row.pending_plan or row.plan
    currency = row.price.currency if row.price else "INR"
    return payments.quote(
        reader_id=row.reader_id, lines=[Line("", amount_minor)], taxed=taxed(plan), currency=currency, now=now
    )


def quote_gift(*, giver_id: int, plan_code: str, now: datetime) -> tuple[int, payments.Money]:
    """What `buy_gift` would charge: the price before tax on top, and what it comes to. RefusedError: `unknown_plan`,
    `plan_retired`, `unpriced`."""
    plan = sellable(plan_code)
    newest = plan.prices.order_by("-new_from", "-id").first()
    if newest is None:
        raise rules.RefusedError("unpriced")
    price = price_for_new(plan, newest.currency, today(now))
    lines = [Line("", price.amount_minor)]
    money = payments.quote(reader_id=giver_id, lines=lines, taxed=taxed(plan), currency=price.currency, now=now)
    return price.amount_minor, money


def rails(currency: str, country: str = INDIA) -> tuple[str, ...]:
    """By what a reader may pay here, the usual one first: `card`, `upi`; `manual` where money comes by transfer."""
    if not checkout_provider().capabilities.mandates:
        return ("manual",)
    return ("card", "upi") if currency == "INR" and country in ("", INDIA) else ("card",)

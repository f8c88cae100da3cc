"""Which price holds for whom, what a coupon takes off, and parts of amounts. Pure; integers in, integers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from broadsheet.subscriptions.policies import Rounding

WHOLE_BP = 10_000


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One version of a plan's price: for new subscribers from `new_from`, for those who have the plan from
    `existing_from` (None: they keep what they agreed to)."""

    id: int
    amount_minor: int
    currency: str
    new_from: date
    existing_from: date | None


@dataclass(frozen=True, slots=True)
class Discount:
    """A share in hundredths of a percent, or an amount."""

    percent_bp: int | None
    amount_minor: int | None


def part(amount_minor: int, numerator: int, denominator: int, rounding: Rounding = "half_up") -> int:
    """`amount_minor` x numerator / denominator in whole minor units. All three >= 0, denominator > 0."""
    product = amount_minor * numerator
    whole, rest = divmod(product, denominator)
    if rounding == "down" or rest == 0:
        return whole
    if rounding == "up" or 2 * rest > denominator:
        return whole + 1
    if 2 * rest < denominator:
        return whole
    return whole + 1 if rounding == "half_up" else whole + whole % 2


def _in_order(prices: Sequence[PriceRow]) -> list[PriceRow]:
    return sorted(prices, key=lambda price: (price.new_from, price.id))


def price_for_new(prices: Sequence[PriceRow], day: date) -> PriceRow | None:
    """What somebody agrees to who subscribes on `day`; None when nothing is offered yet."""
    return next((price for price in reversed(_in_order(prices)) if price.new_from <= day), None)


def price_for_holder(prices: Sequence[PriceRow], agreed: PriceRow, day: date) -> PriceRow:
    """What a subscriber's renewal on `day` costs: what they agreed to, or the newest later version whose day for
    existing subscribers has come. A period is never split for it."""
    order = _in_order(prices)
    later = order[order.index(agreed) + 1 :] if agreed in order else order
    come = [price for price in later if price.existing_from is not None and price.existing_from <= day]
    return max(come, key=lambda price: (price.existing_from, order.index(price)), default=agreed)


def discounted(amount_minor: int, discount: Discount | None, rounding: Rounding = "half_up") -> int:
    """What is left of an amount: never less than nothing."""
    if discount is None:
        return amount_minor
    if discount.percent_bp is not None:
        return amount_minor - part(amount_minor, discount.percent_bp, WHOLE_BP, rounding)
    return max(0, amount_minor - (discount.amount_minor or 0))

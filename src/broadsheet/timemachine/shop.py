"""Fills the scratch paper: taxes, plans with their prices, coupons, readers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.apps import apps
from django.db import transaction

from broadsheet.access.products import working
from broadsheet.readers.actions import ensure_reader, mark_verified
from broadsheet.readers.queries import reader_by_email
from broadsheet.subscriptions.actions import ensure_default_plans
from broadsheet.timemachine.scenario import Plan, Scenario

ALWAYS = date(1900, 1, 1)
MOST_SEATS = 1_000_000
_SLUG = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class Shop:
    """What the file's names are called in the paper, and back again."""

    readers: Mapping[str, int]
    plans: Mapping[str, str]

    def reader_named(self, reader_id: int) -> str:
        return next((name for name, pk in self.readers.items() if pk == reader_id), str(reader_id))

    def plan_named(self, code: str) -> str:
        return next((name for name, known in self.plans.items() if known == code), code)


def _codes(plans: tuple[Plan, ...]) -> dict[str, str]:
    """A plan's id as its code where it can be one, else a code that stands for it."""
    taken = {plan.id for plan in plans}
    return {
        plan.id: plan.id
        if _SLUG.fullmatch(plan.id)
        else next(f"plan{n}" for n in range(place, 10**6) if f"plan{n}" not in taken)
        for place, plan in enumerate(plans, start=1)
    }


@transaction.atomic
def open_shop(scenario: Scenario, now: datetime) -> Shop:
    """Everything the file describes, as an editor would have entered it before its first step."""
    codes = _codes(scenario.plans)
    model = apps.get_model
    for tax in scenario.taxes:
        model("payments", "TaxRate").objects.create(
            code=_tax_code(scenario, tax.id), kind=tax.kind, rate_bp=tax.rate_bp, valid_from=ALWAYS
        )
    products = _products(scenario)
    for position, plan in enumerate(scenario.plans):
        row = model("subscriptions", "Plan").objects.create(
            code=codes[plan.id],
            name=plan.name[:60],
            months=plan.months,
            trial_days=plan.trial_days,
            tax=_tax_code(scenario, plan.tax) if plan.tax else "",
            tax_inclusive=plan.tax_inclusive,
            max_quantity=MOST_SEATS,
            position=position,
        )
        row.products.set([products[code] for code in plan.products or working()])
        model("subscriptions", "Price").objects.create(
            plan=row, amount_minor=plan.amount_minor, currency=plan.currency, new_from=ALWAYS
        )
    for coupon in scenario.coupons:
        made = model("subscriptions", "Coupon").objects.create(
            code=coupon.id,
            percent_bp=coupon.percent_bp,
            amount_minor=coupon.amount_minor,
            duration=coupon.duration,
            periods=coupon.periods,
            first_time_only=coupon.first_time_only,
            max_redemptions=coupon.max_redemptions,
            valid_from=coupon.valid_from,
            valid_to=coupon.valid_to,
        )
        made.plans.set(model("subscriptions", "Plan").objects.filter(code__in=[codes[name] for name in coupon.plans]))
    return Shop(_readers(scenario, now), codes)


def _tax_code(scenario: Scenario, name: str) -> str:
    place = [tax.id for tax in scenario.taxes].index(name)
    return name if _SLUG.fullmatch(name) else f"tax{place}"


def _products(scenario: Scenario) -> dict[str, object]:
    """The product's own products, and those the file names beside them."""
    product = apps.get_model("subscriptions", "Product")
    ensure_default_plans(currency=scenario.currency)
    # What a paper is sold with at first is not in the file.
    apps.get_model("subscriptions", "Plan").objects.all().delete()
    known = {row.code: row for row in product.objects.all()}
    for plan in scenario.plans:
        for code in plan.products:
            if code not in known:
                known[code] = product.objects.create(code=code, name=code, benefit=code, position=len(known))
    return known


def _readers(scenario: Scenario, now: datetime) -> dict[str, int]:
    readers = {}
    for place, name in enumerate(scenario.readers, start=1):
        plain = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")
        email = name.lower() if "@" in name else f"{plain or 'reader'}.{place}@readers.example"
        ensure_reader(email=email, now=now)
        card = reader_by_email(email)
        assert card is not None  # made one line above
        mark_verified(reader_id=card.id, now=now)
        readers[name] = card.id
    return readers

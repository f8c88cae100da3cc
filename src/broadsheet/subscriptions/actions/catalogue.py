"""The offer."""

from __future__ import annotations

from django.db import transaction

from broadsheet.subscriptions.models import Plan, Product

_PRODUCTS = (
    ("unlimited", "Unlimited stories", "Every news story, without a monthly limit"),
    ("premium", "Premium", "Premium analysis and investigations"),
)
_PLANS = (
    ("quarterly", "Quarterly", 3, 90_000),
    ("annual", "Annual", 12, 270_000),
    ("two-year", "Two-Year", 24, 390_000),
)


@transaction.atomic
def ensure_default_plans(*, currency: str) -> None:
    """Three plans for a paper that has none. Plans an editor made, changed or retired are left alone."""
    if Plan.objects.exists():
        return
    products = [
        Product.objects.get_or_create(code=code, defaults={"name": name, "benefit": benefit, "position": position})[0]
        for position, (code, name, benefit) in enumerate(_PRODUCTS)
    ]
    for position, (code, name, months, amount) in enumerate(_PLANS):
        plan = Plan(code=code, name=name, months=months, amount_minor=amount, currency=currency, position=position)
        plan.full_clean()
        plan.save()
        plan.products.set(products)

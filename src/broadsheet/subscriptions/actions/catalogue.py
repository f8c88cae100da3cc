"""The offer: plans, what they cost from which day on, and their end."""

from __future__ import annotations

from datetime import date

from django.db import IntegrityError, transaction

from broadsheet.bus.actions import emit
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.events import PriceSet
from broadsheet.subscriptions.models import Plan, Price, Product, Subscription

_PRODUCTS = (
    ("unlimited", "Unlimited stories", "Every news story, without a monthly limit"),
    ("premium", "Premium", "Premium analysis and investigations"),
)
_PLANS = (
    ("quarterly", "Quarterly", 3, 90_000),
    ("annual", "Annual", 12, 270_000),
    ("two-year", "Two-Year", 24, 390_000),
)
ALWAYS = date(1997, 1, 1)  # before anybody subscribed to anything here


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
        plan = Plan(code=code, name=name, months=months, position=position, tax="news")
        plan.full_clean()
        plan.save()
        plan.products.set(products)
        Price.objects.create(plan=plan, amount_minor=amount, currency=currency, new_from=ALWAYS)


def set_price(
    *, plan_code: str, amount_minor: int, new_from: date, existing_from: date | None = None, currency: str = ""
) -> Price:
    """A new version of a plan's price. One that nobody agreed to and that begins on the same day is replaced.

    RefusedError: `unknown_plan`, `bad_amount`, `price_in_use`.
    """
    plan = Plan.objects.filter(code=plan_code).first()
    if plan is None:
        raise rules.RefusedError("unknown_plan")
    if amount_minor <= 0:
        raise rules.RefusedError("bad_amount")
    newest = plan.prices.order_by("-new_from", "-id").first()
    code = currency or (newest.currency if newest else "INR")
    try:
        with transaction.atomic():
            same = Price.objects.filter(plan=plan, currency=code, new_from=new_from).first()
            if same is not None and not Subscription.objects.filter(price=same).exists():
                same.delete()
            made = Price.objects.create(
                plan=plan, amount_minor=amount_minor, currency=code, new_from=new_from, existing_from=existing_from
            )
            emit(PriceSet(plan.pk, 0))
            return made
    except IntegrityError:
        raise rules.RefusedError("price_in_use") from None


def retire_plan(*, plan_code: str) -> None:
    """No new sale; who has it goes on. RefusedError `unknown_plan`."""
    if not Plan.objects.filter(code=plan_code).update(retired=True):
        raise rules.RefusedError("unknown_plan")

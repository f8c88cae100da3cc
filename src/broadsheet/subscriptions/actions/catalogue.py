"""The offer: plans, what they cost from which day on, and their end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db import IntegrityError, transaction

from broadsheet.access.products import CODES, PRODUCTS
from broadsheet.bus.actions import emit
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions.history import lock
from broadsheet.subscriptions.actions.rights import sync_access
from broadsheet.subscriptions.events import PriceSet, ProductsChanged
from broadsheet.subscriptions.models import Plan, Price, Product, Subscription

_PLANS = (
    ("quarterly", "Quarterly", 3, 90_000),
    ("annual", "Annual", 12, 270_000),
    ("two-year", "Two-Year", 24, 390_000),
)
BATCH = 200
ALWAYS = date(1997, 1, 1)  # before anybody subscribed to anything here


@transaction.atomic
def ensure_default_plans(*, currency: str) -> None:
    """Every product there is, and three plans for a paper that has none, with all of them. Plans and products that an
    editor made, changed or retired are left alone: a product that came with a new version is theirs to put in."""
    known = set(Product.objects.values_list("code", flat=True))
    Product.objects.bulk_create(
        Product(code=one.code, name=one.name, benefit=one.benefit, position=position)
        for position, one in enumerate(PRODUCTS)
        if one.code not in known
    )
    if Plan.objects.exists():
        return
    products = list(Product.objects.filter(code__in=CODES))
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


@transaction.atomic
def set_products(*, plan_id: int, product_ids: Sequence[int]) -> None:
    """What a plan unlocks, for those who have it too: in batches, soon. Writing what holds already tells nobody."""
    plan = Plan.objects.select_for_update().get(pk=plan_id)
    if set(plan.products.values_list("pk", flat=True)) != set(product_ids):
        plan.products.set(product_ids)
        emit(ProductsChanged(plan_id, 0))


def sync_holders(*, plan_id: int, after: int, now: datetime) -> int | None:
    """Bring the rights of a plan's subscribers in line with its products, a batch after the id `after`. Returns the id
    to go on after; None when there are none left."""
    rows = Subscription.objects.filter(plan_id=plan_id, status__in=rules.LIVE, pk__gt=after).order_by("pk")
    found = list(rows.values_list("pk", flat=True)[:BATCH])
    for pk in found:
        with transaction.atomic():
            sync_access(lock(pk), now)
    return found[-1] if len(found) == BATCH else None


def retire_plan(*, plan_code: str) -> None:
    """No new sale; who has it goes on. RefusedError `unknown_plan`."""
    if not Plan.objects.filter(code=plan_code).update(retired=True):
        raise rules.RefusedError("unknown_plan")

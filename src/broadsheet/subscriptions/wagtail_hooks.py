"""Plans, to be edited; subscriptions, to be looked at. A plan without a price or with a placeholder is refused."""

from __future__ import annotations

from typing import Any

from wagtail import hooks
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic import IndexView
from wagtail.admin.viewsets.model import ModelViewSet, ModelViewSetGroup
from wagtail.permissions import register_permission_policy

from broadsheet.money import format_money
from broadsheet.payments.wagtail_hooks import LookOnly, LookOnlyViewSet
from broadsheet.subscriptions.models import Plan, Product, Subscription


class ProductViewSet(ModelViewSet):
    model = Product
    name = "products"
    icon = "tick"
    menu_label = "Products"
    form_fields = ("code", "name", "benefit", "position")
    copy_view_enabled = False
    list_display = ("name", "code", "benefit")


def _price(plan: Plan) -> str:
    price = plan.prices.order_by("-new_from", "-id").first()
    return format_money(price.amount_minor, price.currency) if price else "no price yet"


class PlanViewSet(ModelViewSet):
    model = Plan
    name = "plans"
    icon = "tag"
    menu_label = "Plans"
    form_fields = ("code", "name", "months", "products", "position", "retired")
    copy_view_enabled = False
    list_display = ("name", Column("price", label="Price", accessor=_price), "months", "retired")


register_permission_policy(Subscription, LookOnly(Subscription), exact_class=True)


class SubscriptionList(IndexView):
    def get_base_queryset(self) -> Any:
        return super().get_base_queryset().select_related("reader", "plan")


class SubscriptionViewSet(LookOnlyViewSet):
    model = Subscription
    name = "subscriptions"
    icon = "user"
    menu_label = "Subscriptions"
    index_view_class = SubscriptionList
    list_display = (
        "__str__",
        Column("reader", label="Reader"),
        Column("plan", label="Plan"),
        Column("status", label="Status", accessor="get_status_display"),
        Column("period_end", label="Paid until"),
        Column("cancel_at_period_end", label="Cancelled"),
    )
    list_filter = ("status", "cancel_at_period_end")


class Offers(ModelViewSetGroup):
    items = (PlanViewSet(), ProductViewSet(), SubscriptionViewSet())
    menu_label = "Subscriptions"
    menu_icon = "user"
    menu_order = 310


@hooks.register("register_admin_viewset")
def offers() -> Offers:
    return Offers()

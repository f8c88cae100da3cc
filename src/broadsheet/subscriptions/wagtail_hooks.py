"""Plans, to be edited; subscriptions, to be looked at. A plan without a price or with a placeholder is refused."""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse_lazy
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.tables import BooleanColumn, Column
from wagtail.admin.views.generic import IndexView
from wagtail.admin.viewsets.model import ModelViewSet, ModelViewSetGroup
from wagtail.permissions import register_permission_policy

from broadsheet.money import format_money
from broadsheet.payments.wagtail_hooks import LookOnly, LookOnlyViewSet
from broadsheet.subscriptions.models import Coupon, Plan, Price, Product, Subscription
from broadsheet.subscriptions.plan_form import PlanForm
from broadsheet.subscriptions.views_preview import preview_cards


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
    copy_view_enabled = False
    list_display = (
        "name",
        Column("price", label="Price", accessor=_price),
        "months",
        BooleanColumn("published"),
        BooleanColumn("retired"),
    )

    def get_form_class(self, for_update: bool = False) -> type[PlanForm]:  # noqa: ARG002 - Wagtail's
        return PlanForm


class PriceViewSet(LookOnlyViewSet):
    """What plans cost and cost before; a new price is written on the plan's own page."""

    model = Price
    name = "prices"
    icon = "history"
    menu_label = "Prices"
    list_display = (
        Column("plan", label="Plan"),
        Column("amount", label="Price", accessor=lambda row: format_money(row.amount_minor, row.currency)),
        Column("new_from", label="New subscribers from"),
        Column("existing_from", label="Existing ones from"),
    )
    list_filter = ("plan",)


class CouponViewSet(ModelViewSet):
    model = Coupon
    name = "coupons"
    icon = "tag"
    menu_label = "Coupons"
    copy_view_enabled = False
    form_fields = (
        "code",
        "percent_bp",
        "amount_minor",
        "duration",
        "periods",
        "plans",
        "first_time_only",
        "max_redemptions",
        "valid_from",
        "valid_to",
    )
    list_display = ("code", "percent_bp", "amount_minor", "duration", "valid_to")


for _book in (Subscription, Price):
    register_permission_policy(_book, LookOnly(_book), exact_class=True)


@hooks.register("register_admin_urls")
def plan_card_urls() -> list[Any]:
    return [path("plan-cards/", preview_cards, name="plan_cards")]


@hooks.register("register_admin_menu_item")
def plan_cards_item() -> MenuItem:
    return MenuItem("Plan cards", reverse_lazy("plan_cards"), name="plan-cards", icon_name="view", order=312)


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
    items = (PlanViewSet(), PriceViewSet(), CouponViewSet(), ProductViewSet(), SubscriptionViewSet())
    menu_label = "Subscriptions"
    menu_icon = "user"
    menu_order = 310


@hooks.register("register_admin_viewset")
def offers() -> Offers:
    return Offers()

"""Invoices and payments in the newsroom's admin: to look at, never to edit. Sorted by what has an index alone."""

from __future__ import annotations

from typing import Any

from wagtail import hooks
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic import IndexView
from wagtail.admin.viewsets.model import ModelViewSet, ModelViewSetGroup
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.permissions import register_permission_policy

from broadsheet.money import format_money
from broadsheet.payments.models import Invoice, Payment


class LookOnly(ModelPermissionPolicy):
    """Books are written by actions; the admin shows them to whoever holds the view permission."""

    def user_has_permission(self, user: Any, action: str) -> bool:
        return action == "view" and super().user_has_permission(user, "view")

    def user_has_any_permission(self, user: Any, actions: Any) -> bool:
        return "view" in actions and self.user_has_permission(user, "view")

    def user_has_any_permission_for_instance(self, user: Any, actions: Any, instance: Any) -> bool:  # noqa: ARG002 - Wagtail's signature
        return self.user_has_any_permission(user, actions)


class LookOnlyViewSet(ModelViewSet):
    """A paged list, newest first, and a page for one row."""

    exclude_form_fields = ()
    copy_view_enabled = False
    inspect_view_enabled = True
    add_to_reference_index = False
    list_per_page = 50
    ordering = "-pk"


def _amount(row: Any) -> str:
    return format_money(getattr(row, "total_minor", None) or row.amount_minor, row.currency)


for _book in (Invoice, Payment):
    register_permission_policy(_book, LookOnly(_book), exact_class=True)


class InvoiceList(IndexView):
    def get_base_queryset(self) -> Any:
        return super().get_base_queryset().select_related("reader")


class InvoiceViewSet(LookOnlyViewSet):
    model = Invoice
    name = "invoices"
    icon = "doc-full"
    menu_label = "Invoices"
    index_view_class = InvoiceList
    list_display = (
        "number",
        Column("reader", label="Reader"),
        Column("amount", label="Amount", accessor=_amount),
        Column("status", label="Status", accessor="get_status_display"),
        Column("issued_at", label="Issued"),
    )
    list_filter = ("status",)


class PaymentViewSet(LookOnlyViewSet):
    model = Payment
    name = "payments"
    icon = "order"
    menu_label = "Payments"
    list_display = (
        "key",
        Column("amount", label="Amount", accessor=_amount),
        Column("status", label="Status", accessor="get_status_display"),
        Column("failure_code", label="Why it failed"),
        Column("surplus", label="To be given back"),
        Column("created_at", label="Begun"),
    )
    list_filter = ("status", "surplus")


class Books(ModelViewSetGroup):
    items = (InvoiceViewSet(), PaymentViewSet())
    menu_label = "Payments"
    menu_icon = "doc-full"
    menu_order = 320


@hooks.register("register_admin_viewset")
def books() -> Books:
    return Books()

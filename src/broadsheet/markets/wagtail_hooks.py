"""The markets in the editors' menu: the desk's screens, instruments, the exchanges' calendar."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse_lazy
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.tables import BooleanColumn, Column
from wagtail.admin.views.generic import IndexView
from wagtail.admin.viewsets.model import ModelViewSet

from broadsheet.markets.admin_urls import urlpatterns
from broadsheet.markets.admin_views import EDITS
from broadsheet.markets.models import Holiday, Instrument
from broadsheet.newsroom.wagtail_hooks import BoundedPaginator


class InstrumentForm(ModelForm):
    class Meta:
        model = Instrument
        fields = (
            "name", "code", "kind", "exchange", "symbol", "series", "isin", "exchange_code", "sector", "currency",
            "unit", "decimals", "featured", "listed_on", "delisted_on",
        )  # fmt: skip


class BoundedIndex(IndexView):
    """Counts no further than it pages."""

    paginator_class = BoundedPaginator


class InstrumentViewSet(ModelViewSet):
    model = Instrument
    name = "instruments"
    icon = "pick"
    menu_label = "Instruments"
    index_view_class = BoundedIndex
    copy_view_enabled = False
    list_display = (
        "name",
        Column("code", label="Code"),
        Column("kind", label="Kind", accessor="get_kind_display"),
        Column("exchange", label="Exchange"),
        Column("symbol", label="Symbol"),
        Column("sector", label="Sector"),
        Column("featured", label="In the summary"),
    )
    list_filter = ("exchange", "kind")
    search_fields = ("name", "symbol", "isin")
    search_backend_name = None
    ordering = ("code",)
    list_per_page = 50

    def get_form_class(self, for_update: bool = False) -> type[InstrumentForm]:  # noqa: ARG002 - Wagtail's
        return InstrumentForm


class HolidayViewSet(ModelViewSet):
    model = Holiday
    name = "exchange-calendar"
    icon = "calendar-alt"
    menu_label = "Exchange calendar"
    copy_view_enabled = False
    form_fields = ("exchange", "day", "name", "is_open", "source")
    list_display = (
        Column("day", label="Day"),
        "exchange",
        Column("name", label="Name"),
        BooleanColumn("is_open", label="Special session"),
        Column("source", label="Source"),
    )
    list_filter = ("exchange",)
    ordering = ("-day", "exchange")


@hooks.register("register_admin_viewset")
def instruments() -> InstrumentViewSet:
    return InstrumentViewSet()


@hooks.register("register_admin_viewset")
def exchange_calendar() -> HolidayViewSet:
    return HolidayViewSet()


@hooks.register("register_admin_urls")
def market_urls() -> list[Any]:
    return urlpatterns


class MarketsItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(EDITS))


@hooks.register("register_admin_menu_item")
def markets_item() -> MenuItem:
    return MarketsItem("Markets", reverse_lazy("markets_desk"), name="markets", icon_name="history", order=165)


@hooks.register("register_permissions")
def market_permissions() -> QuerySet[Permission]:
    """To bring prices in and decide about them; to keep instruments and the calendar."""
    names = [f"{verb}_{model}" for verb in ("add", "change", "delete") for model in ("instrument", "holiday")]
    return Permission.objects.filter(content_type__app_label="markets", codename__in=["change_priceimport", *names])

"""Partner titles in the newsroom's admin: partners, offers and welcomes to edit, stock and files on screens of their
own."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import path, reverse_lazy
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.components import Component
from wagtail.admin.ui.tables import BooleanColumn, Column
from wagtail.admin.views.generic import CreateView, EditView
from wagtail.admin.viewsets.model import ModelViewSet, ModelViewSetGroup

from broadsheet import clock
from broadsheet.partners import admin_views, inward, queries, stocking
from broadsheet.partners.forms import OfferForm, PartnerForm, WelcomeForm
from broadsheet.partners.models import Offer, Partner, Welcome


class _KeepsPartner:
    def save_instance(self) -> Partner:
        secret = self.form.cleaned_data["new_secret"]
        return stocking.keep_partner(partner=self.form.save(commit=False), secret=secret or None)


class PartnerCreate(_KeepsPartner, CreateView):
    pass


class PartnerEdit(_KeepsPartner, EditView):
    pass


class _KeepsOffer:
    def save_instance(self) -> Offer:
        return stocking.keep_offer(offer=self.form.save(commit=False))


class OfferCreate(_KeepsOffer, CreateView):
    pass


class OfferEdit(_KeepsOffer, EditView):
    pass


class _KeepsWelcome:
    def save_instance(self) -> Welcome:
        return inward.keep_welcome(welcome=self.form.save(commit=False))


class WelcomeCreate(_KeepsWelcome, CreateView):
    pass


class WelcomeEdit(_KeepsWelcome, EditView):
    pass


class _ViewSet(ModelViewSet):
    copy_view_enabled = False
    add_to_reference_index = False
    form: Any = None

    def get_form_class(self, for_update: bool = False) -> Any:  # noqa: ARG002 - Wagtail's signature
        return self.form


class PartnerViewSet(_ViewSet):
    model = Partner
    name = "partner-papers"
    icon = "globe"
    menu_label = "Partners"
    form = PartnerForm
    add_view_class, edit_view_class = PartnerCreate, PartnerEdit
    list_display = ("name", "code", BooleanColumn("active"))


class OfferViewSet(_ViewSet):
    model = Offer
    name = "partner-offers"
    icon = "tag"
    menu_label = "What they give"
    form = OfferForm
    add_view_class, edit_view_class = OfferCreate, OfferEdit
    list_display = ("__str__", Column("kind", label="Kind", accessor="get_kind_display"), BooleanColumn("active"))


class WelcomeViewSet(_ViewSet):
    model = Welcome
    name = "partner-welcomes"
    icon = "login"
    menu_label = "What theirs get here"
    form = WelcomeForm
    add_view_class, edit_view_class = WelcomeCreate, WelcomeEdit
    list_display = ("__str__", "lasts_days", BooleanColumn("active"))


class Partners(ModelViewSetGroup):
    items = (PartnerViewSet(), OfferViewSet(), WelcomeViewSet())
    menu_label = "Partner titles"
    menu_icon = "globe"
    menu_order = 316


@hooks.register("register_admin_viewset")
def partners() -> Partners:
    return Partners()


@hooks.register("register_admin_urls")
def partner_urls() -> list[Any]:
    return [
        path("partner-titles/", admin_views.overview, name="partners_overview"),
        path("partner-titles/claims/", admin_views.claims, name="partners_claims"),
        path("partner-titles/claims/<int:claim_id>/revoke/", admin_views.revoke, name="partners_revoke"),
        path("partner-titles/<int:offer_id>/stock/", admin_views.stock, name="partners_stock"),
        path("partner-titles/<slug:partner>/report.csv", admin_views.report, name="partners_report"),
        path("partner-titles/<slug:partner>/ended.csv", admin_views.revocations, name="partners_revocations"),
        path("partner-titles/<slug:partner>/ended/", admin_views.revocations_page, name="partners_revocations_page"),
        path("partner-titles/<slug:partner>/reconcile/", admin_views.reconcile, name="partners_reconcile"),
    ]


class _Item(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(admin_views.PERMISSION))


@hooks.register("register_admin_menu_item")
def partner_item() -> MenuItem:
    where = reverse_lazy("partners_overview")
    return _Item("Partner stock", where, name="partner-stock", icon_name="clipboard-list", order=317)


@hooks.register("register_permissions")
def partner_permissions() -> QuerySet[Permission]:
    """Given to groups in the admin's settings."""
    return Permission.objects.filter(
        content_type__app_label="partners", content_type__model__in=("partner", "offer", "welcome")
    )


class _LowStock(Component):
    """The banner on the admin's first page."""

    order = 10

    def render_html(self, parent_context: Any = None) -> SafeString:
        if not parent_context or not parent_context["request"].user.has_perm(admin_views.PERMISSION):
            return SafeString("")
        rows = [(one.offer_id, one.partner, one.name, one.left) for one in queries.low_stocks(clock.now())]
        if not rows:
            return SafeString("")
        lines = format_html_join(
            "", '<li><a href="/admin/partner-titles/{}/stock/">{}, {}</a>: {} codes left</li>', rows
        )
        return format_html(
            '<section class="help-block help-critical" role="status"><p><strong>Partners’ codes are running out.'
            "</strong></p><ul>{}</ul></section>",
            lines,
        )


@hooks.register("construct_homepage_panels")
def low_stock_banner(request: HttpRequest, panels: list[Any]) -> None:  # noqa: ARG001 - Wagtail's signature
    panels.insert(0, _LowStock())

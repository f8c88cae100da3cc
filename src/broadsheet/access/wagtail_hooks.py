"""Institutions in the newsroom's admin: who lends seats to whom, and how many are taken now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpResponse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from wagtail import hooks
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic import CreateView, DeleteView, EditView, IndexView, InspectView
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.log_actions import log

from broadsheet import clock
from broadsheet.access.actions import drop_institution, keep_institution
from broadsheet.access.models import Institution, SeatLease
from broadsheet.access.products import PRODUCTS
from broadsheet.access.queries import seats_in_use

SEATS = tuple((product.code, product.seat) for product in PRODUCTS if product.seat)


class InstitutionForm(WagtailAdminModelForm):
    products = forms.MultipleChoiceField(choices=SEATS, widget=forms.CheckboxSelectMultiple, label="A seat opens")

    class Meta:
        model = Institution
        fields = ("name", "prefixes", "products", "seats", "lease_minutes", "starts_at", "ends_at")
        widgets = {"prefixes": forms.Textarea(attrs={"rows": 6, "spellcheck": "false"})}


class _Keeps:
    """Saves through the action, which tells the gates; what it refuses goes back into the form."""

    log_as = ""

    def save_instance(self) -> Institution:
        institution = self.form.save(commit=False)
        keep_institution(institution=institution, now=clock.now())
        log(instance=institution, action=self.log_as, user=self.request.user, content_changed=True)
        return institution

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return super().form_valid(form)
        except ValidationError as refused:  # another editor was faster with the same network
            form.add_error(None, refused)
            self.produced_error_code, self.produced_error_message = "validation_error", self.get_error_message()
            return self.form_invalid(form)


class InstitutionCreate(_Keeps, CreateView):
    log_as = "wagtail.create"

    def get_initial_form_instance(self) -> Institution:
        return Institution(starts_at=clock.now().replace(second=0, microsecond=0), products=[code for code, _ in SEATS])


class InstitutionEdit(_Keeps, EditView):
    log_as = "wagtail.edit"


class InstitutionDelete(DeleteView):
    def delete_action(self) -> None:
        log(instance=self.object, action="wagtail.delete", user=self.request.user, deleted=True)
        drop_institution(institution=self.object, now=clock.now())


class InstitutionList(IndexView):
    def get_base_queryset(self) -> Any:
        live = SeatLease.objects.filter(institution=OuterRef("pk"), until__gt=clock.now()).order_by()
        in_use = live.values("institution").annotate(held=Count("pk")).values("held")
        return super().get_base_queryset().annotate(in_use=Subquery(in_use))


class InstitutionInspect(InspectView):
    page_title = "Seats"

    def get_fields(self) -> list[str]:
        return ["in_use", "standing", "prefixes", "opens", "lease_minutes", "starts_at", "ends_at"]

    def get_field_label(self, field_name: str, field: Any) -> str:  # noqa: ARG002 - Wagtail's signature
        return {
            "in_use": "Seats in use now",
            "standing": "Now",
            "prefixes": "Networks",
            "opens": "A seat opens",
            "lease_minutes": "Minutes of a seat",
            "starts_at": "From",
            "ends_at": "Until",
        }.get(field_name, field_name)

    def get_in_use_display_value(self) -> str:
        return f"{seats_in_use(clock.now()).get(self.object.pk, 0)} of {self.object.seats}"

    def get_standing_display_value(self) -> str:
        return _standing(self.object)

    def get_prefixes_display_value(self) -> str:
        return ", ".join(self.object.prefixes.split())

    def get_opens_display_value(self) -> str:
        return "; ".join(words for code, words in SEATS if code in self.object.products)

    def get_starts_at_display_value(self) -> str:
        return _moment(self.object.starts_at)

    def get_ends_at_display_value(self) -> str:
        return _moment(self.object.ends_at) if self.object.ends_at else "open"


def _moment(instant: datetime) -> str:
    return date_format(localtime(instant), "DATETIME_FORMAT")


def _standing(row: Institution) -> str:
    now = clock.now()
    if now < row.starts_at:
        return "Has not begun"
    return "Has ended" if row.ends_at and row.ends_at <= now else "Lends seats"


def _in_use(row: Any) -> str:
    return f"{row.in_use or 0} of {row.seats}"


class InstitutionViewSet(ModelViewSet):
    model = Institution
    name = "institutions"
    icon = "group"
    menu_label = "Institutions"
    menu_order = 330
    add_to_admin_menu = True
    add_to_reference_index = False
    copy_view_enabled = False
    inspect_view_enabled = True
    index_view_class = InstitutionList
    add_view_class = InstitutionCreate
    edit_view_class = InstitutionEdit
    delete_view_class = InstitutionDelete
    inspect_view_class = InstitutionInspect
    ordering = "name"
    list_display = (
        "name",
        Column("in_use", label="Seats in use now", accessor=_in_use),
        Column("standing", label="Now", accessor=_standing),
        Column("starts_at", label="From"),
        Column("ends_at", label="Until"),
    )

    def get_form_class(self, for_update: bool = False) -> type[InstitutionForm]:  # noqa: ARG002 - Wagtail's signature
        return InstitutionForm


@hooks.register("register_admin_viewset")
def institutions() -> InstitutionViewSet:
    return InstitutionViewSet()

"""Campaigns in the newsroom's admin: what they show and where, how they stand, what was seen and clicked on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, Subquery, Sum
from django.http import HttpResponse
from django.utils.safestring import SafeString
from wagtail import hooks
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic import CreateView, DeleteView, EditView, IndexView, InspectView
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.log_actions import log

from broadsheet import clock
from broadsheet.ads import ports, queries, rules
from broadsheet.ads.actions import drop_campaign, keep_campaign
from broadsheet.ads.models import Campaign, DayCount
from broadsheet.ads.preview import figures, proof

_SLOTS = [(slot.name, slot.title) for slot in rules.SLOTS]
_DEVICES = [("phone", "Phones"), ("desktop", "Larger screens")]


class CampaignForm(WagtailAdminModelForm):
    slots = forms.MultipleChoiceField(choices=_SLOTS, widget=forms.CheckboxSelectMultiple)
    devices = forms.MultipleChoiceField(
        choices=_DEVICES, widget=forms.CheckboxSelectMultiple, required=False, help_text="None chosen: on all."
    )
    sections = forms.MultipleChoiceField(
        choices=ports.sections, widget=forms.CheckboxSelectMultiple, required=False, help_text="None chosen: in all."
    )


class _Keeps:
    """Saves through the action, which tells the gates; what it refuses goes back into the form."""

    log_as = ""

    def save_instance(self) -> Campaign:
        campaign = self.form.save(commit=False)
        keep_campaign(campaign=campaign, now=clock.now())
        log(instance=campaign, action=self.log_as, user=self.request.user, content_changed=True)
        return campaign

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return super().form_valid(form)
        except ValidationError as refused:
            form.add_error(None, refused)
            self.produced_error_code, self.produced_error_message = "validation_error", self.get_error_message()
            return self.form_invalid(form)


class CampaignCreate(_Keeps, CreateView):
    log_as = "wagtail.create"

    def get_initial_form_instance(self) -> Campaign:
        return Campaign(starts_at=clock.now().replace(second=0, microsecond=0))


class CampaignEdit(_Keeps, EditView):
    log_as = "wagtail.edit"


class CampaignDelete(DeleteView):
    def delete_action(self) -> None:
        log(instance=self.object, action="wagtail.delete", user=self.request.user, deleted=True)
        drop_campaign(campaign=self.object, now=clock.now())


class CampaignInspect(InspectView):
    """How a campaign looks in every slot it may stand in, and its figures."""

    page_title = "Proof and figures"

    def get_fields(self) -> list[str]:
        return ["standing", "figures", "proof"]

    def get_field_label(self, field_name: str, field: Any) -> str:  # noqa: ARG002 - Wagtail's signature
        return {"standing": "Now", "figures": "Seen and clicked on, by day", "proof": "Proof"}[field_name]

    def get_standing_display_value(self) -> str:
        return _standing(self.object)

    def get_figures_display_value(self) -> SafeString:
        return figures(queries.by_day(self.object.pk))

    def get_proof_display_value(self) -> SafeString:
        return proof(self.object)


def _standing(row: Campaign) -> str:
    return rules.status(row.state, row.starts_at, row.ends_at, clock.now()).value.capitalize()


class CampaignList(IndexView):
    def get_base_queryset(self) -> Any:
        counts = DayCount.objects.filter(creative__campaign=OuterRef("pk")).order_by().values("creative__campaign")
        return (
            super()
            .get_base_queryset()
            .annotate(
                seen=Subquery(counts.annotate(total=Sum("seen")).values("total")),
                clicks=Subquery(counts.annotate(total=Sum("clicks")).values("total")),
            )
        )


def _rate(row: Any) -> str:
    return queries.Figures(row.seen or 0, row.clicks or 0).rate


class CampaignViewSet(ModelViewSet):
    model = Campaign
    name = "advertising"
    icon = "pick"
    menu_label = "Advertising"
    menu_order = 335
    add_to_admin_menu = True
    add_to_reference_index = False
    copy_view_enabled = False
    inspect_view_enabled = True
    index_view_class = CampaignList
    add_view_class = CampaignCreate
    edit_view_class = CampaignEdit
    delete_view_class = CampaignDelete
    inspect_view_class = CampaignInspect
    list_filter = ("kind", "state")
    list_display = (
        "name",
        "advertiser",
        Column("kind", label="Kind", accessor="get_kind_display"),
        Column("standing", label="Now", accessor=_standing),
        Column("starts_at", label="From"),
        Column("ends_at", label="Until"),
        Column("seen", label="Seen", accessor=lambda row: row.seen or 0),
        Column("clicks", label="Clicks", accessor=lambda row: row.clicks or 0),
        Column("rate", label="Rate", accessor=_rate),
    )
    edit_handler = ObjectList(
        [
            FieldPanel("name"),
            FieldRowPanel([FieldPanel("advertiser"), FieldPanel("kind"), FieldPanel("state")]),
            FieldRowPanel([FieldPanel("starts_at"), FieldPanel("ends_at")]),
            MultiFieldPanel([FieldPanel("slots"), FieldPanel("sections"), FieldPanel("devices")], heading="Where"),
            FieldRowPanel([FieldPanel("weight"), FieldPanel("frequency_cap")]),
            InlinePanel(
                "creatives",
                [
                    FieldPanel("picture"),
                    FieldPanel("alt"),
                    FieldPanel("headline"),
                    FieldPanel("text"),
                    FieldPanel("action"),
                    FieldPanel("url"),
                    FieldPanel("printed"),
                ],
                label="Advertisement",
                min_num=1,
            ),
        ],
        base_form_class=CampaignForm,
    )


@hooks.register("register_admin_viewset")
def campaigns() -> CampaignViewSet:
    return CampaignViewSet()

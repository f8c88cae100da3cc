"""Newsletters in the editors' menu: what is under way, and the lists themselves."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse_lazy
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.tables import BooleanColumn, Column
from wagtail.admin.viewsets.model import ModelViewSet

from broadsheet.newsletters.admin_urls import urlpatterns
from broadsheet.newsletters.admin_views import EDITS
from broadsheet.newsletters.models import List
from broadsheet.newsroom.queries import sections

_TAKEN = ("u", "mine", "go", "open", "confirm", "returns")


class ListForm(ModelForm):
    class Meta:
        model = List
        fields = (
            "name", "slug", "words", "audience", "language", "from_name", "position", "live", "made_by", "weekdays",
            "send_at", "sections", "priority", "count", "whole",
        )  # fmt: skip

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        if slug in _TAKEN:
            raise ValidationError("This address is the program's own; choose another.")
        return slug

    def clean_weekdays(self) -> str:
        days = "".join(sorted(set(str(self.cleaned_data["weekdays"]))))
        if not days or set(days) - set("1234567"):
            raise ValidationError("Write the days as numbers, such as 12345 for Monday to Friday.")
        return days

    def clean_sections(self) -> str:
        named = [name.strip() for name in str(self.cleaned_data["sections"]).split(",") if name.strip()]
        unknown = set(named) - {section.slug for section in sections()}
        if unknown:
            raise ValidationError(f"The paper has no section {', '.join(sorted(unknown))}.")
        return ",".join(named)


class ListViewSet(ModelViewSet):
    model = List
    name = "newsletter-lists"
    icon = "list-ul"
    menu_label = "Newsletter lists"
    copy_view_enabled = False
    list_display = (
        "name",
        Column("audience", label="For", accessor="get_audience_display"),
        Column("made_by", label="Made", accessor="get_made_by_display"),
        Column("send_at", label="At"),
        BooleanColumn("live"),
    )

    def get_form_class(self, for_update: bool = False) -> type[ListForm]:  # noqa: ARG002 - Wagtail's
        return ListForm


@hooks.register("register_admin_viewset")
def lists() -> ListViewSet:
    return ListViewSet()


@hooks.register("register_admin_urls")
def newsletter_urls() -> list[Any]:
    return urlpatterns


class NewslettersItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(EDITS))


@hooks.register("register_admin_menu_item")
def newsletters_item() -> MenuItem:
    where = reverse_lazy("newsletter_overview")
    return NewslettersItem("Newsletters", where, name="newsletters", icon_name="mail", order=160)


@hooks.register("register_permissions")
def newsletter_permissions() -> QuerySet[Permission]:
    """To put issues together, to send them, and to shut addresses out."""
    return Permission.objects.filter(
        content_type__app_label="newsletters",
        codename__in=("change_issue", "send_issue", "suppress_address", "change_list", "add_list"),
    )

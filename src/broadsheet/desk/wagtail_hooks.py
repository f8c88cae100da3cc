"""The desk's screens in the editors' menu."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse_lazy
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from broadsheet.desk import policy_views, subscriber_views, why_views
from broadsheet.desk.urls import urlpatterns


@hooks.register("register_admin_urls")
def desk_urls() -> list[Any]:
    return urlpatterns


@hooks.register("register_admin_menu_item")
def wire_board_item() -> MenuItem:
    return MenuItem("Wire board", reverse_lazy("wire_board"), name="wire-board", icon_name="download", order=150)


class PermittedItem(MenuItem):
    """Shown to whoever holds one of the permissions."""

    def __init__(self, *args: Any, permissions: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._permissions = permissions

    def is_shown(self, request: HttpRequest) -> bool:
        return any(request.user.has_perm(name) for name in self._permissions)


@hooks.register("register_admin_menu_item")
def subscribers_item() -> MenuItem:
    needs = (subscriber_views.SEES, subscriber_views.DOES)
    return PermittedItem(
        "Subscribers", reverse_lazy("subscribers"), name="subscribers", icon_name="group", order=300, permissions=needs
    )


@hooks.register("register_admin_menu_item")
def policy_item() -> MenuItem:
    where = reverse_lazy("policy")
    needs = (policy_views.PERMISSION,)
    return PermittedItem("Access policy", where, name="policy", icon_name="lock-open", order=320, permissions=needs)


@hooks.register("register_admin_menu_item")
def why_item() -> MenuItem:
    where = reverse_lazy("why")
    needs = (why_views.PERMISSION, policy_views.PERMISSION)
    return PermittedItem("Why stopped?", where, name="why", icon_name="help", order=330, permissions=needs)


@hooks.register("register_permissions")
def policy_permissions() -> QuerySet[Permission]:
    """Given to groups in the admin's settings: the publisher's, and the support desk's."""
    return Permission.objects.filter(
        content_type__app_label="access", codename__in=("decide_policy", "explain_decisions")
    )


@hooks.register("register_permissions")
def subscriber_permissions() -> QuerySet[Permission]:
    """Of the subscription desk: to look, to act, and to be the second pair of eyes on a refund."""
    return Permission.objects.filter(
        content_type__app_label="subscriptions", codename__in=("view_subscription", "change_subscription")
    ) | Permission.objects.filter(content_type__app_label="payments", codename="change_refund")

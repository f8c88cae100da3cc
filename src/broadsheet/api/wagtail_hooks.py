"""The staff's screen of clients in the editors' menu."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import path, reverse_lazy
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from broadsheet.api import views_staff


@hooks.register("register_admin_urls")
def client_urls() -> list[Any]:
    return [
        path("apps/", views_staff.clients, name="api_clients"),
        path("apps/add/", views_staff.add, name="api_client_add"),
        path("apps/<str:client_id>/", views_staff.change, name="api_client"),
        path("apps/<str:client_id>/secret/", views_staff.secret, name="api_client_secret"),
        path("apps/<str:client_id>/remove/", views_staff.remove, name="api_client_remove"),
    ]


class ClientsItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(views_staff.PERMISSION))


@hooks.register("register_admin_menu_item")
def clients_item() -> MenuItem:
    return ClientsItem("Apps", reverse_lazy("api_clients"), name="apps", icon_name="mobile-alt", order=340)


@hooks.register("register_permissions")
def client_permissions() -> QuerySet[Permission]:
    return Permission.objects.filter(content_type__app_label="allauth_idp_oidc", codename="change_client")

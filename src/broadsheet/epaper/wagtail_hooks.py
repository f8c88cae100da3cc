"""The e-paper in the newsroom's admin."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import path, reverse_lazy
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from broadsheet.epaper import admin_views


@hooks.register("register_admin_urls")
def epaper_urls() -> list[Any]:
    return [
        path("epaper/", admin_views.editions, name="epaper_editions"),
        path("epaper/upload/", admin_views.upload, name="epaper_upload"),
        path("epaper/begin/", admin_views.begin, name="epaper_begin"),
        path("epaper/<int:edition_id>/", admin_views.edition, name="epaper_edition"),
        path("epaper/<int:edition_id>/<int:number>-<int:width>.jpg", admin_views.picture, name="epaper_desk_picture"),
    ]


class _Item(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(admin_views.PERMISSION))


@hooks.register("register_admin_menu_item")
def epaper_item() -> MenuItem:
    return _Item("E-paper", reverse_lazy("epaper_editions"), name="epaper", icon_name="doc-full-inverse", order=160)


@hooks.register("register_permissions")
def epaper_permissions() -> QuerySet[Permission]:
    """Given to groups in the admin's settings."""
    return Permission.objects.filter(content_type__app_label="epaper", codename="change_edition")

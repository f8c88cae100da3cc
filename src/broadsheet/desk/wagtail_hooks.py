"""The desk's screens in the editors' menu."""

from __future__ import annotations

from typing import Any

from django.urls import reverse_lazy
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from broadsheet.desk.urls import urlpatterns


@hooks.register("register_admin_urls")
def desk_urls() -> list[Any]:
    return urlpatterns


@hooks.register("register_admin_menu_item")
def wire_board_item() -> MenuItem:
    return MenuItem("Wire board", reverse_lazy("wire_board"), name="wire-board", icon_name="download", order=150)

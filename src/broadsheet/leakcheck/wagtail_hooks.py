"""The report in the editors' menu."""

from __future__ import annotations

from typing import Any

from django.urls import reverse_lazy
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from broadsheet.leakcheck.urls import urlpatterns


class LeaksItem(MenuItem):
    def is_shown(self, request: Any) -> bool:
        return bool(request.user.has_perm("newsroom.publish_article"))


@hooks.register("register_admin_urls")
def leak_urls() -> list[Any]:
    return urlpatterns


@hooks.register("register_reports_menu_item")
def leaks_item() -> MenuItem:
    return LeaksItem("Leaks", reverse_lazy("leaks"), name="leaks", icon_name="lock", order=50)

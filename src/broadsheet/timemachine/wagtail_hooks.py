"""The time machine in the editors' menu."""

from __future__ import annotations

from typing import Any

from django.urls import reverse_lazy
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from broadsheet.timemachine.urls import urlpatterns
from broadsheet.timemachine.views import PERMISSION


class TimeMachineItem(MenuItem):
    def is_shown(self, request: Any) -> bool:
        return bool(request.user.has_perm(PERMISSION))


@hooks.register("register_admin_urls")
def time_machine_urls() -> list[Any]:
    return urlpatterns


@hooks.register("register_reports_menu_item")
def time_machine_item() -> MenuItem:
    return TimeMachineItem(
        "Time machine", reverse_lazy("time_machine"), name="time-machine", icon_name="history", order=60
    )

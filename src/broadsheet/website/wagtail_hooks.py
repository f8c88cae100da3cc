"""What the editors' page tree tells the website."""

from __future__ import annotations

from django.http import HttpRequest
from wagtail import hooks
from wagtail.models import Page

from broadsheet.website.actions import rearrange_front
from broadsheet.website.models import FrontPage


@hooks.register("after_publish_page")
def front_published(request: HttpRequest, page: Page) -> None:  # noqa: ARG001 - the hook's form
    if isinstance(page, FrontPage):
        rearrange_front()

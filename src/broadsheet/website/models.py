"""The pages editors arrange: the front with its pins, section fronts, standing pages. Stories are not in this tree."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.http import HttpRequest
from modelcluster.fields import ParentalKey
from wagtail.admin.panels import FieldPanel, InlinePanel
from wagtail.fields import RichTextField
from wagtail.models import Orderable, Page
from wagtail.rich_text import expand_db_html

STANDING_FEATURES = ["h2", "h3", "bold", "italic", "link", "ol", "ul", "hr"]


class FrontPage(Page):
    """The front. What editors pin stands first; the rest is chosen by priority and time."""

    lead = models.ForeignKey(
        "newsroom.Article",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Stays the lead while it is published. Empty: the strongest recent story.",
    )

    content_panels = [
        *Page.content_panels,
        FieldPanel("lead"),
        InlinePanel("pins", heading="Beside the lead", label="story", max_num=4),
    ]
    parent_page_types = ["wagtailcore.Page"]
    subpage_types = ["website.SectionFrontPage", "website.StandingPage"]
    max_count = 1
    # Its page is made by the website's own route; a draft of the pins has no page to show.
    preview_modes: list[tuple[str, str]] = []


class FrontPin(Orderable):
    page = ParentalKey(FrontPage, on_delete=models.CASCADE, related_name="pins")
    story = models.ForeignKey("newsroom.Article", models.CASCADE, related_name="+")

    panels = [FieldPanel("story")]


class SectionFrontPage(Page):
    """A section's place in the page tree, under the section's own slug."""

    section = models.OneToOneField("newsroom.Section", models.PROTECT, related_name="+")

    content_panels = [*Page.content_panels, FieldPanel("section")]
    parent_page_types = ["website.FrontPage"]
    subpage_types: list[str] = []
    preview_modes: list[tuple[str, str]] = []


class StandingPage(Page):
    """About, terms, contact: words that stand until an editor changes them."""

    body = RichTextField(features=STANDING_FEATURES)

    content_panels = [*Page.content_panels, FieldPanel("body")]
    parent_page_types = ["website.FrontPage", "website.StandingPage"]
    subpage_types = ["website.StandingPage"]
    template = "website/standing.html"

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        return context | {
            "page_title": self.title,
            "page_html": expand_db_html(self.body),
            "page_path": self.get_url(request) or "/",
        }

"""One page type."""

from django.db import models
from wagtail.admin.panels import FieldPanel
from wagtail.fields import RichTextField
from wagtail.models import Page


class StoryPage(Page):
    standfirst = models.TextField(blank=True)
    body = RichTextField()
    byline = models.CharField(max_length=120, blank=True)

    template = "plain_wagtail/story.html"
    content_panels = [*Page.content_panels, FieldPanel("standfirst"), FieldPanel("body"), FieldPanel("byline")]

    class Meta:
        app_label = "plain_wagtail"

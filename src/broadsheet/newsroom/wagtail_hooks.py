"""Stories, sections and bylines in the editors' admin. Every list stays flat as the archive grows: indexed orders only,
a bounded count, no search over the table (readers' search and the wire board find stories)."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import django_filters
from django.core.paginator import Paginator
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, LiveStatusTagColumn, TitleColumn
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import IndexView, SnippetViewSet, SnippetViewSetGroup

from broadsheet.newsroom.models import Article, Byline, Section

MOST_COUNTED = 5000


class BoundedPaginator(Paginator):
    """Counts no further than it pages: beyond that, editors filter instead of leafing."""

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by()[:MOST_COUNTED].count()


class ArticleFilters(WagtailFilterSet):
    published = django_filters.DateRangeFilter(field_name="published_at", label="Published")

    class Meta:
        model = Article
        fields = ["section", "tier", "live", "published"]


class ArticleList(IndexView):
    paginator_class = BoundedPaginator

    def get_base_queryset(self) -> Any:
        return super().get_base_queryset().select_related("section").defer("body", "lead_in")


class ArticleViewSet(SnippetViewSet):
    model = Article
    icon = "doc-full"
    menu_label = "Stories"
    add_to_admin_menu = False
    index_view_class = ArticleList
    filterset_class = ArticleFilters
    list_display = [
        TitleColumn("headline", label="Headline", url_name="wagtailsnippets_newsroom_article:edit"),
        Column("section", label="Section"),
        Column("tier", label="Tier", accessor="get_tier_display"),
        Column("credit", label="Credit"),
        DateColumn("published_at", label="Published", sort_key="published_at"),
        LiveStatusTagColumn(),
    ]
    ordering = ["-latest_revision"]
    list_per_page = 40
    search_fields: list[str] = []
    copy_view_enabled = False


class SectionViewSet(SnippetViewSet):
    model = Section
    icon = "list-ul"
    menu_label = "Sections"
    list_display = ["name", "slug", "position", "language"]


class BylineViewSet(SnippetViewSet):
    model = Byline
    icon = "user"
    menu_label = "Bylines"
    list_display = ["name", "role"]
    search_fields = ["name"]


@register_snippet
class Newsroom(SnippetViewSetGroup):
    items = (ArticleViewSet, SectionViewSet, BylineViewSet)
    menu_label = "Newsroom"
    menu_icon = "doc-full-inverse"
    menu_order = 100

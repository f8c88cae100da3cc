"""Old years come in: many stories at once, live at once, without a revision, an event or a printed page each.

Whoever imports says which stories came, to whom it matters: the archive notes them for its index.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from broadsheet.newsroom import rules
from broadsheet.newsroom.actions import Copy
from broadsheet.newsroom.models import Article, ArticleByline, Byline, Section

_FIELDS = (
    "headline", "standfirst", "kicker", "tier", "lead_in_blocks", "priority", "language", "dateline", "credit",
    "correction", "source_url", "picture_alt", "picture_caption", "picture_credit",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OldStory:
    """A story as another system had it. Instants are aware; `updated_at` None when it was never changed."""

    copy: Copy
    published_at: datetime
    updated_at: datetime | None = None


def checked(story: OldStory) -> str:
    """What is wrong with a story as a row of ours; "" when it can be imported. Sections are made if need be."""
    article = _article(story, Section(pk=1, name="x", slug=story.copy.section or "x"))
    try:
        article.clean_fields(exclude=["section", "lead_in", "latest_revision", "live_revision", "picture"])
        article.clean()
    except ValidationError as error:
        return "; ".join(f"{name}: {' '.join(words)}" for name, words in error.message_dict.items())
    return ""


@transaction.atomic
def import_stories(*, stories: Sequence[OldStory], now: datetime) -> list[int]:
    """Put stories into the paper, published when they were; their ids in the same order. Nothing is printed or sent:
    each is printed when somebody opens it."""
    sections = _sections({story.copy.section: story.copy.language for story in stories})
    made = Article.objects.bulk_create([_article(story, sections[story.copy.section], now) for story in stories])
    names = _bylines({name for story in stories for name in story.copy.bylines})
    ArticleByline.objects.bulk_create(
        ArticleByline(article_id=article.pk, byline_id=names[name], sort_order=place)
        for article, story in zip(made, stories, strict=True)
        for place, name in enumerate(dict.fromkeys(story.copy.bylines))
    )
    return [int(article.pk) for article in made]


def _article(story: OldStory, section: Section, now: datetime | None = None) -> Article:
    copy, at = story.copy, story.published_at
    article = Article(section=section, body=copy.body_html, via=list(copy.via), live=True, print_version=1)
    for name in _FIELDS:
        setattr(article, name, getattr(copy, name))
    article.slug = copy.slug or rules.slugify(copy.headline)
    article.lead_in = rules.lead_in(copy.body_html, copy.lead_in_blocks)
    article.published_at, article.updated_at = at, story.updated_at
    article.first_published_at, article.last_published_at = at, now or at
    return article


def _sections(wanted: dict[str, str]) -> dict[str, Section]:
    for slug, language in wanted.items():
        Section.objects.get_or_create(
            slug=slug, defaults={"name": slug.replace("-", " ").title(), "language": language}
        )
    return {section.slug: section for section in Section.objects.filter(slug__in=wanted)}


def _bylines(names: set[str]) -> dict[str, int]:
    Byline.objects.bulk_create([Byline(name=name) for name in sorted(names)], ignore_conflicts=True)
    return dict(Byline.objects.filter(name__in=names).values_list("name", "pk"))


@dataclass(frozen=True, slots=True)
class KeptStory:
    """A published story whole, for taking the paper elsewhere. `body_html` is the full text."""

    id: int
    path: str
    old: OldStory


def exported(after: int, limit: int) -> Iterator[KeptStory]:
    """Published stories above the id `after`, ascending: the whole paper in bounded steps. For the publisher alone."""
    rows = Article.objects.filter(live=True, pk__gt=after, published_at__isnull=False).select_related("section")
    for article in rows.prefetch_related("byline_rows__byline").order_by("pk")[:limit]:
        values = {name: getattr(article, name) for name in _FIELDS}
        copy = Copy(
            body_html=article.body,
            section=article.section.slug,
            slug=article.slug,
            bylines=tuple(row.byline.name for row in article.byline_rows.all()),
            via=list(article.via),
            **values,
        )
        yield KeptStory(article.pk, article.path, OldStory(copy, article.published_at, article.updated_at))

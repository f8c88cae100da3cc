"""The only writers of stories, sections and bylines: one verb a function, one transaction, events inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from wagtail.models import Workflow, WorkflowContentType

from broadsheet.bus.actions import announce, emit
from broadsheet.newsroom.events import StoryPublished, StoryRemoved
from broadsheet.newsroom.models import Article, ArticleByline, Byline, Section
from broadsheet.newsroom.rules import lead_in, slugify


@dataclass(frozen=True, slots=True)
class Copy:
    """A story as it is filed: by an editor's file, the wire, an import or the demo. `body_html` must be sanitised."""

    headline: str
    body_html: str
    section: str  # slug
    tier: str = "metered"
    standfirst: str = ""
    kicker: str = ""
    slug: str = ""
    lead_in_blocks: int | None = None
    priority: int = 5
    language: str = "en"
    bylines: Sequence[str] = ()
    dateline: str = ""
    credit: str = ""
    via: Sequence[str] = field(default_factory=list)
    auto_published: bool = False
    correction: str = ""
    source_url: str = ""
    picture_id: int | None = None
    picture_alt: str = ""
    picture_caption: str = ""
    picture_credit: str = ""
    instruments: Sequence[str] = ()


_FIELDS = (
    "headline", "standfirst", "kicker", "lead_in_blocks", "priority", "language", "dateline", "credit",
    "auto_published", "correction", "source_url", "picture_id", "picture_alt", "picture_caption", "picture_credit",
)  # fmt: skip


@transaction.atomic
def ensure_section(*, name: str, slug: str, position: int = 100, language: str = "en") -> int:
    """A section by its slug, made when it is not there. Returns its id."""
    section, _ = Section.objects.get_or_create(
        slug=slug, defaults={"name": name, "position": position, "language": language}
    )
    return section.pk


@transaction.atomic
def ensure_workflow() -> None:
    """Give stories Wagtail's first workflow (moderation), unless the paper has chosen another or none."""
    kind = ContentType.objects.get_for_model(Article)
    workflow = Workflow.objects.active().order_by("pk").first()
    if workflow and not WorkflowContentType.objects.filter(content_type=kind).exists():
        WorkflowContentType.objects.create(content_type=kind, workflow=workflow)


def _apply(article: Article, copy: Copy) -> None:
    for name in _FIELDS:
        setattr(article, name, getattr(copy, name))
    article.body = copy.body_html
    article.via = list(copy.via)
    article.instruments = list(copy.instruments)
    article.tier = copy.tier
    article.slug = article.slug or copy.slug or slugify(copy.headline)
    try:
        article.section = Section.objects.get(slug=copy.section)
    except Section.DoesNotExist:
        raise ValidationError({"section": f"There is no section {copy.section!r}."}) from None
    article.byline_rows = [
        ArticleByline(byline=Byline.objects.get_or_create(name=name)[0], sort_order=place)
        for place, name in enumerate(dict.fromkeys(copy.bylines))
    ]


@transaction.atomic
def file_story(*, copy: Copy, now: datetime, publish: bool, at: datetime | None = None) -> int:
    """File a story, live (`publish`) or as a draft; `at` is its published time, default `now`. Returns its id.

    Writes the live row and one revision, not Wagtail's three saves a publish: wire copy must not slow the desk.
    """
    article = Article(live=False)
    _apply(article, copy)
    article.full_clean(exclude=["lead_in", "latest_revision", "live_revision"])
    article.save()
    _store_revision(article, now)
    if publish:
        article.published_at = at or now
        _go_live(article, now)
    return article.pk


@transaction.atomic
def update_story(*, story_id: int, copy: Copy, now: datetime) -> int:
    """Replace a story's copy in place; a live one is live with it at once, under the same address. Returns its id."""
    article = Article.objects.select_for_update().get(pk=story_id)
    was_live = article.live
    _apply(article, copy)
    article.full_clean(exclude=["lead_in", "latest_revision", "live_revision"])
    article.save()
    _store_revision(article, now)
    if was_live:
        article.updated_at = now
        _go_live(article, now)
    return article.pk


@transaction.atomic
def publish_story(*, story_id: int, now: datetime) -> None:
    """Put a filed draft live. A withdrawn story comes back only by this, a person's act."""
    article = Article.objects.select_for_update().get(pk=story_id)
    article.withdrawn_at, article.withdrawn_reason = None, ""
    article.published_at = article.published_at or now
    _go_live(article, now)


@transaction.atomic
def tag_instruments(*, story_id: int, codes: Sequence[str], now: datetime) -> None:
    """Say what instruments a story is about; a live one is printed anew, and is not "updated" by it."""
    article = Article.objects.select_for_update().get(pk=story_id)
    article.instruments = list(codes)
    article.full_clean(exclude=["lead_in", "latest_revision", "live_revision"])
    article.save()
    _store_revision(article, now)
    if article.live:
        _go_live(article, now)


def _store_revision(article: Article, now: datetime) -> None:
    revision = article.save_revision(clean=False, log_action=False)
    article.latest_revision = revision
    article.latest_revision_created_at = now


def _go_live(article: Article, now: datetime) -> None:
    article.live = True
    article.has_unpublished_changes = False
    article.first_published_at = article.first_published_at or now
    article.last_published_at = now
    article.live_revision = article.latest_revision
    went_live(article=article, now=now, by_hand=False)


@transaction.atomic
def went_live(*, article: Any, now: datetime, by_hand: bool) -> None:
    """Fix what publishing fixes (lead-in, slug, times), raise the print version, and say so."""
    article.lead_in = lead_in(article.body, article.lead_in_blocks)
    article.slug = article.slug or slugify(article.headline)
    if by_hand and article.published_at:
        article.updated_at = now
    article.published_at = article.published_at or now
    if by_hand:
        article.hand_edited = True
        article.auto_published = False
        article.withdrawn_at, article.withdrawn_reason = None, ""
    article.print_version = _next_version(article.pk)
    if by_hand:
        # Wagtail has saved the story; only these columns are ours, and its relations need no second save.
        _save_columns(article)
    else:
        article.save()
    emit(StoryPublished(article.pk, article.print_version))
    announce("story", article.pk, article.print_version)


def _save_columns(article: Any) -> None:
    names = (
        "lead_in", "slug", "updated_at", "published_at", "hand_edited", "auto_published", "withdrawn_at",
        "withdrawn_reason", "print_version",
    )  # fmt: skip
    Article.objects.filter(pk=article.pk).update(**{name: getattr(article, name) for name in names})


def _next_version(story_id: int) -> int:
    return Article.objects.values_list("print_version", flat=True).get(pk=story_id) + 1


@transaction.atomic
def left_site(*, story_id: int) -> None:
    """Say that a story is no longer on the site; its row already says so."""
    Article.objects.filter(pk=story_id).update(print_version=F("print_version") + 1)
    version = Article.objects.values_list("print_version", flat=True).get(pk=story_id)
    emit(StoryRemoved(story_id, version))
    announce("removed", story_id, version)


@transaction.atomic
def withdraw_story(*, story_id: int, reason: str, now: datetime) -> None:
    """Take a story down at once and leave a tombstone that says why; drafts and revisions stay for the desk."""
    article = Article.objects.select_for_update().get(pk=story_id)
    article.live = False
    article.withdrawn_at = now
    article.withdrawn_reason = reason[:200]
    article.go_live_at = None
    article.save()
    left_site(story_id=story_id)

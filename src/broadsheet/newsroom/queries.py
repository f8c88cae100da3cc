"""What other apps read of the newsroom: frozen values, never rows.

Every public query filters in SQL and is bounded by a limit on an index; nothing counts or skips through the archive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from wagtail.rich_text import expand_db_html

from broadsheet import dates
from broadsheet.newsroom import rules
from broadsheet.newsroom.models import Article, Section
from broadsheet.newsroom.values import Card, FullStory, Picture, PublicStory, PublicWords, StoryFacts
from broadsheet.newsroom.values import Section as SectionValue

Before = tuple[datetime, int]
ALSO_READ = 4
ALSO_READ_FIELD = 80


def _live() -> QuerySet[Article]:
    return (
        Article.objects.filter(live=True).select_related("section", "picture").prefetch_related("byline_rows__byline")
    )


def _for_cards() -> QuerySet[Article]:
    # A card has no use for the long texts, and a list of them would read megabytes to show headlines.
    return _live().defer("body", "lead_in")


def _section(section: Section) -> SectionValue:
    return SectionValue(section.name, section.slug, section.language, section.ads)


def sections() -> tuple[SectionValue, ...]:
    """The paper's sections in menu order."""
    return tuple(_section(section) for section in Section.objects.all())


def _picture(article: Any) -> Picture | None:
    image = article.picture
    if image is None:
        return None
    return Picture(
        src=image.file.url,
        alt=article.picture_alt,
        caption=article.picture_caption,
        credit=article.picture_credit,
        width=image.width,
        height=image.height,
    )


def _card(article: Any) -> Card:
    return Card(
        id=article.pk,
        path=article.path,
        headline=article.headline,
        standfirst=article.standfirst,
        section=_section(article.section),
        published_at=article.published_at,
        tier=article.tier,
        kicker=article.kicker,
        byline=rules.join_names([byline.name for byline in article.byline_rows.all()]),
        credit=article.credit,
        language=article.language,
        priority=article.priority,
        picture=_picture(article),
    )


def latest_cards(
    limit: int, *, before: Before | None = None, language: str | None = None, exclude: Iterable[int] = ()
) -> Sequence[Card]:
    """Published stories, newest first; `before` is the (published_at, id) of the last one seen."""
    rows = _for_cards().filter(published_at__isnull=False)
    if language:
        rows = rows.filter(language=language)
    return _page(rows.exclude(pk__in=list(exclude)), before, limit)


def section_cards(slug: str, limit: int, *, before: Before | None = None) -> Sequence[Card]:
    """As latest_cards, of one section."""
    return _page(_for_cards().filter(section__slug=slug, published_at__isnull=False), before, limit)


def _page(rows: QuerySet[Article], before: Before | None, limit: int) -> Sequence[Card]:
    if before:
        at, story_id = before
        rows = rows.filter(Q(published_at__lt=at) | Q(published_at=at, pk__lt=story_id))
    return [_card(article) for article in rows.order_by("-published_at", "-id")[:limit]]


def cards_by_id(ids: Iterable[int]) -> dict[int, Card]:
    """Cards of those among `ids` that are published now."""
    return {article.pk: _card(article) for article in _for_cards().filter(pk__in=list(ids))}


def in_print(ids: Iterable[int]) -> frozenset[int]:
    """Those among `ids` that are published now: one look at an index."""
    return frozenset(Article.objects.filter(live=True, pk__in=list(ids)).values_list("pk", flat=True))


def month_index() -> Sequence[tuple[int, int]]:
    """(year, month) in UTC from the oldest published story's to the newest's: two index look-ups, not a scan."""
    rows = Article.objects.filter(live=True, published_at__isnull=False).order_by("-published_at")
    newest, oldest = (
        rows.values_list("published_at", flat=True).first(),
        rows.reverse().values_list("published_at", flat=True).first(),
    )
    if not newest or not oldest:
        return []
    first, last = oldest.year * 12 + oldest.month - 1, newest.year * 12 + newest.month - 1
    return [(index // 12, index % 12 + 1) for index in range(last, first - 1, -1)]


def month_addresses(year: int, month: int, limit: int = 50_000) -> Sequence[tuple[str, datetime]]:
    """(path, published_at) of the stories first published in a month (UTC), newest first: columns, not stories, as a
    month of an agency's archive has thousands."""
    start = datetime(year, month, 1, tzinfo=UTC)
    end = datetime.combine(dates.add_months(start.date(), 1), start.timetz())
    rows = Article.objects.filter(live=True, published_at__gte=start, published_at__lt=end)
    columns = rows.order_by("-published_at", "-id").values_list("section__slug", "slug", "pk", "published_at")[:limit]
    return [(f"/{section}/{slug or 'story'}-{pk}", at) for section, slug, pk, at in columns]


def story_facts(story_id: int) -> StoryFacts | None:
    """State, tier and address of a story in any state; None when there never was one."""
    article = Article.objects.select_related("section").filter(pk=story_id).first()
    if article is None:
        return None
    state = "published" if article.live else "unpublished"
    if article.withdrawn_at and not article.live:
        state = "withdrawn"
    return StoryFacts(
        id=article.pk,
        version=article.print_version,
        path=article.path,
        tier=article.tier,
        section=article.section.slug,
        state=state,
        emergency_free=article.emergency_free,
        withdrawn_reason=article.withdrawn_reason,
    )


def _public(article: Any, also_read: tuple[Card, ...]) -> PublicStory:
    options = settings.BROADSHEET
    return PublicStory(
        id=article.pk or 0,
        version=article.print_version,
        path=article.path,
        url=options.public_url + article.path,
        headline=article.headline,
        standfirst=article.standfirst,
        lead_in_html=expand_db_html(article.lead_in),
        section=_section(article.section),
        tier=article.tier,
        published_at=article.published_at,
        updated_at=article.updated_at,
        kicker=article.kicker,
        bylines=tuple(byline.name for byline in article.byline_rows.all()),
        dateline=article.dateline,
        credit=article.credit,
        via=tuple(article.via),
        disclaimer=rules.disclaimer(paper=options.name, credit=article.credit, auto_published=article.auto_published),
        correction=article.correction,
        language=article.language,
        picture=_picture(article),
        also_read=also_read,
        instruments=tuple(article.instruments),
        ads=article.section.ads and not article.no_ads,
    )


def public_story(story_id: int) -> PublicStory | None:
    """A published story as anyone may see it."""
    # The body is not even loaded here: what is not there cannot leak.
    article = _live().defer("body").filter(pk=story_id).first()
    return _public(article, _also_read(article)) if article else None


def full_story(story_id: int) -> FullStory | None:
    """A published story with its body: for the full variant and nothing else."""
    article = _live().filter(pk=story_id).first()
    if article is None:
        return None
    return FullStory(_public(article, _also_read(article)), expand_db_html(article.body))


def draft_story(article: Any, now: datetime) -> FullStory:
    """An unsaved or unpublished Article as it would look in print; for the editor's preview alone."""
    article.lead_in = rules.lead_in(article.body, article.lead_in_blocks)
    article.published_at = article.published_at or now
    return FullStory(_public(article, ()), expand_db_html(article.body))


_WORD = re.compile(r"[^\W\d_]{4,}")


def _terms(headline: str, standfirst: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(f"{headline} {standfirst}"))


def _also_read(article: Any) -> tuple[Card, ...]:
    """Stories that share words of their headline and standfirst, from the latest of the same language."""
    here = _terms(article.headline, article.standfirst)
    field = latest_cards(ALSO_READ_FIELD, language=article.language, exclude=[article.pk])

    def nearness(card: Card) -> tuple[float, datetime]:
        shared = len(here & _terms(card.headline, card.standfirst))
        return shared + 0.5 * (card.section.slug == article.section.slug), card.published_at

    return tuple(sorted(field, key=nearness, reverse=True)[:ALSO_READ])


def public_words(ids: Iterable[int]) -> dict[int, PublicWords]:
    """What a search may index of those among `ids` that are published now. The body is not loaded."""
    rows = _live().defer("body").filter(pk__in=list(ids), published_at__isnull=False)
    return {
        article.pk: PublicWords(
            id=article.pk,
            headline=article.headline,
            standfirst=article.standfirst,
            lead_in=rules.plain(article.lead_in),
            section=article.section.name,
            credit=article.credit,
            kicker=article.kicker,
            bylines=tuple(byline.name for byline in article.byline_rows.all()),
            published_at=article.published_at,
            section_slug=article.section.slug,
            language=article.language,
            year=dates.local_date(article.published_at, settings.BROADSHEET.zone).year,
        )
        for article in rows
    }


def cards_between(
    start: datetime, end: datetime, limit: int, *, before: Before | None = None, language: str | None = None
) -> Sequence[Card]:
    """Stories first published in `[start, end)`, newest first, the next page by the last one's (instant, id)."""
    rows = _for_cards().filter(published_at__gte=start, published_at__lt=end)
    return _page(rows.filter(language=language) if language else rows, before, limit)


def count_between(start: datetime, end: datetime) -> int:
    """How many published stories were first published in `[start, end)`: for spans of a day, on an index."""
    return Article.objects.filter(live=True, published_at__gte=start, published_at__lt=end).count()


def published_times(ids: Iterable[int]) -> dict[int, datetime]:
    """When those among `ids` were first published, also of those that are not in the paper any more."""
    rows = Article.objects.filter(pk__in=list(ids), published_at__isnull=False)
    return dict(rows.values_list("pk", "published_at"))


def published_ids_since(start: datetime, after: int, limit: int) -> Sequence[tuple[datetime, int]]:
    """(instant, id) of stories first published from `start` on, oldest first: those after the story `after`."""
    rows = Article.objects.filter(live=True, published_at__gte=start).order_by("published_at", "pk")
    if after:
        at = Article.objects.values_list("published_at", flat=True).get(pk=after)
        rows = rows.filter(Q(published_at__gt=at) | Q(published_at=at, pk__gt=after))
    return list(rows.values_list("published_at", "pk")[:limit])


def has_published_before(instant: datetime) -> bool:
    """Whether the paper has a story from before `instant`: one look at an index."""
    return Article.objects.filter(live=True, published_at__lt=instant).exists()


def published_ids(after: int, limit: int) -> Sequence[int]:
    """Ids of published stories above `after`, ascending: to walk through the whole paper in bounded steps."""
    return list(Article.objects.filter(live=True, pk__gt=after).order_by("pk").values_list("pk", flat=True)[:limit])


def instruments_of(story_id: int) -> tuple[datetime, tuple[str, ...]] | None:
    """When a story was published and the codes an editor tagged it with; None when it is not published."""
    rows = Article.objects.filter(pk=story_id, live=True, published_at__isnull=False)
    row = rows.values_list("published_at", "instruments").first()
    return (row[0], tuple(row[1])) if row else None


def touched_by_hand(story_id: int) -> bool:
    """Whether an editor changed the story, in print or in a draft: no feed may overwrite that."""
    article = Article.objects.only("pk", "hand_edited").filter(pk=story_id).first()
    if article is None:
        return False
    return article.hand_edited or article.revisions.filter(user__isnull=False).exists()

"""The fronts as values: bounded look-ups of the newsroom's cards, arranged by the rules."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from broadsheet.newsroom import queries as newsroom
from broadsheet.newsroom.values import Card
from broadsheet.press.values import Front, FrontBlock, Section, SectionFront
from broadsheet.website import rules
from broadsheet.website.feeds import Paper
from broadsheet.website.models import FrontPage, StandingPage

POOL = 80
PREMIUM = OPINIONS = 4
PAGE = 20


def _pinned() -> tuple[Card | None, list[Card]]:
    """What editors pinned and is still published: the lead, and the stories beside it."""
    page = FrontPage.objects.live().order_by("pk").first()
    if page is None:
        return None, []
    beside = list(page.pins.order_by("sort_order").values_list("story_id", flat=True))
    cards = newsroom.cards_by_id([story for story in (page.lead_id, *beside) if story])
    return cards.get(page.lead_id), [cards[story] for story in beside if story in cards]


def front(now: datetime) -> Front:
    """The front page as it stands at `now`. No story stands on it twice."""
    lead, pinned = _pinned()
    pool = newsroom.latest_cards(POOL, language=settings.BROADSHEET.languages[0])
    top = rules.arrange_top(pool, lead, pinned, now)
    used = {card.id for card in (top.lead, *top.seconds, *top.latest) if card}
    opinion = rules.take(newsroom.section_cards(rules.OPINION, OPINIONS + len(used)), OPINIONS, used)
    premium = rules.take((card for card in pool if card.tier == "premium"), PREMIUM, used)
    blocks = []
    for section in newsroom.sections():
        if section.slug == rules.OPINION:
            continue
        cards = rules.take(newsroom.section_cards(section.slug, rules.STRIP + len(used)), rules.STRIP, used)
        if cards:
            blocks.append(FrontBlock(section, tuple(rules.picture_first(cards))))
    return Front(
        lead=top.lead,
        seconds=top.seconds,
        latest=top.latest,
        premium=tuple(premium),
        opinion=tuple(opinion),
        blocks=tuple(rules.in_rows(blocks)),
        printed_at=now,
    )


def section(slug: str) -> Section | None:
    return next((one for one in newsroom.sections() if one.slug == slug), None)


def section_front(slug: str, before: tuple[datetime, int] | None = None) -> SectionFront | None:
    """One page of a section's stories; None when there is no such section."""
    found = section(slug)
    if found is None:
        return None
    cards = newsroom.section_cards(slug, PAGE + 1, before=before)
    older = f"{found.path}older/{rules.cursor(cards[PAGE - 1])}/" if len(cards) > PAGE else ""
    return SectionFront(found, tuple(cards[:PAGE]), older, first_page=before is None)


def paper() -> Paper:
    """What feeds and sitemaps say of the paper itself."""
    options = settings.BROADSHEET
    return Paper(options.name, options.tagline, options.public_url, options.languages[0])


def page_paths() -> list[str]:
    """Paths of the front, the section fronts and the standing pages that are live."""
    paths = ["/", *(one.path for one in newsroom.sections())]
    front_page = FrontPage.objects.live().order_by("pk").first()
    if front_page:
        root = front_page.url_path
        found = StandingPage.objects.live().descendant_of(front_page).order_by("path")
        paths += ["/" + page.url_path.removeprefix(root) for page in found]
    return paths

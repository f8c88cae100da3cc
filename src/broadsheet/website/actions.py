"""Makes the page tree, and prints the pages that are the same for everyone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from wagtail.models import Page, Site

from broadsheet.bus.actions import announce
from broadsheet.bus.queries import last_notice
from broadsheet.newsroom.actions import ensure_section
from broadsheet.newsroom.queries import latest_cards, section_cards, sections
from broadsheet.newsroom.values import Card
from broadsheet.press import actions as press
from broadsheet.press.queries import chrome, with_ads
from broadsheet.press.typesetting import render
from broadsheet.press.values import Section
from broadsheet.website import feeds, queries
from broadsheet.website.models import FrontPage, SectionFrontPage, StandingPage

HTML = "text/html; charset=utf-8"
RSS = "application/rss+xml; charset=utf-8"
FEED_LENGTH = 40
_SECTION = re.compile(r"/([a-z0-9-]{1,40})/(feed\.xml)?\Z")


@dataclass(frozen=True, slots=True)
class Built:
    """A public page before it is stored; `cards` are all the stories whose words stand on it. `ads_text`: the same with
    advertising, "" when it stands without for everyone."""

    text: str
    content_type: str
    cards: tuple[Card, ...]
    ads_text: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A standing page to be made when it is not there. `body_html` must be sanitised."""

    title: str
    slug: str
    body_html: str


def print_at(*, path: str, now: datetime) -> Built | None:
    """Build the public page of `path` and store it for the gate; None when no such page is ours to print.

    Fronts, section fronts and feeds are printed on the first request after a story changed. The notice is read before
    the stories: a story that changes meanwhile makes the sheet stale, never wrongly current.
    """
    version = last_notice()
    built = _build(path, now)
    if built is not None:
        mentions = sorted({card.id for card in built.cards})
        more = {"content_type": built.content_type, "ads_text": built.ads_text}
        press.print_page(path, built.text, version=version, mentions=mentions, **more)
    return built


def _build(path: str, now: datetime) -> Built | None:
    if path == "/":
        return _front(now)
    if path == "/feed.xml":
        return _feed(None)
    match = _SECTION.match(path)
    section = queries.section(match[1]) if match else None
    if match is None or section is None:
        return None
    return _feed(section) if match[2] else _section_front(section)


def _front(now: datetime) -> Built:
    front = queries.front(now)
    cards = [card for block in front.blocks for card in block.cards]
    cards += [*front.seconds, *front.latest, *front.premium, *front.opinion, *([front.lead] if front.lead else [])]
    return _page("website/front.html", tuple(cards), ads=True, front=front)


def _section_front(section: Section) -> Built | None:
    page = queries.section_front(section.slug)
    if page is None:
        return None
    return _page("website/section.html", page.cards, ads=section.ads, section_front=page)


def _page(template: str, cards: tuple[Card, ...], *, ads: bool, **values: Any) -> Built:
    """A page in its two variants; `ads`: whether advertising may stand on it at all."""
    frame = chrome()
    text, advertising = render(template, chrome=frame, **values), with_ads(frame)
    if advertising is None:
        return Built(text, HTML, cards)
    return Built(text, HTML, cards, render(template, chrome=advertising, **values) if ads else "")


def _feed(section: Section | None) -> Built:
    about = queries.paper()
    if section is None:
        cards = latest_cards(FEED_LENGTH)
        text = feeds.rss(about, title=about.name, page="/", path="/feed.xml", language=about.language, cards=cards)
    else:
        cards = section_cards(section.slug, FEED_LENGTH)
        text = feeds.rss(
            about,
            title=f"{section.name} | {about.name}",
            page=section.path,
            path=f"{section.path}feed.xml",
            language=section.language,
            cards=cards,
        )
    return Built(text, RSS, tuple(cards))


@transaction.atomic
def rearrange_front() -> None:
    """Say that editors arranged the front anew: what the gate holds of it is no longer current."""
    announce("page", "/")


@transaction.atomic
def ensure_site(*, name: str, standing: Iterable[Standing] = ()) -> None:
    """Make the page tree: the front, a page for every section, the standing pages. Changes nothing that is there."""
    front = FrontPage.objects.first()
    if front is None:
        front = Page.get_first_root_node().add_child(instance=FrontPage(title=name, slug="front"))
    _point_site_at(front, name)
    taken = set(front.get_children().values_list("slug", flat=True))
    for section in sections():
        if section.slug not in taken:
            section_id = ensure_section(name=section.name, slug=section.slug)
            front.add_child(instance=SectionFrontPage(title=section.name, slug=section.slug, section_id=section_id))
    for page in standing:
        if page.slug not in taken:
            front.add_child(instance=StandingPage(title=page.title, slug=page.slug, body=page.body_html))


def _point_site_at(front: FrontPage, name: str) -> None:
    host = urlsplit(settings.BROADSHEET.public_url)
    port = host.port or (443 if host.scheme == "https" else 80)
    site = Site.objects.filter(is_default_site=True).first() or Site(is_default_site=True)
    welcome = site.root_page if site.root_page_id else None
    site.hostname, site.port, site.site_name, site.root_page = host.hostname, port, name, front
    site.save()
    # Wagtail's first migration leaves a page that welcomes developers; readers have no use for it.
    if welcome and welcome.slug == "home" and welcome.specific_class is Page and not welcome.get_children().exists():
        welcome.delete()

"""Feeds, sitemaps and robots.txt as text, from cards alone: whatever a card does not hold cannot be in a feed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import NamedTuple

from lxml import etree
from lxml.builder import ElementMaker

from broadsheet.newsroom.values import Card

ATOM = "http://www.w3.org/2005/Atom"
DC = "http://purl.org/dc/elements/1.1/"
MAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_rss = ElementMaker(nsmap={"atom": ATOM, "dc": DC})
_map = ElementMaker(namespace=MAP, nsmap={None: MAP})
_news_map = ElementMaker(namespace=MAP, nsmap={None: MAP, "news": NEWS})


class Paper(NamedTuple):
    """What a feed says of the paper itself; `url` is the public address without a slash at its end."""

    name: str
    tagline: str
    url: str
    language: str


def _text(value: str) -> str:
    """Text that XML can hold: agency copy may carry control characters."""
    return _NOT_XML.sub("", value)


def _document(root: etree._Element) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + str(etree.tostring(root, encoding="unicode")) + "\n"


def rss(paper: Paper, *, title: str, page: str, path: str, language: str, cards: Sequence[Card]) -> str:
    """RSS 2.0 of `cards`, newest first. `page` is the path of the page it follows, `path` the feed's own."""
    channel = _rss.channel(
        _rss.title(_text(title)),
        _rss.link(paper.url + page),
        _rss.description(_text(paper.tagline or paper.name)),
        _rss.language(language),
        etree.Element(f"{{{ATOM}}}link", href=paper.url + path, rel="self", type="application/rss+xml"),
    )
    if cards:
        channel.append(_rss.lastBuildDate(format_datetime(max(card.published_at for card in cards))))
    channel.extend(_item(paper, card) for card in cards)
    return _document(_rss.rss(channel, version="2.0"))


def _item(paper: Paper, card: Card) -> etree._Element:
    item = _rss.item(
        _rss.title(_text(card.headline)),
        _rss.link(paper.url + card.path),
        # The slug may change and the host may move; the id does neither.
        _rss.guid(f"{paper.url}/story/{card.id}", isPermaLink="false"),
        _rss.pubDate(format_datetime(card.published_at)),
        _rss.category(_text(card.section.name)),
    )
    if card.standfirst:
        item.append(_rss.description(_text(card.standfirst)))
    for name in filter(None, (card.byline or card.credit,)):
        creator = etree.SubElement(item, f"{{{DC}}}creator")
        creator.text = _text(name)
    return item


def sitemap_index(paper: Paper, months: Iterable[tuple[int, int]]) -> str:
    """The index: one map of the paper's own pages and one for each month that may hold stories."""
    names = ["sitemap-pages.xml", *(f"sitemap-{year:04d}-{month:02d}.xml" for year, month in months)]
    return _document(_map.sitemapindex(*(_map.sitemap(_map.loc(f"{paper.url}/{name}")) for name in names)))


def page_sitemap(paper: Paper, paths: Iterable[str]) -> str:
    return _document(_map.urlset(*(_map.url(_map.loc(paper.url + path)) for path in paths)))


def story_sitemap(paper: Paper, stories: Iterable[tuple[str, datetime]]) -> str:
    """Stories of one month as (path, published_at), at most 50,000: the protocol's own bound."""
    return _document(
        _map.urlset(
            *(
                _map.url(_map.loc(paper.url + path), _map.lastmod(at.isoformat(timespec="seconds")))
                for path, at in stories
            )
        )
    )


def news_sitemap(paper: Paper, cards: Iterable[Card], since: datetime) -> str:
    """Google's news sitemap: the last two days, at most 1,000 stories, nothing but names, dates and headlines."""
    news = ElementMaker(namespace=NEWS, nsmap={"news": NEWS})
    return _document(
        _news_map.urlset(
            *(
                _news_map.url(
                    _news_map.loc(paper.url + card.path),
                    news.news(
                        news.publication(news.name(_text(paper.name)), news.language(card.language.split("-")[0])),
                        news.publication_date(card.published_at.isoformat(timespec="seconds")),
                        news.title(_text(card.headline)),
                    ),
                )
                for card in cards
                if card.published_at >= since
            )
        )
    )


ROBOTS = """\
User-agent: *
Disallow: /account/
Disallow: /admin/
Disallow: /demo/
Disallow: /me.json
Disallow: /search

Sitemap: {url}/sitemap.xml
Sitemap: {url}/news-sitemap.xml
"""


def robots(paper: Paper) -> str:
    return ROBOTS.format(url=paper.url)

"""Feeds and sitemaps, read by outside parsers."""

from __future__ import annotations

from datetime import timedelta

import feedparser
from lxml import etree
from tests.website import make_website as make

from broadsheet.website import feeds

PAPER = feeds.Paper("The Sonpar Post & Mail", "", "http://paper.test", "en")
SPACES = {"m": feeds.MAP, "n": feeds.NEWS}


def rss(cards):
    return feeds.rss(PAPER, title="Town", page="/town/", path="/town/feed.xml", language="en", cards=cards)


def test_a_feed_parses_cleanly_and_says_only_public_words():
    nasty = make.card(
        3, headline="A <b>bold</b> & \x0bbroken\x00 line", standfirst="]]> & more", byline="", credit="PTN"
    )
    feed = feedparser.parse(rss([make.card(1), make.card(2, standfirst=""), nasty]))
    assert feed.bozo == 0
    assert feed.version == "rss20"
    assert feed.feed.link == "http://paper.test/town/"
    assert [entry.link for entry in feed.entries] == [f"http://paper.test/town/mill-opens-{n}" for n in (1, 2, 3)]
    assert feed.entries[0].summary == "Standfirst of story 1."
    assert "summary" not in feed.entries[1]
    assert feed.entries[2].title == "A <b>bold</b> & broken line"
    assert feed.entries[2].author == "PTN"
    assert feed.entries[0].published_parsed[:5] == (2026, 11, 21, 10, 34)
    assert all("content" not in entry for entry in feed.entries)


def test_an_entrys_identity_outlives_its_address():
    before = feedparser.parse(rss([make.card(1)])).entries[0]
    after = feedparser.parse(rss([make.card(1, path="/town/another-slug-1", headline="Another")])).entries[0]
    assert before.id == after.id == "http://paper.test/story/1"
    assert before.link != after.link


def test_an_empty_feed_is_a_feed():
    feed = feedparser.parse(rss([]))
    assert (feed.bozo, feed.entries) == (0, [])


def xml(text):
    return etree.fromstring(text.encode())


def test_the_index_names_one_map_a_month():
    root = xml(feeds.sitemap_index(PAPER, [(2026, 11), (2026, 2)]))
    assert root.xpath("//m:loc/text()", namespaces=SPACES) == [
        "http://paper.test/sitemap-pages.xml",
        "http://paper.test/sitemap-2026-11.xml",
        "http://paper.test/sitemap-2026-02.xml",
    ]


def test_a_story_map_holds_addresses_and_dates_alone():
    root = xml(feeds.story_sitemap(PAPER, [(make.card(1).path, make.card(1).published_at)]))
    assert root.tag == f"{{{feeds.MAP}}}urlset"
    assert [(etree.QName(e).localname, e.text) for e in root[0]] == [
        ("loc", "http://paper.test/town/mill-opens-1"),
        ("lastmod", "2026-11-21T10:34:00+00:00"),
    ]


def test_the_news_map_ends_after_two_days():
    since = make.NOON - timedelta(days=2)
    cards = [make.card(1), make.card(2, language="hi"), make.card(3, published_at=since - timedelta(seconds=1))]
    root = xml(feeds.news_sitemap(PAPER, cards, since))
    assert root.xpath("//n:title/text()", namespaces=SPACES) == [card.headline for card in cards[:2]]
    assert root.xpath("//n:language/text()", namespaces=SPACES) == ["en", "hi"]
    assert root.xpath("//n:name/text()", namespaces=SPACES) == ["The Sonpar Post & Mail"] * 2


def test_robots_name_both_maps_and_keep_out_of_accounts():
    lines = feeds.robots(PAPER).splitlines()
    assert "Disallow: /account/" in lines
    assert "Sitemap: http://paper.test/sitemap.xml" in lines
    assert "Sitemap: http://paper.test/news-sitemap.xml" in lines

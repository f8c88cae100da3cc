"""Outside judges: what reader modes, archives and search engines make of our pages.

A subscriber's page gives them the whole story and nothing of a wall; a walled page gives them the open part, and not the
wall in the place of the story. (Mozilla's Readability needs Node, goose3 comes without wheels: neither is used.)
"""

from __future__ import annotations

import json
import re
import warnings

import pytest
from lxml import html as lxml_html
from tests import make

from broadsheet.leakcheck.canaries import shingles, words
from broadsheet.newsroom.queries import full_story
from broadsheet.newsroom.rules import plain
from broadsheet.press.actions import print_story
from broadsheet.press.queries import stores, walls

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    trafilatura = pytest.importorskip("trafilatura")
    readability = pytest.importorskip("readability")
    newspaper = pytest.importorskip("newspaper")

pytestmark = pytest.mark.django_db
OPENINGS = ("The harbour board met", "Nobody on the quay", "By the end of the week", "An older report", "Two engineers")
NOUNS = [
    "ferry",
    "crane",
    "beam",
    "ledger",
    "pilot",
    "rope",
    "buoy",
    "warden",
    "cargo",
    "tide",
    "keel",
    "anchor",
    "signal",
    "winch",
    "pontoon",
    "gangway",
]
WALL_WORDS = re.compile(r"subscri|already|log in|register to|free articles|₹|per month|plan", re.IGNORECASE)


def sentence(place: int, number: int) -> str:
    nouns = [NOUNS[(place * 7 + number * 3 + step * step) % len(NOUNS)] for step in range(9)]
    return f"{OPENINGS[(place + number) % 5]} about the {' and the '.join(nouns[:4])}, after the {nouns[5]} of {place + 3} and {number + 20} {nouns[6]}s had been counted twice."


PARAGRAPHS = [" ".join(sentence(place, number) for number in range(4)) for place in range(14)]


def trafilatura_text(page: str) -> str:
    return trafilatura.extract(page) or ""


def trafilatura_recall(page: str) -> str:
    return trafilatura.extract(page, favor_recall=True) or ""


def readability_text(page: str) -> str:
    return lxml_html.fromstring(readability.Document(page).summary()).text_content()


def newspaper_text(page: str) -> str:
    article = newspaper.Article("https://paper.example/harbour/x-1", fetch_images=False)
    article.download(input_html=page)
    article.parse()
    return article.text


JUDGES = {trafilatura_text: 0.95, trafilatura_recall: 0.95, readability_text: 0.95, newspaper_text: 0.90}


def share(text: str, page_text: str, without: str = "") -> float:
    wanted = shingles(words(text)) - shingles(words(without))
    return len(wanted & shingles(words(page_text))) / len(wanted)


def pages(tier: str, **fields) -> tuple[str, dict[str, str], str, str]:
    """(the full page, walled pages by name, the body's text, the hidden part of it)."""
    story = make.story(tier=tier, body_html="".join(f"<p>{text}</p>" for text in PARAGRAPHS), **fields)
    print_story(story)
    value = full_story(story)
    body, lead = plain(value.body_html), plain(value.public.lead_in_html)
    hidden = body[len(lead) :]
    walled = {name: stores().public.get(f"story/{story}/{name}").plain.decode() for name in walls(tier)}
    return stores().full.get(f"story/{story}/full").plain.decode(), walled, body, hidden


@pytest.fixture(params=["metered", "registered", "premium"])
def printed(request, db):
    return pages(request.param, credit="Northsea Wire", auto_published=True)


@pytest.mark.parametrize("judge", JUDGES, ids=lambda judge: judge.__name__)
def test_a_subscribers_page_is_read_whole_and_without_a_wall(printed, judge):
    full, _, body, _ = printed
    text = judge(full)
    assert share(body, text) >= JUDGES[judge]
    assert not WALL_WORDS.search(text.replace("subscribed", ""))


@pytest.mark.parametrize("judge", JUDGES, ids=lambda judge: judge.__name__)
def test_a_walled_page_gives_its_open_part_and_neither_hidden_words_nor_the_wall(printed, judge):
    _, walled, body, hidden = printed
    lead = body[: len(body) - len(hidden)]
    for name, page in walled.items():
        text = judge(page)
        assert share(hidden, text, without=lead) == 0, name
        assert share(lead, text) >= 0.9, name
        assert not WALL_WORDS.search(text), (name, text)


def test_credit_and_disclaimer_stand_on_both(printed):
    full, walled, _, _ = printed
    for page in (full, *walled.values()):
        tree = lxml_html.fromstring(page)
        assert tree.cssselect("article .credit")[0].text_content() == "Northsea Wire"
        disclaimer = tree.cssselect("article .disclaimer")
        assert len(disclaimer) == 1
        assert disclaimer[0].text_content().strip()


def structured(page: str) -> list[dict]:
    return [
        json.loads(node.text) for node in lxml_html.fromstring(page).cssselect('script[type="application/ld+json"]')
    ]


def google_faults(page: str, *, tier: str) -> list[str]:
    """What Google's rules for walled content and for articles find wrong with a page."""
    faults = []
    articles = [data for data in structured(page) if data.get("@type") == "NewsArticle"]
    if len(articles) != 1:
        return [f"{len(articles)} NewsArticles"]
    (data,) = articles
    faults += [
        f"{name} is missing" for name in ("headline", "datePublished", "dateModified", "author") if not data.get(name)
    ]
    faults += [f"{name} must not be there" for name in ("articleBody", "wordCount", "text") if name in data]
    if data.get("isAccessibleForFree") is not (tier == "free"):
        faults.append(f"isAccessibleForFree is {data.get('isAccessibleForFree')!r}")
    part = data.get("hasPart")
    if tier == "free":
        return faults + (["hasPart on a free story"] if part else [])
    if (
        not isinstance(part, dict)
        or part.get("@type") != "WebPageElement"
        or part.get("isAccessibleForFree") is not False
    ):
        return [*faults, f"hasPart is {part!r}"]
    selector = str(part.get("cssSelector"))
    if not re.fullmatch(r"\.[A-Za-z][\w-]*", selector):
        return [*faults, f"cssSelector is {selector!r}: Google takes classes alone"]
    marked = lxml_html.fromstring(page).cssselect(selector)
    if any(inner is not outer and outer in inner.iterancestors() for inner in marked for outer in marked):
        faults.append("nested walled sections")
    return faults


@pytest.mark.parametrize("tier", ["free", "metered", "registered", "premium"])
def test_the_structured_data_keeps_googles_rules_and_is_the_same_on_every_variant(tier, db):
    full, walled, _, hidden = pages(tier)
    for page in (full, *walled.values()):
        assert google_faults(page, tier=tier) == []
        assert structured(page) == structured(full)
        described = lxml_html.fromstring(page).cssselect('meta[name="description"]')[0].get("content")
        assert not shingles(words(described)) & shingles(words(hidden))
    marked = lxml_html.fromstring(full).cssselect(".paywall")
    assert len(marked) == (0 if tier == "free" else 1)


def test_the_wall_stands_outside_the_article_and_outside_snippets(printed):
    _, walled, _, _ = printed
    for page in walled.values():
        (wall,) = lxml_html.fromstring(page).cssselect(".wall")
        assert wall.tag == "aside"
        assert "data-nosnippet" in wall.attrib
        assert not list(wall.iterancestors("article"))


def test_the_check_of_googles_rules_can_see():
    def page(data: dict) -> str:
        made = {
            "@type": "NewsArticle",
            "headline": "A",
            "datePublished": "x",
            "dateModified": "x",
            "author": [1],
            **data,
        }
        return f'<html><script type="application/ld+json">{json.dumps(made)}</script><p class="paywall">x</p></html>'

    part = {"@type": "WebPageElement", "isAccessibleForFree": False, "cssSelector": ".paywall"}
    good = {"isAccessibleForFree": False, "hasPart": part}
    assert google_faults(page(good), tier="premium") == []
    for change, fault in (
        ({"articleBody": "x"}, "articleBody must not be there"),
        ({"isAccessibleForFree": "False"}, "isAccessibleForFree is 'False'"),
        ({"isAccessibleForFree": True}, "isAccessibleForFree is True"),
        ({"hasPart": None}, "hasPart is None"),
        ({"hasPart": part | {"cssSelector": "#paywall"}}, "cssSelector is '#paywall': Google takes classes alone"),
        ({"headline": ""}, "headline is missing"),
    ):
        assert google_faults(page(good | change), tier="premium") == [fault]

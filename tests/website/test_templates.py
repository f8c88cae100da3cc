"""The printed words of stories, walls and fronts, as a reader, a crawler and a script blocker meet them."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import html
from tests.website import make_website as make

import broadsheet
from broadsheet.archive.rules import Wanted
from broadsheet.press.printer import check_rendered
from broadsheet.press.typesetting import render
from broadsheet.press.values import Front, FrontBlock, SectionFront

BODY = "<p>The lead-in is open to everyone.</p><p>Zanzibar canary sentence of the hidden body.</p>"
PACKAGE = Path(broadsheet.__file__).parent


SEARCH = {
    "wanted": Wanted(), "results": None, "building": False, "sections": {"national": "National"},
    "orders": (("best", "Best first"),), "kinds": (("", "Everything"),), "years": range(2027, 2025, -1),
    "walled": True, "open_words": "1 October 2026", "offered": True, "by_year": (), "by_section": (), "chosen": (),
}  # fmt: skip


def full(story=None, **changes):
    values = {"chrome": make.chrome(**changes), "story": story or make.story(), "body_html": BODY, "wall": None}
    return render("press/story.html", **values)


def walled(story=None, wall=None, **changes):
    values = {"chrome": make.chrome(**changes), "story": story or make.story(), "wall": wall or make.wall()}
    return render("press/story.html", body_html=None, **values)


def front():
    return Front(
        lead=make.card(1, picture=make.DRAWING, tier="premium", kicker="Water"),
        seconds=tuple(make.card(n, picture=make.DRAWING) for n in (2, 3)),
        latest=tuple(make.card(n) for n in (4, 5)),
        premium=(make.card(6, tier="premium"),),
        opinion=(make.card(7, section=make.OPINION), make.card(8, byline="", section=make.OPINION)),
        blocks=(FrontBlock(make.HINDI, (make.card(9, language="hi", headline="नदी जोड़ परियोजना"),)),),
        printed_at=make.NOON,
    )


def pages():
    bare = make.story(
        standfirst="",
        bylines=(),
        credit="",
        via=(),
        disclaimer="",
        picture=None,
        also_read=(),
        dateline="",
        tier="free",
    )
    section = SectionFront(make.TOWN, tuple(make.card(n) for n in range(1, 7)), "/town/older/20261121T103500Z-6/")
    last = SectionFront(make.HINDI, (make.card(1),), "", first_page=False)
    demo = make.chrome(demo=True)
    return {
        "full": full(make.story(correction="The mill has nine looms.", updated_at=make.NOON, dateline="Sonpar")),
        "full, bare": full(bare),
        "wall": walled(),
        "wall, register": walled(make.story(tier="registered"), make.wall("register", plans=())),
        "wall, premium": walled(make.story(tier="premium"), make.wall("subscribe", signed_in=True)),
        "front": render("website/front.html", chrome=make.chrome(), front=front()),
        "front, demo": render("website/front.html", chrome=demo, front=front()),
        "front, empty": render("website/front.html", chrome=make.chrome(tagline="", sections=()), front=Front(None)),
        "section": render("website/section.html", chrome=make.chrome(), section_front=section),
        "section, last": render("website/section.html", chrome=make.chrome(), section_front=last),
        "section, empty": render("website/section.html", chrome=make.chrome(), section_front=SectionFront(make.TOWN, ())),
        "standing": render("website/standing.html", chrome=make.chrome(), page_title="About", page_html="<p>We.</p>", page_path="/about/"),
        "gone": render("press/gone.html", chrome=make.chrome(), reason="Facts could not be confirmed."),
        "gone, no reason": render("press/gone.html", chrome=make.chrome(), reason=""),
        "404": render("website/404.html", chrome=make.chrome()),
        "403": render("website/403.html", chrome=make.chrome()),
        "form expired": render("website/form_expired.html", chrome=make.chrome()),
        "500": render("website/500.html", chrome=make.chrome()),
        "search": render("archive/search.html", chrome=make.chrome(), **SEARCH),
    }  # fmt: skip


@pytest.fixture(scope="module")
def printed():
    return pages()


@pytest.fixture
def all_pages(printed):
    return printed.items()


def tree(text):
    return html.fromstring(text.removeprefix("<!doctype html>"))


def linked_data(text):
    return [json.loads(block.text_content()) for block in tree(text).xpath("//script[@type='application/ld+json']")]


def test_no_page_holds_a_placeholder_or_a_python_word(all_pages):
    for name, text in all_pages:
        assert check_rendered(text, name) == text
        words = tree(text).text_content() + " ".join(tree(text).xpath("//@*"))
        assert not re.search(r"\b(None|undefined|NaN|Undefined|object at 0x)\b", words), name


def test_no_page_runs_or_fetches_anything_foreign(all_pages):
    for name, text in all_pages:
        page = tree(text)
        assert not page.xpath("//@style"), name
        assert not [attribute for attribute in page.xpath("//@*") if attribute.attrname.startswith("on")], name
        assert not page.xpath("//style | //iframe | //object | //embed"), name
        for script in page.xpath("//script"):
            assert script.get("type") == "application/ld+json" or script.get("src", "").startswith("/static/press/"), (
                name
            )
        for address in page.xpath("//img/@src | //link[@rel='stylesheet' or @rel='icon']/@href | //script/@src"):
            assert address.startswith("/"), (name, address)


def test_every_page_has_landmarks_a_title_a_language_and_one_first_heading(all_pages):
    for name, text in all_pages:
        page = tree(text)
        assert page.get("lang"), name
        assert page.findtext("head/title").strip(), name
        assert len(page.xpath("//main[@id='main']")) == 1, name
        assert page.xpath("//body/a[@href='#main']"), name
        assert len(page.xpath("//h1")) == 1, name
        assert all(image.get("alt") is not None for image in page.xpath("//img")), name
        identifiers = page.xpath("//@id")
        assert len(identifiers) == len(set(identifiers)), name


def test_headings_never_skip_a_level(all_pages):
    for name, text in all_pages:
        levels = [
            int(heading.tag[1])
            for heading in tree(text).xpath("//main//*[self::h1 or self::h2 or self::h3 or self::h4]")
        ]
        assert all(after <= before + 1 for before, after in pairwise(levels)), (name, levels)


def test_the_wall_stands_outside_the_article_and_is_no_snippet():
    page = tree(walled())
    (wall,) = page.xpath("//aside[contains(@class, 'wall')]")
    assert wall.get("data-nosnippet") is not None
    assert not page.xpath("//article[contains(@class, 'story')]//aside")
    assert "The lead-in is open to everyone." in page.xpath("//article[contains(@class, 'story')]")[0].text_content()


def test_a_full_sheet_has_no_wall_and_no_price():
    text = full()
    page = tree(text)
    assert "Zanzibar canary sentence" in page.xpath("//div[contains(@class, 'paywall')]")[0].text_content()
    assert not page.xpath("//*[contains(concat(' ', @class, ' '), ' wall ') or contains(@class, 'plan')]")
    assert "₹" not in text
    assert "free articles" not in text


def test_also_read_is_a_part_of_the_page_and_not_of_the_story():
    page = tree(full())
    assert not page.xpath("//article[contains(@class, 'story')]//*[contains(@class, 'also-read')]")
    links = page.xpath("//aside[contains(@class, 'also-read')]//h3/a/@href")
    assert links == ["/town/mill-opens-1", "/town/mill-opens-2"]


@pytest.mark.parametrize(
    ("wall", "says"),
    [
        (make.wall(limit=5), "You’ve read your 5 free articles this month."),
        (make.wall(limit=1), "You’ve read your 1 free article this month."),
        (make.wall(limit=2, window="in 30 days"), "You’ve read your 2 free articles in 30 days."),
        (make.wall(limit=10, signed_in=True), "You’ve read your 10 free articles this month."),
        (make.wall(limit=0, registered_limit=3), "This article is for registered readers."),
        (make.wall(limit=0, registered_limit=0), "This article is for subscribers."),
        (make.wall(limit=0, registered_limit=0, signed_in=True), "This article is for subscribers."),
        (make.wall("register"), "Register to read this article."),
        (make.wall("subscribe"), "This article is for subscribers."),
    ],
)
def test_a_wall_says_what_stops_the_reader_with_the_real_number(wall, says):
    (title,) = tree(walled(wall=wall)).xpath("//aside[contains(@class, 'wall')]/h2")
    assert title.text_content() == says


@pytest.mark.parametrize(
    ("wall", "offer"),
    [
        (make.wall(limit=5, registered_limit=10), ["Or register free and read 5 more this month."]),
        (make.wall(limit=0, registered_limit=1), ["Or register free and read 1 article this month."]),
        (make.wall(limit=5, registered_limit=5), []),
        (make.wall(limit=5, signed_in=True), []),
        (make.wall("subscribe"), []),
    ],
)
def test_a_wall_offers_registration_only_where_it_opens_more(wall, offer):
    found = tree(walled(wall=wall)).xpath("//p[@class='wall-register']")
    assert [paragraph.text_content() for paragraph in found] == offer


def test_a_wall_links_to_signing_in_and_back():
    page = tree(walled(make.story(path="/town/ä-mill-7")))
    assert page.xpath("//p[@class='wall-log-in']/a/@href") == ["/account/sign-in/?next=/town/%C3%A4-mill-7"]
    assert not tree(walled(wall=make.wall(signed_in=True))).xpath("//p[@class='wall-log-in']")


def test_plan_cards_state_price_month_and_terms_and_say_shared_benefits_once():
    page = tree(walled())
    assert page.xpath("//p[@class='plan-price']/strong/text()") == ["₹900", "₹3,900"]
    assert page.xpath("//p[@class='plan-month']/text()") == ["₹300 a month", "₹162 a month"]
    assert page.xpath("//li[contains(@class, 'plan')]/a/@href") == ["/subscribe/Q/", "/subscribe/T/"]
    assert page.xpath("//p[@class='plan-flag']/text()") == ["Best value"]
    assert page.xpath("//aside//ul[@class='plan-benefits']/li/text()") == ["All stories", "Premium stories"]
    assert page.xpath("//p[@class='plans-terms']/text()") == ["Renews automatically, cancel anytime."]


def test_a_wall_without_plans_shows_none():
    text = walled(wall=make.wall(plans=()))
    assert "plan" not in text
    assert "Renews" not in text
    assert "Subscribe to keep reading" not in text


@pytest.mark.parametrize("tier", ["free", "metered", "registered", "premium"])
def test_linked_data_marks_what_is_paid_for_and_carries_no_body(tier):
    story = make.story(tier=tier)
    (data,) = linked_data(full(story))
    assert data["@type"] == "NewsArticle"
    assert data["headline"] == "Mill opens again"
    assert data["isAccessibleForFree"] is (tier == "free")
    assert data["author"] == [{"@type": "Person", "name": "Asha Rao"}, {"@type": "Person", "name": "Devika Nair"}]
    assert data["image"] == ["http://paper.test/media/mill.svg"]
    assert data["datePublished"] == "2026-11-21T16:05:00+05:30"
    part = {"@type": "WebPageElement", "isAccessibleForFree": False, "cssSelector": ".paywall"}
    assert data.get("hasPart") == (None if tier == "free" else part)
    assert not {"articleBody", "wordCount"} & data.keys()
    assert linked_data(walled(story)) == [data]


def test_both_variants_have_the_same_head():
    assert full().split("</head>")[0] == walled().split("</head>")[0]


def test_meta_descriptions_come_from_standfirst_or_headline_alone():
    for text in (full(), walled()):
        page = tree(text)
        found = page.xpath(
            "//meta[@name='description' or @property='og:description' or @name='twitter:description']/@content"
        )
        assert found == ["The looms ran at six."] * 3
    page = tree(walled(make.story(standfirst="")))
    assert page.xpath("//meta[@name='description']/@content") == ["Mill opens again"]
    assert page.xpath("//link[@rel='canonical']/@href") == ["http://paper.test/town/mill-opens-7"]


def test_words_of_agencies_cannot_become_markup():
    nasty = '</script><script>alert(1)</script>"&'
    text = walled(make.story(headline=nasty, standfirst=nasty, bylines=(nasty,), credit=nasty, kicker=nasty))
    assert "<script>alert" not in text
    assert linked_data(text)[0]["headline"] == nasty
    assert tree(text).xpath("//main//h1")[0].text == nasty


def test_origin_dates_and_correction_are_rendered_from_their_fields():
    story = make.story(correction="The mill has nine looms.", updated_at=make.NOON.replace(hour=12), dateline="Sonpar")
    for text in (full(story), walled(story)):
        article = tree(text).xpath("//article[contains(@class, 'story')]")[0]
        words = re.sub(r"\s+", " ", article.text_content())
        assert "By Asha Rao and Devika Nair" in words
        assert "Published 21 November 2026, 4:05 pm IST" in words
        assert "Updated 21 November 2026, 6:05 pm IST" in words
        assert "Source: PTN, quoting Coast Radio and Meridian" in words
        assert "The paper has not edited this story." in words
        assert "Correction The mill has nine looms." in words


def test_the_front_shows_every_slot_once_and_the_whole_date():
    page = tree(render("website/front.html", chrome=make.chrome(), front=front()))
    links = [link for link in page.xpath("//main//*[self::h2 or self::h3]/a/@href") if "mill" in link]
    assert links == [f"/town/mill-opens-{n}" for n in range(1, 10)]
    assert page.xpath("//p[@class='masthead-left']/time/text()") == ["Saturday, 21 November 2026"]
    assert page.xpath("//section[contains(@class, 'strip')]/@lang") == ["hi"]


def test_a_withdrawn_story_leaves_a_plain_word():
    words = tree(render("press/gone.html", chrome=make.chrome(), reason="")).text_content()
    assert "This story was withdrawn by its agency." in words


def test_the_demo_bar_stands_only_in_the_demo():
    assert "demo-bar" in render("website/404.html", chrome=make.chrome(demo=True))
    assert "/demo" not in render("website/404.html", chrome=make.chrome())


# --- the style sheet ------------------------------------------------------------------------------------------------
STYLE = (PACKAGE / "press/static/press/paper.css").read_text("utf-8")


def test_the_style_sheet_and_the_script_stay_small():
    assert len(STYLE.encode()) < 30_000
    assert (PACKAGE / "press/static/press/reader.js").stat().st_size < 4_500


def test_the_style_sheet_fetches_nothing():
    assert "url(" not in STYLE
    assert "@import" not in STYLE


def _colours(block):
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))


def _luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one, other):
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_keeps_contrast_aa_on_every_ground(scheme):
    light, dark = STYLE.split("@media (prefers-color-scheme: dark)", 1)
    colours = _colours(light) if scheme == "light" else _colours(light) | _colours(dark.split("\n}", 1)[0])
    pairs = [(ink, ground) for ink in ("ink", "soft", "accent") for ground in ("paper", "sheet", "tint", "gold-tint")]
    pairs += [("accent-ink", "accent"), ("gold", "gold-tint"), ("paper", "ink"), ("ink", "mark")]
    weak = {pair: round(_contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in pairs}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < 4.5} == {}

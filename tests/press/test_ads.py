"""The advertising variant of a page: beside the one without, never instead of it, and nothing of it in the other."""

import dataclasses
import re

import pytest
from tests import make
from tests.make import NOW

from broadsheet.ads.actions import file_campaign
from broadsheet.ads.values import CampaignPlan, CreativePlan
from broadsheet.newsroom import actions as newsroom
from broadsheet.newsroom.models import Article, Section
from broadsheet.press import actions
from broadsheet.press.queries import chrome, stores, walls
from broadsheet.website.actions import print_at

pytestmark = pytest.mark.django_db
ANY_AD = re.compile(rb"\bads?\b|\bad-|advert|sponsor|slots|consent", re.IGNORECASE)
TAG = "https://tags.example/paper.js"


@pytest.fixture
def switch(settings):
    def to(**values):
        settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, **values)

    to(ads=True, ads_tag_manager=TAG)
    return to


def pages(story):
    """{name: bytes} of all sheets of a story."""
    names = [f"{variant}{wall}" for variant in ("", "ads/") for wall in walls(Article.objects.get(pk=story).tier)]
    found = {name: stores().public.get(f"story/{story}/{name}").plain for name in names}
    return found | {name: stores().full.get(f"story/{story}/{name}").plain for name in ("full", "ads/full")}


def without_ads(page):
    """The page with everything of advertising taken out again."""
    page = re.sub(
        rb'<link rel="stylesheet" href="/static/ads/.*?>\n|<script src="/static/ads/.*?</script>\n', b"", page
    )
    page = re.sub(rb'<div class="consent".*?Allow</button></p>\n</div>\n</div>', b"", page, flags=re.DOTALL)
    page = re.sub(rb"<li><button[^\n]*consent-again[^\n]*</li>\n", b"", page)
    page = re.sub(rb'\n*<div class="ad .*?</div>\n</div>\n*', b"\n", page, flags=re.DOTALL)
    page = re.sub(rb'<div class="story-side">\n(.*?</aside>)?\n*</div>\n', rb"\1", page, flags=re.DOTALL)
    return re.sub(rb"\n+", b"", page)


@pytest.mark.parametrize("tier", ["metered", "registered", "premium", "free"])
def test_each_page_of_a_story_is_printed_with_and_without_and_differs_in_nothing_else(switch, tier):
    make.story(headline="Another night toll")
    story = make.story(tier=tier, body_html=make.body(14))
    actions.print_story(story)
    found = pages(story)
    assert len(found) == 2 * (len(walls(tier)) + 1)
    for name in [*walls(tier), "full"]:
        assert not ANY_AD.search(found[name]), name
        assert TAG.encode() not in found[name]
        with_ads = found[f"ads/{name}"]
        assert with_ads.count(b'data-ad="top"') == 1
        assert with_ads.count(b'data-ad="story"') == (2 if name == "full" else 0)
        assert b'data-section="national"' in with_ads
        assert without_ads(with_ads) == re.sub(rb"\n+", b"", found[name])


def test_no_variant_of_a_wall_holds_a_word_of_the_body(switch):
    story = make.story()
    actions.print_story(story)
    hidden = make.paragraph(5).split()[0].encode()
    for name, page in pages(story).items():
        assert (hidden in page) is (name in ("full", "ads/full"))
        store = stores().full if name in ("full", "ads/full") else stores().public
        other = stores().public if store is stores().full else stores().full
        assert other.get(f"story/{story}/{name}") is None


def test_what_an_editor_keeps_free_of_advertising_is_the_same_page_for_everyone(switch):
    story = make.story()
    Article.objects.filter(pk=story).update(no_ads=True)
    actions.print_story(story)
    found = pages(story)
    assert found["ads/full"] == found["full"]
    assert found["ads/limit"] == found["limit"]
    Article.objects.filter(pk=story).update(no_ads=False)
    before = chrome().edition
    Section.objects.filter(slug="national").update(ads=False)
    assert chrome().edition != before
    actions.print_story(story)
    assert pages(story)["ads/full"] == found["full"]
    print_at(path="/national/", now=NOW)
    sheets = [stores().public.get(f"{variant}page/national/").plain for variant in ("", "ads/")]
    assert sheets[0] == sheets[1]


def test_fronts_are_printed_with_and_without(switch):
    for number in range(8):
        make.story(headline=f"Story {number}", priority=1 + number % 9)
    for path in ("/", "/national/"):
        print_at(path=path, now=NOW)
        plain, with_ads = (stores().public.get(f"{variant}page{path}").plain for variant in ("", "ads/"))
        assert not ANY_AD.search(plain)
        assert b'data-ad="top"' in with_ads
        assert b"data-consent" in with_ads
        assert without_ads(with_ads) == re.sub(rb"\n+", b"", plain)
    print_at(path="/feed.xml", now=NOW)
    assert stores().public.get("ads/page/feed.xml") is None
    actions.print_page("/other/", "<p>Printed by another</p>", version=1)
    assert stores().public.get("ads/page/other/").plain == stores().public.get("page/other/").plain


def test_what_is_printed_into_slots_is_part_of_the_edition_and_what_runs_is_not(switch):
    first = chrome().edition
    words = CreativePlan("https://shop.example/", headline="Lamps")
    file_campaign(plan=CampaignPlan("Sold", "Lamp & Sons", (words,), ("top",), NOW), now=NOW)
    assert chrome().edition == first
    own = CreativePlan("/subscribe/", headline="Our own", printed=True)
    file_campaign(plan=CampaignPlan("Own", "Us", (own,), ("top",), NOW, kind="house"), now=NOW)
    second = chrome().edition
    assert second != first
    switch(ads_tag_manager="")
    assert chrome().edition not in (first, second)
    switch(ads=False)
    off = chrome().edition
    file_campaign(plan=CampaignPlan("More", "Us", (own,), ("end",), NOW, kind="house"), now=NOW)
    assert chrome().edition == off


def test_a_withdrawn_story_is_pulled_in_every_variant(switch):
    story = make.story()
    actions.print_story(story)
    newsroom.withdraw_story(story_id=story, reason="killed", now=NOW)
    actions.print_story(story)
    assert stores().full.get(f"story/{story}/ads/full") is None
    assert stores().public.get(f"story/{story}/ads/limit") is None
    assert not ANY_AD.search(stores().public.get(f"story/{story}/gone").plain)


def test_without_advertising_nothing_more_is_printed():
    story = make.story()
    for store in (stores().public, stores().full):  # the tests of a run share their stores, and ids come again
        store.drop("ads/page/")
        store.drop(f"story/{story}")
    actions.print_story(story)
    print_at(path="/", now=NOW)
    assert stores().full.get(f"story/{story}/ads/full") is None
    assert stores().public.get("ads/page/") is None

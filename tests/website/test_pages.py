"""The website's pages over Django: what stands on them, what leaves them, what is refused."""

from __future__ import annotations

import re
from datetime import timedelta

import feedparser
import pytest
from tests import make
from wagtail.models import Site

from broadsheet import clock
from broadsheet.bus.models import Job
from broadsheet.bus.queries import last_notice, notices_since
from broadsheet.newsroom import actions as newsroom
from broadsheet.newsroom.queries import story_facts
from broadsheet.press.queries import stores
from broadsheet.website import actions, jobs, queries
from broadsheet.website.models import FrontPage, FrontPin, SectionFrontPage, StandingPage
from broadsheet.website.wagtail_hooks import front_published

pytestmark = pytest.mark.django_db
NOW = make.NOW


@pytest.fixture(autouse=True)
def steady_clock(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


def story(number: int, **fields) -> int:
    fields = {"headline": f"Headline number {number}", "at": NOW - timedelta(minutes=number)} | fields
    return make.story(**fields)


def headlines(response):
    return re.findall(r"Headline number (\d+)", response.content.decode())


def test_an_empty_paper_has_a_front_that_says_so(client):
    actions.ensure_site(name="The Post")
    response = client.get("/")
    assert response.status_code == 200
    assert "The first stories will stand here" in response.content.decode()


def test_the_front_shows_each_story_once_and_a_withdrawn_one_not_at_all(client):
    ids = [story(number) for number in range(1, 12)]
    assert sorted(headlines(client.get("/")), key=int) == [str(number) for number in range(1, 12)]
    newsroom.withdraw_story(story_id=ids[4], reason="Cancelled by the agency.", now=NOW)
    for path in ("/", "/national/", "/feed.xml", "/national/feed.xml", "/sitemap-2027-01.xml", "/news-sitemap.xml"):
        response = client.get(path)
        assert response.status_code == 200, path
        assert "5" not in headlines(response), path
        assert f"-{ids[4]}<" not in response.content.decode(), path


def test_no_public_page_holds_a_word_of_a_body(client):
    story(1, body_html=make.body(6), tier="premium", standfirst="A standfirst.")
    hidden = make.paragraph(3)[:60]
    for path in ("/", "/national/", "/feed.xml", "/national/feed.xml", "/sitemap-2027-01.xml", "/news-sitemap.xml"):
        text = client.get(path).content.decode()
        assert hidden not in text, path
        assert make.paragraph(1)[:60] not in text, path


def test_editors_pin_the_lead_and_its_neighbours():
    first, second, third = story(1), story(2, priority=1), story(3)
    actions.ensure_site(name="The Post")
    page = FrontPage.objects.get()
    page.lead_id = third
    page.pins = [FrontPin(story_id=first, sort_order=0)]
    page.save()
    front = queries.front(NOW)
    assert (front.lead.id, [card.id for card in front.seconds]) == (third, [first, second])
    newsroom.withdraw_story(story_id=third, reason="", now=NOW)
    assert queries.front(NOW).lead.id == second


def test_older_pages_bring_every_story_of_a_section_once(client):
    same_instant = NOW - timedelta(hours=1)
    for number in range(1, queries.PAGE * 2 + 4):
        story(number, at=same_instant if number % 2 else NOW - timedelta(minutes=number))
    path, seen = "/national/", []
    for _ in range(4):
        response = client.get(path)
        seen += headlines(response)
        older = re.search(r'href="(/national/older/[^"]+)"', response.content.decode())
        if older is None:
            break
        path = older[1]
    assert len(seen) == len(set(seen)) == queries.PAGE * 2 + 3


@pytest.mark.parametrize(
    "path",
    ["/nowhere/", "/nowhere/feed.xml", "/nowhere/older/20270110T063000Z-1/", "/sitemap-1899-01.xml", "/sitemap-2027-13.xml",
     "/national/older/yesterday/", "/a/b/c/", "/%7b%7b/"],
)  # fmt: skip
def test_what_does_not_exist_is_a_plain_404(client, path):
    story(1)
    response = client.get(path)
    assert response.status_code == 404
    assert "This page does not exist." in response.content.decode()


def test_pages_refuse_other_methods(client):
    for path in ("/", "/feed.xml", "/robots.txt", "/sitemap.xml"):
        assert client.post(path).status_code == 405


def test_a_validator_saves_the_second_transfer(client):
    story(1)
    first = client.get("/national/")
    again = client.get("/national/", headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first["Cache-Control"].startswith("public")


def test_an_answer_to_someone_with_a_session_is_never_public(client):
    client.cookies["bss"] = "x"
    assert client.get("/national/" if story(1) else "")["Cache-Control"] == "private, no-store"


def test_public_pages_set_no_cookie(client):
    story(1)
    for path in ("/", "/national/", "/feed.xml", "/nowhere/", "/search"):
        assert not client.get(path).cookies, path


def test_feeds_and_maps_are_served_as_what_they_are(client):
    story(1)
    feed = client.get("/feed.xml")
    assert feed["Content-Type"] == "application/rss+xml; charset=utf-8"
    parsed = feedparser.parse(feed.content)
    assert (parsed.bozo, len(parsed.entries)) == (0, 1)
    for path in ("/sitemap.xml", "/sitemap-pages.xml", "/sitemap-2027-01.xml", "/news-sitemap.xml"):
        assert client.get(path)["Content-Type"] == "application/xml; charset=utf-8", path
    assert "/sitemap-2027-01.xml</loc>" in client.get("/sitemap.xml").content.decode()
    assert client.get("/robots.txt")["Content-Type"] == "text/plain; charset=utf-8"


def test_a_month_map_names_every_story_by_the_address_its_page_has(client):
    ids = [story(1), story(2, slug="own-slug")]
    last_month = story(3, at=NOW - timedelta(days=30))
    paths = re.findall(r"<loc>http://[^/]+(/[^<]+)</loc>", client.get("/sitemap-2027-01.xml").content.decode())
    assert paths == [story_facts(number).path for number in ids]
    assert story_facts(last_month).path in client.get("/sitemap-2026-12.xml").content.decode()


def test_the_icon_is_found_where_browsers_look(client):
    assert client.get("/favicon.ico")["Location"].startswith("/static/press/icon.svg?v=")


def test_publishing_the_front_page_makes_the_printed_one_old():
    actions.ensure_site(name="The Post")
    before = last_notice()
    front_published(None, FrontPage.objects.get())
    (notice,) = notices_since(before)
    assert (notice.kind, notice.key) == ("page", "/")
    front_published(None, StandingPage(title="About"))
    assert last_notice() == notice.version


def test_the_site_is_made_once_and_left_alone(client):
    make.copy()
    standing = [actions.Standing("About us", "about", "<p>We print on Sundays.</p>")]
    actions.ensure_site(name="The Post", standing=standing)
    StandingPage.objects.update(title="About the Post")
    actions.ensure_site(name="The Post", standing=standing)
    assert (FrontPage.objects.count(), StandingPage.objects.count()) == (1, 1)
    assert list(SectionFrontPage.objects.values_list("slug", flat=True)) == ["national"]
    assert Site.objects.get(is_default_site=True).root_page.specific == FrontPage.objects.get()
    page = client.get("/about/")
    assert page.status_code == 200
    assert "We print on Sundays." in page.content.decode()
    assert "About the Post" in page.content.decode()
    assert "/about/</loc>" in client.get("/sitemap-pages.xml").content.decode()


def test_a_printed_page_lies_in_the_store_with_the_stories_it_mentions():
    number = story(1)
    assert actions.print_at(path="/national/", now=NOW).text == stores().public.get("page/national/").plain.decode()
    assert stores().public.get("page/national/").mentions == (number,)
    assert actions.print_at(path="/nowhere/", now=NOW) is None
    assert actions.print_at(path="/national", now=NOW) is None


def test_a_crowd_of_stories_prints_the_front_once(monkeypatch):
    printed = []
    monkeypatch.setattr(actions, "print_at", lambda *, path, now: printed.append(path))
    ids = [story(number) for number in (1, 2, 3)]
    name = "broadsheet.website.jobs.reprint_fronts"
    for job in Job.objects.filter(handler=name).order_by("id"):
        Job.objects.filter(pk=job.pk).update(leased_until=NOW + timedelta(minutes=5))
        jobs.reprint_fronts(jobs.StoryPublished(**job.payload))
        Job.objects.filter(pk=job.pk).update(done_at=NOW)
    assert len(ids) == 3
    assert printed == ["/", "/national/"]


def test_the_error_page_stands_without_a_database(client, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("no frame")

    monkeypatch.setattr("broadsheet.server.context.chrome", broken)
    monkeypatch.setattr("broadsheet.website.queries.newsroom.month_index", broken)
    client.raise_request_exception = False
    response = client.get("/sitemap.xml")
    assert response.status_code == 500
    assert "Something went wrong." in response.content.decode()

"""Old years are a benefit: whoever lacks it gets bytes that no old story has a part in."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.test import Client
from tests import make
from tests.archive.test_search import NOW, index, words  # noqa: F401 - a fixture

from broadsheet.access.actions import grant
from broadsheet.archive import actions, queries, rules
from broadsheet.archive.models import Day
from broadsheet.newsroom import actions as newsroom
from broadsheet.readers.models import Reader

pytestmark = pytest.mark.django_db
FIRST = NOW - timedelta(days=92)  # 10 October 2026: three months back


@pytest.fixture
def holder():
    reader = make.reader()
    grant(reader_id=reader.pk, product="archive", starts_at=NOW - timedelta(days=1), ends_at=None, source="test:1")
    client = Client()
    client.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def reader():
    client = Client()
    client.force_login(make.reader("kiran@reader.example"), backend="django.contrib.auth.backends.ModelBackend")
    return client


def old(number=1, **fields):
    at = fields.pop("at", NOW - timedelta(days=3000 + number))
    return make.story(**{"headline": f"Mill of old {number}", "at": at, **fields})


def paper():
    make.story(headline="Mill of today", at=NOW - timedelta(days=2))
    make.story(headline="Mill of autumn, mill of mills", at=NOW - timedelta(days=60))
    return actions.rebuild()


PATHS = (
    "/search?q=mill", "/search?q=mill&order=newest", "/search?q=mill&order=oldest", "/search?q=mill&from=2000&to=2020",
    "/search?section=national", "/search?q=mill&by=Asha", "/search?q=zebra", "/archive/", "/archive/2018/",
    "/archive/2018/09/", "/archive/2018/10/23/", "/archive/2026/", "/archive/2026/10/", "/archive/2026/10/09/", "/archive/1997/",
    "/archive/2026/10/10/", "/archive/2027/01/08/", "/search?q=mill&order=oldest&after=1",
)  # fmt: skip


def seen(client):
    found = {}
    for path in PATHS:
        answer = client.get(path)
        text = re.sub(r'(value|nonce)="[\w-]{30,}"', "", answer.content.decode())
        found[path] = (answer.status_code, text, answer.headers.get("Cache-Control"), answer.headers.get("ETag"))
    return found


@pytest.mark.parametrize("who", ["visitor", "reader"])
def test_nothing_a_reader_without_it_gets_depends_on_old_stories(who, request):
    client = Client() if who == "visitor" else request.getfixturevalue("reader")
    old(500, headline="Something else")
    paper()
    before = seen(client)
    assert "of today" in before["/search?q=mill"][1]
    for number in range(30):
        old(number, bylines=["Asha Rao"], standfirst="mill mill mill zebra")
    old(99, at=FIRST - timedelta(days=1, hours=12))
    actions.rebuild()
    assert seen(client) == before


def test_its_holder_searches_and_leafs_through_all_of_it(holder):
    paper()
    old(1, bylines=["Asha Rao"])
    actions.rebuild()
    answer = holder.get("/search?q=mill")
    assert "Mill of old 1" in words(answer)
    assert "3 stories" in words(answer)
    assert "Older years are for subscribers" not in words(answer)
    assert answer.headers["Cache-Control"] == "private, no-store"
    day = (NOW - timedelta(days=3001)).date()
    assert "1 story" in words(holder.get(f"/archive/{day:%Y}/"))
    assert "1 story" in words(holder.get(f"/archive/{day:%Y/%m}/"))
    assert "Mill of old 1" in words(holder.get(f"/archive/{day:%Y/%m/%d}/"))
    assert "No story of this day" in words(holder.get("/archive/1999/01/01/"))


def test_the_end_of_the_right_ends_it_at_that_instant(holder, monkeypatch):
    paper()
    old(1)
    actions.rebuild()
    grant(
        reader_id=Reader.objects.get().pk,
        product="archive",
        starts_at=NOW - timedelta(days=9),
        ends_at=NOW + timedelta(seconds=1),
        source="test:1",
    )
    assert "Mill of old" in words(holder.get("/search?q=mill"))
    monkeypatch.setattr("broadsheet.clock.now", lambda: NOW + timedelta(seconds=1))
    assert "Mill of old" not in words(holder.get("/search?q=mill"))


def test_a_closed_day_is_a_wall_and_the_first_open_one_is_not(reader):
    paper()
    old(1, at=FIRST - timedelta(hours=13))
    make.story(headline="Mill at the edge", at=FIRST + timedelta(hours=2))
    actions.rebuild()
    wall = reader.get("/archive/2026/10/09/")
    assert (wall.status_code, wall.headers["Broadsheet-Variant"]) == (200, "wall")
    assert "Mill at the edge" in words(reader.get("/archive/2026/10/10/"))
    assert "Mill at the edge" in words(reader.get("/search?q=mill"))
    october = words(reader.get("/archive/2026/"))
    assert re.search(r"October\s+1 story", october)  # of its open days alone


def test_days_that_are_none_do_not_exist(reader, holder):
    for client in (reader, holder):
        for path in ("1996/", "2028/", "2026/13/", "2026/02/30/", "2027/01/11/", "2027/02/", "0000/01/01/"):
            assert client.get(f"/archive/{path}").status_code == 404, path


def test_with_no_free_months_set_everybody_searches_all_of_it(reader, monkeypatch, settings):
    options = SimpleNamespace(
        **{name: getattr(settings.BROADSHEET, name) for name in settings.BROADSHEET.__dataclass_fields__},
        zone=settings.BROADSHEET.zone, https=False, public_host="localhost",
    )  # fmt: skip
    options.archive_free_months = 0
    settings.BROADSHEET = options
    old(1)
    actions.rebuild()
    assert not queries.works()
    assert "Mill of old 1" in words(reader.get("/search?q=mill"))
    assert "Older years" not in words(reader.get("/search?q=mill"))


def test_the_product_works_when_there_are_old_stories():
    make.story(headline="Mill of today")
    assert not queries.works()
    old(1)
    assert queries.works()


def test_the_window_moves_on_at_midnight(index, monkeypatch):  # noqa: F811 - the fixture
    edge = make.story(headline="Mill at the edge", at=FIRST + timedelta(hours=2))
    paper()
    assert edge in [hit.card.id for hit in look("mill").hits]
    tomorrow = NOW + timedelta(days=1)
    monkeypatch.setattr("broadsheet.clock.now", lambda: tomorrow)
    assert edge not in [hit.card.id for hit in look("mill", now=tomorrow).hits]  # the question says so already
    assert queries.recent_index().size() == 3
    actions.turn_window()
    assert queries.recent_index().size() == 2
    label = queries.recent_index().label()
    actions.turn_window()
    assert queries.recent_index().label() == label == "2026-10-11"


def look(query, everything=False, now=NOW, **more):
    wanted = rules.wanted({"q": query, **more})
    return queries.look(wanted, everything=everything, page=1, after=None, now=now)


def test_filters_hold_and_counts_agree():
    make.story(headline="Mill one", bylines=["Asha Rao"], section="national", at=NOW - timedelta(days=400))
    newsroom.ensure_section(name="World", slug="world")
    make.story(headline="Mill two", section="world", credit="PTN", at=NOW - timedelta(days=800))
    make.story(headline="Mill three", section="world", language="hi")
    actions.rebuild()

    def heads(**more):
        return sorted(hit.card.headline for hit in look("mill", everything=True, **more).hits)

    assert heads(section="world") == ["Mill three", "Mill two"]
    assert heads(by="asha RAO") == ["Mill one"]
    assert heads(kind="agency") == ["Mill two"]
    assert heads(kind="own") == ["Mill one", "Mill three"]
    assert heads(language="hi") == ["Mill three"]
    assert heads(**{"from": "2024", "to": "2025"}) == ["Mill one", "Mill two"]
    assert heads(**{"from": "2025", "to": "2024"}) == ["Mill one", "Mill two"]
    assert heads(order="oldest") == ["Mill one", "Mill three", "Mill two"]
    counts = look("mill", everything=True).counts
    assert dict(counts.sections) == {"world": 2, "national": 1}
    assert dict(counts.years) == {2027: 1, 2025: 1, 2024: 1}
    assert heads(section="../etc", kind="x", order="y", **{"from": "abc"}) == ["Mill one", "Mill three", "Mill two"]


def test_pages_by_time_follow_one_another_without_a_gap(client):
    ids = [make.story(headline=f"Mill {n}", at=NOW - timedelta(minutes=n // 3)) for n in range(45)]
    actions.rebuild()
    for order in ("newest", "oldest"):
        got, path = [], f"/search?q=mill&order={order}"
        while path:
            text = client.get(path).content.decode()
            got += [int(one) for one in re.findall(r'class="headline"><a href="/national/[a-z0-9-]+-(\d+)"', text)]
            following = re.search(r'href="([^"]+)" rel="next"', text)
            path = following.group(1).replace("&amp;", "&") if following else ""
        assert sorted(got) == ids, order
        assert len(got) == 45
        times = [n // 3 for n in (ids.index(one) for one in got)]
        assert times == sorted(times, reverse=order == "oldest")


def test_what_is_fresh_comes_forward():
    old_one = make.story(headline="Mill opens", at=NOW - timedelta(days=4000))
    new_one = make.story(headline="Mill opens", at=NOW - timedelta(hours=3))
    actions.rebuild()
    assert [hit.card.id for hit in look("mill", everything=True).hits] == [new_one, old_one]


def test_a_day_of_many_stories_is_paged(client):
    day = NOW - timedelta(days=5)
    ids = {make.story(headline=f"Mill {n}", at=day + timedelta(seconds=n // 2)) for n in range(queries.DAY_PAGE + 5)}
    actions.rebuild()
    got, path = [], f"/archive/{day:%Y/%m/%d}/"
    while path:
        text = client.get(path).content.decode()
        got += [int(one) for one in re.findall(r'class="headline"><a href="/national/[a-z0-9-]+-(\d+)"', text)]
        following = re.search(r'href="([^"]+)" rel="next">Next', text)
        path = following.group(1) if following else ""
    assert len(got) == len(ids)
    assert set(got) == ids
    assert client.get(f"/archive/{day:%Y/%m/%d}/?after=1e999-x").status_code == 200


def test_the_calendar_follows_what_is_published_and_withdrawn():
    paper()
    number = make.story(headline="Mill of yesterday", at=NOW - timedelta(days=1))
    actions.note(story_id=number)
    actions.write_pending()
    day = (NOW - timedelta(days=1)).date()
    assert Day.objects.get(day=day).stories == 1
    newsroom.withdraw_story(story_id=number, reason="", now=NOW)
    actions.note(story_id=number)
    actions.write_pending()
    assert Day.objects.get(day=day).stories == 0
    kept = list(Day.objects.values_list("day", "stories").exclude(stories=0).order_by("day"))
    actions.rebuild()
    assert list(Day.objects.values_list("day", "stories").order_by("day")) == kept

import re
from datetime import timedelta
from io import BytesIO

import pytest
from django.test import Client
from PIL import Image

from broadsheet import clock
from broadsheet.epaper import desk_queries
from broadsheet.epaper.actions.pages import fail
from broadsheet.epaper.models import Edition, EditionPage
from broadsheet.newsroom import actions as newsroom
from tests import make
from tests.epaper import make_editions as editions
from tests.epaper.make_editions import FERRY, HARBOUR, JUMPED, signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("standing_clock")]


@pytest.fixture
def subscriber():
    return signed_in(until=make.NOW + timedelta(days=3))


def pages_of(paper):
    key = EditionPage.objects.get(edition=paper, number=1).picture_key
    data = f"/epaper/e/{paper.pk}/"
    html = ["/epaper/", "/epaper/2027-01-10/", "/epaper/2027-01-10/2/", "/epaper/2027-01-10/search/?q=ferry",
            f"/epaper/2027-01-10/story/{editions.area_id(paper, 1)}/", "/epaper/clips/", "/epaper/kept/"]  # fmt: skip
    return html, [f"{data}edition.json", f"{data}words/1.json", f"{data}search.json?q=ferry", f"{data}1-480-{key}.jpg"]


def test_who_is_not_let_in_gets_one_wall_and_nothing_else_whatever_there_is(paper):
    html, data = pages_of(paper)
    nothing = ["/epaper/1999-01-01/", "/epaper/2027-13-45/", "/epaper/2027-01-10/9/", "/epaper/2027-01-10/pune/"]
    absent = ["/epaper/e/999999/edition.json", f"/epaper/e/{paper.pk}/1-480-nothing.jpg", "/epaper/clips/77/1.jpg"]
    for client in (Client(), signed_in("ravi@reader.example", product=""), signed_in("usha@reader.example", "premium")):
        walls = set()
        for path in (*html, *nothing):
            answer = client.get(path)
            assert answer.status_code == 200
            assert answer["Cache-Control"] == "private, no-store"
            assert answer["Broadsheet-Variant"] == "wall"
            assert not any(word in text(answer) for word in ("harbour", "ferry", "Toll rises", "2027"))
            walls.add(re.sub(r'next=[^"]*', "", answer.content.decode()))
        assert len(walls) == 1
        answers = {(a.status_code, a.content, a["Cache-Control"]) for a in map(client.get, (*data, *absent))}
        assert answers == {(404, b'{"error": "not found"}', "private, no-store")}


def test_a_subscriber_reads_and_no_cache_keeps_it(subscriber, paper):
    html, data = pages_of(paper)
    for path in (*html, *data):
        answer = subscriber.get(path)
        assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store"), path
    first = subscriber.get("/epaper/2027-01-10/")
    assert HARBOUR in text(first)
    assert FERRY in text(first)
    assert JUMPED not in text(first)
    assert 'href="/epaper/2027-01-10/2/" rel="next"' in first.content.decode()
    assert 'rel="prev"' not in first.content.decode()
    picture = subscriber.get(data[-1])
    assert picture["Content-Type"] == "image/jpeg"
    assert Image.open(BytesIO(picture.content)).size == (480, 720)


def test_the_right_ends_at_its_moment(subscriber, paper):
    clock.stand_at(make.NOW + timedelta(days=3) - timedelta(seconds=1))
    assert HARBOUR in text(subscriber.get("/epaper/2027-01-10/"))
    clock.stand_at(make.NOW + timedelta(days=3))
    assert HARBOUR not in text(subscriber.get("/epaper/2027-01-10/"))
    assert subscriber.get(f"/epaper/e/{paper.pk}/edition.json").status_code == 404
    assert subscriber.get("/epaper/rights.json").json() == {"entitled": False}


def test_to_a_subscriber_what_is_not_there_is_missing(subscriber, paper):
    for path in ("/epaper/2027-01-09/", "/epaper/2027-02-31/", "/epaper/2027-01-10/3/", "/epaper/2027-01-10/story/99/"):
        answer = subscriber.get(path)
        assert answer.status_code == 404
        assert "This is not in the e-paper" in text(answer)
        assert answer["Cache-Control"] == "private, no-store"
    key = EditionPage.objects.get(edition=paper, number=1).picture_key
    for name in (f"1-479-{key}", "1-480-0123456789ab", f"2-480-{key}"):
        assert subscriber.get(f"/epaper/e/{paper.pk}/{name}.jpg").status_code == 404


def test_the_small_front_is_public_and_too_small_to_read(paper):
    answer = Client().get("/epaper/front.jpg")
    assert answer["Cache-Control"] == "public, max-age=300"
    assert Image.open(BytesIO(answer.content)).width <= 200
    assert 'src="/epaper/front.jpg"' in Client().get("/epaper/").content.decode()


def test_a_search_finds_words_and_says_where_they_stand(subscriber, paper):
    hits = subscriber.get(f"/epaper/e/{paper.pk}/search.json?q=FERRY").json()["hits"]
    assert [(hit["page"], hit["title"], len(hit["boxes"])) for hit in hits] == [(1, "Ferry board", 2)]
    assert hits[0]["boxes"][0] == [4000, 800, 5000, 1000]
    assert [word for word, sought in hits[0]["snippet"] if sought] == ["ferry", "ferry"]
    assert subscriber.get(f"/epaper/e/{paper.pk}/search.json?q=ferry+jump").json()["hits"] == []
    page = text(subscriber.get("/epaper/2027-01-10/search/?q=toll"))
    assert "1 place for “toll”" in page
    assert "“zebra” is not in this edition" in text(subscriber.get("/epaper/2027-01-10/search/?q=zebra"))
    for query in ("", "%00", "%20", "x" * 5000, "%F0%9F%97%9E"):
        assert subscriber.get(f"/epaper/e/{paper.pk}/search.json?q={query}").json()["hits"] == []


def test_a_story_is_read_across_its_jump_from_either_end(subscriber, paper, story):
    for area in (editions.area_id(paper, 1), editions.area_id(paper, 2)):
        page = text(subscriber.get(f"/epaper/2027-01-10/story/{area}/"))
        assert "Toll rises" in page
        assert page.index(HARBOUR) < page.index("Continued on page 2") < page.index(JUMPED)
        assert FERRY not in page
    answer = subscriber.get(f"/epaper/2027-01-10/story/{editions.area_id(paper, 1)}/")
    assert re.search(rf'href="/national/[a-z-]+-{story}"', answer.content.decode())


def test_a_withdrawn_story_is_gone_from_every_word_at_once(subscriber, paper, story):
    assert "Toll rises" in text(subscriber.get("/epaper/"))
    newsroom.withdraw_story(story_id=story, reason="Wrong", now=make.NOW)
    assert "Toll rises" not in text(subscriber.get("/epaper/"))
    assert HARBOUR not in text(subscriber.get("/epaper/2027-01-10/"))
    assert FERRY in text(subscriber.get("/epaper/2027-01-10/"))
    assert subscriber.get(f"/epaper/2027-01-10/story/{editions.area_id(paper, 1)}/").status_code == 404
    words = [row[0] for row in subscriber.get(f"/epaper/e/{paper.pk}/words/1.json").json()["words"]]
    assert words == FERRY.split()
    assert subscriber.get(f"/epaper/e/{paper.pk}/search.json?q=harbour").json()["hits"] == []
    titles = [area["title"] for area in subscriber.get(f"/epaper/e/{paper.pk}/edition.json").json()["areas"]]
    assert "Toll rises" not in titles


def test_a_page_that_is_being_made_says_so_and_comes(subscriber):
    row = editions.edition(editions.page(editions.area(HARBOUR, 500)), total=2)
    assert "Page 2 is still being made" in text(subscriber.get("/epaper/2027-01-10/2/"))
    state = subscriber.get(f"/epaper/e/{row.pk}/edition.json").json()
    assert (state["done"], [page["ready"] for page in state["pages"]]) == (False, [True, False])
    editions.write_page(edition_id=row.pk, page=editions.page(editions.area(FERRY, 500), number=2), now=make.NOW)
    assert FERRY in text(subscriber.get("/epaper/2027-01-10/2/"))
    assert subscriber.get(f"/epaper/e/{row.pk}/edition.json").json()["pages"][1]["ready"]


def test_cities_and_back_issues(subscriber, paper):
    delhi = editions.edition(editions.page(editions.area("Delhi words", 500)), city="delhi")
    editions.edition(editions.page(editions.area("December words", 500)), day=editions.DAY.replace(year=2026, month=12))
    shelf = subscriber.get("/epaper/").content.decode()
    assert 'href="/epaper/2027-01-10/delhi/"' in shelf
    assert "January 2027" in shelf
    assert 'href="/epaper/?month=2026-12#calendar"' in shelf
    assert 'href="/epaper/2026-12-10/"' in subscriber.get("/epaper/?month=2026-12").content.decode()
    assert "Delhi words" in text(subscriber.get("/epaper/2027-01-10/delhi/"))
    paper.delete()
    assert subscriber.get("/epaper/2027-01-10/").url == "/epaper/2027-01-10/delhi/"
    assert subscriber.get(f"/epaper/e/{delhi.pk}/edition.json").json()["base"] == "/epaper/2027-01-10/delhi/"
    for wrong in ("x", "2026", "0000-00", "9999-12", "2027-1"):
        assert subscriber.get(f"/epaper/?month={wrong}").status_code == 200


def test_an_edition_taken_off_is_gone(subscriber, paper):
    type(paper).objects.filter(pk=paper.pk).update(state="withdrawn")
    assert subscriber.get("/epaper/2027-01-10/").status_code == 404
    assert subscriber.get(f"/epaper/e/{paper.pk}/edition.json").status_code == 404
    assert Client().get("/epaper/front.jpg").status_code == 404


def test_an_edition_that_cannot_be_made_anew_is_read_on_as_it_was():
    row = editions.edition(editions.page(editions.area(HARBOUR, 1000)))
    fail(edition_id=row.pk, reason="The typesetter has died.")
    found = desk_queries.desk_edition(row.pk)
    assert (found.state, found.reason) == ("published", "The typesetter has died.")
    assert HARBOUR.split()[1] in text(signed_in().get("/epaper/2027-01-10/1/"))
    empty = Edition.objects.create(date=editions.DAY, city="alder", kind="typeset", created_at=make.NOW)
    fail(edition_id=empty.pk, reason="The typesetter has died.")
    assert desk_queries.desk_edition(empty.pk).state == "failed"

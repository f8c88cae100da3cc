from datetime import timedelta

import pytest
from django.core.cache import cache

from broadsheet import clock
from broadsheet.access.actions import end_grants, grant
from broadsheet.leakcheck.benefits import epaper as an_edition
from broadsheet.leakcheck.benefits import hidden_words
from tests import make
from tests.api.test_stories import app_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()


@pytest.fixture
def edition(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    make.reader("holder@readers.example")
    an_edition.fill("a", clock.now())


def test_an_edition_is_read_by_whoever_has_it_and_by_nobody_else(edition):
    ravi, asha = make.reader("ravi@reader.example"), make.reader()
    now = clock.now()
    grant(reader_id=asha.pk, product="epaper", starts_at=now, ends_at=now + timedelta(days=3), source="t")
    ask, refused = app_of(asha), app_of(ravi)
    (one,) = ask("/epaper").json()["editions"]
    assert (one["pages"], one["complete"]) == (2, True)
    pages = ask(f"/epaper/{one['id']}").json()["page_list"]
    assert [page["number"] for page in pages] == [1, 2]
    page = ask(f"/epaper/{one['id']}/pages/2")
    assert hidden_words("page", "a") in page.json()["areas"][0]["text"]
    assert page.headers["Cache-Control"] == "private, no-store"
    path = pages[1]["pictures"][0]["url"].split("/api/v1")[1]
    picture = ask(path)
    assert (picture.headers["Content-Type"], picture.content[:2]) == ("image/jpeg", b"\xff\xd8")
    there = ["/epaper", f"/epaper/{one['id']}", f"/epaper/{one['id']}/pages/2", path]
    nowhere = ["/epaper/999", "/epaper/999/pages/9", "/epaper/999/pages/9/pictures/9"]
    said = [refused(address) for address in (*there, *nowhere)]
    assert {answer.status_code for answer in said} == {403}
    assert len({answer.json()["detail"] for answer in said}) == 1
    assert [ask(address).status_code for address in nowhere] == [404] * 3
    assert ask("/epaper?before=2000-01-01").json() == {"editions": [], "next": None}
    end_grants(source="t", ends_at=clock.now())
    assert [ask(address).status_code for address in there] == [403] * 4


def test_an_app_without_the_scope_has_no_door_at_all(edition):
    asha, now = make.reader(), clock.now()
    grant(reader_id=asha.pk, product="epaper", starts_at=now, ends_at=None, source="t")
    answer = app_of(asha, scopes=("openid", "stories"))("/epaper")
    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        "The reader did not let this app have the scope epaper.",
    )

import pytest
from django.test import Client

from broadsheet import clock
from broadsheet.newsroom import actions as newsroom
from broadsheet.readers.models import SavedStory
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def asha():
    return make.reader()


@pytest.fixture
def here(asha):
    made = Client()
    made.force_login(asha, backend="django.contrib.auth.backends.ModelBackend")
    return made


def story(number):
    return make.story(headline=f"Story number {number} of many", now=clock.now())


def test_a_story_is_saved_once_and_taken_off_again(here, asha):
    number = story(1)
    assert "Save it" in here.get(f"/account/save/{number}/").content.decode()
    for _ in range(2):
        assert here.post(f"/account/save/{number}/", {"do": "save"}).status_code == 302
    assert SavedStory.objects.count() == 1
    assert "Story number 1 of many" in here.get("/account/saved/").content.decode()
    assert "Remove from your list" in here.get(f"/account/save/{number}/").content.decode()
    here.post(f"/account/save/{number}/", {"do": "remove", "from": "list"})
    assert SavedStory.objects.count() == 0


def test_looking_saves_nothing_and_a_visitor_logs_in_first(client, here):
    number = story(1)
    here.get(f"/account/save/{number}/")
    answer = client.post(f"/account/save/{number}/", {"do": "save"})
    assert answer.url == f"/account/sign-in/?next=/account/save/{number}/"
    assert SavedStory.objects.count() == 0


def test_what_left_the_paper_leaves_the_list(here):
    number = story(1)
    here.post(f"/account/save/{number}/", {"do": "save"})
    newsroom.withdraw_story(story_id=number, reason="Retracted", now=clock.now())
    assert "Story number 1" not in here.get("/account/saved/").content.decode()
    assert here.get(f"/account/save/{number}/").status_code == 404
    draft = make.story(publish=False, now=clock.now())
    assert here.post(f"/account/save/{draft}/", {"do": "save"}).status_code == 404
    assert SavedStory.objects.count() == 1


def test_pages_follow_each_other(here, asha):
    for number in [story(n) for n in range(23)]:
        here.post(f"/account/save/{number}/", {"do": "save"})
    first = here.get("/account/saved/").content.decode()
    assert (first.count("Saved on"), "Story number 22 " in first, "Story number 2 " in first) == (20, True, False)
    older = first.split('href="/account/saved/')[1].split('"')[0]
    second = here.get(f"/account/saved/{older}").content.decode()
    assert (second.count("Saved on"), "Story number 2 " in second) == (3, True)
    assert here.get("/account/saved/0/").status_code == 404
    assert here.get("/account/saved/x/").status_code == 404


def test_every_story_leads_to_its_saving_in_the_same_words(client):
    from broadsheet.press.actions import print_story
    from broadsheet.press.queries import stores

    number = make.story(tier="premium", now=clock.now())
    print_story(number)
    shelf = stores()
    found = [
        sheet
        for store in (shelf.public, shelf.full)
        for sheet in [store.get(f"{number}:full"), store.get(f"{number}:wall")]
        if sheet
    ]
    for sheet in found:
        assert f"/account/save/{number}/" in sheet.plain.decode()

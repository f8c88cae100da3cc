import re
from datetime import timedelta
from io import BytesIO

import pytest
from django.test import Client
from PIL import Image

from broadsheet import clock
from broadsheet.access import actions as access
from broadsheet.epaper.actions import clips as actions
from broadsheet.epaper.files import clip_name, storage
from broadsheet.epaper.models import Area, Clip, EditionPage
from broadsheet.newsroom import actions as newsroom
from tests import make
from tests.epaper import make_editions as editions
from tests.epaper.make_editions import HARBOUR, JUMPED, signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("standing_clock")]
JSON = {"HTTP_ACCEPT": "application/json"}
NEW = "/epaper/clips/new/"


@pytest.fixture
def asha():
    return signed_in(until=make.NOW + timedelta(days=90))


def clip(client, row, share=True, **what):
    fields = {"edition": row.pk, **({"share": "1"} if share else {}), **what}
    return client.post(NEW, fields, **JSON)


def clip_first(client, row, share=True):
    return clip(client, row, share, area=editions.area_id(row, 1))


def path_of(link):
    return link.replace("http://localhost:8000", "")


def ink(answer):
    """How much of a picture is dark."""
    picture = Image.open(BytesIO(answer.content)).convert("L")
    return sum(value < 100 for value in picture.getdata()) / (picture.width * picture.height)


def test_a_shared_story_shows_itself_and_no_neighbour(asha, paper):
    made = clip_first(asha, paper).json()
    assert made["left"] == 9
    seen = Client().get(path_of(made["link"]))
    page = text(seen)
    assert "Toll rises" in page
    assert HARBOUR in page
    assert JUMPED in page
    assert not any(word in page for word in ("ferry", "Ferry", "sails"))
    assert (seen["Cache-Control"], seen["X-Robots-Tag"]) == ("private, no-store", "noindex, noimageindex")
    assert '<meta name="robots" content="noindex' in seen.content.decode()
    assert seen.content.decode().count('<img src="/epaper/clip/') == 2
    part = Client().get(f"{path_of(made['link'])}1.jpg")
    picture = Image.open(BytesIO(part.content))
    assert picture.width == pytest.approx(1400 * 1600 / 10_000 + 24, abs=4)
    assert ink(part) > 0.02
    assert Client().get(f"{path_of(made['link'])}3.jpg").status_code == 404
    assert asha.get("/epaper/clips/").content.decode().count(made["link"]) == 1


def test_words_of_a_neighbour_that_reach_in_are_painted_over(asha, paper):
    """Its box is drawn too wide: half of the neighbour's words lie in it with their edges."""
    area = Area.objects.get(pk=editions.area_id(paper, 1))
    area.boxes = [[300, 400, 4200, 4400]]
    area.save()
    made = clip_first(asha, paper).json()
    picture = Image.open(BytesIO(Client().get(f"{path_of(made['link'])}1.jpg").content)).convert("L")
    right = picture.crop((picture.width - 50, 0, picture.width, picture.height))
    assert min(right.getdata()) > 200


def test_a_drawn_box_shows_what_lies_in_it(asha, paper):
    answer = clip(asha, paper, page=1, box="3700,300,5400,2600")
    made = answer.json()
    page = text(Client().get(path_of(made["link"])))
    assert "Ferry board" not in page
    assert "A ferry board met and the" in page
    assert "harbour" not in page
    assert ink(Client().get(f"{path_of(made['link'])}1.jpg")) > 0.02


@pytest.mark.parametrize(
    "what",
    [
        {"page": 1, "box": "0,0,10000,5001"},
        {"page": 1, "box": "0,0,100,100"},
        {"page": 1, "box": "a,b"},
        {"page": 1, "box": ""},
        {"page": 9, "box": "0,0,3000,3000"},
        {"area": 987654},
        {"area": "x"},
        {"edition": 99999, "area": 1},
        {"edition": "", "page": 1, "box": "0,0,3000,3000"},
    ],
)
def test_what_is_no_clipping_is_refused_and_nothing_is_kept(asha, paper, what):
    answer = clip(asha, paper, **what)
    assert answer.status_code == 409
    assert answer.json()["words"]
    assert answer.json()["left"] == 10
    assert not Clip.objects.exists()


def test_the_allowance_is_of_the_publishers_month(asha, paper, settings):
    settings.BROADSHEET = type(settings.BROADSHEET)(**{**vars_of(settings.BROADSHEET), "epaper_clips_per_month": 2})
    first = clip_first(asha, paper).json()
    assert clip(asha, paper, page=1, box="500,500,2000,2000").json()["left"] == 0
    refused = clip_first(asha, paper)
    assert (refused.status_code, refused.json()["error"]) == (409, "quota")
    assert Clip.objects.count() == 2
    own = clip_first(asha, paper, share=False).json()
    assert own["link"] == ""
    asha.post(f"/epaper/clips/{first['id']}/remove/")
    assert asha.post(f"/epaper/clips/{own['id']}/share/", **JSON).status_code == 409
    clock.stand_at(make.NOW.replace(day=31, hour=18, minute=29, second=59))
    assert asha.post(f"/epaper/clips/{own['id']}/share/", **JSON).status_code == 409
    clock.stand_at(make.NOW.replace(day=31, hour=18, minute=30))  # midnight in Kolkata: February
    shared = asha.post(f"/epaper/clips/{own['id']}/share/", **JSON).json()
    assert shared["left"] == 1
    assert asha.post(f"/epaper/clips/{own['id']}/share/", **JSON).json() == shared
    assert Client().get(path_of(shared["link"])).status_code == 200


def vars_of(options):
    return {name: getattr(options, name) for name in options.__dataclass_fields__}


def gone(link):
    page, picture = Client().get(path_of(link)), Client().get(f"{path_of(link)}1.jpg")
    return (
        page.status_code,
        re.sub(r'href="/subscribe[^"]*"', "", page.content.decode()),
        picture.status_code,
        picture.content,
    )


def test_every_link_that_shows_nothing_says_the_same(asha, paper, story):
    nothing = gone("/epaper/clip/AAAAAAAAAAAAAAAAAAAAAA/")
    assert nothing[0] == nothing[2] == 404
    made = clip_first(asha, paper).json()
    path = made["link"]
    assert gone(path)[0] == 200
    clock.stand_at(make.NOW + timedelta(days=30) - timedelta(seconds=1))
    assert gone(path)[0] == 200
    clock.stand_at(make.NOW + timedelta(days=30))
    assert gone(path) == nothing  # it has expired
    clock.stand_at(make.NOW)
    EditionPage.objects.filter(edition=paper).update(source_key="another")
    assert gone(path) == nothing  # the page was made anew
    EditionPage.objects.filter(edition=paper).update(source_key=Clip.objects.get().source_key)
    access.end_grants(source="asha@reader.example", ends_at=make.NOW)
    assert gone(path) == nothing  # its giver may no longer read
    access.grant(reader_id=asha.reader.pk, product="epaper", starts_at=make.NOW, ends_at=None, source="again")
    assert gone(path)[0] == 200
    newsroom.withdraw_story(story_id=story, reason="Wrong", now=make.NOW)
    assert gone(path) == nothing
    assert asha.get(f"/epaper/clips/{made['id']}/1.jpg").status_code == 404
    assert "No longer in the paper" in text(asha.get("/epaper/clips/"))


def test_a_box_over_a_withdrawn_story_is_gone_too(asha, paper, story):
    made = clip(asha, paper, page=1, box="500,500,4800,2600").json()
    other = clip(asha, paper, page=1, box="3800,500,5400,2600").json()
    newsroom.withdraw_story(story_id=story, reason="Wrong", now=make.NOW)
    assert Client().get(path_of(made["link"])).status_code == 404
    assert Client().get(path_of(other["link"])).status_code == 200


def test_taken_back_is_gone_at_once_and_stays_counted(asha, paper):
    made = clip_first(asha, paper).json()
    asha.post(f"/epaper/clips/{made['id']}/remove/")
    assert Client().get(path_of(made["link"])).status_code == 404
    page = text(asha.get("/epaper/clips/"))
    assert "No longer shared" in page
    assert "You can share 9 more this month" in page
    assert asha.post(f"/epaper/clips/{made['id']}/share/", **JSON).status_code == 409


def test_openings_are_counted_but_not_ones_own_nor_a_preview(asha, paper):
    made = clip_first(asha, paper).json()
    path = path_of(made["link"])
    asha.get(path)
    Client().head(path)
    Client().get(path, HTTP_SEC_PURPOSE="prefetch")
    assert Clip.objects.get().opened == 0
    Client().get(path)
    signed_in("usha@reader.example", product="").get(path)
    assert Clip.objects.get().opened == 2
    assert "opened 2 times" in text(asha.get("/epaper/clips/"))


def test_clippings_are_their_owners(asha, paper):
    made = clip_first(asha, paper, share=False).json()
    usha = signed_in("usha@reader.example")
    assert usha.get(f"/epaper/clips/{made['id']}/1.jpg").status_code == 404
    assert usha.post(f"/epaper/clips/{made['id']}/share/", **JSON).status_code == 409
    usha.post(f"/epaper/clips/{made['id']}/remove/")
    row = Clip.objects.get()
    assert (row.revoked_at, row.token_digest) == (None, None)
    assert asha.get(f"/epaper/clips/{made['id']}/1.jpg").status_code == 200
    assert "Toll rises" not in text(usha.get("/epaper/clips/"))


def test_who_is_not_let_in_clips_nothing_but_may_take_back(asha, paper):
    made = clip_first(asha, paper).json()
    access.end_grants(source="asha@reader.example", ends_at=make.NOW)
    assert clip_first(asha, paper)["Broadsheet-Variant"] == "wall"
    assert Clip.objects.count() == 1
    asha.post(f"/epaper/clips/{made['id']}/remove/")
    assert Clip.objects.get().revoked_at == make.NOW
    assert clip_first(Client(), paper)["Broadsheet-Variant"] == "wall"


def test_ended_clippings_are_forgotten_with_their_pictures(asha, paper):
    made = clip_first(asha, paper).json()
    kept = clip_first(asha, paper, share=False).json()
    assert storage().exists(clip_name(made["id"], 2))
    actions.purge(now=make.NOW + timedelta(days=30 + 62))
    assert Clip.objects.count() == 2
    actions.purge(now=make.NOW + timedelta(days=30 + 62, seconds=1))
    assert [row.pk for row in Clip.objects.all()] == [kept["id"]]
    assert not storage().exists(clip_name(made["id"], 1))
    assert not storage().exists(clip_name(made["id"], 2))
    assert storage().exists(clip_name(kept["id"], 1))

import copy
from datetime import datetime, timedelta
from io import BytesIO

import pytest
from django.test import Client
from pypdf import PdfReader, PdfWriter

from broadsheet import clock
from broadsheet.access import actions as access
from broadsheet.epaper import files
from broadsheet.epaper.actions import downloads
from broadsheet.epaper.models import Handout, KeptEdition
from broadsheet.newsroom import actions as newsroom
from tests import make
from tests.epaper import make_editions as editions
from tests.epaper.make_editions import signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("standing_clock")]


def keep(client, row, device="phone"):
    return client.post(f"/epaper/e/{row.pk}/keep/", {"device": device})


def rights(client):
    return client.get("/epaper/rights.json").json()


def test_what_is_kept_is_all_there_is_to_read(paper):
    asha = signed_in(until=make.NOW + timedelta(days=3))
    plan = keep(asha, paper).json()
    assert plan["title"] == "Sunday, 10 January 2027"
    assert len(plan["addresses"]) == 2 + 2 * 5 + 3  # the edition; its pages with words and three pictures; stories
    for address in plan["addresses"]:
        assert asha.get(address).status_code == 200, address
        assert Client().get(address)["Broadsheet-Variant"] == "wall" if not address.endswith(("json", "jpg")) else True
    assert KeptEdition.objects.get().device == "phone"
    keep(asha, paper)
    assert KeptEdition.objects.count() == 1
    assert "Sunday, 10 January 2027" in text(asha.get("/epaper/kept/"))


def test_a_device_may_go_on_for_thirty_days_and_never_beyond_the_right(paper):
    short = signed_in(until=make.NOW + timedelta(days=3))
    long = signed_in("ravi@reader.example")
    assert datetime.fromisoformat(rights(short)["until"]) == make.NOW + timedelta(days=3)
    assert datetime.fromisoformat(rights(long)["until"]) == make.NOW + timedelta(days=30)
    access.grant(
        reader_id=short.reader.pk,
        product="epaper",
        starts_at=make.NOW,
        ends_at=make.NOW + timedelta(days=9),
        source="renewed",
    )
    assert datetime.fromisoformat(rights(short)["until"]) == make.NOW + timedelta(days=9)
    clock.stand_at(make.NOW + timedelta(days=9))
    assert rights(short) == {"entitled": False}
    assert rights(Client()) == {"entitled": False}
    assert rights(short.__class__()) == {"entitled": False}
    assert rights(long)["who"] != rights(signed_in("usha@reader.example"))["who"]


def test_a_device_learns_that_what_it_keeps_has_changed_or_is_gone(paper, story):
    asha = signed_in()
    version = keep(asha, paper).json()["version"]
    assert rights(asha)["editions"] == {str(paper.pk): version}
    newsroom.withdraw_story(story_id=story, reason="Wrong", now=make.NOW)
    assert rights(asha)["editions"] != {str(paper.pk): version}
    type(paper).objects.filter(pk=paper.pk).update(state="withdrawn")
    assert rights(asha)["editions"] == {}


def test_who_is_not_let_in_keeps_nothing_but_may_let_go(paper):
    asha = signed_in()
    keep(asha, paper)
    access.end_grants(source="asha@reader.example", ends_at=make.NOW)
    ravi = signed_in("ravi@reader.example", product="")
    for client in (asha, ravi, Client()):
        assert (keep(client, paper, "other").status_code, keep(client, paper).content) == (
            404,
            b'{"error": "not found"}',
        )
    assert KeptEdition.objects.count() == 1
    ravi.post(f"/epaper/e/{paper.pk}/let-go/", {"device": "phone"})
    assert KeptEdition.objects.count() == 1
    asha.post(f"/epaper/e/{paper.pk}/let-go/", {"device": "phone"})
    assert not KeptEdition.objects.exists()


def test_the_worker_is_the_same_for_everyone_and_is_asked_for_anew():
    answer = Client().get("/epaper/worker.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Cache-Control"] == "no-cache"


def test_where_pdfs_are_not_given_out_there_are_none(paper):
    asha = signed_in()
    assert asha.get("/epaper/2027-01-10/pdf/").status_code == 404
    assert "Download" not in text(asha.get("/epaper/2027-01-10/"))
    assert not Handout.objects.exists()
    assert Client().get("/epaper/2027-01-10/pdf/")["Broadsheet-Variant"] == "wall"


@pytest.fixture
def downloads_on(settings):
    options = copy.copy(settings.BROADSHEET)
    object.__setattr__(options, "epaper_download", "on")
    object.__setattr__(options, "epaper_downloads_per_day", 2)
    settings.BROADSHEET = options


def with_pdf(row, folder):
    blank = PdfWriter()
    for _ in range(2):
        blank.add_blank_page(400, 600)
    blank.write(folder / "press.pdf")
    files.replace(f"{row.pk}/press.pdf", folder / "press.pdf")
    assert downloads.prepare(edition_id=row.pk, parts=[f"{row.pk}/press.pdf"])
    return row


def test_a_pdf_bears_its_readers_name_and_a_day_has_few(paper, downloads_on, tmp_path):
    """Each edition counts once a day; whoever is not let in gets the wall, and nothing is counted."""
    path = "/epaper/2027-01-10/pdf/"
    with_pdf(paper, tmp_path)
    asha = signed_in()
    assert f'href="{path}"' in asha.get("/epaper/2027-01-10/").content.decode()
    assert asha.head(path).status_code == 200
    assert not Handout.objects.exists()
    for _ in range(3):
        answer = asha.get(path)
        content = b"".join(answer.streaming_content)
        assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")
        assert len(content) == int(answer["Content-Length"])
    pages = PdfReader(BytesIO(content)).pages
    assert len(pages) == 2
    assert all("asha@reader.example" in page.extract_text() for page in pages)
    others = [
        with_pdf(editions.edition(editions.page(editions.area("Words", 500)), city=city), tmp_path)
        for city in ("delhi", "pune")
    ]
    assert asha.get(f"/epaper/2027-01-10/{others[0].city}/pdf/").status_code == 200
    refused = asha.get(f"/epaper/2027-01-10/{others[1].city}/pdf/")
    assert refused.status_code == 429
    assert "2 editions can be downloaded" in text(refused)
    assert Handout.objects.count() == 2
    clock.stand_at(make.NOW + timedelta(hours=24))
    assert asha.get(f"/epaper/2027-01-10/{others[1].city}/pdf/").status_code == 200
    for client in (Client(), signed_in("ravi@reader.example", "premium")):
        assert client.get(path)["Broadsheet-Variant"] == "wall"
    assert Handout.objects.count() == 3

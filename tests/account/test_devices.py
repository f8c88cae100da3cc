from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from broadsheet import clock
from broadsheet.bus.actions import run_due_jobs
from broadsheet.bus.models import Notice
from broadsheet.readers.models import Device
from broadsheet.readers.queries import devices_of, session_digest
from broadsheet.readers.rules import browser_words
from tests import make

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"


@pytest.fixture
def asha():
    return make.reader(name="Asha Rao")


def browser(reader, agent=FIREFOX):
    made = Client(headers={"user-agent": agent})
    made.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
    assert made.get("/account/").status_code == 200
    return made


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (SAFARI, "Safari on iPhone"),
        ("Mozilla/5.0 (X11; CrOS x86_64) AppleWebKit Chrome/140.0 Safari/537.36", "Chrome on ChromeOS"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit SamsungBrowser/27.0 Chrome/125.0 Mobile",
            "Samsung Internet on Android",
        ),
        ("<script>alert(1)</script>", "A browser"),
        ("", "A browser"),
    ],
)
def test_a_browser_is_named_as_its_owner_knows_it(agent, words):
    assert browser_words(agent) == words


def test_each_browser_is_listed_once_and_this_one_is_marked(asha):
    here, there = browser(asha), browser(asha, SAFARI)
    here.get("/account/")
    page = here.get("/account/devices/")
    assert page.headers["Cache-Control"] == "private, no-store"
    text = page.content.decode()
    assert text.count("Firefox on Windows") == 2  # its name, and its button's
    assert text.index("This one") < text.index("Safari on iPhone")
    assert there.get("/account/devices/").content.decode().count("This one") == 1
    stranger = browser(make.reader("other@reader.example"))
    assert "Safari" not in stranger.get("/account/devices/").content.decode()


def test_one_is_ended_at_once_in_every_gate_too(asha):
    here, there = browser(asha), browser(asha, SAFARI)
    (row,) = [row for row in devices_of(asha.pk) if row.name == "Safari on iPhone"]
    key = there.cookies["bss"].value
    assert here.post(f"/account/devices/{row.id}/end/").url == "/account/devices/?did=ended"
    assert not Session.objects.filter(session_key=key).exists()
    assert Notice.objects.filter(kind="session", key=session_digest(key)).exists()
    assert there.get("/account/").status_code == 302
    assert [one.name for one in devices_of(asha.pk)] == ["Firefox on Windows"]
    assert here.post(f"/account/devices/{row.id}/end/").status_code == 404


def test_nobody_ends_anothers(asha):
    browser(asha)
    (row,) = devices_of(asha.pk)
    stranger = browser(make.reader("other@reader.example"))
    assert stranger.post(f"/account/devices/{row.id}/end/").status_code == 404
    assert [one.id for one in devices_of(asha.pk)] == [row.id]


def test_all_others(asha):
    here = browser(asha)
    others = [browser(asha, SAFARI), browser(asha)]
    assert here.post("/account/devices/others/").status_code == 302
    assert here.get("/account/").status_code == 200
    assert [one.get("/account/").status_code for one in others] == [302, 302]
    assert len(devices_of(asha.pk)) == 1


def test_ending_this_one_logs_out(asha):
    here = browser(asha)
    (row,) = devices_of(asha.pk)
    assert here.post(f"/account/devices/{row.id}/end/").url == "/"
    assert here.get("/account/").status_code == 302
    assert devices_of(asha.pk) == []


def test_logging_out_takes_it_off_the_list(asha):
    here = browser(asha)
    here.post("/account/sign-out/")
    assert Device.objects.count() == 0


def test_one_too_many_ends_the_one_not_seen_for_longest_and_says_so(asha, settings, mailoutbox):
    settings.BROADSHEET = replace(settings.BROADSHEET, device_limit=2)
    first, second = browser(asha, SAFARI), browser(asha)
    Device.objects.filter(name="Safari on iPhone").update(last_day=clock.now().date() - timedelta(days=9))
    browser(asha, "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit Chrome/140.0 Safari/537.36")
    assert first.get("/account/").status_code == 302
    assert second.get("/account/").status_code == 200
    assert {one.name for one in devices_of(asha.pk)} == {"Firefox on Windows", "Chrome on Linux"}
    run_due_jobs()
    (letter,) = mailoutbox
    assert (letter.to, letter.subject) == (["asha@reader.example"], "Safari on iPhone was logged out")
    assert "/account/devices/" in letter.body


def test_a_list_of_devices_costs_no_query_a_page(asha, django_assert_max_num_queries):
    here = browser(asha)
    with django_assert_max_num_queries(99) as asked:
        here.get("/no-such-page/at-all")
    assert [one["sql"] for one in asked.captured_queries if "readers_device" in one["sql"]] == []

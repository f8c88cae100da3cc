"""The screen: what staff paste is walked in a process of its own, and told as tables."""

import dataclasses
import re
import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from broadsheet import clock
from broadsheet.readers.models import Reader
from broadsheet.timemachine import examples, runs
from broadsheet.timemachine.steps import parse
from tests import make

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
SCENARIO = """name: one quarter
plans: [{id: Q, amount_minor: 90000, months: 3}]
steps:
  - {at: "2027-01-10 09:00", do: subscribe, reader: asha, plan: Q}
  - {at: "2027-01-11 09:00", do: resume, reader: asha}
  - {at: "2027-04-10 12:00", do: advance}
expect:
  - {reader: asha, status: active, charged_minor: 180000}
"""


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, data=tmp_path)
    return tmp_path / "simulations"


def staff(client, *permissions):
    person = Reader.objects.create(
        email="meera@paper.example", name="Meera", is_staff=True, created_at=make.NOW, verified_at=make.NOW
    )
    person.user_permissions.set(Permission.objects.filter(codename__in=("access_admin", *permissions)))
    client.force_login(person, backend=BACKEND)
    return client


@pytest.fixture
def publisher(client):
    return staff(client, "change_plan")


def text(reply):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", reply.content.decode()))


def walked(client, scenario):
    """The page of the walk, once it has ended."""
    reply = client.post(reverse("time_machine"), {"scenario": scenario})
    assert reply.status_code == 302, text(reply)
    for _ in range(300):
        page = client.get(reply["Location"])
        if "http-equiv" not in page.content.decode():
            return page
        time.sleep(0.1)
    raise AssertionError("the walk does not end")


def test_a_walk_is_told_as_tables(publisher, folder):
    page = text(walked(publisher, SCENARIO.replace("\n", "\r\n")))
    assert "Everything came out as expected" in page
    assert (
        "10 Jan 2027, 09:00 asha Invoice BS/26-27/000001, 2027-01-10 to 2027-04-10: Q subscription, 3 months ₹900 ₹900"
        in page
    )
    assert "11 Jan 2027, 09:00 asha Refused" in page
    assert "asha: Q, active" in page
    assert "Charged ₹1,800" in page
    listed = text(publisher.get(reverse("time_machine")))
    assert "one quarter Meera as expected" in listed
    again = runs.newest(folder, clock.now())[0].id
    assert "do: resume, reader: asha" in publisher.get(reverse("time_machine"), {"again": again}).content.decode()


def test_what_is_not_as_expected_is_said_first(publisher):
    page = text(walked(publisher, SCENARIO.replace("180000", "90000")))
    assert "1 expectation of 1 does not hold." in page
    assert "at the end asha does not hold status active, charged ₹900 charged is ₹1,800 line 8" in page


def test_a_scenario_that_makes_no_sense_comes_back_with_its_line(publisher, folder):
    reply = publisher.post(reverse("time_machine"), {"scenario": SCENARIO.replace("do: resume", "do: resum")})
    assert reply.status_code == 422
    page = text(reply)
    assert "Line 5: step 2: nothing does &#x27;resum&#x27;." in page
    assert "Did you mean" in page
    assert "do: resum, reader: asha" in reply.content.decode()
    assert not folder.exists()


def test_markup_in_a_scenario_is_text(publisher):
    page = walked(publisher, SCENARIO.replace("name: one quarter", "name: <b>bold</b>").replace("asha", '"<i>a</i>"'))
    assert "<b>bold" not in page.content.decode()
    assert "<i>a" not in page.content.decode()
    assert "&lt;i&gt;a&lt;/i&gt;: Q, active" in page.content.decode()


def test_nobody_else_may_look(client):
    other = staff(client)
    for method in (other.get, other.post):
        assert method(reverse("time_machine")).status_code in (302, 403)
    assert other.get(reverse("time_machine_run", args=["abcdefghij"])).status_code in (302, 403)


def test_a_run_that_never_was_is_not_found(publisher):
    for name in ("abcdefghij", "..", "%2e%2e"):
        assert publisher.get(f"/admin/time-machine/{name}/").status_code in (404, 302)


def test_a_walk_that_takes_too_long_is_stopped(folder):
    run_id = runs.start(folder, SCENARIO, name="slow", by="Meera", now=clock.now(), longest=0.01)
    ended = time.monotonic() + 20
    while not runs.run_of(folder, run_id, clock.now()).over and time.monotonic() < ended:
        time.sleep(0.05)
    assert runs.run_of(folder, run_id, clock.now()).state == "too_long"


def test_only_so_many_walks_are_under_way_at_once(folder):
    now = clock.now()
    for number in range(runs.MOST_AT_ONCE):
        place = folder / f"under-way-{number}"
        place.mkdir(parents=True)
        runs._note(place, {"name": "", "by": "", "state": "running", "started_at": now.isoformat()})
    with pytest.raises(runs.BusyError):
        runs.start(folder, SCENARIO, name="", by="", now=now)
    assert len(list(folder.iterdir())) == runs.MOST_AT_ONCE
    # One whose process died with the program does not count for ever.
    assert runs.run_of(folder, "under-way-0", now + runs.CUT_OFF + timedelta(seconds=1)).state == "cut_off"


def test_only_the_newest_are_kept(folder):
    now = clock.now()
    for number in range(runs.KEPT + 5):
        place = folder / f"earlier-{number:03}"
        place.mkdir(parents=True)
        runs._note(place, {"name": "", "by": "", "state": "held", "started_at": now.isoformat()})
    runs.start(folder, SCENARIO, name="", by="", now=now, longest=0.01)
    assert len(list(folder.iterdir())) == runs.KEPT


@pytest.mark.parametrize("name", examples.NAMES)
def test_every_example_makes_sense_and_is_shown(publisher, name):
    make.plans() if hasattr(make, "plans") else None
    written = examples.text_of(name, clock.now())
    assert parse(written).steps
    shown = publisher.get(reverse("time_machine"), {"from": name})
    assert shown.status_code == 200
    assert "do: subscribe" in shown.content.decode()


@pytest.mark.parametrize("name", examples.NAMES[1:])
def test_the_ready_examples_come_out_as_they_say(tmp_path, name):
    from tests.timemachine.walks import simulate

    path = tmp_path / "example.yaml"
    path.write_text(examples.text_of(name, clock.now()))
    done = simulate(path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

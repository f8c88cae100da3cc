"""The doors and the mailbox: four ways in, for this machine, in a demo, and for nobody else."""

from __future__ import annotations

import dataclasses

import pytest
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.test import Client

from broadsheet.mail import Letter, send
from broadsheet.readers.actions import ensure_reader
from broadsheet.readers.queries import reader_by_email
from tests.make import NOW

pytestmark = pytest.mark.django_db
DOORS = ("/demo/visitor", "/demo/reader", "/demo/subscriber", "/demo/editor")
PATHS = ("/demo/", "/demo/mail", *DOORS)


@pytest.fixture
def demo(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "BROADSHEET", dataclasses.replace(settings.BROADSHEET, demo=True))
    monkeypatch.setattr(settings, "EMAIL_BACKEND", "broadsheet.mail.adapters.folder.EmailBackend")
    monkeypatch.setattr(settings, "EMAIL_FILE_PATH", str(tmp_path / "letters"))
    for door in ("reader", "subscriber", "editor"):
        ensure_reader(email=f"{door}@meridian.example", now=NOW)


def here(**headers) -> Client:
    return Client(headers={"host": "localhost:8000"}, enforce_csrf_checks=True, **headers)


@pytest.mark.parametrize("path", PATHS)
def test_there_are_no_doors_outside_a_demo(path):
    client = here()
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == (404 if path in DOORS else 403)
    assert SESSION_KEY not in client.session


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "foreign",
    [
        {"REMOTE_ADDR": "192.168.1.7"},
        {"REMOTE_ADDR": "::ffff:10.0.0.1"},
        {"HTTP_HOST": "news.example"},
        {"HTTP_X_FORWARDED_FOR": "203.0.113.9"},
        {"HTTP_FORWARDED": "for=203.0.113.9"},
    ],
    ids=lambda foreign: next(iter(foreign)),
)
def test_nobody_from_elsewhere_gets_in(demo, path, foreign):
    client = here()
    assert client.get(path, **foreign).status_code == 404
    assert client.post(path, **foreign).status_code == (404 if path in DOORS else 403)
    assert SESSION_KEY not in client.session


@pytest.mark.parametrize(("door", "opens"), [("reader", "/"), ("subscriber", "/"), ("editor", "/admin/")])
def test_a_door_signs_in_as_its_persona(demo, door, opens):
    client = here()
    answer = client.post(f"/demo/{door}", headers={"origin": "http://localhost:8000"})
    assert (answer.status_code, answer.headers["Location"]) == (302, opens)
    assert int(client.session[SESSION_KEY]) == reader_by_email(f"{door}@meridian.example").id
    assert client.cookies["bsp"].value


def test_going_through_another_door_makes_you_somebody_else(demo):
    client = here()
    client.post("/demo/editor")
    client.post("/demo/reader")
    assert int(client.session[SESSION_KEY]) == reader_by_email("reader@meridian.example").id


def test_the_visitors_door_forgets_everything(demo):
    client = here()
    client.post("/demo/subscriber")
    client.cookies["bsm"] = "a meter"
    answer = client.post("/demo/visitor")
    assert answer.headers["Location"] == "/"
    assert SESSION_KEY not in client.session
    assert (client.cookies["bsm"].value, client.cookies["bsp"].value) == ("", "")


def test_a_door_leads_back_to_where_you_were_and_nowhere_else(demo):
    assert here().post("/demo/reader", {"next": "/world/a-story-7"}).headers["Location"] == "/world/a-story-7"
    assert here().post("/demo/reader", {"next": "https://evil.example/"}).headers["Location"] == "/"


@pytest.mark.parametrize(
    "header", [{"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}]
)
def test_another_sites_form_opens_no_door(demo, header):
    client = here()
    assert client.post("/demo/editor", headers=header).status_code == 403
    assert SESSION_KEY not in client.session


def test_a_typed_address_opens_its_door_at_once(demo):
    assert here().get("/demo/editor").headers["Location"] == "/admin/"


@pytest.mark.parametrize("header", [{"HTTP_SEC_FETCH_SITE": "cross-site"}, {"HTTP_SEC_PURPOSE": "prefetch"}])
def test_a_foreign_link_and_a_look_ahead_are_shown_the_door_and_not_let_in(demo, header):
    client = here()
    page = client.get("/demo/editor", **header)
    assert 'action="/demo/editor"' in page.text
    assert SESSION_KEY not in client.session
    assert client.get("/demo/owner").status_code == 404


def test_the_page_of_doors_names_them_and_what_the_wire_brings(demo):
    page = here().get("/demo/").text
    for text in ("Enter as visitor", "Enter as registered reader", "Enter as subscriber", "Enter as editor"):
        assert text in page
    assert "07-cut-off.xml" in page


def test_the_mailbox_shows_letters_newest_first_as_plain_text(demo):
    assert "No letter yet" in here().get("/demo/mail").text
    send(
        Letter(
            "asha@reader.example",
            "First & foremost",
            "Code:\n\n    ABC-DEF\n\nhttp://localhost:8000/account/",
            "<b>html</b>",
        )
    )
    send(Letter("asha@reader.example", "दूसरा पत्र", "<script>alert(1)</script>"))
    page = here().get("/demo/mail").text
    assert page.index("दूसरा पत्र") < page.index("First &amp; foremost")
    assert "    ABC-DEF" in page
    assert '<a href="http://localhost:8000/account/"' in page
    assert "<script>alert" not in page
    assert "<b>html</b>" not in page
    assert "To asha@reader.example" in page


def test_the_mailbox_says_so_when_letters_go_elsewhere(demo, monkeypatch):
    monkeypatch.delattr(settings, "EMAIL_FILE_PATH")
    assert "leave by a mail server" in here().get("/demo/mail").text

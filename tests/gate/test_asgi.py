"""What the gate does when what it asks of Django is slow, wrong or away."""

import asyncio
import threading
import time
from dataclasses import fields
from datetime import timedelta

import pytest
from tests.gate.test_app import NAMES, Desk

from broadsheet.gate import asgi
from broadsheet.gate.asgi import GateApplication
from broadsheet.gate.ports import Ports
from broadsheet.readers.passport import Right


def away(*_):
    raise OSError("the database is away")


class Django:
    """Counts what reaches it."""

    def __init__(self):
        self.paths = []

    async def __call__(self, scope, receive, send):
        self.paths.append(scope["path"])
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b"django"})


@pytest.fixture
def desk(tmp_path):
    return lambda **policy: Desk(tmp_path, **policy)


def ask(desk, paths, **ports):
    """GET all `paths` at once; returns [(status, headers, body)], and Django."""
    django = Django()
    made = Ports(**{field.name: away for field in fields(Ports)} | ports)

    async def one(application, path):
        sent = []
        cookie = "; ".join(f"{name}={value}" for name, value in desk.cookies.items()).encode()
        scope = {"type": "http", "method": "GET", "scheme": "https", "path": path, "raw_path": path.encode(),
                 "headers": [(b"host", b"news.example"), (b"cookie", cookie)]}  # fmt: skip

        async def send(message):
            sent.append(message)

        await application(scope, None, send)
        return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]

    async def run():
        async def ready():
            return django, made

        application = GateApplication(desk.gate, ready())
        return await asyncio.gather(*(one(application, path) for path in paths))

    return asyncio.run(run()), django


def test_visitors_and_payers_read_on_while_the_database_is_away(desk):
    at = desk()
    ((status, headers, body),), _ = ask(at, ["/world/story-1"])
    assert (status, headers[b"broadsheet-reason"], body) == (200, b"meter", b"full text 1 v1")


def test_a_registered_reader_whose_read_cannot_be_counted_meets_the_wall(desk):
    at = desk()
    at.sign_in()
    ((status, headers, body),), _ = ask(at, ["/world/story-1"], reads=lambda reader: (None, []))
    assert (status, headers[b"broadsheet-variant"], headers[b"broadsheet-reason"]) == (200, b"wall", b"meter_away")
    assert b"full text" not in body


def test_a_registered_reader_whose_meter_cannot_be_read_meets_the_wall_too(desk):
    at = desk()
    at.sign_in()
    ((status, headers, body),), _ = ask(at, ["/world/story-1"])
    assert (status, headers[b"broadsheet-variant"], headers[b"broadsheet-reason"]) == (200, b"wall", b"meter_away")
    assert b"full text" not in body


def test_a_payer_whose_passport_grew_old_reads_on_while_the_newsroom_is_away(desk):
    at = desk()
    at.sign_in(Right("unlimited", 0, None), minutes=10)
    at.now += timedelta(hours=3)
    ((status, headers, body),), _ = ask(at, ["/world/story-1"])
    assert (status, headers[b"broadsheet-reason"], body) == (200, b"entitled", b"full text 1 v1")


@pytest.mark.parametrize("cause", ["passport", "press"])
def test_what_cannot_be_answered_is_said_plainly_and_tells_nothing(desk, cause, monkeypatch):
    monkeypatch.setattr(asgi, "PATIENCE", 0.3)
    at = desk()
    if cause != "press":
        at.sign_in()
    if cause == "passport":
        at.gate.reader_changed(7, 2)
    path = "/world/story-99" if cause == "press" else "/world/story-1"
    ((status, headers, body),), django = ask(at, [path])
    assert (status, headers[b"retry-after"]) == (503, b"60")
    assert b"away" not in body
    assert b"set-cookie" not in headers
    assert django.paths == []


def test_a_cold_story_is_printed_once_however_many_ask_for_it(desk):
    at = desk()
    at.gate.shelf.story_changed(1, 2, notice=1, removed=False)
    printed, lock = [], threading.Lock()

    def press(story):
        with lock:
            printed.append(story)
        time.sleep(0.05)
        at.print(story, "metered", version=2)
        return True

    replies, _ = ask(at, ["/world/story-1"] * 20, print_story=press)
    assert printed == [1]
    assert {body for _, _, body in replies} == {b"full text 1 v2"}


def test_what_the_press_cannot_print_is_djangos(desk):
    replies, django = ask(
        desk(), ["/world/story-99", "/nothing/"], print_story=lambda _: None, print_page=lambda _: False
    )
    assert [status for status, _, _ in replies] == [404, 404]
    assert sorted(django.paths) == ["/nothing/", "/world/story-99"]


def test_names_of_cookies_are_those_of_the_site():
    assert NAMES.session == "__Host-bss"


def test_a_story_that_changes_while_it_is_printed_is_printed_again_and_not_said_to_be_nowhere(desk):
    at = desk()
    at.gate.shelf.story_changed(1, 2, notice=1, removed=False)
    versions = iter((2, 3, 3))

    def press(story):
        version = next(versions)
        at.print(story, "metered", version=version)
        if version == 2:
            at.gate.shelf.story_changed(1, 3, notice=2, removed=False)
        return True

    ((status, _, body),), django = ask(at, ["/world/story-1"], print_story=press)
    assert (status, body, django.paths) == (200, b"full text 1 v3", [])


def test_a_story_printed_in_a_new_edition_is_served_before_the_notice_of_it_arrives(desk):
    at = desk()
    at.gate.shelf.story_changed(1, 2, notice=1, removed=False)
    printed = []

    def press(story):
        printed.append(story)
        at.stores.public.write_note("edition", 2)
        at.print(story, "metered", version=2, edition=2)
        return True

    ((status, _, body),), _ = ask(at, ["/world/story-1"], print_story=press)
    assert (status, body, printed) == (200, b"full text 1 v2", [1])


def test_a_reader_waits_while_the_newsroom_that_prints_is_replaced_by_one_with_other_options(desk, monkeypatch):
    monkeypatch.setattr(asgi, "PAUSES", (0.0,) * len(asgi.PAUSES))
    at = desk()
    at.stores.public.write_note("edition", 2)
    at.gate.shelf.look_at_edition()
    editions = iter([1] * 6 + [2])

    def press(story):
        at.print(story, "metered", edition=next(editions))
        return True

    ((status, _, body),), _ = ask(at, ["/world/story-1"], print_story=press)
    assert (status, body, list(editions)) == (200, b"full text 1 v1", [])


def test_a_payer_whose_passport_must_be_issued_anew_waits_for_a_newsroom_that_starts_again(desk):
    at = desk()
    at.sign_in()
    at.gate.reader_changed(7, 2)
    tries = []

    def issue(session):
        tries.append(session)
        if len(tries) < 4:
            raise OSError("the newsroom starts again")
        at.sign_in(Right("unlimited", 0, None), epoch=2)
        return at.cookies[NAMES.passport]

    ((status, headers, body),), _ = ask(at, ["/world/story-1"], issue_passport=issue)
    assert (status, headers[b"broadsheet-reason"], body, len(tries)) == (200, b"entitled", b"full text 1 v1", 4)


def test_a_story_that_never_stands_still_is_said_to_be_busy(desk, monkeypatch):
    monkeypatch.setattr(asgi, "PAUSES", (0.0, 0.0, 0.01))
    at = desk()
    at.gate.shelf.story_changed(1, 9, notice=1, removed=False)
    printed = []
    ((status, headers, _),), django = ask(
        at, ["/world/story-1"], print_story=lambda story: printed.append(story) or True
    )
    assert (status, headers[b"retry-after"], printed, django.paths) == (503, b"1", [1] * 4, [])

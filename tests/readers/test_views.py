import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from broadsheet import clock
from broadsheet.readers import actions
from broadsheet.readers.models import Reader
from broadsheet.server.settings import SESSION_COOKIE_NAME
from tests.readers import make_readers as make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()


def signed_in(client):
    return client.get("/account/").status_code == 200


def test_a_new_reader_signs_up_with_a_code(client, mailoutbox):
    answer = make.ask(client, " Asha@Example.ORG ")
    assert (answer.status_code, answer.url) == (302, "/account/sign-in/code/")
    reader = Reader.objects.get()
    assert (reader.email, reader.verified_at, reader.has_usable_password()) == ("asha@example.org", None, False)
    (letter,) = mailoutbox
    assert letter.to == ["asha@example.org"]
    assert re.fullmatch(r"[B-Z]{3}-[B-Z]{3} is your code for The Daily Broadsheet", letter.subject)
    assert make.code_in(letter) in letter.body
    answer = client.post("/account/sign-in/code/", {"code": make.code_in(letter)})
    assert (answer.status_code, answer.url) == (302, "/account/")
    assert signed_in(client)
    reader.refresh_from_db()
    assert reader.verified_at is not None


def test_the_code_may_be_typed_small_and_without_the_dash(client, mailoutbox):
    make.ask(client)
    client.post("/account/sign-in/code/", {"code": f" {make.code_in(mailoutbox[0]).lower().replace('-', '')} "})
    assert signed_in(client)


def test_the_passport_comes_with_the_answer_that_signs_in(client, mailoutbox):
    answer = make.sign_in(client, mailoutbox)
    assert "bsp" in answer.cookies


def test_known_unknown_and_closed_addresses_get_the_same_answers(client):
    actions.ensure_reader(email="known@example.org", now=clock.now())
    Reader.objects.create(email="closed@example.org", is_active=False)
    seen = []
    for address in ("known@example.org", "unknown@example.org", "closed@example.org"):
        browser = Client()
        answer = make.ask(browser, address)
        page = browser.get("/account/sign-in/code/")
        text = re.sub(r'value="[\w-]{64}"', "", page.content.decode()).replace(address, "X")
        seen.append((answer.status_code, answer.url, sorted(answer.headers), page.status_code, text))
    assert seen[0] == seen[1] == seen[2]


def test_known_and_unknown_take_the_same_statements():
    actions.ensure_reader(email="known@example.org", now=clock.now())
    counts = []
    for address in ("known@example.org", "unknown@example.org"):
        with CaptureQueriesContext(connection) as captured:
            make.ask(Client(), address)
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_closed_account_gets_no_letter_and_no_way_in(client, mailoutbox):
    Reader.objects.create(email="closed@example.org", is_active=False)
    make.ask(client, "closed@example.org")
    assert mailoutbox == []
    client.post("/account/sign-in/code/", {"code": ""})
    assert not signed_in(client)


def test_three_wrong_codes_and_the_right_one_is_no_longer_good(client, mailoutbox):
    make.ask(client, wanted="/india/a-1")
    for _ in range(2):
        page = client.post("/account/sign-in/code/", {"code": "WRONGX", "next": "/india/a-1"})
        assert (page.status_code, "That is not the code we sent." in page.content.decode()) == (200, True)
    answer = client.post("/account/sign-in/code/", {"code": "WRONGX", "next": "/india/a-1"})
    assert answer.url == "/account/sign-in/?why=wrong&next=%2Findia%2Fa-1"
    assert "third wrong code" in client.get(answer.url).content.decode()
    client.post("/account/sign-in/code/", {"code": make.code_in(mailoutbox[0])})
    assert not signed_in(client)


def test_a_code_expires(client, mailoutbox, monkeypatch):
    make.ask(client)
    later = clock.now().timestamp() + 15 * 60 + 1
    monkeypatch.setattr("allauth.account.internal.flows.code_verification.time.time", lambda: later)
    answer = client.post("/account/sign-in/code/", {"code": make.code_in(mailoutbox[0])})
    assert answer.url == "/account/sign-in/?why=late"
    assert not signed_in(client)


def test_a_code_works_once_and_in_the_browser_that_asked(client, mailoutbox):
    make.ask(client)
    stranger = Client()
    answer = stranger.post("/account/sign-in/code/", {"code": make.code_in(mailoutbox[0])})
    assert answer.url == "/account/sign-in/?why=late"
    assert not signed_in(stranger)
    client.post("/account/sign-in/code/", {"code": make.code_in(mailoutbox[0])})
    client.post("/account/sign-out/")
    client.post("/account/sign-in/code/", {"code": make.code_in(mailoutbox[0])})
    assert not signed_in(client)


def test_a_new_code_replaces_the_old_one(client, mailoutbox):
    make.ask(client)
    answer = client.post("/account/sign-in/code/", {"action": "resend", "next": "/india/a-1"})
    assert answer.url == "/account/sign-in/code/?next=%2Findia%2Fa-1"
    first, second = (make.code_in(letter) for letter in mailoutbox)
    client.post("/account/sign-in/code/", {"code": first})
    assert not signed_in(client)
    client.post("/account/sign-in/code/", {"code": second})
    assert signed_in(client)


def test_a_mistyped_address_can_be_corrected(client, mailoutbox):
    make.ask(client, "ahsa@example.org")
    assert client.get("/account/sign-in/").status_code == 200
    make.sign_in(client, mailoutbox)
    assert signed_in(client)
    assert Reader.objects.get(email="ahsa@example.org").verified_at is None


def test_after_three_codes_a_minute_for_one_address_the_page_says_wait(mailoutbox):
    for _ in range(3):
        assert make.ask(Client()).status_code == 302
    page = make.ask(Client(), wanted="/india/a-1")
    assert page.status_code == 429
    assert page.headers["Retry-After"] == "60"
    assert "Please wait a little" in page.content.decode()
    assert 'href="/account/sign-in/?next=%2Findia%2Fa-1"' in page.content.decode()
    assert len(mailoutbox) == 3
    assert make.ask(Client(), "somebody.else@example.org").status_code == 302


def test_asking_for_the_letter_again_counts_too(client, mailoutbox):
    make.ask(client)
    make.ask(Client())
    make.ask(Client())
    assert client.post("/account/sign-in/code/", {"action": "resend"}).status_code == 429
    assert len(mailoutbox) == 3


def test_one_network_may_ask_for_twenty_addresses_a_minute(mailoutbox):
    for number in range(20):
        assert make.ask(Client(), f"r{number}@example.org").status_code == 302
    before = Reader.objects.count()
    assert make.ask(Client(), "one.more@example.org").status_code == 429
    assert Reader.objects.count() == before
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert make.ask(elsewhere, "one.more@example.org").status_code == 302


def test_a_mail_server_that_is_away_is_said_so(client, monkeypatch):
    def away(_):
        raise ConnectionRefusedError

    monkeypatch.setattr("broadsheet.readers.adapters.allauth.send", away)
    page = make.ask(client, wanted="/india/a-1")
    assert page.status_code == 503
    assert "The letter could not be sent" in page.content.decode()
    assert 'href="/account/sign-in/?next=%2Findia%2Fa-1"' in page.content.decode()


@pytest.mark.parametrize("address", ["", "asha", "asha@", "a b@example.org", "a" * 250 + "@example.org"])
def test_what_is_no_address_is_said_so_and_changes_nothing(client, mailoutbox, address):
    page = make.ask(client, address)
    assert page.status_code == 200
    assert "Write an email address" in page.content.decode()
    assert (Reader.objects.count(), mailoutbox) == (0, [])


def test_the_reader_goes_back_to_the_story(client, mailoutbox):
    assert make.sign_in(client, mailoutbox, wanted="/india/a-story-12").url == "/india/a-story-12"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_no_other_site_is_ever_the_way_back(client, mailoutbox, target):
    assert "evil" not in client.get("/account/sign-in/", {"next": target}).content.decode()
    answer = make.sign_in(client, mailoutbox, wanted=target)
    assert answer.url == "/account/"
    assert client.post("/account/sign-out/", {"next": target}).url == "/"


def test_signing_out_takes_a_post_and_ends_the_session(client, mailoutbox):
    make.sign_in(client, mailoutbox)
    assert client.get("/account/sign-out/").status_code == 405
    assert signed_in(client)
    session = client.cookies[SESSION_COOKIE_NAME].value
    client.post("/account/sign-out/")
    assert not signed_in(client)
    old = Client()
    old.cookies[SESSION_COOKIE_NAME] = session
    assert not signed_in(old)


def test_signing_in_changes_the_session_key(client, mailoutbox):
    make.ask(client)
    before = client.cookies[SESSION_COOKIE_NAME].value
    client.post("/account/sign-in/code/", {"code": make.code_in(mailoutbox[0])})
    assert client.cookies[SESSION_COOKIE_NAME].value != before


@pytest.mark.parametrize("path", ["/account/sign-in/", "/account/sign-in/code/", "/account/sign-out/"])
def test_forms_need_the_token(path):
    assert Client(enforce_csrf_checks=True).post(path, {"email": make.ADDRESS}).status_code == 403


def test_a_password_opens_no_reader_page(client):
    """Staff passwords are for the newsroom; there is no password form here to try them on."""
    page = client.get("/account/sign-in/").content.decode()
    assert 'type="password"' not in page


def test_pages_with_personal_data_are_kept_by_no_cache(client):
    make.ask(client)
    for path in ("/account/sign-in/", "/account/sign-in/code/"):
        control = client.get(path).headers["Cache-Control"]
        assert "no-store" in control
        assert "private" in control


def test_addresses_nobody_confirmed_are_forgotten_after_a_week(client, mailoutbox):
    make.ask(client, "typo@example.org")
    make.sign_in(Client(), mailoutbox)
    actions.forget_unverified(now=clock.now() + timedelta(days=6))
    assert Reader.objects.count() == 2
    actions.forget_unverified(now=clock.now() + timedelta(days=8))
    assert list(Reader.objects.values_list("email", flat=True)) == [make.ADDRESS]

"""A newsletter in a real browser: a visitor signs up and confirms, an editor puts an issue in order and sends it, and
everybody opens it. Without the product it is a wall, and the end of a right ends it that moment."""

import re
import time
from email import message_from_bytes, policy
from urllib.parse import urlsplit

import pytest
from tests.journeys.looks import DESKTOP, PHONE, look, visit

pytestmark = pytest.mark.browser
PEOPLE = """
from datetime import timedelta
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from broadsheet import clock
from broadsheet.access.actions import grant
from broadsheet.newsletters.actions import signups
from broadsheet.readers.actions import create_editor
from tests import make
now, result = clock.now(), {"cookie": settings.SESSION_COOKIE_NAME}
result |= {"open": make.paragraph(1), "hidden": make.paragraph(5)}
first = make.story(now=now - timedelta(minutes=9), tier="premium", headline="The ferry board raises the toll")
second = make.story(now=now - timedelta(minutes=5), tier="metered", headline="A clerk resigns at midnight")
editor = create_editor(email="editor@alder.example", password="long enough to be one", name="Edith", now=now)
for name, products in {"subscriber": ("newsletters", "premium", "unlimited"), "other": ("premium", "unlimited"), "reader": ()}.items():
    who = make.reader(f"{name}@alder.example")
    for product in products:
        grant(reader_id=who.pk, product=product, source=f"{name}:{product}", starts_at=now - timedelta(days=1), ends_at=None)
    signups.choose(email=who.email, list_slugs=["morning-brief"], now=now - timedelta(days=1))
from django.contrib.auth import get_user_model
for user in get_user_model().objects.all():
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    result[user.email.partition("@")[0]] = session.session_key
"""


@pytest.fixture(scope="module")
def alder(paper):
    paper.sessions = paper.python(PEOPLE)
    return paper.start()


def come_as(page, paper, name):
    where = f"http://localhost:{paper.port}"
    page.context.add_cookies([{"name": paper.sessions["cookie"], "value": paper.sessions[name], "url": where}])


def letter_to(paper, email, subject):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for path in (paper.folder / "letters").glob("*.eml"):
            letter = message_from_bytes(path.read_bytes(), policy=policy.default)
            if letter["To"] == email and subject in letter["Subject"]:
                return letter
        time.sleep(0.2)
    raise AssertionError(f"no letter to {email}")


def text_of(letter):
    return " ".join(letter.get_body(("plain",)).get_content().split())


def link_in(letter, kind):
    return urlsplit(re.search(rf"http\S+/newsletters/{kind}/\S+", text_of(letter)).group()).path


def test_a_visitor_signs_up_on_a_phone_and_confirms(alder, chromium):
    base = f"http://localhost:{alder.port}"
    with visit(chromium, alder.port, PHONE) as page:
        page.goto(f"{base}/newsletters/")
        look(page)
        page.get_by_label("Morning Brief").check()
        page.get_by_label("Your email").fill("visitor@alder.example")
        page.get_by_role("button", name="Sign me up").click()
        page.get_by_role("heading", name="Check your mailbox").wait_for()
        letter = letter_to(alder, "visitor@alder.example", "Confirm")
        page.goto(base + link_in(letter, "confirm"))
        look(page)
        page.get_by_role("button", name="Yes, send them").click()
        page.get_by_role("heading", name="You are signed up").wait_for()


def test_an_editor_puts_an_issue_in_order_and_sends_it(alder, chromium):
    base = f"http://localhost:{alder.port}"
    with visit(chromium, alder.port, DESKTOP) as page:
        come_as(page, alder, "editor")
        page.goto(f"{base}/admin/newsletters/")
        page.get_by_role("row", name=re.compile("Morning Brief")).get_by_role("button", name="Write an issue").click()
        titles = page.locator("[data-title]")
        titles.first.wait_for()
        before = titles.all_inner_texts()
        assert sorted(before) == ["A clerk resigns at midnight", "The ferry board raises the toll"]
        down = page.get_by_role("button", name=f"Move down: {before[0]}")
        down.focus()
        down.press("Enter")
        assert titles.all_inner_texts() == before[::-1]
        first, second = (page.locator("[data-handle]").nth(place).bounding_box() for place in (0, 1))
        page.mouse.move(first["x"] + 5, first["y"] + 5)
        page.mouse.down()
        page.mouse.move(second["x"] + 5, second["y"] + 80, steps=8)
        page.mouse.move(second["x"] + 5, second["y"] + 90)
        page.mouse.up()
        assert titles.all_inner_texts() == before
        page.get_by_role("button", name=f"Move down: {before[0]}").click()
        page.locator("#subject").fill("The toll, and who leaves")
        page.locator("#intro").fill("Good morning.\n\nTwo things.")
        page.get_by_role("button", name="Keep", exact=True).click()
        page.get_by_text("Kept.").wait_for()
        assert titles.all_inner_texts() == before[::-1]
        whole = page.frame_locator("iframe[title='As a subscriber: Phone, dark']")
        whole.get_by_text(alder.sessions["hidden"][:60]).first.wait_for()
        page.get_by_text("As a free reader", exact=True).click()
        teaser = page.frame_locator("iframe[title='As a free reader: Phone, light']")
        teaser.get_by_text("Subscribers get these stories in full.").wait_for()
        assert alder.sessions["hidden"] not in teaser.locator("body").inner_text()
        page.get_by_role("button", name="Send now").click()
        page.get_by_text("100 %").first.wait_for()
        page.get_by_text("sent", exact=True).wait_for()


def test_each_gets_the_mail_that_is_theirs(alder):
    subject = "The toll, and who leaves"
    got = {
        name: letter_to(alder, f"{name}@alder.example", subject)
        for name in ("subscriber", "other", "reader", "visitor")
    }
    assert {name: alder.sessions["hidden"] in text_of(letter) for name, letter in got.items()} == {
        "subscriber": True,
        "other": False,
        "reader": False,
        "visitor": False,
    }
    assert all(alder.sessions["open"] in text_of(letter) for letter in got.values())


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_browser_shows_each_what_is_theirs_until_the_right_ends(alder, chromium, size):
    address = f"http://localhost:{alder.port}/newsletters/morning-brief/1/"

    def whole(name):
        with visit(chromium, alder.port, size) as page:
            if name:
                come_as(page, alder, name)
            page.goto(address)
            look(page)
            walled = page.get_by_text("Subscribers get these stories in full.").count() == 1
            full = alder.sessions["hidden"] in page.locator("main").inner_text()
            assert walled is not full
            return full

    if size == PHONE:
        assert [whole(name) for name in ("subscriber", "other", "reader", "")] == [True, False, False, False]
        return
    alder.python(
        "from broadsheet import clock\nfrom broadsheet.access.actions import end_grants\n"
        "end_grants(source='subscriber:newsletters', ends_at=clock.now())"
    )
    assert not whole("subscriber")


def test_a_mail_provider_leaves_for_a_reader_through_the_gate(alder):
    path = urlsplit(letter_to(alder, "other@alder.example", "The toll")["List-Unsubscribe"].strip("<>")).path
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = alder.browser().request("POST", path, form, "List-Unsubscribe=One-Click")
    assert (answer.status, answer.headers.get("Set-Cookie")) == (200, None)
    on = "from broadsheet.newsletters.queries import address_by_email\nresult = list(address_by_email('other@alder.example').lists)"
    assert alder.python(on) == []


def test_leaving_takes_one_click(alder, chromium):
    base = f"http://localhost:{alder.port}"
    path = link_in(letter_to(alder, "reader@alder.example", "The toll"), "u")
    with visit(chromium, alder.port, PHONE) as page:
        page.goto(base + path)
        look(page)
        page.get_by_role("button", name="Unsubscribe").click()
        page.get_by_role("heading", name="Unsubscribed").wait_for()
        page.get_by_role("link", name=re.compile("Your newsletters")).click()
        assert not page.get_by_label("Morning Brief").is_checked()
        look(page)

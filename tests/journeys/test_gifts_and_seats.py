"""A story given away, a seat borrowed, a ceiling met: over HTTP, with the gate and the newsroom as they run."""

import sqlite3
import time
from contextlib import closing

import pytest
from tests.papers import Paper

SETUP = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from broadsheet import clock
from broadsheet.access.actions import grant
from broadsheet.newsroom.actions import ensure_section
from broadsheet.newsroom.queries import story_facts
from tests import make

def session(reader):
    made = import_module(settings.SESSION_ENGINE).SessionStore()
    made[SESSION_KEY], made[BACKEND_SESSION_KEY] = str(reader.pk), "django.contrib.auth.backends.ModelBackend"
    made[HASH_SESSION_KEY] = reader.get_session_auth_hash()
    made.save()
    return made.session_key

def stories(tier, section, count):
    made = [make.story(now=clock.now(), tier=tier, section=section, headline=f"{section} {tier} {n}") for n in range(count)]
    return [{"id": one, "path": story_facts(one).path} for one in made]

ensure_section(name="Markets", slug="markets")
readers = {name: make.reader(f"{name}@reader.example") for name in ("asha", "ravi", "meera", "kiran")}
for product in ("unlimited", "premium"):
    grant(reader_id=readers["asha"].pk, product=product, starts_at=clock.now(), ends_at=None, source="test:gifts")
result = {
    "sessions": {name: session(reader) for name, reader in readers.items()},
    "premium": stories("premium", "national", 2),
    "metered": stories("metered", "national", 5),
    "markets": stories("metered", "markets", 2),
}
"""
INSTITUTION = """
from broadsheet import clock
from broadsheet.access.actions import drop_institution, keep_institution
from broadsheet.access.models import Institution
"""


def sign_in(browser, stories, name):
    """The browser then holds the session that the e-mailed code would have given it."""
    browser.cookies["bss"] = stories["sessions"][name]
    assert browser.get("/account/").status == 200  # where the passport is issued and the meter is taken along


def count(paper, table):
    """How many rows a table holds, read without any of our code."""
    with closing(sqlite3.connect(paper.folder / "broadsheet.sqlite3")) as database:
        return database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def follow(browser, path, **headers):
    """What a browser shows in the end."""
    reply = browser.get(path, **headers)
    for _ in range(3):
        if reply.status != 303:
            break
        reply = browser.get(reply.headers["Location"], **headers)
    return reply


def outcome(reply):
    return reply.status, reply.variant, reply.reason


def soon(check, within=3.0):
    """Whether something becomes true; what changes elsewhere reaches the gate within a second."""
    until = time.monotonic() + within
    while not check():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """Two metered stories a visitor, three a reader, one of them from Markets; two devices a gift."""
    made = Paper(
        tmp_path_factory.mktemp("lent") / "data",
        free_limit="2",
        registered_limit="3",
        section_limits="markets=1",
        gift_devices="2",
        gift_quota="20",
    ).init()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def stories(paper):
    made = paper.python(SETUP)
    paper.start()
    return made


@pytest.fixture(scope="module")
def giver(paper, stories):
    """A subscriber's browser, signed in."""
    browser = paper.browser()
    sign_in(browser, stories, "asha")
    assert outcome(browser.get(stories["premium"][0]["path"])) == (200, "full", "entitled")
    return browser


def give(giver, story):
    """The link, as the giver's page shows it: its path and query."""
    page = f"/account/gift/{story['id']}/"
    form = giver.get(page).text
    if "Make the link" in form:
        token = form.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        assert giver.post(page, {"csrfmiddlewaretoken": token}).status == 302
    link = giver.get(page).text.partition('<input id="link" type="text" value="')[2].partition('"')[0]
    return link[link.index(story["path"]) :]


def test_a_gift_opens_its_story_and_nothing_else(paper, stories, giver):
    story, other = stories["premium"]
    assert f'href="/account/gift/{story["id"]}/"' in giver.get(story["path"]).text
    link = give(giver, story)
    friend = paper.browser()
    assert outcome(friend.get(story["path"])) == (200, "wall", "premium")
    there = friend.get(link)
    assert (there.status, there.headers["Location"]) == (303, story["path"])
    assert "no-store" in there.headers["Cache-Control"]
    page = friend.get(story["path"])
    assert outcome(page) == (200, "full", "gift")
    assert "no-store" in page.headers["Cache-Control"]
    assert outcome(friend.get(story["path"])) == (200, "full", "gift")
    token = link.partition("?")[2]
    assert outcome(follow(friend, f"{other['path']}?{token}")) == (200, "wall", "premium")
    assert outcome(follow(friend, f"{stories['metered'][0]['path']}?{token}"))[1:] == ("full", "meter")
    assert outcome(follow(paper.browser(), f"{other['path']}?{token}")) == (200, "wall", "premium")
    assert give(giver, story) == link


def test_what_only_looks_uses_no_device_up(paper, stories, giver):
    """A messenger's preview keeps no cookies; HEAD and prefetch are no readings."""
    story = stories["metered"][0]
    link, before = give(giver, story), count(paper, "access_giftuse")
    bot = paper.browser()
    for _ in range(5):
        there = bot.get(link, User_Agent="WhatsApp/2.2")
        assert there.status == 303
        bot.cookies.clear()
        walls = [paper.browser().get(stories["premium"][0]["path"]), bot.request("HEAD", story["path"])]
        assert [reply.variant for reply in walls] == ["wall", "wall"]
        bot.cookies.clear()
    friend = paper.browser()
    assert friend.request("HEAD", link).status == 303
    assert friend.cookies == {}
    friend.get(link)
    assert friend.request("HEAD", story["path"]).variant == "wall"
    assert friend.get(story["path"], Sec_Purpose="prefetch").variant == "wall"
    assert count(paper, "access_giftuse") == before
    assert outcome(friend.get(story["path"])) == (200, "full", "gift")
    assert count(paper, "access_giftuse") == before + 1


def test_the_third_device_of_two_meets_the_wall(paper, stories, giver):
    story = stories["premium"][1]
    link = give(giver, story)
    friends = [paper.browser() for _ in range(3)]
    assert [outcome(follow(friend, link))[1:] for friend in friends] == [
        ("full", "gift"),
        ("full", "gift"),
        ("wall", "premium"),
    ]
    assert [friend.get(story["path"]).variant for friend in friends] == ["full", "full", "wall"]
    # Nobody else's cookie is worth more elsewhere than where it was set: it is the same device.
    copied = paper.browser()
    copied.cookies.update(friends[0].cookies)
    assert outcome(copied.get(stories["premium"][0]["path"])) == (200, "wall", "premium")


def test_taken_back_it_opens_nothing_within_a_second(paper, stories, giver):
    story = stories["metered"][1]
    link = give(giver, story)
    friend = paper.browser()
    assert outcome(follow(friend, link)) == (200, "full", "gift")
    page = giver.get("/account/gifts/").text
    where = page.index("national metered 1")
    form = page[page.index("/account/gifts/", where) :].partition('"')[0]
    token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    assert giver.post(form, {"csrfmiddlewaretoken": token}).status == 302
    assert soon(lambda: friend.get(story["path"]).reason != "gift", within=1.5)
    assert outcome(follow(paper.browser(), link))[2] == "meter"  # an ordinary visit


def test_what_was_given_is_not_given_on(paper, stories, giver):
    story = stories["premium"][0]
    friend = paper.browser()
    sign_in(friend, stories, "ravi")
    assert outcome(follow(friend, give(giver, story))) in ((200, "full", "gift"), (200, "wall", "premium"))
    page = friend.get(f"/account/gift/{story['id']}/")
    assert page.status == 403
    assert "Giving stories is for subscribers" in page.text


def test_a_section_has_its_ceiling_inside_the_one_meter(paper, stories):
    first, second = (story["path"] for story in stories["markets"])
    visitor = paper.browser()
    assert [outcome(visitor.get(path))[1:] for path in (first, second, first)] == [
        ("full", "meter"),
        ("wall", "section_limit"),
        ("full", "repeat"),
    ]
    assert outcome(visitor.get(stories["metered"][2]["path"]))[1:] == ("full", "meter")
    reader = paper.browser()
    sign_in(reader, stories, "meera")
    assert [outcome(reader.get(path))[1:] for path in (second, first, second)] == [
        ("full", "meter"),
        ("wall", "section_limit"),
        ("full", "repeat"),
    ]


def test_signing_in_and_out_adds_no_allowance(paper, stories):
    """Two as a visitor, three with an account: whatever the order, three stories and not one more."""
    paths = [story["path"] for story in stories["metered"]]
    browser, got = paper.browser(), set()

    def read_all():
        for path in paths:
            if browser.get(path).variant == "full":
                got.add(path)

    read_all()
    assert got == set(paths[:2])
    for _ in range(3):
        sign_in(browser, stories, "kiran")
        read_all()
        assert got == set(paths[:3])
        for name in ("bss", "bsp"):
            browser.cookies.pop(name, None)
        read_all()
        assert got == set(paths[:3])
    elsewhere = paper.browser()
    sign_in(elsewhere, stories, "kiran")
    assert [elsewhere.get(path).variant for path in paths] == ["full", "full", "full", "wall", "wall"]


def test_a_seat_of_an_institution_is_one_browser(paper, stories):
    """Last in this file: from here on every client on this machine is on the campus."""
    premium, metered = stories["premium"][0]["path"], stories["metered"][3]["path"]
    stranger = paper.browser()
    assert outcome(stranger.get(premium)) == (200, "wall", "premium")
    paper.python(
        f"{INSTITUTION}\nrow = Institution(name='Alder College', prefixes='127.0.0.1', seats=1,"
        " products=['unlimited', 'premium'], starts_at=clock.now())\n"
        "keep_institution(institution=row, now=clock.now())"
    )
    student = paper.browser()
    assert soon(lambda: outcome(follow(student, premium)) == (200, "full", "institution"))
    page = student.get(premium)
    assert outcome(page) == (200, "full", "institution")
    assert "no-store" in page.headers["Cache-Control"]
    assert outcome(student.get(metered)) == (200, "full", "institution")
    second = paper.browser()
    assert outcome(follow(second, premium)) == (200, "wall", "premium")
    assert outcome(follow(second, metered)) == (200, "full", "meter")
    without = paper.browser()
    for _ in range(3):
        without.cookies.clear()
        reply = without.get(premium)
        without.cookies.clear()
        if reply.status == 303:
            reply = without.get(reply.headers["Location"])
        assert outcome(reply) == (200, "wall", "premium")
    assert count(paper, "access_seatlease") == 1
    paper.python(f"{INSTITUTION}\ndrop_institution(institution=Institution.objects.get(), now=clock.now())")
    assert soon(lambda: outcome(student.get(premium)) == (200, "wall", "premium"), within=1.5)

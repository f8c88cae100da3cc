"""Why was this reader stopped? On the screen and at the command line, from what was recorded."""

import argparse
import dataclasses
import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from tests import make

from broadsheet import clock
from broadsheet.access import actions
from broadsheet.access.meter import pack, section_code
from broadsheet.access.records import NOBODY, RecordBook, who_of_meter, who_of_reader
from broadsheet.access.rules import Policy, Principal, Request, Right, State, Story, Tier, decide
from broadsheet.desk.cli import run_why
from broadsheet.desk.recorded import code_of, recorded, who_of_code
from broadsheet.desk.why import explain
from broadsheet.readers.models import Reader

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def data(settings, tmp_path):
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, data=tmp_path)
    return tmp_path / "decisions"


@pytest.fixture
def secret(settings):
    return settings.BROADSHEET_SECRET


@pytest.fixture
def support(client):
    person = Reader.objects.create(email="desk@paper.example", is_staff=True, created_at=make.NOW, verified_at=make.NOW)
    person.user_permissions.set(Permission.objects.filter(codename__in=("access_admin", "explain_decisions")))
    client.force_login(person, backend=BACKEND)
    return client


def keep(folder, who, story, request, policy=Policy(), *, ago=60):  # noqa: B008
    at = clock.now() - timedelta(seconds=ago)
    book = RecordBook(folder)
    book.add(at.timestamp(), who, story, request, decide(policy, story, request, at), policy.revision)
    book.close()
    return at


def metered(number):
    return Story(number, Tier.METERED, State.PUBLISHED, section="national")


def text(reply):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", reply.content.decode()))


def ask(support, **query):
    return text(support.get(reverse("why"), query))


def test_a_caller_at_the_limit_hears_what_was_counted_and_what_would_open_it(support, data, secret):
    story, ravi = make.story(headline="Board raises the night toll"), who_of_meter(secret, b"m" * 16)
    keep(data, ravi, metered(story), Request(seen=frozenset({101, 102})), ago=90)
    keep(data, ravi, metered(story), Request(seen=frozenset({101, 102, 103, 104, 105})))
    keep(data, who_of_meter(secret, b"n" * 16), metered(story), Request())
    page = ask(support, code=code_of(ravi))
    assert "2 decisions, the newest first" in page
    assert page.index("Stopped") < page.index("Let in")
    assert "Stopped the limit of free stories was reached" in page
    assert "A visitor without an account; a metered story; 5 of 5 read this month; the policy of the options." in page
    assert "What would open it: A free account (5 more stories), a subscription, or waiting for a new window" in page
    assert "number 3 of 5 stories this month" in page
    assert page.count("Board raises the night toll") == 2


def test_a_reader_is_found_by_their_address_and_a_story_by_its_number(support, data, secret):
    asha, story, other = make.reader("asha@reader.example").pk, make.story(), make.story(headline="Ferry board meets")
    policy = actions.switch_policy(values={"registered_limit": 3, "window": "rolling:7"}, by=None, now=make.NOW)
    request = Request(Principal.REGISTERED, seen=frozenset({101, 102, 103}))
    keep(data, who_of_reader(secret, asha), metered(story), request, policy)
    keep(data, who_of_reader(secret, asha), Story(other, Tier.PREMIUM, State.PUBLISHED), request, policy)
    both = ask(support, email=" Asha@Reader.example ")
    assert f"3 of 3 read in 7 days; policy revision {policy.revision}." in both
    assert "no subscription that opens it" in both
    assert "A subscription with premium stories, or a gift link to this story." in both
    one = ask(support, email="asha@reader.example", story=str(other))
    assert "1 decision, the newest first" in one
    assert "Ferry board meets" in one
    by_story = support.get(reverse("why"), {"story": str(story)}).content.decode()
    assert f"Reader {code_of(who_of_reader(secret, asha))}".lower() in by_story.lower()
    assert "asha@reader.example" not in by_story


def test_each_thing_that_let_a_reader_in_is_said(support, data, secret):
    story, asha = make.story(), who_of_reader(secret, 1)
    right = Right("unlimited", clock.now() - timedelta(days=9), None)
    for request in (
        Request(Principal.REGISTERED, (right,)),
        Request(seat=frozenset({"unlimited"})),
        Request(gift=True),
        Request(Principal.STAFF),
    ):
        keep(data, asha, metered(story), request)
    page = ask(support, code=code_of(asha))
    for words in (
        "Let in read on a subscription", "subscription to unlimited", "Let in read on an institution’s seat",
        "an institution’s seat for unlimited", "Let in read on a gift link", "held a gift of this story", "Let in read by staff",
    ):  # fmt: skip
        assert words.replace("’", "&#x27;") in page
    assert "What would open it" not in page


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"email": "nobody@reader.example"}, "There is no account with the address nobody@reader.example."),
        ({"code": "1234"}, "A reader code has 16 characters: digits and the letters a to f."),
        ({"code": "zz34 5678 9abc def0"}, "A reader code has 16 characters"),
        ({"story": "the toll"}, "number is the one at the end of its address."),
        ({"code": "0123 4567 89ab cdef"}, "No decision was recorded."),
    ],
)
def test_what_cannot_be_found_is_said(support, query, words):
    assert words in ask(support, **query)


def test_a_code_is_understood_however_it_is_spelled(secret):
    who = who_of_meter(secret, b"m" * 16)
    assert re.fullmatch(r"[0-9a-f]{4}( [0-9a-f]{4}){3}", code_of(who))
    for spelled in (code_of(who), who.hex(), who.hex().upper(), who.hex("-", 4)):
        assert who_of_code(spelled) == who
    assert code_of(NOBODY) == ""


def test_a_policy_of_the_options_that_has_changed_since_is_said(data, secret, settings):
    make.copy()
    keep(data, NOBODY, metered(7), Request(seen=frozenset({1, 2})), Policy(free_limit=2))
    [told] = recorded(folder=data, who=None, story=7, since=clock.now() - timedelta(hours=1), until=clock.now())
    assert told.inputs[-1] == "the policy of the options, which has been changed since"
    assert "2 of 2 read this month" in told.inputs


def test_only_the_support_desk_and_the_publisher_may_look(client):
    person = Reader.objects.create(email="ed@paper.example", is_staff=True, created_at=make.NOW, verified_at=make.NOW)
    client.force_login(person, backend=BACKEND)
    for codes, status in ((("access_admin", "publish_article"), 302), (("access_admin", "decide_policy"), 200)):
        person.user_permissions.set(Permission.objects.filter(codename__in=codes))
        assert client.get(reverse("why")).status_code == status
    assert client.post(reverse("why")).status_code == 405


def run(**given):
    words = {"story": None, "reader": None, "cookie": "", "code": None, "since": None, "json": True, "quiet": False}
    return run_why(argparse.Namespace(**{**words, **given}))


def test_the_command_tells_what_was_decided(data, secret, capsys):
    asha, story = make.reader().pk, make.story()
    who = who_of_reader(secret, asha)
    at = keep(data, who, metered(story), Request(Principal.REGISTERED, seen=frozenset(range(100, 110))))
    keep(data, who_of_meter(secret, b"m" * 16), metered(story), Request(), ago=3 * 86_400)
    for given in ({"reader": "asha@reader.example"}, {"code": code_of(who)}, {"story": story, "since": at.isoformat()}):
        assert run(**given) == 0
        [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert {name: line[name] for name in ("story", "body", "reason", "read", "limit", "policy_revision", "code")} == {
            "story": story, "body": "wall", "reason": "limit", "read": 10, "limit": 10, "policy_revision": 0, "code": code_of(who),
        }  # fmt: skip
        assert line["inputs"][2:] == [
            "no subscription that opens it",
            "10 of 10 read this month",
            "the policy of the options",
        ]
    assert run(code=code_of(who), json=False) == 0
    told = capsys.readouterr().out
    assert "Board raises the night toll: stopped, the limit of free stories was reached." in told
    assert "10 of 10 read this month; the policy of the options. What would open it: A subscription, or waiting" in told


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "name a story"),
        ({"code": "12"}, "A reader code has 16 characters"),
        ({"reader": "nobody@reader.example"}, "there is no account"),
        ({"story": 7, "since": "yesterday"}, "yesterday"),
    ],
)
def test_the_command_refuses_what_it_cannot_look_up(given, words, capsys):
    assert run(**given) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert told.out == ""


def test_what_holds_now_counts_the_reads_of_the_section(secret):
    asha, story = make.reader().pk, make.story()
    policy = actions.switch_policy(values={"section_limits": {"national": 2}}, by=None, now=make.NOW)
    for number in (101, 102, 103):
        read = pack(number, section_code("national" if number < 103 else "world"))
        told = actions.count_read(
            reader_id=asha, window="m202701", read=read, limit=10, section_limit=None, now=make.NOW
        )
    assert told[0] == "ok"
    said = explain(story_id=story, email="asha@reader.example", cookie="", now=make.NOW)
    assert (said["body"], said["reason"], said["stories_read"]) == ("wall", "section_limit", [101, 102, 103])
    assert (said["read_in_section"], said["section_limit"], said["policy_revision"]) == (2, 2, policy.revision)

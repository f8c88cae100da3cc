"""The publisher's screens: a policy is tried before it is switched on, and nobody else switches anything."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from tests import make

from broadsheet import clock
from broadsheet.access import actions
from broadsheet.access.models import PolicyRevision
from broadsheet.access.queries import current_policy, emergency_since
from broadsheet.access.records import RecordBook, who_of_meter
from broadsheet.access.rules import REASONS, Policy, Request, State, Story, Tier, decide
from broadsheet.bus.queries import standing
from broadsheet.desk.policy import RULES
from broadsheet.readers.models import Reader

pytestmark = pytest.mark.django_db
FORM = {"free_limit": "5", "registered_limit": "10", "window": "month", "days": "", "mode": "soft", "note": ""}
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def data(settings, tmp_path):
    import dataclasses

    make.copy()  # the section of the tests' stories
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, data=tmp_path)
    return tmp_path / "decisions"


def staff(client, email="meera@paper.example", *permissions):
    person = Reader.objects.create(email=email, name="Meera", is_staff=True, created_at=make.NOW, verified_at=make.NOW)
    names = ("access_admin", *permissions)
    person.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(person, backend=BACKEND)
    return client


@pytest.fixture
def publisher(client):
    return staff(client, "meera@paper.example", "decide_policy")


def record(folder, visits, policy=Policy()):  # noqa: B008
    """Visits of one person each: how many different stories they asked for."""
    book, at = RecordBook(folder), clock.now() - timedelta(hours=5)
    for person, count in enumerate(visits):
        seen = frozenset()
        for number in range(1, count + 1):
            story = Story(number, Tier.METERED, State.PUBLISHED)
            decision = decide(policy, story, Request(seen=seen), at)
            book.add(at.timestamp(), who_of_meter(b"s" * 32, b"%d" % person), story, Request(seen=seen), decision, 0)
            seen |= {number} if decision.counts else set()
            at += timedelta(seconds=1)
    book.close()


def text(reply):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", reply.content.decode()))


def attempt(client, **fields):
    """The page of the dry run, once it has ended."""
    reply = client.post(reverse("policy"), {**FORM, **fields})
    assert reply.status_code == 302, text(reply)
    for _ in range(20):
        page = client.get(reply["Location"])
        if "http-equiv" not in page.content.decode():
            return page
    raise AssertionError("the dry run does not end")


def token(page):
    return re.search(r'name="token" value="([^"]+)"', page.content.decode()).group(1)


def test_every_reason_has_words():
    assert set(RULES) == set(REASONS)


def test_the_page_says_what_holds(publisher, settings):
    page = text(publisher.get(reverse("policy")))
    assert "A visitor reads 5 metered stories" in page
    assert "A reader with an account reads 10 metered stories" in page
    assert "What the options of this installation say" in page
    assert "National" in page
    actions.switch_policy(values={"free_limit": 1, "section_limits": {"national": 0}}, by=None, now=make.NOW)
    page = text(publisher.get(reverse("policy")))
    assert "A visitor reads 1 metered story" in page
    assert "National: 0" in page
    assert f"Revision {PolicyRevision.objects.get().pk}, switched on here" in page


def test_try_shows_the_figures_and_changes_nothing(publisher, data):
    record(data, (2, 4, 7))
    page = attempt(publisher, free_limit="3", note="Fewer in summer")
    told = text(page)
    assert "A visitor reads: 5 metered stories → 3 metered stories" in told
    assert "13 decisions walked again" in told
    assert re.search(r"Visitors 3 1 2 \+1 2 0", told)
    assert re.search(r"Stories read in full 11 8 −3", told)
    assert re.search(r"The limit of free stories was reached 2 5 \+3", told)
    assert "Fewer in summer" in told
    assert not PolicyRevision.objects.exists()
    assert current_policy().free_limit == 5
    assert standing("policy") is None


def test_switch_on_takes_exactly_what_was_tried(publisher, data):
    record(data, (2,))
    page = attempt(publisher, free_limit="3", window="rolling", days="7", section_national="2", note="Fewer in summer")
    sent = {"token": token(page), "free_limit": "250", "note": "another"}
    reply = publisher.post(reverse("policy_switch"), sent, follow=True)
    policy = current_policy()
    assert (policy.free_limit, policy.window, policy.section_limits) == (3, "rolling:7", {"national": 2})
    assert standing("policy")["free_limit"] == 3
    row = PolicyRevision.objects.get()
    assert (row.by_name, row.note) == ("Meera", "Fewer in summer")
    told = text(reply)
    assert "Switched on" in told
    assert "The window: A calendar month → 7 days from the first story read" in told
    assert "Meera" in told


def test_without_records_the_page_says_that_nobody_knows(publisher):
    told = text(attempt(publisher, free_limit="3"))
    assert "No decision was recorded in the last 7 days" in told
    assert "Switch it on" in told


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"free_limit": "251"}, "Write a whole number from 0 to 250."),
        ({"free_limit": ""}, "This field is required."),
        ({"registered_limit": "-1"}, "Write a whole number from 0 to 250."),
        ({"window": "rolling", "days": "400"}, "Write month, week or rolling:N (N days of 24 hours)."),
        ({"window": "rolling", "days": ""}, "Write month, week or rolling:N (N days of 24 hours)."),
        ({"window": "year"}, "Select a valid choice."),
        ({"mode": "hard"}, "Select a valid choice."),
        ({"section_national": "some"}, "Write a whole number from 0 to 250, or nothing."),
    ],
)
def test_a_value_that_cannot_be_is_marked_and_nothing_is_tried(publisher, data, fields, hint):
    reply = publisher.post(reverse("policy"), {**FORM, **fields})
    assert reply.status_code == 422
    assert hint in text(reply)
    assert not data.exists()
    assert not PolicyRevision.objects.exists()


def test_the_same_policy_is_not_tried(publisher, data):
    reply = publisher.post(reverse("policy"), FORM, follow=True)
    assert "That is the policy that holds already." in text(reply)
    assert not data.exists()


def test_a_policy_tried_against_another_one_is_refused(publisher, data):
    page = attempt(publisher, free_limit="3")
    actions.switch_policy(values={"free_limit": 8}, by=None, now=make.NOW)
    assert "Another policy has been switched on" in text(publisher.get(page.request["PATH_INFO"]))
    reply = publisher.post(reverse("policy_switch"), {"token": token(page)}, follow=True)
    assert "Not switched on: another policy holds since this one was tried." in text(reply)
    assert current_policy().free_limit == 8
    assert PolicyRevision.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda value: "",
        lambda value: value[:-2] + ("B" if value[-2] == "A" else "A") + value[-1],
        lambda value: value.replace(":", ".", 1),
    ],
)
def test_a_forged_token_switches_nothing(publisher, data, change):
    value = token(attempt(publisher, free_limit="3"))
    assert publisher.post(reverse("policy_switch"), {"token": change(value)}).status_code == 404
    assert not PolicyRevision.objects.exists()


def test_a_token_is_its_publishers_alone(publisher, data):
    from django.test import Client

    page = attempt(publisher, free_limit="3")
    other = staff(Client(), "other@paper.example", "decide_policy")
    assert other.get(page.request["PATH_INFO"]).status_code == 404
    assert other.post(reverse("policy_switch"), {"token": token(page)}).status_code == 404
    assert not PolicyRevision.objects.exists()


def test_a_dry_run_that_has_not_ended_cannot_be_switched_on(publisher, data, monkeypatch):
    from broadsheet.access import dry_run

    monkeypatch.setattr(dry_run.subprocess, "Popen", lambda *args, **kwargs: None)
    monkeypatch.setattr("broadsheet.desk.policy_views._WAIT", 0)
    reply = publisher.post(reverse("policy"), {**FORM, "free_limit": "3"})
    page = publisher.get(reply["Location"])
    assert '<meta http-equiv="refresh"' in page.content.decode()
    assert "0 %" in text(page)
    assert 'name="token"' not in page.content.decode()
    sent = reply["Location"].rstrip("/").rsplit("/", 1)[1]
    assert "has not ended yet" in text(publisher.post(reverse("policy_switch"), {"token": sent}, follow=True))
    assert not PolicyRevision.objects.exists()


def test_back_to_an_earlier_revision_goes_through_a_trial_and_keeps_the_emergency(publisher, data):
    first = actions.switch_policy(values={"free_limit": 3}, by=None, now=make.NOW)
    actions.switch_policy(values={"free_limit": 8, "emergency": True}, by=None, now=make.NOW)
    reply = publisher.post(reverse("policy_back", args=[first.revision]))
    page = publisher.get(reply["Location"])
    assert "A visitor reads: 8 metered stories → 3 metered stories" in text(page)
    assert current_policy().free_limit == 8
    publisher.post(reverse("policy_switch"), {"token": token(page)})
    assert (current_policy().free_limit, current_policy().emergency) == (3, True)
    assert PolicyRevision.objects.count() == 3
    assert publisher.post(reverse("policy_back", args=[99])).status_code == 404


def test_the_emergency_asks_once_more_and_says_so_on_every_page(publisher):
    page = reverse("policy_emergency")
    assert "Open the whole paper" in text(publisher.get(page))
    publisher.post(page, {"emergency": "on"})
    assert not PolicyRevision.objects.exists()
    home = reverse("wagtailadmin_home")
    assert "Emergency: every story" not in text(publisher.get(home))
    publisher.post(page, {"emergency": "on", "sure": "yes", "note": "Flood"})
    assert current_policy().emergency is standing("policy")["emergency"] is True
    assert current_policy().free_limit == 5
    began = emergency_since()
    assert (began.by, began.note) == ("Meera", "Flood")
    actions.switch_policy(values={"free_limit": 4}, by=None, now=make.NOW)
    assert emergency_since() == began
    for where in (home, reverse("policy"), reverse("wire_board")):
        told = text(publisher.get(where))
        assert "Emergency: every story is open to everyone" in told
        assert "switched on by Meera" in told
    publisher.post(page, {"emergency": "off", "sure": "yes"})
    assert (current_policy().emergency, current_policy().free_limit) == (False, 4)
    assert "Emergency: every story" not in text(publisher.get(home))
    assert emergency_since() is None


def test_an_editor_without_the_permission_sees_and_changes_nothing(client, data):
    editor = staff(client, "ed@paper.example", "publish_article", "explain_decisions")
    screens = [
        editor.get(reverse("policy")),
        editor.post(reverse("policy"), {**FORM, "free_limit": "3"}),
        editor.get(reverse("policy_emergency")),
        editor.post(reverse("policy_emergency"), {"emergency": "on", "sure": "yes"}),
        editor.post(reverse("policy_switch"), {"token": "x"}),
        editor.post(reverse("policy_back", args=[0])),
        editor.get(reverse("policy_trial", args=["x"])),
    ]
    # Wagtail leads home whom it refuses.
    assert {reply.status_code for reply in screens} == {302}
    assert {reply["Location"] for reply in screens} == {reverse("wagtailadmin_home")}
    assert not PolicyRevision.objects.exists()
    assert not data.exists()
    assert "Access policy" not in editor.get(reverse("wagtailadmin_home")).content.decode()


def test_who_is_not_staff_gets_nothing(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("reader@paper.example", "x"))
    for name in ("policy", "policy_emergency", "why"):
        assert client.get(reverse(name)).status_code == 302
    assert client.post(reverse("policy_emergency"), {"emergency": "on", "sure": "yes"}).status_code == 302
    assert not PolicyRevision.objects.exists()

"""Readers come onto lists and leave them; issues are opened in the browser; mails come back."""

import hashlib
import hmac
import json
import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from tests import make
from tests.newsletters.making import NOW, a_list, an_issue, entitled, mails, subscribed, text_of

from broadsheet import clock
from broadsheet.access.actions import end_grants
from broadsheet.bus.actions import run_due_jobs
from broadsheet.newsletters import jobs, queries
from broadsheet.newsletters.actions import issues, signups
from broadsheet.newsletters.models import List, Report, SignUp
from broadsheet.newsletters.post import Post
from broadsheet.newsletters.returns import read_returned
from broadsheet.newsroom import actions as newsroom

pytestmark = pytest.mark.django_db
OPEN, HIDDEN = make.paragraph(1), make.paragraph(5)


@pytest.fixture(autouse=True)
def at_noon():
    clock.stand_at(NOW)
    yield
    clock.stand_at(None)


@pytest.fixture
def browser():
    """One that checks forged forms as the real site does."""
    return Client(enforce_csrf_checks=True)


def on(email):
    card = queries.address_by_email(email)
    return set(card.lists) if card else None


def sign_up(client, email, *slugs):
    return client.post("/newsletters/", {"email": email, "list": slugs})


def confirmation(email):
    run_due_jobs()
    return urlsplit(re.search(r"http\S+/newsletters/confirm/\S+", text_of(mails()[email])).group()).path


# Onto a list


def test_a_visitor_is_on_the_list_once_the_button_behind_the_letter_is_pressed(client, browser):
    a_list("brief"), a_list("tech")
    answer = sign_up(client, "Asha@X.example", "brief", "tech")
    assert (answer.status_code, on("asha@x.example")) == (200, set())
    path = confirmation("asha@x.example")
    for _ in range(3):
        page = browser.get(path)
        assert "Brief, Tech" in page.content.decode()
    assert on("asha@x.example") == set()
    assert browser.post(path).status_code == 200
    assert on("asha@x.example") == {"brief", "tech"}
    assert not browser.cookies


def test_the_answer_tells_nobody_whether_an_address_is_known(client):
    one = a_list()
    subscribed("known@x.example", one)
    signups.suppress_email(email="out@x.example", now=NOW)
    answers = {
        sign_up(client, email, "brief").content.decode().replace(email, "EMAIL")
        for email in ("known@x.example", "out@x.example", "fresh@x.example")
    }
    assert len(answers) == 1


def test_a_stranger_cannot_fill_a_mailbox(client):
    a_list()
    for _ in range(6):
        sign_up(client, "victim@x.example", "brief")
        clock.stand_at(clock.now() + timedelta(minutes=1))
    run_due_jobs()
    from pathlib import Path

    from django.conf import settings

    assert len(list(Path(settings.EMAIL_FILE_PATH).glob("*.eml"))) == 3


@pytest.mark.parametrize(
    "email",
    ["", "no address", "a@b", "x" * 260 + "@x.example", "नमस्ते@x.example", "a@x.example\nBcc: b@x", '"a b"@x.example'],
)
def test_what_is_no_address_is_said_to_be_none(client, email):
    a_list()
    answer = sign_up(client, email, "brief")
    assert answer.status_code == 422
    assert not SignUp.objects.exists()


def test_a_link_that_is_too_old_or_made_up_confirms_nothing(client):
    a_list()
    sign_up(client, "a@x.example", "brief")
    path = confirmation("a@x.example")
    clock.stand_at(NOW + timedelta(days=8))
    assert client.post(path).status_code == 410
    assert client.post(path[:-2] + "/").status_code == 404
    assert on("a@x.example") == set()


def test_a_signed_in_reader_is_on_the_list_at_once(client):
    one, two = a_list("brief"), a_list("tech")
    client.force_login(make.reader("a@x.example"), backend="django.contrib.auth.backends.ModelBackend")
    client.post("/newsletters/", {"list": ["brief", "tech"]})
    assert on("a@x.example") == {"brief", "tech"}
    client.post("/newsletters/", {"list": [two.slug]})
    assert on("a@x.example") == {"tech"}
    assert one.slug not in on("a@x.example")


def test_after_a_complaint_only_a_confirmation_leads_back(client):
    one = a_list()
    subscribed("a@x.example", one)
    card = queries.address_by_email("a@x.example")
    signups.suppress(address_id=card.id, why="complaint", now=NOW)
    assert on("a@x.example") == set()
    client.force_login(make.reader("a@x.example"), backend="django.contrib.auth.backends.ModelBackend")
    client.post("/newsletters/", {"list": ["brief"]})
    assert on("a@x.example") == set()
    client.post(confirmation("a@x.example"))
    assert (on("a@x.example"), queries.address(card.id).suppressed) == ({"brief"}, "")


def test_who_the_publisher_shut_out_gets_no_letter_at_all(client):
    a_list()
    signups.suppress_email(email="a@x.example", now=NOW)
    sign_up(client, "a@x.example", "brief")
    run_due_jobs()
    assert mails() == {}


# Off a list


def sent_mail(email="a@x.example"):
    one = queries.list_by_slug("brief")
    story = make.story(tier="free")
    issue = issues.begin_issue(list_id=one.id, by=None, now=NOW)
    from broadsheet.newsletters.values import Chosen

    issues.write_issue(issue_id=issue, subject="S", preheader="", intro="", stories=[Chosen(story, whole=True)])
    issues.schedule(issue_id=issue, at=NOW, now=NOW)
    jobs.send_due()
    return mails()[email]


def test_one_click_takes_off_the_list_without_login_cookie_or_redirect(browser):
    subscribed("a@x.example", a_list("brief"))
    subscribed("b@x.example", queries.list_by_slug("brief"))
    mail = sent_mail()
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Id"].startswith("<brief.newsletters.")
    assert mail["Precedence"] == "bulk"
    path = urlsplit(mail["List-Unsubscribe"].strip("<>")).path
    for method in (browser.get, browser.head, browser.get):
        assert method(path).status_code == 200
    assert on("a@x.example") == {"brief"}
    answer = browser.post(path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, on("a@x.example"), on("b@x.example")) == (200, set(), {"brief"})
    assert not answer.cookies
    assert browser.post(path).status_code == 200
    assert browser.post(path[:-1] + ("A" if path[-1] != "A" else "B")).status_code == 404
    assert SignUp.objects.get(address__email="a@x.example").ended_why == "one-click"


def test_preferences_by_the_link_of_a_mail(browser):
    a_list("tech")
    subscribed("asha@x.example", a_list("brief"))
    path = urlsplit(re.search(r"http\S+/newsletters/mine/\S+", text_of(sent_mail("asha@x.example"))).group()).path
    page = browser.get(path).content.decode()
    assert "a…a@x.example" in page
    assert "asha@x.example" not in page
    browser.post(path, {"list": ["tech"]})
    assert on("asha@x.example") == {"tech"}


# An issue in the browser


def test_the_web_copy_asks_for_whoever_opens_it(client):
    one = a_list(audience="subscribers")
    entitled("both@x.example", "newsletters", "unlimited")
    stories_only = entitled("stories@x.example", "unlimited")
    number = an_issue(one, [make.story(tier="metered")])
    assert client.get("/newsletters/brief/1/").status_code == 404
    jobs.send_due()
    assert queries.issue(number).status == "sent"

    def body(email=None):
        browser = Client()
        if email:
            who = stories_only.__class__.objects.get(email=email)
            browser.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
        answer = browser.get("/newsletters/brief/1/")
        assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")
        return answer.content.decode()

    assert (OPEN in body(), HIDDEN in body()) == (True, False)
    assert HIDDEN in body("both@x.example")
    assert HIDDEN not in body("stories@x.example")
    both = stories_only.__class__.objects.get(email="both@x.example")
    end_grants(source=f"test:newsletters:{both.pk}", ends_at=NOW)
    assert HIDDEN not in body("both@x.example")
    assert client.get("/newsletters/brief/2/").status_code == 404
    assert client.get("/newsletters/nothing/1/").status_code == 404


def test_a_story_that_was_withdrawn_is_no_longer_in_the_web_copy(client):
    one = a_list()
    gone = make.story(tier="free", headline="Killed by its agency")
    an_issue(one, [gone, make.story(tier="free")])
    jobs.send_due()
    assert "Killed by its agency" in client.get("/newsletters/brief/1/").content.decode()
    newsroom.withdraw_story(story_id=gone, reason="killed", now=NOW)
    assert "Killed by its agency" not in client.get("/newsletters/brief/1/").content.decode()


# By rule


def test_a_rule_makes_one_issue_a_day_and_holds_when_nothing_is_new():
    one = a_list(made_by="rule", weekdays="1234567", send_at="12:00", count=2, priority=5)
    subscribed("a@x.example", one)
    least, best = make.story(priority=9), make.story(priority=1, headline="The lead")
    middle = make.story(priority=4)
    assert issues.make_due(now=NOW - timedelta(hours=1)) == []
    (made,) = issues.make_due(now=NOW)
    assert issues.make_due(now=NOW + timedelta(minutes=1)) == []
    issue = queries.issue(made)
    assert [story.story_id for story in issue.stories] == [best, middle]
    assert least not in [story.story_id for story in issue.stories]
    assert (issue.subject, issue.status) == ("The lead", "scheduled")
    jobs.send_due()
    assert issues.make_due(now=NOW + timedelta(days=1)) == []
    (row,) = [row for row in queries.schedules() if row.slug == "brief"]
    assert row.held_why == "Nothing new since the last issue."


# What comes back


def bounce(token_address, status="5.1.1", action="failed"):
    return (
        f"From: MAILER-DAEMON@mx.example\r\nTo: {token_address}\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; a@x.example\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 {status} no\r\n\r\n--b--\r\n"
    ).encode()


@pytest.fixture
def returned(settings, tmp_path):
    """A mail's own return path, and a folder that `broadsheet newsletters bounces` reads."""
    from types import SimpleNamespace

    subscribed("a@x.example", a_list("brief"))
    number = an_issue(List.objects.get(), [make.story(tier="free")])
    post = Post(queries.issue(number))
    post._return = "bounces@paper.example"
    card = queries.address_by_email("a@x.example")
    return SimpleNamespace(path=post.return_path(card.id), folder=tmp_path, card=card, issue=number, post=post)


def take(raw):
    from broadsheet.newsletters.actions.reports import take_message

    return take_message(raw=raw, now=clock.now())


def test_a_dead_mailbox_is_suppressed_by_its_return_path_alone(returned):
    assert len(returned.path.partition("@")[0]) <= 64
    forged = "bounces+" + "a" * 47 + "@paper.example"
    assert take(bounce(forged)) == "unknown"
    assert queries.address(returned.card.id).suppressed == ""
    assert take(bounce(returned.path.upper())) == "hard"
    assert take(bounce(returned.path.upper())) == "again"
    assert queries.address(returned.card.id).suppressed == "bounce"
    assert Report.objects.filter(kind="hard").count() == 1


def test_a_full_mailbox_is_suppressed_after_five_times_in_a_month(returned):
    for number in range(5):
        assert queries.address(returned.card.id).suppressed == ""
        assert take(bounce(returned.path, status=f"4.2.{number + 2}")) == "soft"
        clock.stand_at(clock.now() + timedelta(days=1))
    assert queries.address(returned.card.id).suppressed == "soft"
    assert take(bounce(returned.path, action="delayed")) == "other"


def test_a_complaint_ends_everything(returned):
    leave = f"https://paper.example/newsletters/u/{queries.tokens().make('m', returned.card.id, returned.issue, 1)}"
    raw = (
        "From: fbl@mx.example\r\nTo: abuse@paper.example\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: x@paper.example\r\nList-Unsubscribe:\r\n <{leave}>\r\n\r\nx\r\n"
        "--b--\r\n"
    ).encode()
    assert take(raw) == "complaint"
    assert (queries.address(returned.card.id).suppressed, on("a@x.example")) == ("complaint", set())


@pytest.mark.parametrize("raw", [b"", b"\0\xff" * 50, b"Content-Type: multipart/report\r\n\r\n", bounce("x")[:200]])
def test_what_is_no_report_is_kept_as_unread(raw):
    assert read_returned(raw, queries.tokens()).kind == "other"
    assert take(raw) == "other"
    assert Report.objects.count() == 1


def test_a_provider_reports_by_a_signed_message(client, settings):
    subscribed("a@x.example", a_list("brief"))
    options = settings.BROADSHEET
    settings.BROADSHEET = type("With", (), {"__getattr__": lambda _s, name: getattr(options, name)})()
    settings.BROADSHEET.mail_webhook_secret = "shared"
    body = json.dumps({"events": [{"type": "complaint", "email": "a@x.example", "id": "e1"}]})

    def post(text, secret="shared"):
        signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        headers = {"Broadsheet-Signature": f"sha256={signature}"}
        return client.post("/newsletters/returns/", text, content_type="application/json", headers=headers).status_code

    assert post(body, secret="other") == 400
    assert post("[]") == 400
    assert post(json.dumps({"events": [{"type": "party"}]})) == 400
    assert queries.address_by_email("a@x.example").suppressed == ""
    assert [post(body), post(body)] == [200, 200]
    assert queries.address_by_email("a@x.example").suppressed == "complaint"
    assert Report.objects.count() == 1

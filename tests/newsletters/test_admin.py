"""Editors' screens by their forms, without a script."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from tests import make
from tests.newsletters.making import NOW, a_list, an_issue, mails, subscribed, text_of

from broadsheet import clock
from broadsheet.bus.actions import run_due_jobs
from broadsheet.newsletters import jobs, queries
from broadsheet.newsletters.actions import issues, sending
from broadsheet.newsletters.models import Issue, List
from broadsheet.readers.actions import create_editor
from broadsheet.readers.models import Reader

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def at_noon():
    clock.stand_at(NOW)
    yield
    clock.stand_at(None)


@pytest.fixture
def editor(client):
    who = create_editor(email="ed@x.example", password="long enough to be one", name="Ed", now=NOW)
    client.force_login(Reader.objects.get(pk=who), backend=BACKEND)
    return client


def form(number, stories, **fields):
    order = {f"order-{story}": str(place + 1) for place, story in enumerate(stories)}
    return {"subject": "S", "preheader": "", "intro": "", "story": sorted(stories), **order, **fields}


def where(number, what=""):
    return f"/admin/newsletters/issues/{number}/{what}"


def test_numbers_notes_and_ticks_are_kept(editor):
    one = a_list()
    first, second, third = (make.story(headline=f"Story {n}") for n in range(3))
    number = an_issue(one, [first, second], send_at=False)
    fields = {f"note-{second}": " see  this ", f"whole-{second}": "on", "add": [third, 999999]}
    editor.post(where(number), form(number, [second, first], **fields))
    kept = queries.issue(number).stories
    assert [(row.story_id, row.note, row.whole) for row in kept] == [
        (second, "see this", True),
        (first, "", False),
        (third, "", False),
    ]
    editor.post(where(number), form(number, [second, first, third], **{f"drop-{first}": "on"}))
    assert [row.story_id for row in queries.issue(number).stories] == [second, third]


def test_the_overview_the_page_of_an_issue_and_its_preview_open(editor):
    number = an_issue(a_list(), [make.story(tier="free")], send_at=False)
    for path in ("/admin/newsletters/", where(number), where(number, "status/"), "/admin/newsletters/addresses/"):
        assert editor.get(path).status_code == 200, path
    light, dark = (editor.get(where(number, f"preview/?look={look}")).content.decode() for look in ("light", "dark"))
    assert ("@media all" in dark, "@media all" in light) == (True, False)
    assert editor.get(where(number, "preview/?part=text"))["Content-Type"].startswith("text/plain")
    assert editor.get(where(9999)).status_code == 404


def test_a_test_goes_to_the_editor_alone(editor):
    one = a_list()
    subscribed("a@x.example", one)
    number = an_issue(one, [make.story(tier="premium")], send_at=False)
    editor.post(where(number, "test/"), {"as": "subscriber"})
    (letter,) = mails().values()
    assert (letter["To"], letter["Subject"]) == ("ed@x.example", "[Test] What matters today")
    assert make.paragraph(5) in " ".join(text_of(letter).split())
    assert queries.issue(number).status == "draft"


def test_scheduled_changed_and_taken_back(editor):
    number = an_issue(a_list(), [make.story()], send_at=False)
    editor.post(where(number, "do/schedule/"), {"at": "2027-01-12T07:30"})
    one = queries.issue(number)
    assert (one.status, one.send_at.isoformat()) == ("scheduled", "2027-01-12T02:00:00+00:00")
    editor.post(where(number, "do/schedule/"), {"at": "next week"})
    assert queries.issue(number).send_at == one.send_at
    editor.post(where(number, "do/cancel/"))
    assert (queries.issue(number).status, queries.issue(number).send_at) == ("draft", None)
    editor.post(where(number, "do/delete/"))
    assert queries.issue(number) is None


@pytest.mark.parametrize(("subject", "stories"), [("", 1), ("S", 0)])
def test_an_issue_without_subject_or_story_is_not_sent(editor, subject, stories):
    one = a_list()
    number = issues.begin_issue(list_id=one.pk, by=None, now=NOW)
    chosen = [make.story() for _ in range(stories)]
    editor.post(where(number), form(number, chosen, subject=subject))
    editor.post(where(number, "do/now/"))
    assert queries.issue(number).status == "draft"


def test_who_may_edit_may_not_send_and_a_reader_may_nothing(client):
    number = an_issue(a_list(), [make.story()], send_at=False)
    who = make.reader("staff@x.example", is_staff=True)
    client.force_login(who, backend=BACKEND)
    assert client.get(where(number)).status_code in (302, 403)
    names = ("change_issue", "access_admin")
    who.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(Reader.objects.get(pk=who.pk), backend=BACKEND)
    assert client.get(where(number)).status_code == 200
    for path in ("do/now/", "do/delete/"):
        assert client.post(where(number, path)).status_code in (302, 403)
    assert queries.issue(number).status == "draft"


def test_trouble_is_on_every_staff_page_and_in_a_letter(editor):
    one = a_list()
    number = an_issue(one, [make.story()])
    clock.stand_at(NOW + timedelta(minutes=11))
    sending.find_stalled(now=clock.now())
    sending.find_stalled(now=clock.now())
    run_due_jobs()
    (letter,) = mails().values()
    assert (letter["To"], "Do the jobs run?" in text_of(letter)) == ("ed@x.example", True)
    assert "Newsletter in trouble: Brief." in editor.get("/admin/newsletters/").content.decode()
    editor.post(where(number, "do/cancel/"))
    assert "Newsletter in trouble" not in editor.get("/admin/newsletters/").content.decode()


@pytest.mark.parametrize(
    ("field", "value"), [("slug", "mine"), ("weekdays", "89"), ("weekdays", ""), ("sections", "nowhere")]
)
def test_a_list_that_cannot_be_is_refused(editor, field, value):
    values = {
        "name": "New", "slug": "new", "audience": "everyone", "language": "en", "position": "1", "made_by": "rule",
        "weekdays": "12345", "send_at": "06:30", "priority": "9", "count": "5", "whole": "1", "words": "", "from_name": "",
        "sections": "", "live": "on",
    }  # fmt: skip
    editor.post("/admin/newsletter-lists/new/", {**values, field: value})
    assert not List.objects.exists()
    editor.post("/admin/newsletter-lists/new/", values)
    assert List.objects.get().slug == "new"


def test_a_failed_sending_goes_on_where_it_stopped(editor):
    one = a_list()
    subscribed("a@x.example", one)
    story = make.story(tier="free")
    number = an_issue(one, [story])
    Issue.objects.filter(pk=number).update(status="failed", trouble="Why", started_at=NOW)
    jobs.send_due()
    assert mails() == {}
    editor.post(where(number, "do/resume/"))
    jobs.send_due()
    assert list(mails()) == ["a@x.example"]
    assert (queries.issue(number).status, queries.issue(number).trouble) == ("sent", "")

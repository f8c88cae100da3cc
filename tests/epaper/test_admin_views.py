"""The desk's screens: who may, what a choice keeps, what an upload becomes."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from broadsheet.epaper import desk_queries
from broadsheet.epaper.actions import composing
from broadsheet.epaper.models import Edition, Intake
from broadsheet.readers.actions import create_editor
from broadsheet.readers.models import Reader
from tests import make
from tests.epaper import press_files
from tests.make import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(client):
    create_editor(email="editor@paper.example", password="a long enough password", name="Editor", now=NOW)
    client.force_login(Reader.objects.get(email="editor@paper.example"))
    return client


@pytest.fixture
def stories():
    return [make.story(headline=f"Headline number {number} of this day", priority=number) for number in (1, 2, 3)]


def test_only_who_may(client, stories):
    edition_id = composing.open_edition(day=NOW.date(), now=NOW)
    client.force_login(make.reader("someone@reader.example"))
    for name, arguments in (("epaper_editions", []), ("epaper_edition", [edition_id])):
        assert client.get(reverse(name, args=arguments)).status_code == 302
    assert client.post(reverse("epaper_begin"), {"date": "2027-01-10"}).status_code == 302
    assert not desk_queries.chosen(edition_id)


def test_stories_are_chosen_and_ordered(editor, stories):
    answer = editor.post(reverse("epaper_begin"), {"date": "2027-01-10"})
    edition = Edition.objects.get()
    assert answer.url == reverse("epaper_edition", args=[edition.pk])
    assert [row.story_id for row in desk_queries.chosen(edition.pk)] == stories
    first, second, third = stories
    form = {
        "do": "keep", "story": stories, f"in-{first}": "1", f"in-{third}": "1", f"place-{first}": "2",
        f"place-{second}": "1", f"place-{third}": "1", f"role-{third}": "lead", f"page-{first}": "4",
    }  # fmt: skip
    editor.post(answer.url, form)
    rows = [(row.story_id, row.role, row.page) for row in desk_queries.chosen(edition.pk)]
    assert rows == [(third, "lead", 0), (first, "story", 4)]
    page = editor.get(answer.url).content.decode()
    assert "Headline number 2 of this day" in page
    assert "Chosen: 2" in page
    editor.post(answer.url, {"do": "propose"})
    assert len(desk_queries.chosen(edition.pk)) == 3


def test_an_empty_edition_is_not_set(editor):
    edition_id = composing.open_edition(day=NOW.date(), now=NOW)
    answer = editor.post(reverse("epaper_edition", args=[edition_id]), {"do": "set"}, follow=True)
    assert "No story is chosen yet." in answer.content.decode()
    assert Edition.objects.get().state == "draft"


def test_an_upload_is_taken_in_or_put_aside(editor, tmp_path):
    path = press_files.write(tmp_path / "p.pdf", [[("A first page by itself alone", [make.paragraph(1)])]])
    where = reverse("epaper_upload")
    good = SimpleUploadedFile("../press.pdf", path.read_bytes())
    editor.post(where, {"date": "2027-01-10", "title": "Late City", "files": [good]})
    edition = Edition.objects.get()
    assert (edition.date, edition.city, edition.title, edition.state) == (
        date(2027, 1, 10), "late-city", "Late City", "processing",
    )  # fmt: skip
    assert edition.intakes.get().name == "press.pdf"
    bad = SimpleUploadedFile("bad.pdf", b"nothing of the kind")
    answer = editor.post(where, {"date": "2027-01-11", "files": [bad]}, follow=True)
    assert "quarantined, not a pdf" in answer.content.decode()
    assert Edition.objects.count() == 1
    assert Intake.objects.filter(outcome="quarantined").count() == 1
    assert "not_a_pdf" in editor.get(reverse("epaper_editions")).content.decode()

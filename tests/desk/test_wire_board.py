"""The wire board: staff alone see it, everything that waits stands on it with its reason, and the buttons do what they say."""

import pytest
from django.urls import reverse
from tests.wire import make_wire

from broadsheet.newsroom import actions as newsroom
from broadsheet.newsroom.queries import story_facts
from broadsheet.wire import actions, queries

pytestmark = pytest.mark.django_db
NOW = make_wire.NOW


@pytest.fixture(autouse=True)
def paper():
    newsroom.ensure_section(name="World", slug="world")


@pytest.fixture
def editor(client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("desk@paper.example", "x"))
    return client


def bring(content, name="a.xml", *, publish=True):
    raw_id = actions.receive(file_name=name, content=content, publish=publish, now=NOW).raw_id
    return actions.process(raw_id=raw_id, now=NOW)


def held():
    [row] = queries.board(status="held")
    return row


def test_the_public_does_not_see_it(client, django_user_model):
    for name in ("wire_board", "wire_quarantine"):
        assert client.get(reverse(name)).status_code in {302, 403, 404}
    client.force_login(django_user_model.objects.create_user("reader@paper.example", "x"))
    bring(make_wire.g2(), publish=False)
    row = held()
    assert client.get(reverse("wire_board")).status_code in {302, 403, 404}
    assert client.post(reverse("wire_publish", args=[row.id])).status_code in {302, 403, 404}
    assert held() == row


def test_board_shows_what_waits_and_why(editor):
    bring(make_wire.g2(body="<p>Too little to go out unseen.</p>"))
    page = editor.get(reverse("wire_board")).content.decode()
    assert "Alderport to raise harbour toll" in page
    assert "fewer than forty words" in page
    assert "Held (1)" in page
    assert "Alderport" not in editor.get(reverse("wire_board") + "?status=published").content.decode()


def test_version_shows_what_was_read_and_taken_out(editor):
    bring(make_wire.g2(body=make_wire.FILLER[0] + "<p>Also Read</p><p>--NWA</p>"))
    page = editor.get(reverse("wire_version", args=[held().id])).content.decode()
    assert make_wire.FILLER[0] in page
    assert "A01" in page
    assert "--NWA" in page
    assert editor.get(reverse("wire_version", args=[999])).status_code == 404


def test_publish_and_reject(editor):
    bring(make_wire.g2(), publish=False)
    row = held()
    editor.post(reverse("wire_publish", args=[row.id]))
    assert story_facts(row.story_id).state == "published"
    edit = reverse("wagtailsnippets_newsroom_article:edit", args=[row.story_id])
    assert edit in editor.get(reverse("wire_board")).content.decode()
    bring(make_wire.g2("urn:b", headline="Only {{n}} ships left in harbour"))
    row = held()
    assert reverse("wire_publish", args=[row.id]) not in editor.get(reverse("wire_board")).content.decode()
    answer = editor.post(reverse("wire_publish", args=[row.id]), follow=True).content.decode()
    assert "Not published: an unfilled placeholder" in answer
    assert held() == row
    editor.post(reverse("wire_reject", args=[row.id]))
    assert queries.board(status="held") == []


def test_quarantine_shows_the_file_as_text_and_takes_a_decision(editor):
    bring(b"<newsItem><script>alert(1)</script>", name="cut.xml")
    [row] = queries.quarantine()
    page = editor.get(reverse("wire_quarantine")).content.decode()
    assert "cut.xml" in page
    assert "truncated" in page
    raw = editor.get(reverse("wire_raw", args=[row.id])).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in raw
    again = editor.post(reverse("wire_retry", args=[row.id]), follow=True).content.decode()
    assert "Still not readable: truncated." in again
    editor.post(reverse("wire_reject_raw", args=[row.id]))
    assert "Every file could be read." in editor.get(reverse("wire_quarantine")).content.decode()


def test_get_never_changes_anything(editor):
    bring(make_wire.g2(), publish=False)
    row = held()
    assert editor.get(reverse("wire_publish", args=[row.id])).status_code == 405
    assert held() == row

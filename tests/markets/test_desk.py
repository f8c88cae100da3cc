"""The desk's screens: who may, what they show, what they do."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from tests.markets.lists import udiff, udiff_name, udiff_row

from broadsheet import clock
from broadsheet.markets.models import CorporateAction, HeldRow, Holiday, Price, PriceImport
from broadsheet.readers.actions import create_editor
from broadsheet.readers.models import Reader

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 10, 16, 14, 30, tzinfo=UTC)
MON, TUE = date(2026, 10, 12), date(2026, 10, 13)


@pytest.fixture
def editor(client):
    Holiday.objects.all().delete()
    clock.stand_at(NOW)
    create_editor(email="ed@example.com", password="correct horse", name="Ed Itor", now=NOW)
    client.force_login(Reader.objects.get(email="ed@example.com"), backend="django.contrib.auth.backends.ModelBackend")
    yield client
    clock.stand_at(None)


def upload(client, day, *rows, **said):
    file = SimpleUploadedFile(udiff_name(day), udiff(*rows))
    return client.post(reverse("markets_upload"), {"file": file, **said}, follow=True)


def test_a_file_is_brought_in_and_its_report_shown(editor):
    page = upload(
        editor, MON, udiff_row(MON, "TIDE", "100", "99"), udiff_row(MON, "PINE", "9", "9", low="9.5", high="10")
    )
    words = page.content.decode()
    assert page.status_code == 200
    assert "1 new, 0 changed, 1 held" in words
    assert "The close is not between low and high" in words
    assert PriceImport.objects.get().by == "Ed Itor"
    overview = editor.get(reverse("markets_desk")).content.decode()
    assert "Held rows (1)" in overview
    assert udiff_name(MON) in overview


def test_held_rows_are_decided_upon(editor):
    upload(editor, MON, *(udiff_row(MON, n, "9", "9", low="9.5", high="10", number=k) for k, n in enumerate("ABC")))
    ids = list(HeldRow.objects.order_by("pk").values_list("pk", flat=True))
    assert "Rows that were not believed" in editor.get(reverse("markets_held")).content.decode()
    editor.post(reverse("markets_decide_held"), {"row": ids[:1], "do": "accept"})
    editor.post(reverse("markets_decide_held"), {"row": ids[:2], "do": "reject"})
    assert list(HeldRow.objects.order_by("pk").values_list("status", flat=True)) == ["accepted", "rejected", "waiting"]
    assert Price.objects.count() == 1


def test_proposals_are_confirmed_as_the_editor_says(editor):
    upload(editor, MON, udiff_row(MON, "TIDE", "1000", "990"))
    upload(editor, TUE, udiff_row(TUE, "TIDE", "505", "500"))
    action = CorporateAction.objects.get()
    page = editor.get(reverse("markets_actions")).content.decode()
    assert "a bonus of 1 for 1, or a split?" in page
    where = reverse("markets_decide_action", args=[action.pk])
    editor.post(where, {"kind": "split", "new": "x", "old": "1", "do": "confirm"})
    assert CorporateAction.objects.get().status == "proposed"
    editor.post(where, {"kind": "split", "new": "2", "old": "1", "do": "confirm"})
    action.refresh_from_db()
    assert (action.status, action.kind, action.new, action.decided_by) == ("confirmed", "split", 2, "Ed Itor")
    editor.post(reverse("markets_add_action"), {"code": "nse-tide", "ex_day": "2026-10-14", "kind": "dividend", "amount": "12.50"})  # fmt: skip
    assert CorporateAction.objects.get(kind="dividend").amount == 125_000


@pytest.mark.parametrize("name", ["markets_desk", "markets_held", "markets_actions", "markets_upload", "markets_decide_held", "markets_add_action"])  # fmt: skip
def test_a_reader_sees_none_of_it(client, name):
    reader = Reader.objects.create(email="asha@example.com", verified_at=NOW)
    client.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
    for answer in (client.get(reverse(name)), client.post(reverse(name))):
        assert answer.status_code in (302, 403)
        assert b"Held rows" not in answer.content


def test_the_lists_of_instruments_and_days_open(editor):
    upload(editor, MON, udiff_row(MON, "TIDE", "100", "99"))
    for path in ("instruments", "exchange-calendar"):
        page = editor.get(f"/admin/{path}/")
        assert page.status_code == 200
    assert "nse-tide" in editor.get("/admin/instruments/").content.decode()


def test_the_editors_form_shows_and_takes_the_tags(editor):
    from broadsheet.newsroom import actions as newsroom
    from broadsheet.newsroom.inputs import CodesInput

    upload(editor, MON, udiff_row(MON, "TIDE", "100", "99"))
    newsroom.ensure_section(name="Markets", slug="markets")
    story = newsroom.file_story(
        copy=newsroom.Copy("Tide", "<p>It rises.</p>", "markets", instruments=("nse-tide",)), now=NOW, publish=True
    )
    page = editor.get(reverse("wagtailsnippets_newsroom_article:edit", args=[story])).content.decode()
    assert 'name="instruments" value="nse-tide"' in page
    written = CodesInput().value_from_datadict({"instruments": " nse-tide, NSE:PINE,, "}, {}, "instruments")
    assert (written, CodesInput().format_value(written)) == ('["nse-tide", "NSE:PINE"]', "nse-tide, NSE:PINE")

"""The incoming folder: nothing half-written is read, nothing is lost, one bad file stops nobody."""

import dataclasses

import pytest
from django.conf import settings

from broadsheet import clock
from broadsheet.newsroom import actions as newsroom
from broadsheet.wire import actions, jobs, queries
from tests.wire import make_wire as make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "wire_folder", lambda: tmp_path / "wire")
    jobs._seen.clear()
    newsroom.ensure_section(name="World", slug="world")
    incoming = tmp_path / "wire" / "incoming"
    incoming.mkdir(parents=True)
    return incoming


def rule(folder, text):
    (folder.parent / "sources.toml").write_text(text)


def names(folder, where):
    place = folder.parent / where
    return sorted(path.name for path in place.iterdir()) if place.exists() else []


def test_a_file_is_taken_once_it_stands_still(folder):
    rule(folder, "[default]\npublish = true\n")
    (folder / "a.xml").write_bytes(make.g2()[:500])
    assert jobs.watch_incoming() == 0
    (folder / "a.xml").write_bytes(make.g2())
    assert jobs.watch_incoming() == 0
    assert jobs.watch_incoming() == 1
    assert jobs.watch_incoming() == 0
    assert (names(folder, "incoming"), names(folder, "done"), names(folder, "quarantine")) == ([], ["a.xml"], [])
    [row] = queries.board()
    assert row.status == "published"


def test_unfinished_and_hidden_files_wait(folder):
    for name in ("a.tmp", "b.part", ".c.xml"):
        (folder / name).write_bytes(make.g2())
    assert [jobs.watch_incoming() for _ in range(3)] == [0, 0, 0]


def test_nothing_is_published_that_nobody_allowed(folder):
    (folder / "a.xml").write_bytes(make.g2())
    jobs.watch_incoming()
    jobs.watch_incoming()
    [row] = queries.board()
    assert (row.status, row.reasons) == ("held", ("awaiting_editor",))


def test_subfolder_names_the_source_and_its_rule(folder):
    rule(folder, '[NWA]\npublish = true\ntier = "premium"\n')
    (folder / "NWA").mkdir()
    (folder / "NWA" / "a.xml").write_bytes(make.g2())
    (folder / "b.xml").write_bytes(make.g2("urn:b"))
    jobs.watch_incoming()
    assert jobs.watch_incoming() == 2
    assert {(row.source, row.status) for row in queries.board()} == {("NWA", "published"), ("", "held")}


def test_bad_file_goes_to_quarantine_and_its_neighbour_through(folder):
    rule(folder, "[default]\npublish = true\n")
    (folder / "1-cut.xml").write_bytes(make.g2()[:600])
    (folder / "2-good.xml").write_bytes(make.g2())
    jobs.watch_incoming()
    assert jobs.watch_incoming() == 2
    assert (names(folder, "done"), names(folder, "quarantine")) == (["2-good.xml"], ["1-cut.xml"])
    assert [row.reason for row in queries.quarantine()] == ["truncated"]


def test_a_fault_in_one_file_leaves_it_and_takes_the_next(folder, monkeypatch):
    real = actions.receive

    def receive(**fields):
        if fields["file_name"] == "1.xml":
            raise RuntimeError("disk")
        return real(**fields)

    monkeypatch.setattr(actions, "receive", receive)
    (folder / "1.xml").write_bytes(make.g2())
    (folder / "2.xml").write_bytes(make.g2("urn:b"))
    jobs.watch_incoming()
    assert jobs.watch_incoming() == 1
    assert names(folder, "incoming") == ["1.xml"]


def test_same_name_again_does_not_overwrite_what_was_put_away(folder):
    for version in (1, 2):
        (folder / "a.xml").write_bytes(make.g2(version=version))
        jobs.watch_incoming()
        jobs.watch_incoming()
    assert names(folder, "done") == ["a-2.xml", "a.xml"]


def test_unread_files_are_read_later(monkeypatch):
    now = clock.now()
    actions.receive(file_name="a.xml", content=make.g2(), publish=True, now=now - 2 * jobs.UNREAD_AFTER)
    actions.receive(file_name="b.xml", content=make.g2("urn:b"), publish=True, now=now)
    assert jobs.read_unread() == 1
    assert [row.file_name for row in queries.board()] == ["a.xml"]


def test_embargo_job(monkeypatch):
    from datetime import timedelta

    now = clock.now()
    meta = f"<embargoed>{(now + timedelta(seconds=30)).isoformat()}</embargoed>"
    raw = actions.receive(file_name="a.xml", content=make.g2(meta=meta), publish=True, now=now).raw_id
    actions.process(raw_id=raw, now=now)
    assert jobs.release_embargoes() == 0
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(seconds=31))
    assert jobs.release_embargoes() == 1
    assert jobs.release_embargoes() == 0


def test_wire_folder_lies_in_the_data_folder(monkeypatch):
    monkeypatch.undo()
    assert jobs.wire_folder() == settings.BROADSHEET.data / "wire"
    assert dataclasses.is_dataclass(settings.BROADSHEET)

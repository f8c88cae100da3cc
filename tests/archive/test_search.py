"""Search: finds public words, never a hidden one, never a story that is not published."""

from __future__ import annotations

import io
import json
import re
from argparse import Namespace
from datetime import timedelta

import pytest
from tests import make

from broadsheet import clock
from broadsheet.archive import actions, cli, jobs, queries
from broadsheet.archive.events import IndexLost
from broadsheet.archive.index import IndexUnavailableError, SearchIndex
from broadsheet.archive.models import Pending
from broadsheet.bus import actions as bus
from broadsheet.bus.models import Job
from broadsheet.newsroom import actions as newsroom
from broadsheet.newsroom.events import StoryPublished, StoryRemoved

pytestmark = pytest.mark.django_db
NOW = make.NOW


@pytest.fixture(autouse=True)
def index(monkeypatch, tmp_path):
    """An index of the test's own, and a clock that stands."""
    own, recent = SearchIndex(tmp_path / "search"), SearchIndex(tmp_path / "recent")
    for module in (queries, actions):
        monkeypatch.setattr(module, "search_index", lambda: own)
        monkeypatch.setattr(module, "recent_index", lambda: recent)
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return own


def story(headline: str, **fields) -> int:
    number = make.story(headline=headline, **fields)
    jobs.index_story(StoryPublished(number, 1))
    actions.write_pending()
    return number


def found(query: str) -> list[int]:
    return [hit.card.id for hit in queries.search(query).hits]


def words(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", response.content.decode()))


def test_every_word_must_stand_somewhere_in_the_public_part():
    mill = story("Mill opens at Sonpar", standfirst="The looms ran at six.", kicker="Textiles", bylines=["Asha Rao"])
    story("Mill closes at Dhumra", credit="PTN")
    assert found("mill sonpar") == [mill]
    assert found("SONPAR looms") == [mill]
    assert found("textiles asha") == [mill]
    assert found("mill harbourless") == []
    assert len(found("mills")) == 2
    assert len(found("mill open")) == 1


def test_quoted_words_must_stand_together():
    night = story("Night train returns to the hill line")
    story("Train halts for a night on the line")
    assert found('"night train"') == [night]
    assert len(found("night train")) == 2


def test_hindi_is_found_by_whole_words():
    number = story("नदी जोड़ परियोजना को मंजूरी", language="hi")
    assert found("परियोजना") == [number]
    assert found("मंजूरी नदी") == [number]
    assert found("परि") == []


def test_the_lead_in_is_found_and_what_follows_is_not():
    number = story("Board raises the toll", body_html=make.body(6))
    assert found(make.paragraph(1).split()[3]) == [number]
    assert found(make.paragraph(3).split()[3]) == []
    assert found(make.paragraph(6).split()[3]) == []


def test_a_query_is_never_a_program():
    story("Mill opens at Sonpar")
    for query in (
        "id:1",
        "headline:mill OR *",
        "mill AND (",
        '"',
        '""',
        "*",
        "/m.*/",
        "mill^9 -sonpar",
        "a" * 500,
        "\x00",
        "[1 TO 9]",
    ):
        queries.search(query)
    assert found("") == []
    assert found("...") == []


def test_an_old_index_neither_shows_nor_counts_a_withdrawn_story(client):
    kept, gone = story("Mill opens at Sonpar"), story("Mill closes at Sonpar")
    newsroom.withdraw_story(story_id=gone, reason="", now=NOW)
    assert found("mill") == [kept]
    text = words(client.get("/search?q=mill"))
    assert "1 story for “mill”" in text
    assert "closes" not in text


def test_a_removed_story_leaves_the_index_and_a_changed_one_changes(index):
    number = story("Mill opens at Sonpar")
    newsroom.update_story(story_id=number, copy=make.copy(headline="Quarry opens at Sonpar"), now=NOW)
    jobs.index_story(StoryPublished(number, 2))
    actions.write_pending()
    assert index.search([["mill"]], 10) == []
    assert index.search([["quarri"]], 10) == [number]
    newsroom.withdraw_story(story_id=number, reason="", now=NOW)
    jobs.unindex_story(StoryRemoved(number, 3))
    actions.write_pending()
    assert index.search([["quarri"]], 10) == []


def test_indexing_twice_leaves_one_entry(index):
    number = story("Mill opens at Sonpar")
    for _ in range(2):
        jobs.index_story(StoryPublished(number, 1))
        actions.write_pending()
    assert index.search([["mill"]], 10) == [number]
    assert not Pending.objects.exists()


def test_many_stories_are_written_in_one_commit(index, monkeypatch):
    actions.rebuild()
    commits = []
    update = index.update
    monkeypatch.setattr(index, "update", lambda stories, gone: commits.append(1) or update(stories, gone))
    ids = [make.story(headline=f"Mill number {number} opens") for number in range(1, 6)]
    bus.connect(bus_table())
    Job.objects.all().delete()
    for number in ids:
        bus.emit(StoryPublished(number, 1))
    bus.run_due_jobs()
    assert sorted(found("mill")) == ids
    assert len(commits) == 1


def test_a_new_paper_is_searchable_from_its_first_job_on():
    ids = [make.story(headline=f"Mill number {number} opens") for number in range(1, 4)]
    jobs.index_story(StoryPublished(ids[0], 1))
    assert Job.objects.filter(handler__contains="index_story", done_at=None).count() == 3
    assert sorted(found("mill")) == ids


def test_a_long_import_is_written_before_its_end(monkeypatch):
    actions.rebuild()
    monkeypatch.setattr(actions, "BATCH", 2)
    ids = [make.story(headline=f"Mill number {number} opens") for number in range(1, 4)]
    jobs.index_story(StoryPublished(ids[0], 1))
    assert found("mill") == []
    jobs.index_story(StoryPublished(ids[1], 1))
    assert sorted(found("mill")) == ids[:2]


def bus_table():
    return {StoryPublished: (jobs.index_story,), StoryRemoved: (jobs.unindex_story,), IndexLost: (jobs.rebuild_lost,)}


@pytest.fixture(autouse=True)
def wiring():
    yield
    from broadsheet.server import wiring

    wiring.connect()


def test_rebuilding_finds_everything_and_leaves_one_generation(index, tmp_path):
    numbers = [make.story(headline=f"Mill number {number} opens") for number in range(1, 4)]
    make.story(headline="Mill kept back", publish=False)
    assert actions.rebuild() == 3
    assert actions.rebuild() == 3
    assert sorted(found("mill")) == numbers
    assert len([path for path in (tmp_path / "search").iterdir() if path.is_dir()]) == 1


def test_notes_wait_while_somebody_rebuilds(index):
    number = story("Mill opens at Sonpar")
    with index.locked("build"):
        actions.note(story_id=number)
        actions.write_pending()
        assert actions.rebuild() == 0
    assert Pending.objects.count() == 1
    actions.write_pending()
    assert not Pending.objects.exists()


def lose(folder):
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "current":
            path.write_bytes(b"not an index")


@pytest.mark.parametrize("how", ["missing", "corrupt", "another format", "garbage name"])
def test_a_lost_index_is_a_plain_word_and_a_rebuild(client, index, tmp_path, how):
    folder = tmp_path / "search"
    number = make.story(headline="Mill opens at Sonpar")
    if how != "missing":
        actions.rebuild()
    if how == "corrupt":
        lose(folder)
        lose(tmp_path / "recent")
    elif how == "another format":
        for name in ("search", "recent"):
            (tmp_path / name / "current").write_text("0 abc\n")
    elif how == "garbage name":
        for name in ("search", "recent"):
            (tmp_path / name / "current").write_bytes(b"1 ../../\xff")
    Job.objects.all().delete()
    for _ in range(2):
        response = client.get("/search?q=mill")
        assert response.status_code == 503
        assert "The search index is being rebuilt." in words(response)
        assert response["Cache-Control"] == "private, no-store"
    assert list(Job.objects.values_list("event", flat=True)) == ["IndexLost"]
    bus.run_due_jobs()
    response = client.get("/search?q=mill")
    assert response.status_code == 200
    assert f"-{number}" in response.content.decode()


def test_the_page_marks_words_and_escapes_everything(client):
    story("Mill <script>alert(1)</script> & co", standfirst="The mills run.")
    text = client.get("/search?q=mill").content.decode()
    assert "<mark>Mill</mark> &lt;script&gt;" in text
    assert "The <mark>mills</mark> run." in text
    assert "<script>alert" not in text
    echoed = client.get("/search?q=%22%3E%3Cscript%3Ealert(2)%3C/script%3E").content.decode()
    assert "<script>alert" not in echoed


def test_pages_of_results_lead_on_and_back(client):
    for number in range(1, 24):
        make.story(headline=f"Mill number {number} opens", at=NOW - timedelta(minutes=number))
    actions.rebuild()
    first = client.get("/search?q=mill").content.decode()
    second = client.get("/search?q=mill&page=2").content.decode()
    assert "23 stories for “mill”" in first
    assert 'href="/search?q=mill&amp;page=2"' in first
    assert 'href="/search?q=mill"' in second
    both = re.findall(r"/national/[a-z0-9-]+-(\d+)", first + second)
    assert len(both) == len(set(both)) == 23
    for page in ("0", "-1", "9999999", "x", "2e3", "٣"):
        assert client.get("/search", {"q": "mill", "page": page}).status_code == 200


def test_without_words_there_is_a_form_and_no_search(client):
    text = words(client.get("/search"))
    assert "Words in headlines and summaries" in text
    assert "No story matches" not in text
    actions.rebuild()
    assert "No story matches “zebra”." in words(client.get("/search?q=zebra"))


def test_the_command_prints_one_object_a_story(capsys):
    number = story("Mill opens at Sonpar", standfirst="The looms ran.", tier="premium")
    out = io.StringIO()
    assert cli.run_search(Namespace(query=["mill"], page=1, json=True), out) == 0
    (line,) = [json.loads(line) for line in out.getvalue().splitlines()]
    assert line["story_id"] == number
    assert line["tier"] == "premium"
    assert line["published_at"] == "2027-01-10T06:30:00+00:00"
    assert "body" not in line
    assert "1 story" in capsys.readouterr().err


def test_the_command_without_an_index_says_what_to_do(capsys):
    assert cli.run_search(Namespace(query=["mill"], page=1), io.StringIO()) == 1
    assert "broadsheet archive rebuild" in capsys.readouterr().err
    with pytest.raises(IndexUnavailableError):
        queries.search("mill")

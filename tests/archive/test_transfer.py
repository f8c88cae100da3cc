"""Old years in and out: every line accounted for, nothing printed or sent, the same file twice is once."""

import io
import json
import subprocess
import sys
from argparse import Namespace

import pytest
from tests import make
from tests.archive.test_search import index  # noqa: F401 - a fixture

from broadsheet.archive import actions, cli, queries, transfer
from broadsheet.archive.models import Day, Imported, Moved, Pending
from broadsheet.bus.models import Job, Notice
from broadsheet.newsroom import actions as newsroom
from broadsheet.newsroom.queries import full_story, public_story, published_ids

pytestmark = pytest.mark.django_db
NOW = make.NOW
STORY = {
    "source_id": "old-17",
    "headline": "Mill opens at Sonpar",
    "standfirst": "The looms ran at six.",
    "body_html": "<p>First words.</p><script>x()</script><p>Second words.</p><p>Third words, hidden.</p>",
    "section": "national",
    "published_at": "1998-05-04T23:30:00+05:30",
    "bylines": ["Asha Rao", "R. Iyer"],
    "tier": "premium",
    "redirects": ["https://old.example/98/mill.html?id=17", "/mill.html"],
}


def write(tmp_path, *lines):
    path = tmp_path / "old.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n")
    return path


def bring(path, **more):
    return [(one.line, one.status, one.reason) for one in transfer.bring_in(path, now=NOW, **more)]


def test_a_story_comes_whole_and_quietly(tmp_path, client):
    before = Notice.objects.count()
    assert bring(write(tmp_path, STORY)) == [(1, "imported", "")]
    assert not Job.objects.exists()  # no event: no letter, no print, no push
    assert Notice.objects.count() == before
    (number,) = published_ids(0, 10)
    story = full_story(number)
    assert story.body_html == "<p>First words.</p><p>Second words.</p><p>Third words, hidden.</p>"
    assert story.public.bylines == ("Asha Rao", "R. Iyer")
    assert story.public.tier == "premium"
    assert "hidden" not in public_story(number).lead_in_html
    assert story.public.published_at.isoformat() == "1998-05-04T18:00:00+00:00"
    for address in ("/98/mill.html?id=17", "/mill.html"):
        moved = client.get(address)
        assert (moved.status_code, moved.url) == (301, story.public.path)
    assert client.get("/98/mill.html?id=18").status_code == 404
    newsroom.withdraw_story(story_id=number, reason="", now=NOW)
    assert client.get("/mill.html").status_code == 301  # to the tombstone


def test_the_same_file_twice_is_once_and_a_changed_line_changes_the_story(tmp_path):
    path = write(tmp_path, STORY)
    bring(path)
    assert bring(path) == [(1, "same", "")]
    assert bring(write(tmp_path, {**STORY, "headline": "Mill closes at Sonpar"})) == [(1, "updated", "")]
    (number,) = published_ids(0, 10)
    assert public_story(number).headline == "Mill closes at Sonpar"
    assert public_story(number).published_at.year == 1998
    assert Imported.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("{not json", "this is not JSON"),
        ("[1]", "a line is one JSON object"),
        ({**STORY, "published_at": "4 May"}, "an instant is written 2027-01-10T09:00:00+05:30"),
        ({**STORY, "headline": ""}, "headline is missing"),
        ({**STORY, "headline": "x" * 201}, "headline is longer than 200 characters"),
        ({**STORY, "headline": "{{ title }}"}, "headline: This holds a template's placeholder ({{). Write it out."),
        ({**STORY, "tier": "gold"}, "tier is one of free, metered, registered, premium"),
        ({**STORY, "titel": "x"}, "there is no field 'titel'"),
        ({**STORY, "bylines": "Asha"}, "bylines is a list of texts"),
        ({**STORY, "redirects": ["javascript:x"]}, "redirects holds what is no address"),
        ({**STORY, "section": "!!"}, "section is a slug, such as national"),
        ({**STORY, "priority": True}, "priority is a whole number from 1 to 9"),
    ],
)
def test_a_bad_line_is_named_with_its_reason_and_the_others_come(tmp_path, change, reason):
    good = {**STORY, "source_id": "good", "redirects": []}
    assert bring(write(tmp_path, change, "", good)) == [(1, "refused", reason), (3, "imported", "")]
    assert len(published_ids(0, 10)) == 1


def test_checking_changes_nothing(tmp_path):
    assert bring(write(tmp_path, STORY, STORY), check_only=True) == [
        (1, "imported", ""), (2, "refused", "this source_id stands in the file already"),
    ]  # fmt: skip
    assert (published_ids(0, 10), Imported.objects.count(), Moved.objects.count()) == ([], 0, 0)


def test_what_came_is_found_and_stands_in_the_calendar(tmp_path):
    path = write(tmp_path, STORY, {**STORY, "source_id": "old-18", "redirects": []})
    assert cli.run_import(Namespace(path=path, check=False), io.StringIO()) == 0
    assert not Pending.objects.exists()
    assert len(queries.search("mill").hits) == 2
    assert [(str(row.day), row.stories) for row in Day.objects.all()] == [("1998-05-04", 2)]


def test_a_run_that_was_killed_is_run_again(tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "BATCH", 2)
    rows = [{**STORY, "source_id": f"old-{n}", "redirects": []} for n in range(7)]
    path = write(tmp_path, *rows)
    running = transfer.bring_in(path, now=NOW)
    for _ in range(3):
        next(running)
    running.close()  # in the middle of the second batch's words: both are in
    assert len(published_ids(0, 10)) == 4
    assert [status for _, status, _ in bring(path)] == ["same"] * 4 + ["imported"] * 3
    actions.write_pending()
    assert queries.search("mill").total == 7


def test_export_and_import_are_one_form(tmp_path):
    bring(write(tmp_path, STORY, {**STORY, "source_id": "b", "section": "world", "language": "hi", "redirects": []}))
    make.story(headline="One of our own", standfirst="x")
    first = io.StringIO()
    assert transfer.take_out(first) == 3
    path = tmp_path / "all.jsonl"
    path.write_text(first.getvalue())
    from broadsheet.newsroom.models import Article

    Article.objects.all().delete()
    Imported.objects.all().delete()
    Moved.objects.all().delete()
    assert {status for _, status, _ in bring(path)} == {"imported"}
    second = io.StringIO()
    transfer.take_out(second)

    def told(text):
        rows = [json.loads(line) for line in text.splitlines()]
        return [{name: value for name, value in row.items() if name != "redirects"} for row in rows]

    assert told(second.getvalue()) == told(first.getvalue())
    mill = json.loads(first.getvalue().splitlines()[0])
    assert mill["source_id"] == "old-17"
    assert mill["published_at"] == "1998-05-04T23:30:00+05:30"
    assert mill["redirects"][:2] == ["/98/mill.html?id=17", "/mill.html"]


def test_memory_stays_flat(tmp_path):
    """A file of many stories is read line by line: the peak does not follow its size."""
    script = (
        "import sys,tracemalloc,itertools\n"
        "from zoneinfo import ZoneInfo\nfrom pathlib import Path\n"
        "import django; django.setup()\n"
        "from broadsheet.archive.transfer_rows import lines_of, parse\n"
        "tracemalloc.start()\n"
        "with Path(sys.argv[1]).open('rb') as file:\n"
        "    count = sum(1 for _, text in lines_of(file) if parse(text, ZoneInfo('UTC')))\n"
        "print(count, tracemalloc.get_traced_memory()[1])\n"
    )
    path = write(tmp_path, *[{**STORY, "source_id": str(n), "body_html": "<p>word</p>" * 300} for n in range(500)])
    told = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True, timeout=60)
    count, peak = map(int, told.stdout.split())
    assert count == 500
    assert path.stat().st_size > 1_500_000
    assert peak < 500_000

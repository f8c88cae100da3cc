"""A running paper looks at itself: after a publication and at night; finds are kept, shown, told by letter and by the
health page, and closed."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from tests import make
from tests.papers import Paper

from broadsheet.leakcheck import actions, jobs, queries, rules
from broadsheet.leakcheck.models import DueStory, LeakFinding, LeakRun
from broadsheet.leakcheck.oracles import Leak
from broadsheet.newsroom.events import StoryPublished
from broadsheet.readers.models import Reader

NOW = make.NOW
LEAK = (Leak("7", "story page", "visitor", "read", "words of 7, as sent: a b c d e f"), "GET /harbour/x-7")
RUNS = (
    "from broadsheet.leakcheck import queries\n"
    "result = {'runs': [[r.kind, r.sentence, r.leaks] for r in queries.runs()], 'leaks': [[f.story, f.surface, "
    "f.evidence] for f in queries.findings(open_only=True)], 'leaking': queries.is_leaking()}"
)


def run(kind: str = "night", at: datetime = NOW, **more) -> int:
    """A run that ended; what `actions.end_run` returned."""
    run_id = actions.begin_run(kind=kind, seed=5, now=at)
    return actions.end_run(run_id=run_id, now=at + timedelta(seconds=9), **{"counts": (2, 40, 0), **more})


@pytest.mark.django_db
def test_a_find_is_told_once_and_stays_until_it_is_closed():
    assert run(found=[LEAK]) == 1
    assert queries.is_leaking()
    assert run(at=NOW + timedelta(days=1), found=[LEAK]) == 0
    (finding,) = queries.findings(open_only=True)
    assert (finding.story, finding.request) == ("7", "GET /harbour/x-7")
    assert finding.advice.startswith("Hidden text reached somebody")
    actions.close_finding(finding_id=finding.id, by="Mira", now=NOW)
    assert not queries.is_leaking()
    assert queries.findings(open_only=False)[0].closed_by == "Mira"
    assert run(at=NOW + timedelta(days=2), found=[LEAK]) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "more", "open_after"),
    [
        ("night", {}, 0),
        ("publish", {}, 1),
        ("night", {"error": "the paper does not answer.", "counts": (0, 0, 0)}, 1),
        ("night", {"counts": (2, 40, 3)}, 1),
    ],
)
def test_only_a_whole_night_that_finds_nothing_closes_what_is_open(kind, more, open_after):
    run(found=[LEAK])
    run(kind, at=NOW + timedelta(days=1), **more)
    assert len(queries.findings(open_only=True)) == open_after


@pytest.mark.django_db
def test_what_came_of_a_run_is_one_sentence():
    run(found=[LEAK])
    run("publish", counts=(1, 30, 2))
    run("night", error="nobody answers.", counts=(0, 0, 0))
    assert [row.sentence for row in queries.runs()] == [
        "Could not look: nobody answers.",
        "Asked 30 times about 1 story: nothing came through. 2 questions were left out for want of time.",
        "Asked 40 times about 2 stories: 1 answer was wrong.",
    ]


@pytest.mark.django_db
def test_one_run_of_a_kind_at_a_time_and_one_that_died_is_not_waited_for():
    assert actions.begin_run(kind="night", seed=1, now=NOW) is not None
    assert actions.begin_run(kind="night", seed=2, now=NOW + timedelta(minutes=20)) is None
    assert actions.begin_run(kind="publish", seed=3, now=NOW + timedelta(minutes=20)) is not None
    assert actions.begin_run(kind="night", seed=4, now=NOW + timedelta(minutes=61)) is not None
    actions.purge(now=NOW + timedelta(days=1))
    assert {row.error for row in LeakRun.objects.all()} == {"it was cut off"}


@pytest.mark.django_db
def test_stories_wait_once_and_a_flood_is_left_to_the_night(settings):
    for story in (1, 2, 2, 3):
        actions.note_published(story_id=story, now=NOW)
    actions.note_published(story_id=4, now=NOW + timedelta(seconds=9))
    assert actions.take_due(now=NOW + timedelta(seconds=8), most=2) == []
    assert actions.take_due(now=NOW + timedelta(seconds=-1), most=2) == []
    assert DueStory.objects.count() == 5
    DueStory.objects.filter(story_id=4).update(since=NOW + timedelta(seconds=99))
    assert actions.take_due(now=NOW + timedelta(seconds=31), most=2) == [3, 2]
    assert list(DueStory.objects.values_list("story_id", flat=True)) == [4]
    for value, waiting in (("off", 1), ("night", 1), ("publish", 2)):
        settings.BROADSHEET = type(settings.BROADSHEET)(**{**settings.BROADSHEET.__dict__, "leakcheck": value})
        jobs.note_published(StoryPublished(9, 1))
        assert DueStory.objects.count() == waiting


@pytest.mark.parametrize(
    ("clock", "last", "due"),
    [
        ("02:00", None, True),
        ("01:59", None, False),
        ("05:00", None, False),
        ("04:59", "2027-01-09 02:10", True),
        ("03:00", "2027-01-10 02:00", False),
    ],
)
def test_the_night_comes_once_in_the_publishers_zone(clock, last, due):
    zone = ZoneInfo("Asia/Kolkata")
    local = datetime.fromisoformat(f"2027-01-10 {clock}").replace(tzinfo=zone)
    before = datetime.fromisoformat(last).replace(tzinfo=zone).astimezone(UTC) if last else None
    assert rules.is_night(local, before) is due


@pytest.mark.django_db
def test_old_runs_are_forgotten_and_open_finds_are_not():
    run("publish")
    run("night")
    run("publish", found=[LEAK])
    actions.purge(now=NOW + timedelta(days=15))
    assert LeakRun.objects.count() == 2
    actions.purge(now=NOW + timedelta(days=400))
    assert [row.kind for row in LeakRun.objects.all()] == ["publish"]
    assert LeakFinding.objects.count() == 1


@pytest.mark.django_db
def test_the_report_is_for_those_who_publish_and_nobody_else():
    run(found=[LEAK])
    reader = make.reader("asha@reader.example")
    editor = Reader.objects.create_superuser("mira@paper.example", "a long pass phrase", created_at=NOW)
    finding = LeakFinding.objects.get()
    client = Client()
    for who in (None, reader):
        if who:
            client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
        assert client.get("/admin/leaks/").status_code in (302, 403)
        assert client.post(f"/admin/leaks/{finding.id}/close/").status_code in (302, 403)
    finding.refresh_from_db()
    assert finding.closed_at is None
    client.force_login(editor, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/admin/leaks/").content.decode()
    for said in (
        "1 finding open",
        "a b c d e f",
        "GET /harbour/x-7",
        "take the story down",
        "1 answer was wrong",
        "seed 5",
    ):
        assert said in page
    assert client.post(f"/admin/leaks/{finding.id}/close/").status_code == 302
    assert "Nothing leaks that we know of." in client.get("/admin/leaks/").content.decode()


def looked(paper: Paper, within: float = 60) -> dict:
    """What the paper knows once a look has ended."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        told = paper.python(RUNS)
        if told["runs"] and "Under way." not in [sentence for _, sentence, _ in told["runs"]]:
            return told
        time.sleep(1)
    raise AssertionError(told)


def test_a_publication_is_looked_at_and_nothing_comes_through(tmp_path: Path) -> None:
    paper = Paper(tmp_path / "data", leakcheck="on", free_limit="2").init()
    paper.start()
    try:
        paper.stories({"tier": "premium"}, {"tier": "metered", "headline": "Ferry fares stay for the winter"})
        told = looked(paper)
        assert told["leaks"] == []
        (kind, sentence, _) = told["runs"][0]
        assert kind == "after a publication"
        assert sentence.endswith("about 2 stories: nothing came through.")
        assert int(sentence.split()[1]) > 50
        assert paper.browser().get("/healthz").text == "ok\n"
    finally:
        paper.stop()


class Overlay(BaseHTTPRequestHandler):
    """A careless cache: it answers with the whole story, whoever asks."""

    def do_GET(self) -> None:
        body = f"<p>{make.paragraph(1)}</p><p>{make.paragraph(5)}</p>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Quiet."""


def test_a_leak_is_kept_told_by_letter_and_by_the_health_page_without_its_words(tmp_path: Path) -> None:
    careless = ThreadingHTTPServer(("127.0.0.1", 0), Overlay)
    threading.Thread(target=careless.serve_forever, daemon=True).start()
    paper = Paper(
        tmp_path / "data",
        leakcheck="publish",
        leakcheck_url=f"http://127.0.0.1:{careless.server_port}",
        alarm_email="publisher@paper.example",
    ).init()
    paper.start()
    try:
        paper.stories({"tier": "premium"})
        told = looked(paper)
        assert told["leaking"]
        assert any("words of" in evidence and "5x" in evidence for _, _, evidence in told["leaks"])
        health = paper.browser().get("/healthz")
        assert (health.status, health.text) == (200, "leakcheck: something needs a look; see Reports, Leaks\n")
        letters = [path.read_text() for path in (tmp_path / "data" / "letters").glob("*.eml")]
        assert len(letters) == 1
        assert "To: publisher@paper.example" in letters[0]
        assert "/admin/leaks/" in letters[0]
        assert "harbour5x" not in json.dumps(letters)
    finally:
        paper.stop()
        careless.shutdown()

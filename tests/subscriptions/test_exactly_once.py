"""Real processes on one database file: two at once, and one killed at each point of a renewal."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SOLD, DUE, LATER = "2027-02-10 09:00", "2027-03-10 00:10", "2027-03-10 00:16"
POINTS = ("claimed", "after_charge", "recording")
COUNT = 8
EVERY_ONE_RENEWED_ONCE = {
    "charged": [f"renew:{number}:2:1" for number in range(1, COUNT + 1)],
    "attempts": COUNT,
    "succeeded": COUNT,
    "invoices": COUNT,
    "periods": ["active 2 2027-04-10"] * COUNT,
}


class Paper:
    """A data folder and the processes on it."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "BROADSHEET_DATABASE_URL"},
            "BROADSHEET_DATA": str(folder),
            "DJANGO_SETTINGS_MODULE": "broadsheet.server.settings",
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        }

    def start(self, *words):
        return subprocess.Popen(
            [sys.executable, Path(__file__).parent / "billing_process.py", *words],
            env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *words):
        process = self.start(*words)
        told, _ = process.communicate("go\n", timeout=120)
        return process.returncode, told

    def report(self):
        """What the books hold, read without any of our code."""
        with closing(sqlite3.connect(self.folder / "broadsheet.sqlite3")) as books:

            def rows(query):
                return [row[0] for row in books.execute(query)]

            return {
                "charged": rows("SELECT key FROM payments_sandboxcharge WHERE key LIKE 'renew:%' ORDER BY key"),
                "attempts": rows("SELECT count(*) FROM payments_payment WHERE kind = 'renewal'")[0],
                "succeeded": rows(
                    "SELECT count(*) FROM payments_payment WHERE kind = 'renewal' AND status = 'succeeded'"
                )[0],
                "invoices": rows("SELECT count(*) FROM payments_invoice WHERE period_index = 2 AND status = 'paid'")[0],
                "periods": rows(
                    "SELECT status || ' ' || period_index || ' ' || period_end FROM subscriptions_subscription ORDER BY id"
                ),
            }


@pytest.fixture(scope="module")
def sold(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper")
    assert Paper(folder).run("setup", SOLD)[0] == 0
    return folder


@pytest.fixture
def paper(sold, tmp_path):
    return Paper(shutil.copytree(sold, tmp_path / "data"))


def test_two_runs_at_once_charge_once(paper):
    rivals = [paper.start("run", DUE) for _ in range(2)]
    for rival in rivals:
        assert rival.stdout.readline() == "ready\n"
    for rival in rivals:
        rival.stdin.write("go\n")
        rival.stdin.flush()
    told = [rival.communicate(timeout=120)[0] for rival in rivals]
    assert [rival.returncode for rival in rivals] == [0, 0]
    assert paper.report() == EVERY_ONE_RENEWED_ONCE
    grants = [pair for text in told for pair in json.loads(text) if pair[1] == "grant"]
    assert len(grants) == 2 * COUNT  # each effect was had, and told, by one of the two


def test_killed_at_any_point_the_next_run_finishes_and_charges_once(paper):
    for number, point in enumerate(POINTS, start=1):
        status, told = paper.run("die", DUE, point)
        assert (status, told) == (-signal.SIGKILL, "ready\n")
        left = paper.report()
        assert (left["attempts"], left["succeeded"]) == (number, 0)
        assert left["charged"] == [f"renew:{one}:2:1" for one in range(2, number + 1)]
    # Whoever died holds its lease for five minutes; the others are renewed meanwhile.
    assert paper.run("run", DUE)[0] == 0
    assert paper.report()["succeeded"] == COUNT - len(POINTS)
    assert paper.run("run", LATER)[0] == 0
    assert paper.report() == EVERY_ONE_RENEWED_ONCE
    assert json.loads(paper.run("run", LATER)[1].splitlines()[1]) == []

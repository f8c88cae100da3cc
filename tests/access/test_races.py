"""Two processes of eight threads at one database: what is counted is counted exactly, whoever comes first."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.papers import Paper
from tests.postgres import new_database

PROCESSES, ALL = 2, 16


class Racers:
    """Processes that wait for the same word."""

    def __init__(self, env):
        script = str(Path(__file__).parent / "race_process.py")
        pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._running = [
            subprocess.Popen([sys.executable, script, str(number)], env=env, **pipe) for number in range(PROCESSES)
        ]
        for process in self._running:
            assert process.stdout.readline() == "ready\n"
        self._say("setup", self._running[:1])

    def _say(self, word, processes):
        for process in processes:
            process.stdin.write(f"{word}\n")
            process.stdin.flush()
        return [json.loads(process.stdout.readline()) for process in processes]

    def race(self, what):
        """What each of the threads of all processes got."""
        return [got for process in self._say(what, self._running) for got in process]

    def kept(self, name):
        """What the database holds, as another process sees it."""
        return self._say("kept", self._running[-1:])[0][name]

    def stop(self):
        for process in self._running:
            process.communicate(timeout=20)


@pytest.fixture(scope="module")
def racers(tmp_path_factory):
    """On a database of their own; on the PostgreSQL server that the suite runs on, when it runs on one."""
    options, given = {}, os.environ.get("BROADSHEET_DATABASE_URL")
    if given:
        options["database_url"] = new_database(given, "races")
    paper = Paper(tmp_path_factory.mktemp("races") / "data", **options)
    paper.env["PYTHONPATH"] = f"src{os.pathsep}."
    paper.init()
    made = Racers(paper.env)
    yield made
    made.stop()


def test_a_sections_ceiling_and_the_limit(racers):
    assert Counter(racers.race("reads")) == {"ok": 5, "section_limit": ALL - 5}
    assert racers.kept("january") == 5


def test_one_story_on_many_devices_counts_once(racers):
    assert Counter(racers.race("again")) == {"ok": 1, "repeat": ALL - 1}
    assert racers.kept("february") == 1


def test_seats(racers):
    assert Counter(racers.race("seats")) == {True: 5, False: ALL - 5}
    assert racers.kept("seats") == 5


def test_devices_of_a_gift(racers):
    assert Counter(racers.race("devices")) == {True: 10, False: ALL - 10}
    assert racers.kept("devices") == 10


def test_a_months_gifts(racers):
    got = racers.race("gifts")
    assert got.count("quota") == ALL - 9
    assert len(set(got)) == 10  # nine tokens and the refusal
    assert racers.kept("gifts") == 10


def test_one_story_given_at_once_is_one_gift(racers):
    assert len(set(racers.race("same_gift"))) == 1
    assert racers.kept("of story 1") == 1


def test_one_network_is_one_institutions(racers):
    got = racers.race("networks")
    assert got.count("kept") == 1
    assert got.count(["prefixes"]) == ALL - 1
    assert racers.kept("claimants") == 1


def test_no_institution_is_missing_from_what_the_gates_are_told(racers):
    assert set(racers.race("institutions")) == {"kept"}
    assert racers.kept("told") == racers.kept("institutions")
    assert len(racers.kept("told")) >= ALL + 1

"""Fifty readers claim at once, in real processes on a real database, and one of the processes is killed in the middle."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.postgres import a_postgres

ROOT = Path(__file__).parent.parent.parent
PROCESSES, THREADS = 2, 25
CODES = 45  # fewer than readers


@pytest.fixture(params=["sqlite", "postgres"])
def environment(request, tmp_path):
    environ = {
        **os.environ,
        "BROADSHEET_DATA": str(tmp_path),
        "BROADSHEET_DATABASE_URL": "",
        "DJANGO_SETTINGS_MODULE": "broadsheet.server.settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    if request.param == "sqlite":
        yield environ
        return
    with a_postgres() as server:
        yield {**environ, "BROADSHEET_DATABASE_URL": server.ready("partners")}


def start(environ, *words):
    return subprocess.Popen(
        [sys.executable, Path(__file__).parent / "claim_process.py", *map(str, words)],
        env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def run(environ, *words):
    told, _ = start(environ, *words).communicate("go\n", timeout=120)
    return json.loads(told.splitlines()[-1])


def at_once(environ, first):
    """Both processes are ready before the first claim. What the survivor's readers were given."""
    running = [
        start(environ, "claim", first + THREADS * n, THREADS, *(["crash"] if n == 0 else [])) for n in range(PROCESSES)
    ]
    for process in running:
        assert process.stdout.readline() == "ready\n"
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [-9, 0]
    return json.loads(answers[1])


def test_fifty_at_once_get_each_code_once_and_the_rest_are_told(environment):
    first = run(environment, "fill", PROCESSES * THREADS, CODES)["first"]
    got = at_once(environment, first)["got"]
    # All fifty at once in a third process: those who have a code get it again.
    after = run(environment, "claim", first, PROCESSES * THREADS)
    before, given = after["before"], after["books"]["given"]
    # Whoever was told a code has that code and no other has it; the killed claim left neither claim nor code behind.
    assert len(set(before["given"].values())) == len(before["given"]) == before["claims"]
    assert {reader: code for reader, code in got.items() if code != "no_code"}.items() <= before["given"].items()
    assert before["given"].items() <= given.items()
    assert len(set(given.values())) == CODES == after["books"]["claims"]
    assert sorted(after["got"].values()) == [f"CODE-{n:04}" for n in range(CODES)] + ["no_code"] * 5

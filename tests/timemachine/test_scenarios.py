"""Every scenario of the rules, walked on the real code."""

import os
from pathlib import Path

import pytest

from tests.timemachine.walks import rows, simulate

EVERY = sorted((Path(__file__).parent.parent / "scenarios").glob("*.yaml"))
# The numbered ones, and every third of the others: all of them take minutes (`make scenarios`).
NUMBERED = [path for path in EVERY if path.read_text("utf-8").startswith("# Scenario")]
OTHERS = [path for path in EVERY if path not in NUMBERED]
SCENARIOS = EVERY if os.environ.get("EVERY_SCENARIO") == "1" else [*NUMBERED, *OTHERS[::3]]


def test_there_are_scenarios():
    assert len(EVERY) > 100
    assert len(NUMBERED) > 50


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_expectation_of_the_scenario_holds(path):
    done = simulate(path, "--json")
    wrong = [row for row in rows(done) if row["event"] in ("expectation_failed", "trouble")]
    assert (done.returncode, wrong) == (0, []), done.stderr[-2000:]

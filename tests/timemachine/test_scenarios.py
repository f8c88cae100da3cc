"""Every scenario of the rules, walked on the real code."""

from pathlib import Path

import pytest

from tests.timemachine.walks import rows, simulate

SCENARIOS = sorted((Path(__file__).parent.parent / "scenarios").glob("*.yaml"))


def test_there_are_scenarios():
    assert len(SCENARIOS) > 60


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_expectation_of_the_scenario_holds(path):
    done = simulate(path, "--json")
    wrong = [row for row in rows(done) if row["event"] in ("expectation_failed", "trouble")]
    assert (done.returncode, wrong) == (0, []), done.stderr[-2000:]

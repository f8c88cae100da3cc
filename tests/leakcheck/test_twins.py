"""The whole check on real servers: the paper as it is leaks nothing. What is planted is found in test_plants.py."""

from __future__ import annotations

import asyncio

import pytest

from broadsheet.leakcheck.report import ROUNDS, Effort, check, tell
from broadsheet.leakcheck.twins import make_twins, serving

# Every class of trick and every round, with a share of the tricks; the command and the night's run try all of them.
SMALL = Effort(
    share=0.07, crowd=0.1, most=160, fuzz=4, cached=60, seed=20270315, modes=("strict meter", "https behind a proxy")
)


def test_the_paper_as_it_is_leaks_nothing(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    twins = make_twins(tmp_path)
    with serving(twins) as servers:
        outcome = asyncio.run(check(twins, servers, SMALL))
    assert outcome.leaks == ()
    assert outcome.surfaces > 80
    assert outcome.tricks > 300
    assert outcome.probes > 1000
    assert set(outcome.seconds) == set(ROUNDS)
    assert "options tried: strict meter, https behind a proxy" in outcome.notes
    assert any("a right that ended after" in note for note in outcome.notes)
    assert tell(outcome, as_json=True, quiet=False, seconds=1.0) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "seed 20270315" in told.err
    assert told.err.endswith(": no leaks.\n")

"""The gate's proof in a small size: thousands of readers while stories come, change and go; `make prove-gate` is the large one.

Before that, the checker itself: whatever is planted must be found, or finding nothing would mean nothing.
"""

import pytest
from tests.papers import free_port
from tools.prove_gate.history import GRACE, Answer, Ask, History
from tools.prove_gate.proof import Plan, Proof

FULL, WALL, GONE, OTHER, NEWER = (bytes([mark]) * 12 for mark in range(5))


@pytest.fixture
def history():
    """Story 1 is metered and live from 100 on, corrected at 200, killed at 300; five may be read, three from 400 on."""
    told = History()
    sheets = [(1, "full", "gzip", FULL.hex()), (1, "limit", "gzip", WALL.hex()), (2, "full", "gzip", OTHER.hex())]
    newer = [(1, "full", "gzip", NEWER.hex()), *sheets[1:]]
    live, dead = {"1": "published", "2": "published"}, {"1": "withdrawn", "2": "published"}
    gone = [(1, "gone", "gzip", GONE.hex()), sheets[2]]
    for begin, states, printed, limit in [
        (100, live, sheets, 5),
        (200, live, newer, 5),
        (300, dead, gone, 5),
        (400, dead, gone, 3),
    ]:
        told.learn({"begin": begin})
        told.learn({"begin": begin, "done": begin + 0.5, "states": states, "policy": [limit, 10], "sheets": printed})
    return told


def answer(digest, at, status=200, variant="full", reason="meter", *, encoding="gzip"):
    return Answer(status, variant, reason, encoding, digest, at, at + 0.01)


READ = [frozenset(range(10, 10 + count)) for count in range(6)]


@pytest.mark.parametrize(
    ("ask", "got"),
    [
        (Ask(1, "metered", "visitor", READ[0]), answer(FULL, 150)),
        (Ask(1, "metered", "visitor", READ[4]), answer(FULL, 150)),
        (Ask(1, "metered", "visitor", READ[4] | {1}), answer(FULL, 150, reason="repeat")),
        (Ask(1, "metered", "visitor", READ[5]), answer(WALL, 150, variant="wall", reason="limit")),
        (Ask(1, "metered", "subscriber"), answer(FULL, 150, reason="entitled")),
        (Ask(1, "metered", "visitor", READ[0]), answer(FULL, 200.5 + GRACE)),
        (Ask(1, "metered", "visitor", READ[0]), answer(NEWER, 200.2)),
        (Ask(1, "metered", "visitor", READ[0]), answer(GONE, 350, 410, "", "withdrawn")),
    ],
)
def test_a_right_answer_is_no_fault(history, ask, got):
    assert history.fault(ask, got) is None


@pytest.mark.parametrize(
    ("ask", "got", "said"),
    [
        # The whole story at the limit; one more than the limit; a wall before it; another story's bytes.
        (Ask(1, "metered", "visitor", READ[5]), answer(FULL, 150), "allowed"),
        (Ask(1, "metered", "visitor", READ[5]), answer(FULL, 150, variant="wall", reason="limit"), "allowed"),
        (Ask(1, "metered", "visitor", READ[2]), answer(WALL, 150, variant="wall", reason="limit"), "allowed"),
        (Ask(1, "metered", "visitor", READ[0]), answer(OTHER, 150), "never printed"),
        (Ask(1, "metered", "visitor", READ[0]), answer(b"one bit off!", 150), "never printed"),
        # A payer at the wall, or counted; a repeat that is counted again.
        (Ask(1, "metered", "subscriber"), answer(WALL, 150, variant="wall", reason="limit"), "allowed"),
        (Ask(1, "metered", "subscriber"), answer(FULL, 150), "allowed"),
        (Ask(1, "metered", "visitor", READ[4] | {1}), answer(FULL, 150), "allowed"),
        # Too late: the words before the correction, and a killed story, after every worker must have heard of it.
        (Ask(1, "metered", "visitor", READ[0]), answer(FULL, 200.6 + GRACE), "another moment"),
        (Ask(1, "metered", "subscriber"), answer(NEWER, 300.6 + GRACE, reason="entitled"), "another moment"),
        # Too early, and misnamed.
        (Ask(1, "metered", "visitor", READ[0]), answer(NEWER, 150), "another moment"),
        (Ask(1, "metered", "visitor", READ[0]), answer(FULL, 150, variant="wall"), "called"),
        (Ask(1, "metered", "visitor", READ[0]), answer(FULL, 150, encoding="br"), "called"),
        (Ask(1, "metered", "visitor", READ[0]), answer(GONE, 350, 200, "", "withdrawn"), "allowed"),
    ],
)  # fmt: skip
def test_every_planted_fault_is_found(history, ask, got, said):
    assert said in (history.fault(ask, got) or "")


def test_a_new_limit_holds_at_the_latest_a_second_later(history):
    assert history.limits("visitor", 402, 402) == [3]
    assert sorted(history.limits("visitor", 401, 401)) == [3, 5]


def test_nothing_goes_wrong_in_a_night_of_changes(tmp_path):
    port = free_port()
    plan = Plan(requests=20_000, seconds=400, every=0.5, stories=24, crowds=1, restarts=3, readers=40, memory=False)
    found = Proof(tmp_path, plan, print, (port, port)).run()
    assert (found.faults, found.grown) == ([], [])
    assert found.requests >= 20_000
    assert {"meter", "repeat", "limit", "entitled", "free", "premium", "register", "withdrawn"} <= set(found.reasons)
    assert found.changes["worker killed"]
    assert found.changes["workers reloaded"]

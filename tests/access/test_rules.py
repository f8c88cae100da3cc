"""decide() over its whole input space against the table of tests/vectors/access.json, and its invariants."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from broadsheet.access.rules import (
    Body,
    Cache,
    Policy,
    Principal,
    Request,
    Right,
    State,
    Story,
    Surface,
    Tier,
    decide,
    rolling_start,
    window,
)

NOW = datetime(2027, 1, 10, 6, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
TABLE = json.loads((Path(__file__).parent.parent / "vectors" / "access.json").read_text())

# A right is described by its product and where `now` lies in its [start, end).
RIGHTS = {
    "none": (),
    "unlimited": (Right("unlimited", NOW - HOUR, NOW + HOUR),),
    "unlimited_open_ended": (Right("unlimited", NOW - HOUR, None),),
    "unlimited_first_instant": (Right("unlimited", NOW, NOW + HOUR),),
    "unlimited_over_since_now": (Right("unlimited", NOW - HOUR, NOW),),
    "unlimited_not_begun": (Right("unlimited", NOW + timedelta(microseconds=1), None),),
    "premium": (Right("premium", NOW - HOUR, NOW + HOUR),),
    "premium_over": (Right("premium", NOW - HOUR, NOW),),
    "both": (Right("unlimited", NOW - HOUR, None), Right("premium", NOW - HOUR, None)),
    "another_product": (Right("epaper", NOW - HOUR, None),),
}
COVERS = {
    "unlimited": {"unlimited"},
    "unlimited_open_ended": {"unlimited"},
    "unlimited_first_instant": {"unlimited"},
    "premium": {"premium"},
    "both": {"unlimited", "premium"},
}
LIMITS = [(0, 0), (1, 1), (5, 10), (3, 0)]
SEEN = [frozenset(), frozenset({7}), frozenset({1, 2, 3}), frozenset(range(1, 11)), frozenset({7, *range(20, 30)})]
STORY = 7


def space():
    yield from itertools.product(
        Tier, State, [False, True], Principal, RIGHTS, SEEN, [0, 5, 99], [False, True], Surface, LIMITS,
        ["soft", "strict", "login"],
    )  # fmt: skip


def expected(facts):
    for row in TABLE:
        if all(
            bool(facts["rights"] & set(wanted)) if name == "right" else facts[name] in wanted
            for name, wanted in row["if"].items()
        ):
            return row["then"]
    raise AssertionError("the table is not total")


def test_every_input_gets_what_the_table_says():
    checked = 0
    for tier, state, emergency, principal, right, seen, used, real, surface, limits, mode in space():
        policy = Policy(free_limit=limits[0], registered_limit=limits[1], mode=mode)
        request = Request(principal, RIGHTS[right], seen, used, real, surface)
        got = decide(policy, Story(STORY, tier, state, emergency), request, NOW)
        limit = limits[0] if principal is Principal.VISITOR else limits[1]
        want = expected({
            "state": state.value, "emergency": emergency, "tier": tier.value, "principal": principal.value,
            "surface": surface.value, "rights": COVERS.get(right, set()), "mode": mode, "seen": STORY in seen,
            "real_read": real, "room": max(len(seen), used) < limit,
        })  # fmt: skip
        assert [got.body.value, got.status, got.reason, got.cache.value, got.count] == want
        checked += 1
    assert checked == 4 * 4 * 2 * 2 * 10 * 5 * 3 * 2 * 2 * 4 * 3


def test_invariants_hold_everywhere():
    for tier, state, emergency, principal, right, seen, used, real, surface, limits, mode in space():
        policy = Policy(free_limit=limits[0], registered_limit=limits[1], mode=mode)
        story = Story(STORY, tier, state, emergency)
        got = decide(policy, story, Request(principal, RIGHTS[right], seen, used, real, surface), NOW)
        paid = tier is not Tier.FREE and not emergency
        if got.body is Body.FULL:
            assert state is State.PUBLISHED
            assert not paid or got.cache is Cache.PRIVATE
            assert tier is not Tier.PREMIUM or emergency or "premium" in COVERS.get(right, set())
        if got.count:
            assert got.body is Body.FULL
            assert real
            assert max(len(seen), used) < got.limit
        if got.reason == "entitled":
            assert not got.count
        assert (got.wall is not None) == (got.body is Body.WALL)
        # More reads behind a reader never open more.
        more = decide(policy, story, Request(principal, RIGHTS[right], seen | {98, 99}, used + 1, real, surface), NOW)
        assert not (more.body is Body.FULL and got.body is not Body.FULL)


def test_a_story_that_does_not_exist_is_like_an_unpublished_one():
    hidden = decide(Policy(), Story(1, Tier.METERED, State.UNPUBLISHED), Request(), NOW)
    assert decide(Policy(), None, Request(), NOW) == hidden


@pytest.mark.parametrize(
    ("kind", "at", "name", "start", "end"),
    [
        # 31 January 20:00 UTC is 1 February in Kolkata: the publisher's zone decides.
        ("month", "2027-01-31T20:00:00+00:00", "m202702", "2027-02-01T00:00:00+05:30", "2027-03-01T00:00:00+05:30"),
        ("month", "2027-01-31T18:29:59+00:00", "m202701", "2027-01-01T00:00:00+05:30", "2027-02-01T00:00:00+05:30"),
        ("month", "2027-01-31T18:30:00+00:00", "m202702", "2027-02-01T00:00:00+05:30", "2027-03-01T00:00:00+05:30"),
        ("week", "2027-01-10T12:00:00+05:30", "w20270104", "2027-01-04T00:00:00+05:30", "2027-01-11T00:00:00+05:30"),
    ],
)
def test_calendar_windows_follow_the_publishers_zone(kind, at, name, start, end):
    got = window(Policy(window=kind), datetime.fromisoformat(at))
    assert (got.name, got.start, got.end) == (name, datetime.fromisoformat(start), datetime.fromisoformat(end))


def test_a_month_with_a_clock_change_has_no_gap():
    policy = Policy(zone=ZoneInfo("America/New_York"))
    march = window(policy, datetime(2027, 3, 20, tzinfo=UTC))
    assert window(policy, march.end).start == march.end
    assert march.end - march.start == timedelta(days=31) - HOUR


def test_a_rolling_window_runs_from_the_first_read_and_then_begins_anew():
    policy = Policy(window="rolling:30")
    first = window(policy, NOW)
    assert (first.start, first.end) == (NOW, NOW + timedelta(days=30))
    assert rolling_start(first.name) == NOW
    assert window(policy, NOW + timedelta(days=29, hours=23), NOW) == first
    assert window(policy, NOW + timedelta(days=30), NOW).start == NOW + timedelta(days=30)

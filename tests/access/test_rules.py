"""decide() over its whole input space against the table of tests/vectors/access.json, and its invariants."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from broadsheet.access.products import PRODUCTS
from broadsheet.access.rules import (
    REASONS,
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
    decide_benefit,
    policy_from,
    policy_values,
    rolling_start,
    window,
)

NOW = datetime(2027, 1, 10, 6, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
TABLE = json.loads((Path(__file__).parent.parent / "vectors" / "access.json").read_text())

STORY = 7
LIVE = (NOW - HOUR, NOW + HOUR)
RIGHTS = {
    "none": (),
    "unlimited": (Right("epaper", *LIVE), Right("unlimited", *LIVE)),
    "premium": (Right("premium", *LIVE),),
}
SEATS = {"none": frozenset(), "unlimited": frozenset({"unlimited"}), "premium": frozenset({"premium"})}
EMERGENCIES = {"none": (False, False), "story": (True, False), "paper": (False, True)}
# The meter: limits of visitors and readers, stories seen, and how many the server counted.
METERS = [
    ((5, 10), frozenset(), 0),
    ((3, 3), frozenset({1, 2}), 0),
    ((5, 10), frozenset({7}), 0),
    ((3, 3), frozenset({5, 6, 7}), 9),
    ((3, 3), frozenset({1, 2, 3}), 0),
    ((5, 3), frozenset({1}), 5),
    ((0, 0), frozenset(), 0),
]
# A ceiling for the story's section, and what was read in it: no ceiling, room, none left, and one above the limit.
SECTIONS = [({}, 0), ({"markets": 2, "opinion": 0}, 1), ({"markets": 2}, 2)]


def published():
    """Every abstract input about a published story, as (facts of the table, policy, story, request)."""
    for tier, (emergency, (by_story, by_paper)), mode, (limits, seen, used), (
        ceilings,
        in_section,
    ) in itertools.product(Tier, EMERGENCIES.items(), ["soft", "strict", "login"], METERS, SECTIONS):
        policy = Policy(*limits, mode=mode, section_limits=ceilings, emergency=by_paper)
        story = Story(STORY, tier, State.PUBLISHED, by_story, "markets")
        for principal, right, seat, gift, surface, real, begin, countable in itertools.product(
            Principal, RIGHTS, SEATS, [False, True], Surface, [False, True], [False, True], [False, True]
        ):
            if mode == "strict" and (gift or seat != "none"):
                continue  # strict differs from soft in what the gate calls a real read, never here
            request = Request(
                principal, RIGHTS[right], seen, used, real, surface, in_section, SEATS[seat], gift, begin, countable
            )
            limit = limits[0] if principal is Principal.VISITOR else limits[1]
            facts = {
                "state": "published", "emergency": emergency, "tier": tier.value, "principal": principal.value,
                "right": right, "seat": seat, "gift": gift, "surface": surface.value, "mode": mode,
                "seen": STORY in seen, "room": max(len(seen), used) < limit,
                "section_room": in_section < ceilings.get("markets", 99), "real_read": real, "may_begin": begin,
                "countable": countable,
            }  # fmt: skip
            yield facts, policy, story, request


def expected(facts):
    for row in TABLE:
        if all(facts[name] in wanted for name, wanted in row["if"].items()):
            return row["then"]
    raise AssertionError("the table is not total")


WALLS = {
    ("premium", "subscribe"), ("register", "register"), ("login", "register"), ("limit", "limit"),
    ("section_limit", "limit"), ("not_a_read", "limit"), ("meter_away", "register"), ("meter_away", "limit"),
    ("budget", "register"), ("surface", "limit"), ("surface", "register"),
}  # fmt: skip


def check_everything():
    """Every published input against the table, with the invariants; returns how many there were."""
    checked = 0
    for facts, policy, story, request in published():
        check_one(decide(policy, story, request, NOW), expected(facts), (facts, policy, story, request))
        checked += 1
    return checked


def check_one(got, then, asked):
    """`asked`: what `published` gives, answered with `got`."""
    facts, policy, story, request = asked
    assert [got.body.value, got.status, got.reason, got.cache.value, got.counts] == then, facts
    paid = story.tier is not Tier.FREE and facts["emergency"] == "none"
    if got.body is Body.FULL:
        assert (got.cache is Cache.PRIVATE) == paid
    if got.counts:
        assert got.body is Body.FULL and facts["real_read"] and facts["room"] and facts["countable"]  # noqa: PT018
    assert (got.wall is not None) == (got.body is Body.WALL)
    if got.wall:
        assert (got.reason, got.wall.value) in WALLS
    if got.reason in ("limit", "repeat", "meter"):
        limits = (policy.free_limit, policy.registered_limit)
        assert got.limit == limits[request.principal is not Principal.VISITOR]
        assert got.used == max(len(request.seen), request.used)


def test_every_input_gets_what_the_table_says():
    assert check_everything() == 4 * 3 * 7 * 3 * 3 * 3 * (2 * 3 * 2 + 1) * 2**4


def test_every_wall_says_what_would_open_the_story():
    walls = {
        (got.reason, got.wall.value)
        for _, policy, story, request in published()
        if (got := decide(policy, story, request, NOW)).wall
    }
    assert walls == WALLS


@pytest.mark.parametrize("state", [State.UNPUBLISHED, State.WITHDRAWN, State.LEGAL])
def test_nothing_opens_a_story_that_is_not_published(state):
    then = {row["if"]["state"][0]: row["then"] for row in TABLE[:3]}[state.value]
    for _, policy, story, request in itertools.islice(published(), 0, None, 7):
        got = decide(policy, story._replace(state=state), request, NOW)
        assert [got.body.value, got.status, got.reason, got.cache.value, got.counts] == then


def test_more_reads_behind_a_reader_never_open_more():
    for _, policy, story, request in itertools.islice(published(), 0, None, 3):
        got = decide(policy, story, request, NOW)
        more = request._replace(seen=request.seen | {98, 99}, used=request.used + 1, section_used=9)
        again = decide(policy, story, more, NOW)
        assert not (again.body is Body.FULL and got.body is not Body.FULL)


OTHER = Right("unlimited", NOW - HOUR, NOW)


@pytest.mark.parametrize(
    ("right", "opens"),
    [
        (Right("unlimited", NOW - HOUR, None), {Tier.METERED, Tier.REGISTERED}),
        (Right("unlimited", NOW, NOW + HOUR), {Tier.METERED, Tier.REGISTERED}),
        (Right("unlimited", NOW - HOUR, NOW + timedelta(microseconds=1)), {Tier.METERED, Tier.REGISTERED}),
        (Right("unlimited", NOW - HOUR, NOW), set()),
        (Right("unlimited", NOW + timedelta(microseconds=1), None), set()),
        (Right("premium", NOW - HOUR, None), {Tier.PREMIUM}),
        (Right("premium", NOW - HOUR, NOW), set()),
        (Right("epaper", NOW - HOUR, None), set()),
        (Right("", NOW - HOUR, None), set()),
    ],
)
def test_a_right_opens_its_tiers_over_its_half_open_time(right, opens):
    opened = {
        tier
        for tier in (Tier.METERED, Tier.REGISTERED, Tier.PREMIUM)
        if decide(Policy(), Story(STORY, tier, State.PUBLISHED), Request(rights=(OTHER, right)), NOW).reason
        == "entitled"
    }
    assert opened == opens


def test_reasons_are_all_named_once():
    given = {decide(policy, story, request, NOW).reason for _, policy, story, request in published()}
    assert len(set(REASONS)) == len(REASONS)
    assert set(REASONS) - given == {"unknown", "withdrawn", "legal", "denied", "product"}


def test_a_policy_survives_being_stored():
    policy = Policy(3, 7, "rolling:30", ZoneInfo("Asia/Dubai"), "strict", {"markets": 2}, emergency=True, revision=4)
    assert policy_from(json.loads(json.dumps(policy_values(policy)))) == policy


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


def test_a_benefit_opens_for_its_own_product_while_it_runs_and_for_nothing_else():
    """decide_benefit() over its whole input space."""
    spans = {"live": LIVE, "begins now": (NOW, None), "ended now": (NOW - HOUR, NOW), "later": (NOW + HOUR, None)}
    seats = (frozenset(), frozenset({"archive"}), frozenset({"epaper"}))
    for principal, held, (name, span), seat in itertools.product(Principal, PRODUCTS, spans.items(), seats):
        request = Request(principal, (Right("unlimited", *LIVE), Right(held.code, *span)), seat=seat, gift=True)
        decision = decide_benefit("epaper", request, NOW)
        if principal is Principal.STAFF:
            wanted = "staff"
        elif held.code == "epaper" and name in ("live", "begins now"):
            wanted = "entitled"
        else:
            wanted = "institution" if "epaper" in seat else "product"
        assert decision.reason == wanted, (principal, held.code, name, seat)
        assert decision.body is (Body.WALL if wanted == "product" else Body.FULL)
        assert decision.cache is Cache.PRIVATE
        assert decision.status == 200
        assert not decision.counts

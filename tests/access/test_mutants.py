"""Faults planted in the decision, one at a time: the check of test_rules.py must notice every one of them.

Each mutant is the decision's own source with one edit, run in this process. What survives is a hole in the check, not
in the decision.
"""

import ast
import inspect
import itertools
from functools import cache

import pytest
from tests.access import test_rules as check

from broadsheet.access import rules
from broadsheet.access.rules import Policy, Request, State, Story, Tier

# (what stands there, what stands there instead): each must occur exactly once on the decision's road.
MUTANTS = [
    # what is not on the site
    ("story is None or story.state is not _PUBLISHED", "story is None"),
    ("story is not None and story.state is State.WITHDRAWN", "False"),
    ("story is not None and story.state is State.LEGAL", "story is not None"),
    ('_none(410, "withdrawn")', '_none(404, "withdrawn")'),
    ('_none(404, "unknown")', '_none(200, "unknown")'),
    # what is free
    ("policy.emergency or story.emergency_free", "policy.emergency"),
    ("policy.emergency or story.emergency_free", "story.emergency_free"),
    ("policy.emergency or story.emergency_free", "policy.emergency and story.emergency_free"),
    ("if tier is _FREE_TIER:", "if tier is _FREE_TIER or tier is _REGISTERED_TIER:"),
    ("if tier is _FREE_TIER:", "if tier is _PREMIUM_TIER:"),
    ('_FREE = Decision(_FULL, 200, "free", Cache.PUBLIC)', '_FREE = Decision(_FULL, 200, "free", _PRIVATE)'),
    # who is let in
    ("request.principal is _BY_STAFF", "request.principal is not _VISITOR"),
    ("request.principal is _BY_STAFF", "False"),
    ("request.rights and _entitled(tier, request.rights, now)", "request.rights"),
    ("request.rights and _entitled(tier, request.rights, now)", "False"),
    ("product in COVERS[tier] and start", "start"),
    ("start <= now", "start < now"),
    ("start <= now and", ""),
    ("(end is None or now < end)", "(end is None or now <= end)"),
    ("(end is None or now < end)", "end is not None and now < end"),
    ("(end is None or now < end)", "True"),
    ("request.seat and not request.seat.isdisjoint(COVERS[tier])", "request.seat"),
    ("request.seat and not request.seat.isdisjoint(COVERS[tier])", "request.seat.isdisjoint(COVERS[tier])"),
    ("request.seat and not request.seat.isdisjoint(COVERS[tier])", "False"),
    ("request.gift and request.surface is _PAGE", "request.gift"),
    ("request.gift and request.surface is _PAGE", "False"),
    ('_ENTITLED = Decision(_FULL, 200, "entitled", _PRIVATE)',
     '_ENTITLED = Decision(_FULL, 200, "entitled", Cache.PUBLIC)'),
    ('_ENTITLED = Decision(_FULL, 200, "entitled", _PRIVATE)',
     '_ENTITLED = Decision(_FULL, 200, "entitled", _PRIVATE, None, True)'),
    ('_GIFT = Decision(_FULL, 200, "gift", _PRIVATE)', '_GIFT = Decision(_FULL, 200, "gift", _PRIVATE, counts=True)'),
    # premium and registered
    ("if tier is _METERED_TIER:", "if tier is _METERED_TIER or tier is _PREMIUM_TIER:"),
    ("if request.principal is _VISITOR:", "if False:"),
    ('_wall("surface", Wall.REGISTER, Cache.PUBLIC)', "_REGISTERED"),
    ('_REGISTERED = Decision(_FULL, 200, "registered", _PRIVATE)',
     '_REGISTERED = Decision(_FULL, 200, "registered", Cache.PUBLIC)'),
    ('_PREMIUM = _wall("premium", Wall.SUBSCRIBE, Cache.PUBLIC)',
     '_PREMIUM = _wall("premium", Wall.LIMIT, Cache.PUBLIC)'),
    # the meter
    ('_wall("surface", _LIMIT_WALL, Cache.PUBLIC)', '_wall("surface", _LIMIT_WALL, _PRIVATE)'),
    ('visitor and policy.mode == "login"', "False"),
    ('visitor and policy.mode == "login"', 'policy.mode == "login"'),
    ('visitor and policy.mode == "login"', 'visitor and policy.mode == "strict"'),
    ("policy.free_limit if visitor else policy.registered_limit",
     "policy.registered_limit if visitor else policy.free_limit"),
    ("policy.free_limit if visitor else policy.registered_limit", "policy.registered_limit"),
    ("max(len(seen), request.used)", "len(seen)"),
    ("max(len(seen), request.used)", "request.used"),
    ("max(len(seen), request.used)", "min(len(seen), request.used)"),
    ("if story.id in seen:", "if story.id in seen and used < limit:"),
    ("if story.id in seen:", "if story.id in seen and request.real_read:"),
    ("if story.id in seen:", "if seen:"),
    ('"repeat", _PRIVATE, None, False', '"repeat", _PRIVATE, None, True'),
    ("if used >= limit:", "if used > limit:"),
    ("if used >= limit:", "if used >= limit - 1:"),
    ("if used >= limit:", "if used == limit:"),
    ("request.section_used >= policy.section_limits", "request.section_used > policy.section_limits"),
    ("request.section_used >= policy.section_limits", "used >= policy.section_limits"),
    (".get(story.section, limit)", ".get(story.section, 0)"),
    (".get(story.section, limit)", '.get("", limit)'),
    ("if not request.real_read:", "if request.real_read:"),
    ("if not request.real_read:", "if False:"),
    ("if not request.countable:", "if False:"),
    ("if not request.countable:", "if not request.countable and visitor:"),
    ("visitor and not request.may_begin", "False"),
    ("visitor and not request.may_begin", "not request.may_begin"),
    ('"meter", _PRIVATE, None, True', '"meter", _PRIVATE, None, False'),
    ('"meter", _PRIVATE', '"meter", Cache.PUBLIC'),
    ('(_WALL, 200, "limit", _PRIVATE', '(_WALL, 200, "limit", Cache.PUBLIC'),
    ("Wall.REGISTER if visitor else _LIMIT_WALL", "_LIMIT_WALL"),
    ('_wall("budget", Wall.REGISTER', '_wall("budget", Wall.LIMIT'),
    ('Tier.PREMIUM: frozenset({"premium"})', 'Tier.PREMIUM: frozenset({"premium", "unlimited"})'),
    ('Tier.METERED: frozenset({"unlimited"})', 'Tier.METERED: frozenset({"unlimited", "premium"})'),
]  # fmt: skip


def _is_on_the_road(node: ast.stmt) -> bool:
    """A function of the decision, a decision made once, or the table of products; not a type."""
    if isinstance(node, ast.FunctionDef):
        return node.name in ("decide", "_absent", "_entitled", "_registered", "_metered", "_wall", "_none")
    if isinstance(node, ast.AnnAssign):
        return getattr(node.target, "id", "") == "COVERS"
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and node.targets[0].id.startswith("_")


@cache
def road() -> str:
    source = inspect.getsource(rules)
    return "\n\n".join(ast.get_source_segment(source, node) for node in ast.parse(source).body if _is_on_the_road(node))


def decision(source: str):
    """`decide` of an edited road, over the very types of the real one."""
    names = dict(vars(rules))
    exec(compile(source, "mutant", "exec"), names)
    return names["decide"]


@cache
def some_inputs():
    """A few thousand inputs and their answers: most mutants fall here, in milliseconds."""
    return [
        (check.expected(facts), (facts, policy, story, request))
        for facts, policy, story, request in itertools.islice(check.published(), 0, None, 61)
    ]


def a_ceiling_is_its_own_sections(decide) -> None:
    policy = Policy(section_limits={"opinion": 0})
    assert decide(policy, Story(1, Tier.METERED, State.PUBLISHED, section="markets"), Request(), check.NOW).counts


def suspect(decide) -> None:
    """Raises when `decide` is not the decision: a sample first, then everything that test_rules.py knows."""
    for then, asked in some_inputs():
        _, policy, story, request = asked
        check.check_one(decide(policy, story, request, check.NOW), then, asked)
    a_ceiling_is_its_own_sections(decide)
    for right, opens in _cases(check.test_a_right_opens_its_tiers_over_its_half_open_time):
        check.test_a_right_opens_its_tiers_over_its_half_open_time(right, opens)
    for state in _cases(check.test_nothing_opens_a_story_that_is_not_published):
        check.test_nothing_opens_a_story_that_is_not_published(state)
    check.test_a_story_that_does_not_exist_is_like_an_unpublished_one()
    check.test_every_wall_says_what_would_open_the_story()
    check.check_everything()


def _cases(test) -> list:
    return next(mark for mark in test.pytestmark if mark.name == "parametrize").args[1]


def test_the_decision_itself_is_not_suspected(monkeypatch):
    monkeypatch.setattr(check, "decide", decision(road()))
    suspect(check.decide)


@pytest.mark.parametrize(("before", "after"), MUTANTS)
def test_every_mutant_is_killed(before, after, monkeypatch):
    assert road().count(before) == 1, "the decision has changed: rewrite this mutant"
    mutant = decision(road().replace(before, after))
    monkeypatch.setattr(check, "decide", mutant)
    with pytest.raises(Exception):  # noqa: B017 - a mutant may also fall over
        suspect(mutant)

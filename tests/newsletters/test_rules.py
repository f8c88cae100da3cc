"""The rules, the pace, the journal and the tokens, without a database."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from broadsheet.access.rules import Policy, Request, Right, State, Story, Surface, Tier, decide, decide_benefit
from broadsheet.newsletters import journal, rules
from broadsheet.newsletters.journal import Journal
from broadsheet.newsletters.pace import Pace
from broadsheet.newsletters.rules import Candidate, Share
from broadsheet.newsletters.tokens import Tokens

KOLKATA = ZoneInfo("Asia/Kolkata")
NOW = datetime(2027, 1, 11, 1, 0, tzinfo=UTC)  # Monday, 6.30 in Kolkata
ALL = ("newsletters", "unlimited", "premium")


def got(audience, tier, *products, state=State.PUBLISHED, policy=None):
    rights = tuple(Right(product, NOW, None) for product in products)
    request = Request(rights=rights, real_read=False, surface=Surface.OTHER)
    story = decide(policy or Policy(), Story(1, tier, state), request, NOW)
    return rules.share(audience, story, decide_benefit("newsletters", request, NOW))


@pytest.mark.parametrize(
    ("audience", "tier", "products", "share"),
    [
        ("everyone", Tier.FREE, (), Share.FULL),
        ("subscribers", Tier.FREE, (), Share.TEASER),
        ("subscribers", Tier.FREE, ("newsletters",), Share.FULL),
        ("everyone", Tier.METERED, (), Share.TEASER),
        ("everyone", Tier.METERED, ("unlimited",), Share.TEASER),
        ("everyone", Tier.METERED, ("newsletters",), Share.TEASER),
        ("everyone", Tier.METERED, ("newsletters", "unlimited"), Share.FULL),
        ("subscribers", Tier.METERED, ("newsletters", "unlimited"), Share.FULL),
        ("everyone", Tier.PREMIUM, ("newsletters", "unlimited"), Share.TEASER),
        ("everyone", Tier.PREMIUM, ("premium",), Share.TEASER),
        ("everyone", Tier.PREMIUM, ALL, Share.FULL),
        ("everyone", Tier.REGISTERED, (), Share.TEASER),
        ("everyone", Tier.REGISTERED, ALL, Share.FULL),
    ],
)
def test_the_table_of_shares(audience, tier, products, share):
    assert got(audience, tier, *products) is share


@pytest.mark.parametrize("state", [State.WITHDRAWN, State.LEGAL, State.UNPUBLISHED])
@pytest.mark.parametrize("tier", list(Tier))
def test_what_is_not_published_is_for_nobody(state, tier):
    assert got("everyone", tier, *ALL, state=state) is Share.NONE


def test_in_an_emergency_a_free_list_gives_everything_and_a_paid_one_does_not():
    opened = Policy(emergency=True)
    assert got("everyone", Tier.PREMIUM, policy=opened) is Share.FULL
    assert got("subscribers", Tier.PREMIUM, policy=opened) is Share.TEASER


@pytest.mark.parametrize(
    ("hours", "due"),
    [(-0.01, False), (0, True), (5.99, True), (6, False), (24, True), (24 * 5, False), (24 * 6, False), (24 * 7, True)],
)
def test_a_rule_is_due_on_its_days_from_its_hour_for_six_hours(hours, due):
    now = NOW + timedelta(hours=hours)
    day = rules.rule_day("12345", time(6, 30), KOLKATA, now)
    assert day == (now.astimezone(KOLKATA).date() if due else None)


def test_the_next_slot():
    assert rules.next_slot("12345", time(6, 30), KOLKATA, NOW) == NOW + timedelta(days=1)
    assert rules.next_slot("1", time(6, 30), KOLKATA, NOW) == NOW + timedelta(days=7)
    assert rules.next_slot("", time(6, 30), KOLKATA, NOW) is None


def test_a_rule_picks_what_is_new_by_priority_then_age():
    stories = [
        Candidate(number, section, priority, "en", NOW - timedelta(hours=age))
        for number, section, priority, age in [
            (1, "sport", 1, 1), (2, "world", 3, 2), (3, "world", 1, 9), (4, "world", 1, 3), (5, "world", 7, 1),
        ]
    ]  # fmt: skip
    asked = {"priority": 5, "count": 3, "language": "en", "since": NOW - timedelta(hours=8), "already": frozenset()}
    assert rules.pick(stories, sections=["world"], **asked) == [4, 2]
    assert rules.pick(stories, sections=[], **asked) == [1, 4, 2]
    assert rules.pick(stories, sections=[], **{**asked, "already": frozenset({1}), "count": 1}) == [4]


@pytest.mark.parametrize(
    ("code", "words", "gone"),
    [
        (550, "5.1.1 no such user", True),
        (550, "5.7.1 blocked by policy", False),
        (550, "User unknown", True),
        (552, "5.2.2 mailbox full", False),
        (554, "5.7.1 spam", False),
        (554, "no", False),
    ],
)
def test_only_a_mailbox_that_is_gone_suppresses(code, words, gone):
    assert rules.is_gone(code, words) is gone


def test_the_pace_keeps_the_rate_and_lets_other_domains_go_first():
    pace = Pace(10, {"slow.example": 1})
    times = [pace.turn("any.example", 100.0) for _ in range(3)]
    assert [round(turn.at, 6) for turn in times] == [100.0, 100.1, 100.2]
    slow = [pace.turn("slow.example", 100.3) for _ in range(6)]
    assert [turn.go for turn in slow] == [True, True, True, False, False, False]
    assert all(later.at > sooner.at for sooner, later in pairwise(slow))
    assert pace.turn("any.example", 100.3).go
    assert all(Pace(0, {}).turn("x", 5.0) == (True, 5.0) for _ in range(3))


def test_a_dead_runs_journal_tells_what_became_of_each_mail(tmp_path, monkeypatch):
    kept = Journal(tmp_path, "run")
    for number, end in ((1, "s"), (2, "r"), (3, "l"), (4, "")):
        kept.begin(number)
        if end:
            kept.end(number, end)
    assert journal.read(tmp_path, "run").alive
    kept.abandon()
    told = journal.read(tmp_path, "run")
    assert [told.fate(number) for number in range(1, 6)] == ["sent", "refused", "waiting", "doubtful", "waiting"]
    assert journal.read(tmp_path, "another").fate(1) == "doubtful"
    monkeypatch.setattr(journal, "_boot", lambda: "another start of the machine")
    after = journal.read(tmp_path, "run")
    assert [after.fate(number) for number in (1, 4, 5)] == ["sent", "doubtful", "doubtful"]


def test_tokens_open_for_their_purpose_alone_and_with_older_secrets():
    old, new = Tokens([b"a" * 32]), Tokens([b"b" * 32, b"a" * 32])
    token = old.make("m", 7, 8, 9)
    assert old.open("m", token) == new.open("m", token) == (7, 8, 9)
    assert old.open("c", token) is None
    assert old.open("m", new.make("m", 7, 8, 9)) is None
    assert old.open_return(old.make_return(7, 8).upper()) == (7, 8, 0)
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        assert old.open("m", token[:place] + other + token[place + 1 :]) is None
    for bad in ("", "=", token + "=", token[:-1], "é" * 39, token + "AAAA"):
        assert old.open("m", bad) is None


def test_soft_bounces_are_forgotten_after_a_month():
    soft, out = rules.Soft(0, None), False
    for day in range(5):
        soft, out = rules.after_soft(soft, NOW + timedelta(days=day))
    assert out
    soft, out = rules.after_soft(rules.Soft(4, NOW), NOW + timedelta(days=31))
    assert (soft.count, out) == (1, False)


def test_addresses_that_our_mails_can_be_written_to():
    assert all(map(rules.can_be_mailed, ["a@x.example", "a.b+c'd&e=f@x.example"]))
    bad = [
        '"a b"@x.example',
        "a>b@x.example",
        "a b@x.example",
        "é@x.example",
        "a@x.example\r\nX: y",
        "x" * 65 + "@x.example",
    ]
    assert not any(map(rules.can_be_mailed, bad))
    assert rules.masked("asha@x.example") == "a…a@x.example"

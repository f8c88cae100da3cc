"""The dry run: under the running policy it finds what was recorded, under another what readers would have met."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from broadsheet.access.records import NOBODY, RecordBook, who_of_meter, who_of_reader
from broadsheet.access.replay import Change, as_values, replay
from broadsheet.access.rules import (
    Policy,
    Principal,
    Request,
    Right,
    State,
    Story,
    Tier,
    decide,
    window,
)  # fmt: skip

START = datetime(2027, 1, 10, 6, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECRET = b"s" * 32


def story(number, tier=Tier.METERED, section=""):
    return Story(number, tier, State.PUBLISHED, section=section)


class Gate:
    """Counts and records as the gate does, under a policy that may change on the way."""

    def __init__(self, folder, policy):
        self.policy = policy
        self.books = [RecordBook(folder), RecordBook(folder)]
        self.reads: dict[bytes, tuple[str, dict[int, str]]] = {}
        self.decisions = []

    def visit(self, who, asked, at, *, principal=Principal.VISITOR, rights=(), real_read=True):
        name, read = self.reads.get(who, ("", {}))
        first = datetime.fromtimestamp(int(name.partition("-")[2]), UTC) if "-" in name else None
        running = window(self.policy, at, first).name
        if running != name:
            read = {}
        request = Request(
            principal, rights, frozenset(read), real_read=real_read,
            section_used=sum(section == asked.section for section in read.values()),
        )  # fmt: skip
        decision = decide(self.policy, asked, request, at)
        if decision.counts:
            self.reads[who] = (running, {**read, asked.id: asked.section})
        book = self.books[len(self.decisions) % 2]
        book.add(at.timestamp(), who, asked, request, decision, self.policy.revision)
        book.flush()
        self.decisions.append(decision)
        return decision

    def done(self):
        for book in self.books:
            book.close()


def visitor(number):
    return who_of_meter(SECRET, b"%d" % number)


def run(folder, running, other, days=40, **more):
    return replay(folder, running, other, START, START + timedelta(days=days), **more)


def changes(table):
    return {name: (change.before, change.after) for name, change in table.items()}


def test_a_lower_limit_stops_who_read_more_than_it(tmp_path):
    gate = Gate(tmp_path, Policy(free_limit=5))
    for number in range(1, 8):
        for person, count in ((1, 2), (2, 4), (3, 7)):
            if number <= count:
                gate.visit(visitor(person), story(number), START + number * HOUR)
    gate.done()
    report = run(tmp_path, Policy(free_limit=5), Policy(free_limit=3))
    assert (report.decisions, report.share) == (13, 1)
    assert (report.full.before, report.full.after) == (11, 8)
    assert changes(report.walls) == {"limit": (2, 5)}
    assert (report.visitors.all, report.visitors.more, report.visitors.less) == (3, 2, 0)
    assert (report.visitors.stopped.before, report.visitors.stopped.after) == (1, 2)
    assert report.readers.all == 0
    assert changes(report.tiers) == {"metered": (2, 5)}
    assert report.most_affected() == [(4, Change(0, 2)), (5, Change(0, 1))]


def test_a_higher_limit_lets_the_same_visits_through(tmp_path):
    gate = Gate(tmp_path, Policy(free_limit=1))
    for number in (1, 2, 3, 2, 1, 4):
        gate.visit(visitor(1), story(number), START + number * HOUR)
    gate.done()
    assert [decision.reason for decision in gate.decisions] == ["meter", "limit", "limit", "limit", "repeat", "limit"]
    report = run(tmp_path, Policy(free_limit=1), Policy(free_limit=3))
    assert changes(report.walls) == {"limit": (4, 1)}
    assert (report.full.before, report.full.after, report.visitors.less) == (2, 5, 1)


def test_reads_before_the_recorded_days_count_on(tmp_path):
    gate = Gate(tmp_path, Policy(free_limit=5))
    for number in range(1, 5):
        gate.visit(visitor(1), story(number), START - DAY + number * HOUR)
    gate.visit(visitor(1), story(2), START + HOUR)  # one of the four, read again
    gate.visit(visitor(1), story(5), START + 2 * HOUR)
    gate.visit(visitor(1), story(6), START + 3 * HOUR)
    gate.done()
    same = run(tmp_path, Policy(free_limit=5), Policy(free_limit=6))
    assert (same.decisions, changes(same.walls)) == (3, {"limit": (1, 0)})
    lower = run(tmp_path, Policy(free_limit=5), Policy(free_limit=4))
    assert changes(lower.walls) == {"limit": (1, 2)}


@pytest.mark.parametrize(
    ("other", "after"),
    [
        (Policy(free_limit=1), 3),
        (Policy(free_limit=1, window="week"), 1),
        (Policy(free_limit=1, window="rolling:10"), 2),
        (Policy(free_limit=1, window="rolling:3"), 1),
        (Policy(free_limit=1, window="rolling:1"), 0),
        (Policy(free_limit=2, window="rolling:30"), 2),
    ],
)
def test_each_window_begins_anew_when_it_does(tmp_path, other, after):
    """Reads on Sunday the 10th, Monday the 11th, Thursday the 14th and Saturday the 23rd."""
    gate = Gate(tmp_path, Policy())
    for number, day in enumerate((0, 1, 4, 13), 1):
        gate.visit(visitor(1), story(number), START + day * DAY)
    gate.done()
    report = run(tmp_path, Policy(), other)
    assert report.visitors.stopped.after == (after > 0)
    assert sum(change.after for change in report.walls.values()) == after


def test_the_zone_of_the_policy_turns_its_month(tmp_path):
    from zoneinfo import ZoneInfo

    gate = Gate(tmp_path, Policy(free_limit=1))
    at = datetime(2027, 1, 31, 18, 0, tzinfo=UTC)  # 23.30 in Kolkata
    gate.visit(visitor(1), story(1), at)
    gate.visit(visitor(1), story(2), at + HOUR)  # February in Kolkata, January in London
    gate.done()
    report = run(tmp_path, Policy(free_limit=1), Policy(free_limit=1, zone=ZoneInfo("Europe/London")))
    assert changes(report.walls) == {"limit": (0, 1)}


def test_a_section_ceiling_stops_inside_its_section_alone(tmp_path):
    gate = Gate(tmp_path, Policy())
    for number in range(1, 4):
        gate.visit(visitor(1), story(number, section="sport"), START + number * HOUR)
    gate.visit(visitor(1), story(9, section="world"), START + 9 * HOUR)
    gate.done()
    report = run(tmp_path, Policy(), Policy(section_limits={"sport": 2}))
    assert changes(report.walls) == {"section_limit": (0, 1)}
    assert report.most_affected() == [(3, Change(0, 1))]


def test_an_emergency_opens_everything_and_login_mode_stops_every_visitor(tmp_path):
    gate = Gate(tmp_path, Policy())
    gate.visit(visitor(1), story(1), START)
    gate.visit(visitor(1), story(2, Tier.PREMIUM), START + HOUR)
    gate.visit(who_of_reader(SECRET, 1), story(1), START + HOUR, principal=Principal.REGISTERED)
    gate.done()
    emergency = run(tmp_path, Policy(), Policy(emergency=True))
    assert (changes(emergency.walls), emergency.full.after) == ({"premium": (1, 0)}, 3)
    login = run(tmp_path, Policy(), Policy(mode="login"))
    assert changes(login.walls) == {"premium": (1, 1), "login": (0, 1)}
    assert (login.readers.all, login.readers.stopped.after, login.visitors.more) == (1, 0, 1)
    assert changes(login.tiers) == {"premium": (1, 1), "metered": (0, 1)}


def test_who_pays_stands_outside_every_policy(tmp_path):
    gate = Gate(tmp_path, Policy())
    asha, right = who_of_reader(SECRET, 1), (Right("unlimited", START, None),)
    for number in range(1, 30):
        gate.visit(asha, story(number), START + number * HOUR, principal=Principal.REGISTERED, rights=right)
    gate.done()
    report = run(tmp_path, Policy(), Policy(free_limit=0, registered_limit=0, mode="login"))
    assert (report.full.before, report.full.after, report.walls) == (29, 29, {})


def test_reads_merged_at_sign_in_count_for_the_reader(tmp_path):
    book = RecordBook(tmp_path)
    asha = who_of_reader(SECRET, 1)
    for used, number, seen in ((0, 1, ()), (1, 2, (1,)), (6, 8, (1, 2, 3, 4, 5, 6))):  # four came with a browser
        request = Request(Principal.REGISTERED, (), frozenset(seen), used)
        decision = decide(Policy(), story(number), request, START)
        book.add(START.timestamp() + number, asha, story(number), request, decision, 0)
    book.close()
    report = run(tmp_path, Policy(), Policy(registered_limit=6))
    assert changes(report.walls) == {"limit": (0, 1)}


def test_decisions_of_nobody_are_counted_and_remembered_by_nobody(tmp_path):
    book = RecordBook(tmp_path)
    for number in range(4):
        decision = decide(Policy(), story(number + 1), Request(), START)
        book.add(START.timestamp() + number, NOBODY, story(number + 1), Request(), decision, 0)
    book.close()
    report = run(tmp_path, Policy(), Policy(free_limit=1))
    assert (report.decisions, report.full.after, report.visitors.all, report.walls) == (4, 4, 0, {})


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    """Forty days of a small paper under one policy, as its gate decided them."""
    folder = tmp_path_factory.mktemp("month")
    policy = Policy(free_limit=3, registered_limit=5, section_limits={"sport": 2})
    gate, draw = Gate(folder, policy), random.Random(3)
    at = START
    for _ in range(6000):
        at += timedelta(minutes=draw.randint(1, 18))
        number = draw.randint(1, 60)
        tier = (Tier.METERED, Tier.METERED, Tier.METERED, Tier.PREMIUM, Tier.REGISTERED)[number % 5]
        asked = story(number, tier, "sport" if number % 3 else "world")
        person = draw.randint(1, 120)
        if person % 3:
            gate.visit(visitor(person), asked, at, real_read=draw.random() > 0.1)
        else:
            rights = (Right("unlimited", START, None),) if person % 4 == 0 else ()
            gate.visit(who_of_reader(SECRET, person), asked, at, principal=Principal.REGISTERED, rights=rights)
    gate.done()
    return folder, policy, gate.decisions


def test_the_running_policy_walked_again_is_what_was_decided(month):
    folder, policy, decisions = month
    report = run(folder, policy, policy)
    walls: dict[str, int] = {}
    for decision in decisions:
        if decision.wall:
            walls[decision.reason] = walls.get(decision.reason, 0) + 1
    assert report.decisions == len(decisions) == 6000
    assert changes(report.walls) == {reason: (count, count) for reason, count in walls.items()}
    assert {"limit", "section_limit", "not_a_read", "premium", "register"} <= set(walls)
    assert (report.visitors.more, report.visitors.less, report.readers.more, report.readers.less) == (0, 0, 0, 0)
    assert report.most_affected() == []


def test_slices_and_progress_change_no_figure(month, monkeypatch):
    folder, policy, _ = month
    other = Policy(free_limit=1, window="rolling:7")
    whole = as_values(run(folder, policy, other))
    monkeypatch.setattr("broadsheet.access.replay._SLICE", 700)
    told = []
    assert as_values(run(folder, policy, other, progress=lambda done, total: told.append((done, total)))) == whole
    assert told == sorted(told)
    assert told[-1] == (54_000, 54_000)


def test_above_the_most_records_a_share_of_the_people_is_walked_whole(month):
    folder, policy, _ = month
    report = run(folder, policy, Policy(free_limit=1), most=2000)
    assert report.share == 3
    people = report.visitors.all + report.readers.all
    assert 25 <= people <= 55
    assert 1000 <= report.decisions <= 3200
    # Whole histories: under its own policy the share is stopped exactly as it was.
    same = run(folder, policy, policy, most=2000)
    assert (same.visitors.more, same.visitors.less, same.readers.more, same.readers.less) == (0, 0, 0, 0)
    assert changes(same.walls)["limit"][0] == changes(report.walls)["limit"][0]


def test_without_records_there_is_an_empty_report(tmp_path):
    report = as_values(run(tmp_path / "decisions", Policy(), Policy(free_limit=1)))
    assert (report["decisions"], report["walls"], report["stories"]) == (0, {}, [])

"""The dry run: the last days' recorded decisions, walked once under the running policy and once under another.

Django-free and pure but for the records it reads. Each reader and each meter is walked in time order with a memory of
its own: what they would have read, and been refused, under either policy. It assumes that they would have asked for
the same stories. What they had read before the recorded days is taken over as it was counted then.

Memory is bounded: people are walked in slices by their digest; above a million records only a share of the people.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from broadsheet.access.meter import section_code
from broadsheet.access.recall import count_records, raw_days
from broadsheet.access.records import NOBODY, Raw, Record, record_of
from broadsheet.access.rules import (
    REASONS,
    Body,
    Decision,
    Policy,
    Principal,
    Request,
    Right,
    Story,
    Tier,
    decide,
    window,
)

MOST_RECORDS = 1_000_000
_SLICE = 125_000  # records walked at a time, so at most that many people remembered
_TOLD_STORIES = 10
_TELL_EVERY = 5000  # records between two words of progress
_BY_METER = frozenset({"repeat", "limit", "section_limit", "not_a_read", "meter_away", "budget", "meter"})
_BY_POLICY = _BY_METER | {"login", "emergency"}
"""Reasons that another policy could have turned into another one; the rest stand whatever the publisher decides."""
_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
_RIGHTS: Mapping[tuple[str, ...], tuple[Right, ...]] = {
    names: tuple(Right(name, _ALWAYS, None) for name in names)
    for names in ((), ("unlimited",), ("premium",), ("unlimited", "premium"))
}
_EMPTY: frozenset[int] = frozenset()


def decide_again(policy: Policy, record: Record) -> Decision:
    """The decision that a record's facts give under `policy`; under the policy of its revision, the same as then."""
    seen = frozenset({record.story}) if record.seen else _EMPTY
    sections = {section_code(slug): slug for slug in policy.section_limits}
    return _decide(policy, record, sections.get(record.section, ""), seen, record.used, record.section_used)


def _decide(
    policy: Policy, record: Record, section: str, seen: frozenset[int], used: int, section_used: int
) -> Decision:
    request = Request(
        record.principal, _RIGHTS[record.rights], seen, used, record.real_read, record.surface, section_used,
        frozenset(record.seat), record.gift, record.may_begin, record.countable,
    )  # fmt: skip
    return decide(policy, Story(record.story, record.tier, record.state, record.emergency_free, section), request, _NOW)


_NOW = _ALWAYS + timedelta(days=1)  # any instant will do: a record says which rights were live


class _Memory:
    """What one reader or meter has read in the running window of one policy."""

    __slots__ = ("elsewhere", "sections", "seen", "walls", "window")

    def __init__(self) -> None:
        self.window: float = -1.0  # the window's start
        self.seen: set[int] = set()
        self.elsewhere = 0  # reads counted before the recorded days, or merged when a visitor signed in
        self.sections: dict[int, int] = {}
        self.walls = 0


class _Course:
    """One policy, walked."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.sections = {section_code(slug): slug for slug in policy.section_limits}
        kind, _, days = policy.window.partition(":")
        self.length = 86_400.0 * int(days) if kind == "rolling" else 0.0
        self.span = (1.0, 0.0)  # of the calendar window that was asked for last

    def decide(self, memory: _Memory, record: Record, more: int, *, before: bool) -> Decision:
        """`more`: reads that the meter had beyond what its records show; `before`: it had read this story then."""
        self._turn(memory, record.at)
        if more:
            memory.elsewhere += more
            if self.length and memory.window < 0:
                memory.window = record.at
        if before and record.story not in memory.seen:
            # One of the reads from elsewhere; now it has a name.
            memory.elsewhere -= memory.elsewhere > 0
            memory.seen.add(record.story)
        story = record.story
        seen = frozenset({story}) if story in memory.seen else _EMPTY
        used = len(memory.seen) + memory.elsewhere
        section_used = memory.sections.get(record.section, 0)
        decision = _decide(self.policy, record, self.sections.get(record.section, ""), seen, used, section_used)
        if decision.counts:
            memory.seen.add(story)
            memory.sections[record.section] = section_used + 1
            if self.length and memory.window < 0:
                memory.window = record.at
        return decision

    def _turn(self, memory: _Memory, at: float) -> None:
        """Forget what was read in a window that is over."""
        if self.length:
            if memory.window >= 0 and at >= memory.window + self.length:
                memory.window = -1.0
                self._forget(memory)
            return
        if not self.span[0] <= at < self.span[1]:
            span = window(self.policy, datetime.fromtimestamp(at, UTC))
            self.span = (span.start.timestamp(), span.end.timestamp())
        if memory.window != self.span[0]:
            if memory.window >= 0:
                self._forget(memory)
            memory.window = self.span[0]

    def _forget(self, memory: _Memory) -> None:
        memory.seen.clear()
        memory.sections.clear()
        memory.elsewhere = 0


class _Person:
    """`used`, `named`: what the records of the running window have shown of this meter so far."""

    __slots__ = ("after", "before", "named", "reader", "used")

    def __init__(self, *, reader: bool) -> None:
        self.before = _Memory()
        self.after = _Memory()
        self.used = 0
        self.named: set[int] = set()
        self.reader = reader

    def news(self, record: Record) -> tuple[int, bool]:
        """How many reads this record tells of that no record showed, and whether its own story is one of them."""
        if record.reason not in _BY_METER:
            return 0, False
        if record.used < self.used:  # a new window
            self.used = 0
            self.named.clear()
        more, before = record.used - self.used, record.seen and record.story not in self.named
        self.used = record.used
        if record.reason == "meter":
            self.used += 1
        if record.reason == "meter" or record.seen:
            self.named.add(record.story)
        return more, before


@dataclass(slots=True)
class Change:
    """How many before and after."""

    before: int = 0
    after: int = 0


@dataclass(slots=True)
class People:
    """Readers or visitors: how many there were, were stopped at least once, and are stopped more or less often."""

    all: int = 0
    stopped: Change = field(default_factory=Change)
    more: int = 0
    less: int = 0


@dataclass(slots=True)
class Report:
    """What a policy would have changed. Figures are of the people walked: one in `share` of all."""

    since: datetime
    until: datetime
    share: int = 1
    decisions: int = 0
    visitors: People = field(default_factory=People)
    readers: People = field(default_factory=People)
    full: Change = field(default_factory=Change)
    walls: dict[str, Change] = field(default_factory=dict)
    tiers: dict[str, Change] = field(default_factory=dict)
    stories: dict[int, Change] = field(default_factory=dict)

    def most_affected(self) -> Sequence[tuple[int, Change]]:
        """Stories by the number of walls gained or lost, the most first."""
        moved = [(story, change) for story, change in self.stories.items() if change.before != change.after]
        return heapq.nsmallest(_TOLD_STORIES, moved, key=lambda row: (-abs(row[1].after - row[1].before), row[0]))

    def note(self, record: Record, before: Decision, after: Decision) -> None:
        for side, decision in (("before", before), ("after", after)):
            if decision.body is Body.FULL:
                setattr(self.full, side, getattr(self.full, side) + 1)
                continue
            changes = (
                self.walls.setdefault(decision.reason, Change()),
                self.tiers.setdefault(record.tier.value, Change()),
                self.stories.setdefault(record.story, Change()),
            )
            for change in changes:
                setattr(change, side, getattr(change, side) + 1)

    def meet(self, person: _Person) -> None:
        people = self.readers if person.reader else self.visitors
        before, after = person.before.walls, person.after.walls
        people.all += 1
        people.stopped.before += before > 0
        people.stopped.after += after > 0
        people.more += after > before
        people.less += after < before


Progress = Callable[[int, int], None]


def replay(
    folder: Path, running: Policy, other: Policy, since: datetime, until: datetime, *,
    progress: Progress = lambda _done, _of: None, most: int = MOST_RECORDS,
) -> Report:  # fmt: skip
    """Walk the records of [since, until) under both policies. `progress(records done, of how many)`."""
    total = count_records(folder, since, until)
    share = max(1, -(-total // most))
    slices = max(1, -(-total // (share * _SLICE)))
    report = Report(since, until, share)
    work = total * slices
    done = 0
    for part in range(slices):
        walk = _Walk(_Course(running), _Course(other), report)
        for rows, size in raw_days(folder, since, until):
            start = done
            for read, row in enumerate(rows):
                if read % _TELL_EVERY == 0:
                    progress(min(start + read, work), work)
                if share == slices == 1 or _is_of(row, share, slices, part):
                    walk.see(row)
            done = start + size
            progress(min(done, work), work)
        walk.end()
    return report


def _is_of(row: Raw, share: int, slices: int, part: int) -> bool:
    """Whether a record is of the slice of the people that is walked now; one of nobody is drawn by its instant."""
    draw = _draw(row)
    return draw % share == 0 and draw // share % slices == part


def _draw(row: Raw) -> int:
    return int.from_bytes(row[1], "big") if row[1] != NOBODY else int(row[0] * 1_000_000)


class _Walk:
    def __init__(self, running: _Course, other: _Course, report: Report) -> None:
        self._running = running
        self._other = other
        self._report = report
        self._people: dict[bytes, _Person] = {}
        self._policy_matters = _reasons_that_may_change(running.policy, other.policy)

    def see(self, row: Raw) -> None:
        record = record_of(row)
        person = self._people.get(record.who)
        if person is None:
            person = _Person(reader=record.principal is not Principal.VISITOR)
            if record.who != NOBODY:
                self._people[record.who] = person
        more, earlier = person.news(record)
        if record.reason in self._policy_matters:
            before = self._running.decide(person.before, record, more, before=earlier)
            after = self._other.decide(person.after, record, more, before=earlier)
        else:
            before = after = decide_again(self._running.policy, record)
        person.before.walls += before.body is not Body.FULL
        person.after.walls += after.body is not Body.FULL
        self._report.decisions += 1
        self._report.note(record, before, after)

    def end(self) -> None:
        for person in self._people.values():
            self._report.meet(person)
        self._people.clear()


def _reasons_that_may_change(running: Policy, other: Policy) -> frozenset[str]:
    return frozenset(REASONS) if running.emergency or other.emergency else _BY_POLICY


def as_values(report: Report) -> dict[str, Any]:
    """A report as JSON values; stories are the most affected ones."""

    def pair(change: Change) -> list[int]:
        return [change.before, change.after]

    def people(rows: People) -> dict[str, Any]:
        return {"all": rows.all, "stopped": pair(rows.stopped), "more": rows.more, "less": rows.less}

    def table(rows: Mapping[str, Change]) -> dict[str, list[int]]:
        return {name: pair(rows[name]) for name in sorted(rows)}

    return {
        "since": report.since.isoformat(),
        "until": report.until.isoformat(),
        "share": report.share,
        "decisions": report.decisions,
        "visitors": people(report.visitors),
        "readers": people(report.readers),
        "full": pair(report.full),
        "walls": table(report.walls),
        "tiers": {tier.value: pair(report.tiers[tier.value]) for tier in Tier if tier.value in report.tiers},
        "stories": [[story, *pair(change)] for story, change in report.most_affected()],
    }

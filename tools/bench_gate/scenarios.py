"""What readers do: for each scenario the cookies they bring, the stories they ask for and what they must get."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.bench_gate.cookies import Sealer
from tools.bench_gate.load import Line
from tools.bench_gate.paper import Story

READERS = 20_000  # the least number of distinct readers in a slice
METERS = 80_000  # three unread stories each make 240,000 reads: more than any slice


@dataclass(frozen=True, slots=True)
class Scenario:
    """`reasons`: what Broadsheet-Reason may say; `tree`: full or wall, "" for both; `sets_cookie`: on every answer;
    `distinct`: every reader brings a cookie of their own; `primed`: each has read a story here before."""

    name: str
    tree: str
    reasons: frozenset[str]
    sets_cookie: bool
    readers: Callable[[Sealer, Sequence[Story], int], list[Line]]
    distinct: bool = True
    primed: bool = False


def _reads(stories: Sequence[Story], first: int, count: int) -> list[tuple[int, str]]:
    chosen = [stories[(first + step) % len(stories)] for step in range(count)]
    return [(story.id, story.section) for story in chosen]


def _new(sealer: Sealer, stories: Sequence[Story], count: int) -> list[Line]:
    """A meter of this window with one story in it, far from those it will ask for; the machine has not met it yet. The
    second time the reader brings the cookie that the first answer set."""
    far, lines = len(stories) // 2, []
    for at in range(count * METERS // READERS):
        name = os.urandom(16)
        before, after = _reads(stories, at + far, 1), _reads(stories, at, 1)
        lines.append(
            Line(at % len(stories), 1, "full", sealer.meter(before, name), sealer.meter([*before, *after], name))
        )
    return lines


def _repeat(sealer: Sealer, stories: Sequence[Story], count: int) -> list[Line]:
    return [Line(at % len(stories), 0, "full", sealer.meter(_reads(stories, at, 3))) for at in range(count)]


def _wall(sealer: Sealer, stories: Sequence[Story], count: int) -> list[Line]:
    far = len(stories) // 2
    return [
        Line(at % len(stories), 1, "wall", sealer.meter(_reads(stories, at + far, sealer.limit))) for at in range(count)
    ]


def _subscriber(sealer: Sealer, stories: Sequence[Story], count: int) -> list[Line]:
    return [Line(at % len(stories), 1, "full", sealer.subscriber(1_000_000 + at)) for at in range(count)]


def _anonymous(_: Sealer, stories: Sequence[Story], __: int) -> list[Line]:
    return [Line(at, 1, "full", "") for at in range(len(stories))]


def _mix(sealer: Sealer, stories: Sequence[Story], count: int) -> list[Line]:
    """Of twenty requests: five first visits, five new, four repeats, three walls, three of subscribers."""
    share = count // 20
    lines = _new(sealer, stories, share * 5)[: share * 10]
    lines += _repeat(sealer, stories, share * 8) + _wall(sealer, stories, share * 6)
    lines += _subscriber(sealer, stories, share * 6)
    lines += [Line(at % len(stories), 1, "full", "") for at in range(share * 10)]
    random.Random(7).shuffle(lines)  # noqa: S311 - the same order on every machine
    return lines


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("new", "full", frozenset({"meter"}), True, _new, primed=True),
        Scenario("repeat", "full", frozenset({"repeat"}), False, _repeat),
        Scenario("wall", "wall", frozenset({"limit"}), False, _wall),
        Scenario("subscriber", "full", frozenset({"entitled"}), False, _subscriber),
        Scenario("anonymous", "full", frozenset({"meter"}), True, _anonymous, distinct=False),
        Scenario("stranger", "full", frozenset({"meter"}), True, _new),
        Scenario("mix", "", frozenset({"meter", "repeat", "limit", "entitled"}), True, _mix, distinct=False),
    )
}

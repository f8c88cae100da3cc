"""Alternating slices and what follows from them: a median with its interval, and whether the run was quiet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb
from statistics import median

from tools.bench_gate.load import Slice

QUIET = 0.10  # nginx's own spread above which a run is taken again
SATURATED = 0.9  # the share of its core below which a server was not the bottleneck
CONFIDENCE = 0.9


@dataclass(frozen=True, slots=True)
class Figure:
    """A median and an interval that holds the true one with 90 % (all values when there are too few)."""

    value: float
    low: float
    high: float

    def text(self, digits: int = 2) -> str:
        return f"{self.value:.{digits}f} ({self.low:.{digits}f}-{self.high:.{digits}f})"


def figure(values: Sequence[float]) -> Figure:
    """By order statistics: it asks nothing of how the noise is distributed."""
    ordered = sorted(values)
    count = len(ordered)
    cut = 0
    while cut + 1 < count / 2 and _coverage(count, cut + 1) >= CONFIDENCE:
        cut += 1
    return Figure(median(ordered), ordered[cut], ordered[count - 1 - cut])


def _coverage(count: int, cut: int) -> float:
    """The chance that the true median lies between the order statistics `cut` places from either end."""
    return 1 - 2 * sum(comb(count, place) for place in range(cut + 1)) / 2**count


def spread(values: Sequence[float]) -> float:
    """How far apart the values lie, in parts of their median."""
    return (max(values) - min(values)) / median(values)


@dataclass(frozen=True, slots=True)
class Server:
    """One side of a comparison. `pids` are all that are watched, `scored` those whose CPU is the score."""

    name: str
    take: Callable[[], Slice]
    scored: Callable[[], list[int]]
    pids: Callable[[], list[int]]


@dataclass(frozen=True, slots=True)
class Run:
    """The slices of one scenario by server, in the order in which they were taken."""

    slices: dict[str, list[Slice]]
    scored: dict[str, list[int]]
    pids: dict[str, list[int]]

    def per_cpu(self, server: str, *, whole: bool = False) -> list[float]:
        pids = (self.pids if whole else self.scored)[server]
        return [part.per_cpu(pids) for part in self.slices[server]]

    def ratio(self, server: str, anchor: str, *, whole: bool = False) -> Figure:
        pairs = zip(self.per_cpu(server, whole=whole), self.per_cpu(anchor), strict=True)
        return figure([mine / theirs for mine, theirs in pairs])

    def spread(self, anchor: str) -> float:
        return spread(self.per_cpu(anchor))

    def share(self, server: str) -> float:
        return median(part.share(self.pids[server]) for part in self.slices[server])

    def middle(self, server: str, name: str) -> float:
        """The median over the slices of one of their numbers."""
        return float(median(getattr(part, name) for part in self.slices[server]))

    def foreign(self) -> float:
        """The share of the servers' core that went to programs that are not measured."""
        rows = [(part, self.pids[name]) for name, parts in self.slices.items() for part in parts]
        return median(max(0.0, part.core - part.share(pids)) for part, pids in rows)


def alternate(servers: Sequence[Server], pairs: int) -> Run:
    """`pairs` rounds; every round takes a slice of each server, every second one in the opposite order."""
    slices: dict[str, list[Slice]] = {server.name: [] for server in servers}
    for number in range(pairs):
        for server in servers if number % 2 == 0 else list(reversed(servers)):
            slices[server.name].append(server.take())
    return Run(slices, {s.name: s.scored() for s in servers}, {s.name: s.pids() for s in servers})


def quietest(servers: Sequence[Server], pairs: int, anchor: str, tries: int, say: Callable[[str], None]) -> Run:
    """At most `tries` runs until nginx itself is steady; the steadiest one, whose spread is then reported."""
    best: Run | None = None
    for number in range(1, tries + 1):
        run = alternate(servers, pairs)
        if best is None or run.spread(anchor) < best.spread(anchor):
            best = run
        if run.spread(anchor) <= QUIET and run.share(anchor) >= SATURATED:
            break
        say(f"    try {number}: nginx varied by {run.spread(anchor):.0%}, its core share was {run.share(anchor):.2f}")
    assert best is not None
    return best

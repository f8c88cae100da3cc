"""What was true when: states, policies and printed bytes over time, and the verdict on one answer. Pure.

Times are Unix seconds. A change lasts from `begin` (before it is committed) to `done` (after it is printed); for GRACE
seconds more an answer may still be from before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

GRACE = 1.0  # a change reaches every worker within a second
FOREVER = float("inf")
WALLS = {
    ("premium", "visitor"): "subscribe", ("premium", "registered"): "subscribe", ("premium", "subscriber"): "subscribe",
    ("registered", "visitor"): "register",
}  # fmt: skip
METERED_WALL = {"visitor": "limit", "registered": "limit-signed-in"}


@dataclass(slots=True)
class Span:
    """Something that held from `begin` to `end`, the moments of its change included."""

    value: Any
    begin: float
    end: float = FOREVER

    def holds(self, sent: float, got: float) -> bool:
        return self.begin <= got and sent <= self.end + GRACE


@dataclass(frozen=True, slots=True)
class Ask:
    """One request as its reader meant it. `read`: what this meter has read; None when that is not known exactly."""

    story: int
    tier: str
    who: str  # visitor | registered | subscriber | payer (of everything)
    read: frozenset[int] | None = None
    head: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    variant: str
    reason: str
    encoding: str
    digest: bytes
    sent: float
    got: float


@dataclass
class History:
    """Grows by the lines of the desk's journal."""

    states: dict[int, list[Span]] = field(default_factory=dict)
    policies: list[Span] = field(default_factory=list)
    printed: dict[tuple[int, bytes], list[Span]] = field(default_factory=dict)  # story, digest -> (sheet, encoding)
    changing_since: float | None = None

    def learn(self, line: Mapping[str, Any]) -> None:
        """One line: `{"begin": t}` when a change starts, or with `done` and everything that holds after it."""
        if "done" not in line:
            self.changing_since = line["begin"]
            return
        begin, done = line["begin"], line["done"]
        for story, state in line["states"].items():
            _turn(self.states.setdefault(int(story), []), state, begin, done)
        _turn(self.policies, tuple(line["policy"]), begin, done)
        live = set()
        for story, name, encoding, digest in line["sheets"]:
            mark = (story, bytes.fromhex(digest))
            live.add(mark)
            spans = self.printed.setdefault(mark, [])
            if not spans or spans[-1].end != FOREVER:  # an older state may come back, and its bytes with it
                spans.append(Span((name, encoding), begin))
        for mark, spans in self.printed.items():
            if mark not in live and spans[-1].end == FOREVER:
                spans[-1].end = done
        self.changing_since = None

    def is_open(self, got: float) -> bool:
        """Whether a change that is not written down yet may show in an answer."""
        return self.changing_since is not None and got >= self.changing_since

    def is_settled(self, sent: float, got: float) -> bool:
        """Whether nothing changed around a request: then there is exactly one right answer."""
        return len(self._policies(sent, got)) == 1 and not self.is_open(got)

    def _policies(self, sent: float, got: float) -> list[tuple[int, int]]:
        return [span.value for span in self.policies if span.holds(sent, got)]

    def limits(self, who: str, sent: float, got: float) -> list[int]:
        return [policy[who != "visitor"] for policy in self._policies(sent, got)]

    # --- the verdict --------------------------------------------------------------------------------------------
    def fault(self, ask: Ask, answer: Answer) -> str | None:
        """What is wrong with an answer; None when it is right."""
        states = [span.value for span in self.states.get(ask.story, []) if span.holds(answer.sent, answer.got)]
        allowed: set[tuple[int, str, str]] = set()
        for state in states:
            if state == "withdrawn":
                allowed.add((410, "gone", "withdrawn"))
            else:
                for limit in self.limits(ask.who, answer.sent, answer.got):
                    allowed |= _sheets(ask, limit)
        spans = self.printed.get((ask.story, answer.digest))
        if spans is None:
            return f"bytes that were never printed: {answer.status} {answer.variant} {answer.reason}"
        if not any(span.holds(answer.sent, answer.got) for span in spans):
            return f"bytes of another moment: {spans} {answer.reason}"
        sheet, encoding = spans[0].value
        if encoding != answer.encoding:
            return f"{encoding} was called {answer.encoding}"
        if (answer.status, sheet, answer.reason) not in allowed:
            return f"{answer.status} {sheet} {answer.reason}, allowed {sorted(allowed)}"
        if (sheet == "full") != (answer.variant == "full"):
            return f"{sheet} was called {answer.variant}"
        return None


def _turn(spans: list[Span], value: Any, begin: float, done: float) -> None:
    if spans and spans[-1].value == value:
        return
    if spans:
        spans[-1].end = done
    spans.append(Span(value, begin))


def _sheets(ask: Ask, limit: int) -> Iterable[tuple[int, str, str]]:
    """Status, sheet and reason that a published story may be answered with."""
    who, tier = ask.who, ask.tier
    if tier == "free":
        return {(200, "full", "free")}
    if who == "payer" or (who == "subscriber" and tier != "premium"):
        return {(200, "full", "entitled")}
    if wall := WALLS.get((tier, who)):
        return {(200, wall, {"subscribe": "premium"}.get(wall, wall))}
    if tier == "registered":
        return {(200, "full", "registered")}
    full, repeat = (200, "full", "meter"), (200, "full", "repeat")
    wall = (200, METERED_WALL[who], "limit")
    if ask.read is None:
        return {full, repeat, wall}
    if ask.story in ask.read:
        return {repeat}
    return {full} if len(ask.read) < limit else {wall}

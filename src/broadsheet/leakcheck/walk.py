"""Sends each probe to both twins and judges the pair of answers. One leak at most is reported for a probe."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from broadsheet.leakcheck import oracles, surfaces
from broadsheet.leakcheck.canaries import Canaries
from broadsheet.leakcheck.client import Ask, Response
from broadsheet.leakcheck.oracles import Leak
from broadsheet.leakcheck.readers import BY_KEY, Desk, may_read
from broadsheet.leakcheck.stories import PLANS, text_of

AT_ONCE = 12


@dataclass(frozen=True, slots=True)
class Probe:
    """One request by one reader. `other`: what twin b is asked when the addresses are not the same."""

    surface: str
    reader: str
    trick: str
    ask: Ask
    story: str = ""
    other: Ask | None = None


@dataclass(slots=True)
class Walk:
    """A walk over two twins; collects what it finds. Without a second twin nothing is compared."""

    a: Desk
    b: Desk | None
    canaries: Canaries
    quiet: bool = False
    leaks: list[Leak] = field(default_factory=list)
    probes: int = 0
    requests: int = 0
    tally: Counter[str] = field(default_factory=Counter)
    _by_id: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_id = {self.a.id(key): key for key in BY_KEY}

    def say(self, text: str) -> None:
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)  # noqa: T201

    def entitled(self, probe: Probe) -> str:
        """The story whose own page is asked for, if this reader may read it; else ""."""
        target = probe.ask.target.partition("#")[0].strip()
        path = urlsplit(target).path if "://" in target else target
        key = self._by_id.get(surfaces.story_id(path) or 0, "")
        return key if key and may_read(probe.reader, BY_KEY[key]) else ""

    async def pair(self, probe: Probe) -> tuple[Response, Response | None]:
        if self.b is None:
            self.requests += 1
            return await self.a.ask(probe.ask, probe.reader), None
        self.requests += 2
        return tuple(
            await asyncio.gather(
                self.a.ask(probe.ask, probe.reader), self.b.ask(probe.other or probe.ask, probe.reader)
            )
        )  # type: ignore[return-value]

    async def run(self, probes: Iterable[Probe]) -> list[Response]:
        """Try every probe; returns twin a's answers in order."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(probe: Probe) -> Response:
            async with gate:
                return await self.try_one(probe)

        return list(await asyncio.gather(*(one(probe) for probe in probes)))

    async def try_one(self, probe: Probe) -> Response:
        self.probes += 1
        self.tally[probe.reader] += 1
        ours, theirs = await self.pair(probe)
        evidence = self._evidence(probe, ours) or await self._compared(probe, ours, theirs)
        evidence = evidence or next(oracles.faults(ours), "")
        if evidence:
            self.report(probe.story, probe.surface, probe.reader, probe.trick, evidence)
        return ours

    def report(self, story: str, surface: str, reader: str, trick: str, evidence: str) -> None:
        self.leaks.append(Leak(story, surface, reader, trick, evidence))

    def _evidence(self, probe: Probe, response: Response) -> str:
        own = self.entitled(probe)
        finds = oracles.without_echo(self.canaries.find(oracles.searched(response)), probe.ask.target)
        for find in finds:
            if find.story != own:
                return f"words of {find.story}, {find.how}: {find.words}"
        if finds and not oracles.is_private(response):
            return f"full text that a cache may keep: Cache-Control: {response.get('Cache-Control')}"
        if (
            not own
            and response.get("Broadsheet-Variant") == "full"
            and BY_KEY.get(probe.story, PLANS[0]).tier != "free"
            and response.get("Broadsheet-Reason") != "free"
        ):
            return f"the full variant ({response.get('Broadsheet-Reason')})"
        return ""

    async def _compared(self, probe: Probe, ours: Response, theirs: Response | None) -> str:
        if theirs is None or self.entitled(probe):
            return ""
        found = oracles.difference(ours, theirs)
        if found:
            # One of the two may have been asked across a tick of the clock, or while a page was printed anew.
            again, other = await self.pair(probe)
            found = oracles.difference(again, other) if other else ""
        return f"depends on hidden text: {found}" if found else ""


def scratch_canaries(benefits: Mapping[str, str]) -> Canaries:
    """What is hidden in twin a, `benefits` by name among it. Twin b is compared with it, not searched."""
    canaries = Canaries()
    for plan in PLANS:
        hidden = text_of(plan, "a").hidden
        if hidden:
            canaries.hide(plan.key, hidden)
    for name, text in benefits.items():
        canaries.hide(name, text)
    return canaries

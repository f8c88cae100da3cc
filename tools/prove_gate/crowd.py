"""A process full of readers: honest visitors, cheats, registered readers, subscribers and payers of everything."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tools.bench_gate.cookies import Sealer
from tools.prove_gate.client import BrokenError, Line, Reply, request
from tools.prove_gate.history import GRACE, Answer, Ask, History

LINES = 12
MOST_FAULTS = 20
METERED = ("visitor", "cheat", "registered")
PATIENCE = 20.0  # seconds until a change must have been written down
ENCODINGS = ("gzip", "gzip", "br", "plain")
WHO = ("visitor",) * 10 + ("cheat",) * 4 + ("registered",) * 2 + ("subscriber",) * 3 + ("payer",)


@dataclass
class Jar:
    """One reader. `exact`: everything this meter read is known and no policy changed in its life."""

    who: str
    cookie: str = ""
    born: float = 0.0
    read: set[int] = field(default_factory=set)
    old: list[str] = field(default_factory=list)
    exact: bool = True
    asked: int = 0


@dataclass
class Crowd:
    """`run()` until told enough; `faults` are what the answers did wrong."""

    port: int
    journal: Path
    sealer: Sealer
    readers: list[int]
    seed: int
    counts: Any  # shared: how many requests were answered, and a flag that ends it
    place: int
    history: History = field(default_factory=History)
    faults: list[str] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    retries: int = 0
    _stories: dict[int, tuple[str, str]] = field(default_factory=dict)
    _offset: int = 0
    _late: list[tuple[Ask, Answer]] = field(default_factory=list)
    _passports: dict[str, tuple[str, float]] = field(default_factory=dict)
    _kills: list[float] = field(default_factory=list)
    _registered: dict[int, Jar] = field(default_factory=dict)

    def run(self) -> None:
        chance = random.Random(self.seed)  # noqa: S311 - the same crowd every time
        lines = [Line(self.port) for _ in range(LINES)]
        jars = [self._newcomer(chance) for _ in lines]
        while not self.counts[-1] and len(self.faults) < MOST_FAULTS:
            self._learn()
            rounds = []
            for at, line in enumerate(lines):
                if jars[at].asked > 14:  # noqa: PLR2004 - then somebody else comes along
                    jars[at] = self._newcomer(chance)
                if jars[at].who == "cheat" and jars[at].cookie and at % 2 == 0:
                    jars[at + 1] = jars[at]  # two connections race with one cookie
                asks = self._plan(chance, jars[at])
                line.send([(raw, ask.head) for ask, _, raw in asks])
                rounds.append(asks)
            for line, asks, jar in zip(lines, rounds, jars, strict=True):
                self._hear(line, asks, jar)
        deadline = time.time() + PATIENCE
        while self._late and time.time() < deadline:
            time.sleep(0.2)
            self._learn()
        self.faults += [f"never explained: {self.history.fault(ask, answer)}" for ask, answer in self._late]
        self.retries = sum(line.retries for line in lines)
        cut = [at for line in lines for at in line.broken if not any(0 <= at - kill < PATIENCE for kill in self._kills)]
        self.faults += [f"an answer was cut off at {at}, and no worker had been killed" for at in cut]

    # --- what they ask ------------------------------------------------------------------------------------------
    def _newcomer(self, chance: random.Random) -> Jar:
        who, now = chance.choice(WHO), time.time()
        if who == "registered":
            reader = chance.choice(self.readers)
            jar = self._registered.setdefault(reader, Jar(who, born=now))
            jar.asked = 0
            jar.cookie = self._passport(reader, ())
            return jar
        if who in ("subscriber", "payer"):
            products = ("unlimited",) if who == "subscriber" else ("unlimited", "premium")
            return Jar(who, self._passport(10**6 + chance.randrange(500), products), now)
        return Jar(who, "", now)

    def _passport(self, reader: int, products: tuple[str, ...]) -> str:
        key = f"{reader} {products}"
        cookie, until = self._passports.get(key, ("", 0.0))
        if until < time.time():
            cookie, until = self.sealer.passport(reader, products), time.time() + 300
            self._passports[key] = cookie, until
        return cookie

    def _plan(self, chance: random.Random, jar: Jar) -> list[tuple[Ask, str, bytes]]:
        """One to five requests sent in one go. An honest visitor knows what each of them must bring."""
        count = chance.choice((1, 1, 2, 3, 5))
        if not jar.cookie:
            count = 1  # the first visit brings the meter
        jar.asked += count
        if jar.who == "cheat" and jar.old and chance.random() < 0.5:  # noqa: PLR2004
            jar.cookie = chance.choice(jar.old)
        asks = []
        for story in chance.sample(sorted(self._stories), count):
            path, tier = self._stories[story]
            if jar.read and chance.random() < 0.25:  # noqa: PLR2004
                story = chance.choice(sorted(jar.read))  # noqa: PLW2901 - read again
                path, tier = self._stories[story]
            head, encoding = chance.random() < 0.03, chance.choice(ENCODINGS)  # noqa: PLR2004
            who = {"cheat": "visitor"}.get(jar.who, jar.who)
            ask = Ask(story, tier, who, None, head)
            asks.append((ask, encoding, request(self.port, path, jar.cookie, encoding, "HEAD" if head else "GET")))
        return asks

    # --- what they get ------------------------------------------------------------------------------------------
    def _hear(self, line: Line, asks: list[tuple[Ask, str, bytes]], jar: Jar) -> None:
        for ask, encoding, _ in asks:
            try:
                reply = line.read()
            except BrokenError:
                jar.exact = False
                self._fault(ask, None, "nobody answered")
                return
            self.counts[self.place] += 1
            if line.last_break > jar.born:
                jar.exact = False  # an answer may have been lost, and its read with it
            self._judge(ask, encoding, reply, jar)

    def _judge(self, ask: Ask, encoding: str, reply: Reply, jar: Jar) -> None:
        name = reply.value(b"Broadsheet-Reason")
        self.kinds[name or str(reply.status)] = self.kinds.get(name or str(reply.status), 0) + 1
        cookie = reply.value(b"Set-Cookie").partition(";")[0]
        if cookie and ask.who == "visitor":
            if jar.cookie:
                jar.old.append(jar.cookie)
            jar.cookie = cookie
        if ask.head:
            if reply.status not in (200, 410):
                self._fault(ask, None, f"HEAD was answered {reply.status}")
            return
        sent_as = reply.value(b"Content-Encoding") or "plain"
        answer = Answer(
            reply.status, reply.value(b"Broadsheet-Variant"), name, sent_as, reply.digest, reply.sent, reply.got
        )
        if sent_as != encoding:
            self._fault(ask, answer, f"asked for {encoding}, got {sent_as}")
        read = frozenset(jar.read)
        if ask.tier == "metered" and answer.variant == "full" and ask.who in ("visitor", "registered"):
            jar.read.add(ask.story)
        if self._wrong(ask, answer, jar, read):
            self._learn()  # what changed since this round began may be written down by now
            if wrong := self._wrong(ask, answer, jar, read):
                if self.history.is_open(answer.got):
                    self._late.append((ask, answer))
                else:
                    self._fault(ask, answer, wrong)

    def _wrong(self, ask: Ask, answer: Answer, jar: Jar, read: frozenset[int]) -> str | None:
        """`read`: what this meter had read before. It says exactly what must come as long as no policy changes."""
        if not self.history.is_settled(jar.born - GRACE, answer.got):
            jar.exact = False
        limit = max(self.history.limits(ask.who, jar.born - GRACE, answer.got), default=0)
        if len(jar.read) > limit and ask.tier == "metered" and answer.variant == "full" and jar.who in METERED:
            return f"{len(jar.read)} stories with one meter whose limit is {limit}"
        exact = jar.exact and jar.who == "visitor"
        return self.history.fault(replace(ask, read=read) if exact else ask, answer)

    def _fault(self, ask: Ask, answer: Answer | None, text: str) -> None:
        self.faults.append(f"{text} [{ask} {answer}]")

    # --- what has changed ---------------------------------------------------------------------------------------
    def _learn(self) -> None:
        """Read on in the journal; what could not be judged before is judged when its change is written down."""
        if self.journal.stat().st_size == self._offset:
            return
        with self.journal.open("rb") as text:
            text.seek(self._offset)
            for raw in text:
                if not raw.endswith(b"\n"):
                    break
                self._offset += len(raw)
                line = json.loads(raw)
                if "killed" in line:
                    self._kills.append(line["killed"])
                    continue
                self.history.learn(line)
                self._stories |= {int(story): (path, tier) for story, (path, tier) in line.get("stories", {}).items()}
        if self.history.changing_since is None:
            for ask, answer in self._late:
                if wrong := self.history.fault(ask, answer):
                    self._fault(ask, answer, wrong)
            self._late.clear()

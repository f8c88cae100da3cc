"""The proof from beginning to end: a paper, crowds of readers, a desk that keeps changing things, and the findings."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.bench_gate.cookies import Sealer
from tools.bench_gate.machine import cpu_of, free_port, memory, talkers
from tools.bench_gate.paper import ROOT, Paper
from tools.prove_gate.crowd import Crowd

TIERS = ("metered",) * 12 + ("free", "premium", "registered", "metered")
CHANGES = ("kill", "correct", "policy", "kill", "publish", "revive", "correct")
GROWTH = 0.08  # of a process's resident memory, and
GROWTH_KB = 12_000  # what is allowed on top: allocators do not give everything back
WARM = 0.45  # the part of the run after which nothing new is warmed up and no worker is restarted
LIMITS = ({"free_limit": 5, "registered_limit": 10}, {"free_limit": 3, "registered_limit": 8})


@dataclass(frozen=True, slots=True)
class Plan:
    """How much, how long at most, and how often something changes (seconds between two changes)."""

    requests: int = 2_000_000
    seconds: float = 30 * 60
    every: float = 1.0
    stories: int = 64
    crowds: int = 2
    workers: int = 2
    restarts: int = 6
    readers: int = 400
    memory: bool = True  # whether growth is a fault; a short run is all warm-up


@dataclass
class Findings:
    requests: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    growth: list[str] = field(default_factory=list)
    grown: list[str] = field(default_factory=list)
    cpu: float = 0.0


class Desk:
    """Changes the paper through a process of its own, and writes down before and after each change what is true."""

    def __init__(self, paper: Paper, journal: Path) -> None:
        self._journal = journal
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.prove_gate.desk"], env=paper.environ, cwd=ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=(paper.folder / "desk.log").open("ab"), text=True,
        )  # fmt: skip
        self.stories: dict[int, str] = {}  # id -> state

    def do(self, do: str, **rest: Any) -> Any:
        begin = time.time()
        self.write({"begin": begin})
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **rest}) + "\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        if not said:
            raise RuntimeError(f"the desk fell over at {do}: see desk.log in the paper's folder")
        answer = json.loads(said)
        self.stories = {int(story): state for story, state in answer["states"].items()}
        self.write({**answer, "begin": begin, "done": time.time()})
        return answer["result"]

    def write(self, line: dict[str, Any]) -> None:
        with self._journal.open("a") as out:
            out.write(json.dumps(line) + "\n")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def copy(number: int, version: int) -> dict[str, Any]:
    """A small story whose paragraphs carry its number and its version."""
    paragraphs = [f"Paragraph {at} of story {number} in its version {version}, {'and more ' * 8}" for at in range(6)]
    return {
        "headline": f"Item number {number} of the long night",
        "body_html": "".join(f"<p>{text}.</p>" for text in paragraphs),
        "section": ("national", "world", "business", "sport")[number % 4],
        "tier": TIERS[number % len(TIERS)],
    }


class Proof:
    def __init__(self, folder: Path, plan: Plan, say: Callable[[str], None], ports: tuple[int, int]) -> None:
        self.plan, self.say = plan, say
        options = {"meter_budget": "0"}
        if plan.workers > 1:
            options["gate_workers"] = str(plan.workers)
        self.paper = Paper(folder / "paper", free_port(*ports), None, options)
        self.journal = folder / "journal.jsonl"
        self.found = Findings()
        self._chance = random.Random(11)  # noqa: S311 - the same night every time
        self._version = 1
        self._limits = 0

    def run(self) -> Findings:
        self.paper.make(0)
        self.paper.start()
        desk = Desk(self.paper, self.journal)
        try:
            self._run(desk)
        finally:
            desk.close()
            self.paper.stop()
        return self.found

    def _run(self, desk: Desk) -> None:
        desk.do("policy", values=LIMITS[0])
        desk.do("fill", copies=[copy(number, 0) for number in range(self.plan.stories)])
        readers = desk.do("readers", count=self.plan.readers)
        context = multiprocessing.get_context("spawn")
        counts = context.Array("q", self.plan.crowds + 1, lock=False)
        results = context.SimpleQueue()
        crowds = [
            context.Process(target=_crowd, args=(self._door(), readers[at :: self.plan.crowds], at, counts, results))
            for at in range(self.plan.crowds)
        ]
        begin, cpu = time.monotonic(), cpu_of(self.paper.pids())
        for crowd in crowds:
            crowd.start()
        try:
            self._night(desk, counts, begin, crowds)
        finally:
            counts[-1] = 1
        for _ in crowds:
            faults, kinds, retries = results.get()
            self.found.faults += faults
            self.found.reasons.update(kinds)
            self.found.retries += retries
        for crowd in crowds:
            crowd.join(30)
        self.found.requests, self.found.seconds = sum(counts[:-1]), time.monotonic() - begin
        self.found.cpu = cpu_of(self.paper.pids()) - cpu

    def _door(self) -> tuple[int, Path, dict[str, str], Path]:
        return self.paper.port, self.paper.folder, self.paper.environ, self.journal

    def _night(self, desk: Desk, counts: Any, begin: float, crowds: list[Any]) -> None:
        """Change something again and again until enough was asked; memory is compared over the later half."""
        restarts, base, last = self.plan.restarts, {}, -1
        processes: set[int] = set()
        whole = len(self.paper.pids())
        while (asked := sum(counts[:-1])) < self.plan.requests or not base:
            if time.monotonic() - begin > self.plan.seconds:
                self.found.faults.append(f"only {asked} requests in {self.plan.seconds / 60:.0f} minutes")
                return
            if any(crowd.exitcode is not None for crowd in crowds):
                return  # a crowd has seen enough faults, or fell over; its findings say which
            part = asked / self.plan.requests
            if restarts and part > WARM * 0.8 * (1 - restarts / (self.plan.restarts + 1)):
                restarts -= 1
                self._restart(desk, hard=restarts % 2 == 0)
            elif part > WARM and not base and not restarts:
                now = set(self.paper.pids())
                # The same ones at two looks and no more than at first: whoever was replaced has gone.
                base, processes = (self._resident() if now == processes and len(now) == whole else {}), now
            self._change(desk)
            if int(part * 10) != last:
                last = int(part * 10)
                self.say(f"{asked:>9} requests, {sum(self.found.changes.values())} changes")
            time.sleep(self.plan.every)
        self._compare(base, self._resident())

    def _change(self, desk: Desk) -> None:
        live = [story for story, state in desk.stories.items() if state == "published"]
        dead = [story for story, state in desk.stories.items() if state == "withdrawn"]
        kind = CHANGES[self._version % len(CHANGES)]
        self._version += 1
        if (kind == "revive" and not dead) or (kind == "kill" and len(live) < self.plan.stories // 2):
            kind = "publish" if len(desk.stories) < self.plan.stories * 2 else "correct"
        if kind == "publish" and len(desk.stories) >= self.plan.stories * 2:
            kind = "correct" if not dead else "revive"
        self.found.changes[kind] += 1
        if kind == "policy":
            self._limits ^= 1
            desk.do("policy", values=LIMITS[self._limits])
        elif kind == "publish":
            desk.do("publish", copy=copy(len(desk.stories), 0))
        elif kind == "correct":
            story = self._chance.choice(live)
            desk.do("correct", story=story, copy=copy(sorted(desk.stories).index(story), self._version))
        else:
            desk.do(kind, story=self._chance.choice(live if kind == "kill" else dead))

    def _restart(self, desk: Desk, *, hard: bool) -> None:
        """Kill a worker outright, or have all of them replaced gracefully."""
        if hard:
            workers = [pid for pid in talkers(self.paper.port, self.paper.pids()) if pid != self.paper.pids()[0]]
            if workers:
                desk.write({"killed": time.time()})
                os.kill(self._chance.choice(workers), signal.SIGKILL)
                self.found.changes["worker killed"] += 1
        elif self.paper.process is not None and len(self.paper.pids()) > 1:
            self.paper.process.send_signal(signal.SIGHUP)
            self.found.changes["workers reloaded"] += 1

    def _resident(self) -> dict[int, tuple[str, int]]:
        return {row.pid: (row.name, row.rss) for row in memory(self.paper.pids())}

    def _compare(self, before: dict[int, tuple[str, int]], after: dict[int, tuple[str, int]]) -> None:
        for pid, (name, rss) in before.items():
            end = after.get(pid, (name, 0))[1]
            self.found.growth.append(f"{name}: {rss // 1024} MB, at the end {end // 1024} MB")
            if self.plan.memory and end > rss * (1 + GROWTH) + GROWTH_KB:
                self.found.grown.append(self.found.growth[-1])
            if not end:
                self.found.faults.append(f"{name} ended on its own")


def _crowd(
    door: tuple[int, Path, dict[str, str], Path], readers: list[int], place: int, counts: Any, results: Any
) -> None:
    port, folder, environ, journal = door
    crowd = Crowd(port, journal, Sealer(folder, environ), readers, place, counts, place)
    try:
        crowd.run()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        crowd.faults.append(f"a crowd fell over: {error!r} {traceback.format_exc()[-600:]}")
    results.put((crowd.faults, crowd.kinds, crowd.retries))

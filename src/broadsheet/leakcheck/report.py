"""Runs a whole check on scratch twins and tells what came of it: leaks on stdout, a summary on stderr, a status."""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from broadsheet.leakcheck import forging, meters, rounds
from broadsheet.leakcheck.benefits.trying import benefits_round
from broadsheet.leakcheck.caching import caches_round
from broadsheet.leakcheck.changes import changes_round
from broadsheet.leakcheck.client import Site, UnreachableError
from broadsheet.leakcheck.exposure import exposure_round
from broadsheet.leakcheck.modes import modes_round
from broadsheet.leakcheck.oracles import Leak
from broadsheet.leakcheck.readers import AT_THE_WALLS, Desk
from broadsheet.leakcheck.timing import FEWEST, PAIRS, timing_round
from broadsheet.leakcheck.tokens import apps_round
from broadsheet.leakcheck.twins import HOST, ScratchError, Server, Twins, make_twins, serving
from broadsheet.leakcheck.walk import Walk, scratch_canaries

CLEAN, FOUND, UNREACHABLE = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is tried. `only` names rounds, `groups` classes of tricks, `modes` other options of the paper; `guess`
    also tries addresses that nothing links to; `share` is the share of the tricks and of the program's own addresses,
    `crowd` that of the addresses at which everybody else asks too, besides visitors and subscribers, `most` how many
    addresses are followed;
    `fuzz` mixtures by chance for each kind of wall; `cached` requests through each shared cache."""

    only: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    guess: bool = True
    share: float = 1.0
    crowd: float = 1.0
    most: int = 600
    fuzz: int = 60
    cached: int = 700
    seed: int = 1


ROUNDS = (
    "walls", "shut", "benefits", "apps", "surfaces", "searches", "etags", "tricks", "forged", "meters", "caches",
    "timing", "modes", "changes", "exposure",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check did and found. `seconds` by round; `notes` are sentences for the report."""

    leaks: tuple[Leak, ...]
    probes: int
    requests: int
    surfaces: int
    tricks: int
    seed: int
    seconds: Mapping[str, float]
    notes: tuple[str, ...] = ()


def run_scratch(args: argparse.Namespace) -> int:
    """`broadsheet leakcheck` without --url."""
    begin = time.monotonic()
    effort = Effort(seed=new_seed() if args.seed is None else args.seed)
    try:
        with tempfile.TemporaryDirectory(prefix="broadsheet-leakcheck-") as folder:
            _say("leakcheck: making two scratch papers that differ only in hidden text …", quiet=args.quiet)
            twins = make_twins(Path(folder))
            with serving(twins) as servers:
                outcome = asyncio.run(check(twins, servers, effort, quiet=args.quiet))
    except (UnreachableError, ScratchError) as error:
        print(f"broadsheet: {error}", file=sys.stderr)  # noqa: T201
        return UNREACHABLE
    return tell(outcome, as_json=args.json, quiet=args.quiet, seconds=time.monotonic() - begin)


def new_seed() -> int:
    """Every run tries other mixtures; the summary says the seed, so that a run can be repeated."""
    return secrets.randbelow(10**6)


async def check(twins: Twins, servers: Sequence[Server], effort: Effort, *, quiet: bool = True) -> Outcome:
    """Walk over two running twins."""
    desks = [
        Desk(Site(server.url, host=HOST), twins.papers[twin], data=twins.data(twin))
        for twin, server in zip("ab", servers, strict=True)
    ]
    for desk in desks:
        await desk.prepare()
    hidden = twins.papers["a"].get("benefits", {}).get("hidden", {})
    walk = Walk(desks[0], desks[1], scratch_canaries(hidden), quiet=quiet)
    course = _Course(walk, twins, servers[0], effort)
    begin = time.monotonic()
    for name in effort.only or ROUNDS:
        began = time.monotonic()
        await course.run(name)
        course.seconds[name] = time.monotonic() - began
        so_far = time.monotonic() - begin
        walk.say(f"leakcheck: {name:<9} done after {so_far:5.1f} s: {walk.probes} probes, {len(walk.leaks)} leaks")
    for desk in desks:
        desk.site.close()
    leaks = tuple(walk.leaks)
    return Outcome(
        leaks, walk.probes, walk.requests, course.surfaces, course.tricks, effort.seed, course.seconds,
        tuple(course.notes),
    )  # fmt: skip


@dataclass(slots=True)
class _Course:
    """One check under way: the rounds by name, and what they count."""

    walk: Walk
    twins: Twins
    server: Server
    effort: Effort
    surfaces: int = 0
    tricks: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    async def run(self, name: str) -> None:
        walk, effort = self.walk, self.effort
        for one in _PLAIN.get(name, ()):
            await one(walk)
        if name == "surfaces":
            self.surfaces = await rounds.surfaces_round(
                walk, guess=effort.guess, share=effort.share, crowd=effort.crowd, most=effort.most, seed=effort.seed
            )
        elif name == "benefits":
            opened = await benefits_round(walk, share=effort.share, crowd=effort.crowd, seed=effort.seed)
            self.notes.append(f"{opened} addresses of what plans include besides stories")
        elif name == "apps":
            await apps_round(walk, share=effort.share, seed=effort.seed)
        elif name == "tricks":
            self.tricks = await rounds.tricks_round(
                walk, effort.groups, share=effort.share, seed=effort.seed, fuzz=effort.fuzz
            )
        elif name == "caches":
            served = await caches_round(walk, effort.seed, asked=effort.cached)
            self.notes.append(f"{2 * effort.cached} requests through shared caches, {served} answered by them")
        elif name == "timing":
            ratios = await timing_round(walk, pairs=max(FEWEST, round(PAIRS * effort.share)))
            self.notes.append("timing ratios " + ", ".join(f"{key} {ratio:.2f}" for key, ratio in ratios.items()))
        elif name == "modes":
            tried = await modes_round(walk, self.twins, effort.modes)
            self.notes += [f"options tried: {', '.join(tried.names)}"]
            self.notes += [f"not in this version: {', '.join(tried.missing)}"] if tried.missing else []
        elif name == "changes":
            took = await changes_round(walk)
            self.notes += [f"{what} after {seconds * 1000:.0f} ms" for what, seconds in took.items()]
        elif name == "exposure":
            await exposure_round(walk, self.server.process.pid, self.server.port)


_PLAIN: Mapping[str, tuple[Callable[[Walk], Awaitable[None]], ...]] = {
    "walls": (rounds.walls_round,),
    "shut": (rounds.shut_round,),
    "searches": (rounds.searches_round,),
    "etags": (rounds.etags_round,),
    "forged": (forging.forgeries_round, forging.one_connection_round, forging.signed_out_round),
    "meters": (meters.meters_round,),
}


def tell(outcome: Outcome, *, as_json: bool, quiet: bool, seconds: float) -> int:
    """Print the leaks; returns the exit status."""
    print_leaks(outcome.leaks, as_json=as_json)
    for note in outcome.notes:
        _say(f"leakcheck: {note}", quiet=quiet)
    _say(
        f"leakcheck: seed {outcome.seed}, {outcome.surfaces} surfaces, {len(AT_THE_WALLS)} classes of reader, "
        f"{outcome.tricks} tricks, {outcome.probes} probes ({outcome.requests} requests) in {seconds:.0f} s: "
        f"{len(outcome.leaks) or 'no'} {'leak' if len(outcome.leaks) == 1 else 'leaks'}.",
        quiet=quiet,
    )
    return FOUND if outcome.leaks else CLEAN


def print_leaks(leaks: Iterable[Leak], *, as_json: bool) -> None:
    for leak in leaks:
        row = leak.as_row()
        if as_json:
            print(json.dumps(row, ensure_ascii=False))  # noqa: T201
        else:
            print("LEAK " + " | ".join(text or "-" for text in row.values()))  # noqa: T201


def _say(text: str, *, quiet: bool) -> None:
    if not quiet:
        print(text, file=sys.stderr, flush=True)  # noqa: T201

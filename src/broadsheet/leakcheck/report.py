"""Runs a whole check on scratch twins and tells what came of it: leaks on stdout, a summary on stderr, a status."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from broadsheet.leakcheck import forging, meters, rounds
from broadsheet.leakcheck.client import Site, UnreachableError
from broadsheet.leakcheck.oracles import Leak
from broadsheet.leakcheck.readers import READERS, Desk
from broadsheet.leakcheck.twins import HOST, ScratchError, Server, Twins, make_twins, serving
from broadsheet.leakcheck.walk import Walk, scratch_canaries

CLEAN, FOUND, UNREACHABLE = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check did and found."""

    leaks: tuple[Leak, ...]
    probes: int
    requests: int
    surfaces: int
    tricks: int
    seconds: float


def run_scratch(args: argparse.Namespace) -> int:
    """`broadsheet leakcheck` without --url."""
    begin = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="broadsheet-leakcheck-") as folder:
            _say("leakcheck: making two scratch papers that differ only in hidden text …", quiet=args.quiet)
            twins = make_twins(Path(folder))
            with serving(twins) as servers:
                outcome = asyncio.run(check(twins, servers, quiet=args.quiet))
    except (UnreachableError, ScratchError) as error:
        print(f"broadsheet: {error}", file=sys.stderr)  # noqa: T201
        return UNREACHABLE
    return tell(outcome, as_json=args.json, quiet=args.quiet, seconds=time.monotonic() - begin)


async def check(
    twins: Twins,
    servers: list[Server],
    *,
    quiet: bool = True,
    only: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    guess: bool = True,
) -> Outcome:
    """Walk over two running twins. `only` names rounds: walls, shut, surfaces, searches, etags, tricks, forged, meters;
    `groups` classes of tricks; `guess` also tries addresses that nothing links to."""
    begin = time.monotonic()
    desks = [Desk(Site(server.url, host=HOST), twins.papers[twin]) for twin, server in zip("ab", servers, strict=True)]
    for desk in desks:
        await desk.prepare()
    walk = Walk(desks[0], desks[1], scratch_canaries(), quiet=quiet)
    found = tried = 0
    for name in only or ("walls", "shut", "surfaces", "searches", "etags", "tricks", "forged", "meters"):
        if name == "surfaces":
            found = await rounds.surfaces_round(walk, guess=guess)
        elif name == "tricks":
            tried = await rounds.tricks_round(walk, groups)
        else:
            for one in _ROUNDS[name]:
                await one(walk)
        seconds = time.monotonic() - begin
        walk.say(f"leakcheck: {name:<9} done after {seconds:5.1f} s: {walk.probes} probes, {len(walk.leaks)} leaks")
    for desk in desks:
        desk.site.close()
    return Outcome(tuple(walk.leaks), walk.probes, walk.requests, found, tried, time.monotonic() - begin)


_ROUNDS = {
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
    _say(
        f"leakcheck: {outcome.surfaces} surfaces, {len(READERS)} classes of reader, {outcome.tricks} tricks, "
        f"{outcome.probes} probes ({outcome.requests} requests) in {seconds:.0f} s: "
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

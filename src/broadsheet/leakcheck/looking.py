"""A look at the running paper from outside, with its own hidden text: kept as a run, and told to the publisher."""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings

from broadsheet import clock
from broadsheet.leakcheck import actions, live, ports
from broadsheet.leakcheck.canaries import Canaries
from broadsheet.leakcheck.client import Site, UnreachableError
from broadsheet.leakcheck.report import CLEAN, FOUND, UNREACHABLE, new_seed
from broadsheet.mail import Letter, send
from broadsheet.readers.queries import administrators

RATE = 8.0  # requests a second: a fraction of one reader's browser
NIGHT_SECONDS = 900.0
PUBLISH_SECONDS = 120.0
NIGHT_STORIES = 60


def own_site(options: Any) -> Site:
    """This paper as its readers meet it: the address in `leakcheck_url`, else its own port, else its public address."""
    if options.leakcheck_url:
        return Site(options.leakcheck_url, width=2)
    loopback = ip_address("127.0.0.1")
    trusted = any(loopback in ip_network(name, strict=False) for name in options.trusted_proxies)
    if options.https and not trusted:
        return Site(options.public_url, width=2)
    here = "127.0.0.1" if options.host in ("0.0.0.0", "::", "localhost") else options.host  # noqa: S104 - compared
    here = f"[{here}]" if ":" in here else here
    return Site(f"http://{here}:{options.port}", host=options.public_host, width=2, behind_tls=options.https)


def look_and_tell(kind: str, *, stories: Sequence[int] | None = None) -> int:
    """Look, keep what came of it, and write to the publisher when something new leaks. Returns the exit status."""
    seed = new_seed()
    run_id = actions.begin_run(kind=kind, seed=seed, now=clock.now())
    if run_id is None:
        return CLEAN
    error = ""
    visit = None
    try:
        visit, found = _visit(kind, seed, stories)
        counts = len(found), visit.probes, visit.skipped
    except UnreachableError as away:
        error, counts = f"{away}.", (0, 0, 0)
    leaks = list(zip(visit.leaks, visit.requests, strict=True)) if visit else []
    fresh = actions.end_run(run_id=run_id, now=clock.now(), counts=counts, found=leaks, error=error)
    if fresh:
        _alarm(fresh)
    return UNREACHABLE if error else FOUND if leaks else CLEAN


def _visit(kind: str, seed: int, stories: Sequence[int] | None) -> tuple[live.Visit, list[live.Sample]]:
    found, public = live.samples(NIGHT_STORIES) if stories is None else live.samples_of(stories)
    canaries = Canaries()
    for sample in found:
        canaries.hide(sample.key, sample.hidden, public)
    seconds = PUBLISH_SECONDS if kind == "publish" else NIGHT_SECONDS
    visit = live.Visit(own_site(settings.BROADSHEET), canaries, RATE, time.monotonic() + seconds, seed=seed)
    held = ports.cookies()
    if kind == "publish":
        asyncio.run(live.visit_published(visit, found, held))
    else:
        asyncio.run(live.visit_all(visit, found, held))
    return visit, found


def _alarm(fresh: int) -> None:
    """A letter without the words that leaked: letters travel in the open."""
    paper, site = settings.BROADSHEET.name, settings.BROADSHEET.public_url
    what = "one answer" if fresh == 1 else f"{fresh} answers"
    text = (
        f"The nightly proof of {paper} found {what} that must not be: text behind the wall came through, or a page is "
        f"broken.\n\nWhat, where and what to do: {site}/admin/leaks/\n\nThis letter is sent once for each new finding."
    )
    to = [settings.BROADSHEET.alarm_email] if settings.BROADSHEET.alarm_email else administrators()
    for address in to:
        send(Letter(to=address, subject=f"{paper}: something leaks through the wall", text=text + "\n"))


def run_night(args: argparse.Namespace) -> int:  # noqa: ARG001 - a command's signature
    """`broadsheet leakcheck --night`: what the night's job starts."""
    os.nice(19)
    return look_and_tell("night")

"""The round that asks for everything a product opens, as everybody."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from broadsheet.leakcheck import oracles
from broadsheet.leakcheck.benefits import Address
from broadsheet.leakcheck.canaries import coverage, words
from broadsheet.leakcheck.client import Ask, Response
from broadsheet.leakcheck.readers import HOLDER, HOLDERS_EMAIL, READERS, all_but
from broadsheet.leakcheck.walk import Probe, Walk

LEAST_SHOWN = 0.9
_WAYS = (
    ("HEAD", ()),
    ("POST", ()),
    ("OPTIONS", ()),
    ("GET", (("Range", "bytes=0-9999"),)),
    ("GET", (("User-Agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),)),
    ("GET", (("Accept", "application/json"),)),
    ("GET", (("X-Requested-With", "XMLHttpRequest"), ("X-Forwarded-For", "127.0.0.1"))),
)
_BENT = ("{}?page=1", "{}?print=1&full=1", "{}/", "/{}", "{}%20", "{}.json")


def addresses_of(walk: Walk) -> list[Address]:
    """What the scratch paper was filled with."""
    return [Address(*row) for row in walk.a.paper.get("benefits", {}).get("addresses", ())]


async def benefits_round(walk: Walk, *, share: float = 1.0, crowd: float = 1.0, seed: int = 0) -> int:
    """Every address that a product opens: its holder gets it, nobody else learns anything. `share` of the other ways to
    ask, `crowd` of the readers who have no benefit at all. Returns how many."""
    rng = random.Random(seed)  # noqa: S311 - to be repeated
    found = addresses_of(walk)
    for address in found:
        for evidence in await _faults_for_holder(walk, address):
            walk.report("", _surface(address), HOLDER, "read", evidence)
            break
    probes = [
        Probe(_surface(address), reader, "read", Ask(address.target))
        for address in found
        for reader in (READERS[0], *_others(address), *(one for one in READERS[1:] if rng.random() < crowd))
    ]
    for address in found:
        tried = [*_other_ways(address), *await _validators(walk, address)]
        kept = tried if share >= 1 else rng.sample(tried, max(2, round(share * len(tried))))
        probes += [probe for reader in (READERS[0], all_but(address.product)) for probe in _as(kept, reader)]
    await walk.run(probes)
    return len(found)


def _surface(address: Address) -> str:
    return f"{address.product} {address.target.partition('?')[0]}"


def _others(address: Address) -> tuple[str, ...]:
    """Beside those who have no benefit at all: who has every other one; for what is one reader's own, its holders."""
    holders = (HOLDER,) if address.owner not in ("", HOLDERS_EMAIL) else ()
    return (all_but(address.product), *holders)


def _as(probes: Sequence[Probe], reader: str) -> Iterator[Probe]:
    for probe in probes:
        yield Probe(probe.surface, reader, probe.trick, probe.ask)


def _other_ways(address: Address) -> Iterator[Probe]:
    surface, path = _surface(address), address.target.partition("?")[0].rstrip("/")
    for method, headers in _WAYS:
        name = f"{method} {headers[0][0] if headers else ''}".strip()
        yield Probe(surface, "", name, Ask(address.target, method=method, headers=headers))
    for bent in _BENT:
        yield Probe(surface, "", f"address {bent}", Ask(bent.format(path)))


async def _validators(walk: Walk, address: Address) -> list[Probe]:
    """What a holder's browser was told, in another's hands."""
    answer = await walk.a.ask(Ask(address.target), HOLDER)
    probes = []
    for header, name in (("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since")):
        if answer.get(header):
            ask = Ask(address.target, headers=((name, answer.get(header)),))
            probes.append(Probe(_surface(address), "", f"a holder's {header}", ask))
    return probes


async def _faults_for_holder(walk: Walk, address: Address) -> list[str]:
    """What is wrong with the answer to who may have it; one reader's own is asked for by the others alone."""
    if address.owner:
        return []
    ask = Ask(address.target)
    ours = await walk.a.ask(ask, HOLDER)
    faults = list(oracles.faults(ours))
    if ours.status != 200:  # noqa: PLR2004
        return [*faults, f"walled: status {ours.status}"]
    if not oracles.is_private(ours):
        faults.append(f"full text that a cache may keep: Cache-Control: {ours.get('Cache-Control')}")
    if address.shows:
        shown = coverage(words(walk.a.paper["benefits"]["hidden"][address.shows]), _text(ours))
        if shown < LEAST_SHOWN:
            faults.append(f"only {shown:.0%} of {address.shows} is there")
    elif walk.b is not None and not oracles.difference(ours, await walk.b.ask(ask, HOLDER)):
        faults.append("only what both papers have is there: this address would prove nothing")
    return faults


def _text(answer: Response) -> str:
    return answer.content.decode("utf-8", "replace")

"""Stories as apps get them: every story by the API with the access token of every class of reader, and with tokens that
are worth nothing any more. A body comes to whoever may read the page, in the words of the page, and to nobody else."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

from broadsheet.leakcheck import oracles
from broadsheet.leakcheck.canaries import coverage, words
from broadsheet.leakcheck.client import Ask, Header
from broadsheet.leakcheck.readers import LAPSED, REGISTERED, SUBSCRIBER, UNLIMITED, VISITOR, may_read
from broadsheet.leakcheck.stories import PLANS, Plan, text_of
from broadsheet.leakcheck.walk import Probe, Walk

LEAST_SHOWN = 0.9
SURFACE = "story by the API"
ACCOUNTS = {REGISTERED: "registered", LAPSED: "lapsed", UNLIMITED: "unlimited", SUBSCRIBER: "subscriber"}
EXPIRED, CLOSED, UNABLE = WORTHLESS = (
    "a token that has expired", "a token of a closed account", "a token that may not read",
)  # fmt: skip
_WAYS: tuple[tuple[str, tuple[Header, ...]], ...] = (("HEAD", ()), ("GET", (("Range", "bytes=0-9999"),)), ("POST", ()))


async def apps_round(walk: Walk, *, share: float = 1.0, seed: int = 0) -> None:
    """Every story with every token; in other ways than GET a share of them."""
    rng = random.Random(seed)  # noqa: S311 - to be repeated
    tokens: Mapping[str, str] = walk.a.paper.get("apps", {})
    probes = [one for one in _probes(walk, tokens) if not _is_way(one) or share >= 1 or rng.random() < share]
    for whose in ACCOUNTS:
        if whose not in tokens:
            continue
        for plan in PLANS:
            if may_read(whose, plan):
                for evidence in await _faults_for_reader(walk, plan, tokens[whose]):
                    walk.report(plan.key, SURFACE, whose, "token", evidence)
                    break
    await walk.run(probes)


def _ask(walk: Walk, plan: Plan, token: str, method: str = "GET", headers: tuple[Header, ...] = ()) -> Ask:
    target = f"/api/v1/stories/{walk.a.id(plan.key)}"
    return Ask(target, method=method, headers=(*headers, ("Authorization", f"Bearer {token}")))


def _is_way(probe: Probe) -> bool:
    """Whether it is more than a GET that shows a token."""
    return probe.ask.method != "GET" or len(probe.ask.headers) > 1


def _probes(walk: Walk, tokens: Mapping[str, str]) -> Iterator[Probe]:
    for whose, token in tokens.items():
        reader = whose if whose in ACCOUNTS else VISITOR
        trick = "token" if whose in ACCOUNTS else whose
        for plan in PLANS:
            if reader == VISITOR and plan.tier == "free":
                continue  # everybody's
            if reader != VISITOR and may_read(reader, plan):
                continue
            yield Probe(SURFACE, reader, trick, _ask(walk, plan, token), plan.key)
            for method, headers in _WAYS:
                ask = _ask(walk, plan, token, method, headers)
                yield Probe(SURFACE, reader, f"{trick}, {method} {dict(headers)}", ask, plan.key)


async def _faults_for_reader(walk: Walk, plan: Plan, token: str) -> list[str]:
    """What is wrong with the answer to who may read the story."""
    answer = await walk.a.ask(_ask(walk, plan, token), VISITOR)
    if answer.status != 200:  # noqa: PLR2004
        return [f"walled: status {answer.status}"]
    told: dict[str, Any] = json.loads(answer.content)
    shown = coverage(words(text_of(plan, "a").hidden), told["body_html"] or "")
    faults = [f"only {shown:.0%} of the hidden text is there"] if shown < LEAST_SHOWN else []
    if not oracles.is_private(answer):
        faults.append(f"full text that a cache may keep: Cache-Control: {answer.get('Cache-Control')}")
    return faults

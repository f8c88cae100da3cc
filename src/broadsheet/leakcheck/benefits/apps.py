"""Stories as apps get them: every story by the API with the access token of every class of reader, and with tokens that
are worth nothing any more. A body comes to whoever may read the page, in the words of the page, and to nobody else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.utils import timezone

from broadsheet.api.actions import Draft, add_client
from broadsheet.leakcheck import oracles
from broadsheet.leakcheck.canaries import coverage, words
from broadsheet.leakcheck.client import Ask, Header
from broadsheet.leakcheck.readers import LAPSED, REGISTERED, SUBSCRIBER, UNLIMITED, VISITOR, may_read
from broadsheet.leakcheck.stories import PLANS, Plan, text_of
from broadsheet.leakcheck.walk import Probe, Walk
from broadsheet.readers.queries import reader_by_email

LEAST_SHOWN = 0.9
SURFACE = "story by the API"
_READERS = {REGISTERED: "registered", LAPSED: "lapsed", UNLIMITED: "unlimited", SUBSCRIBER: "subscriber"}
_WORTHLESS = ("a token that has expired", "a token of a closed account", "a token that may not read")
_WAYS: tuple[tuple[str, tuple[Header, ...]], ...] = (("HEAD", ()), ("GET", (("Range", "bytes=0-9999"),)), ("POST", ()))


def fill(now: datetime) -> dict[str, str]:
    """A client, and a token for each class of readers and each kind of worthlessness: {whose: token}."""
    draft = Draft("leakcheck", redirect_uris=("https://app.example/back",), scopes=("openid", "stories", "saved"))
    client, _ = add_client(draft=draft, now=now)
    holds = dict(_READERS) | dict.fromkeys(_WORTHLESS, "subscriber") | {_WORTHLESS[1]: "closed"}
    closed = apps.get_model("readers", "Reader").objects.create(
        email="closed@readers.example", is_active=False, created_at=now
    )
    tokens = {}
    for whose, name in holds.items():
        found = reader_by_email(f"{name}@readers.example")
        value = hashlib.blake2b(f"leakcheck {whose}".encode(), digest_size=32).hexdigest()
        apps.get_model("allauth_idp_oidc", "Token").objects.create(
            type="at",
            hash=hashlib.sha256(value.encode()).hexdigest(),
            client_id=client.id,
            user_id=found.id if found else closed.pk,
            expires_at=timezone.now() + timedelta(days=-1 if whose == _WORTHLESS[0] else 1),
            scopes="openid" if whose == _WORTHLESS[2] else "openid\nstories\nsaved",
        )
        tokens[whose] = value
    return tokens


async def apps_round(walk: Walk) -> None:
    """Every story with every token."""
    tokens: Mapping[str, str] = walk.a.paper.get("apps", {})
    probes = list(_probes(walk, tokens))
    for whose in _READERS:
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


def _probes(walk: Walk, tokens: Mapping[str, str]) -> Iterator[Probe]:
    for whose, token in tokens.items():
        reader = whose if whose in _READERS else VISITOR
        trick = "token" if whose in _READERS else whose
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

"""Readers of all classes behind one shared cache, in any order: nobody gets another's page."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from broadsheet.leakcheck import oracles
from broadsheet.leakcheck.client import Ask, Response
from broadsheet.leakcheck.readers import (
    AT_LIMIT,
    BY_KEY,
    HOLDER,
    LAPSED,
    LEFT_OVER,
    QUOTA,
    REGISTERED,
    SUBSCRIBER,
    UNLIMITED,
    VISITOR,
    may_read,
)
from broadsheet.leakcheck.shared_cache import SharedCache, greedy, raw
from broadsheet.leakcheck.walk import Walk

ASKED = 700
WHO = (VISITOR, VISITOR, QUOTA, AT_LIMIT, LEFT_OVER, REGISTERED, LAPSED, UNLIMITED, SUBSCRIBER, SUBSCRIBER, HOLDER)
SIGNED_IN = (REGISTERED, LAPSED, UNLIMITED, SUBSCRIBER, HOLDER)
PRINTED = ("/", "/harbour/", "/courts/")
ADS = b"/static/ads/"  # stands on every page with advertising, and on no page without
STORIES = ("metered-long", "metered-two", "registered-long", "premium-long", "premium-wire", "free-1")
BENT = ("/x.css", ".css", ";.js", "%23.css", "/..%2fx.js", "%3f.png", "/", "?a=1", "?x=.css", ";x=1")
PLACES = ("/", "/harbour/", "/courts/", "/feed.xml", "/me.json", "/account/", "/search?q=ferry", "/subscribe/")
JUMPS = (*(0.0,) * 60, *(0.5,) * 20, 1.0, 5.0, 31.0, 61.0, 90.0, 4000.0)
WISHES: tuple[tuple[tuple[str, str], ...], ...] = (
    (), (), (), (), (("Accept-Encoding", "gzip"),), (("Accept-Encoding", "br"),), (("Cache-Control", "no-cache"),),
    (("Cache-Control", "max-age=0"),), (("Cache-Control", "only-if-cached"),), (("Authorization", "Basic eDp5"),),
    (("Range", "bytes=0-"),), (("Sec-Purpose", "prefetch"),),
)  # fmt: skip


async def caches_round(walk: Walk, seed: int, *, asked: int = ASKED) -> int:
    """Both kinds of key in turn. Returns how many answers came out of a cache: none would prove nothing."""
    served = 0
    for normalise in (raw, greedy):
        cache = SharedCache(normalise, walk.a.site.send)
        for ask, reader in _questions(walk, random.Random(f"{seed} {normalise.__name__}"), asked, cache):  # noqa: S311
            jar = dict(walk.a.jars.get(reader, {}))
            if reader == QUOTA:
                await walk.a.read("burn-1", jar)
            answer, hit = await cache.ask(ask, jar)
            walk.probes += 1
            walk.requests += not hit
            evidence = _judged(walk, ask, reader, answer, hit=hit)
            if evidence:
                story = _story(walk, ask.target)
                walk.report(story, "shared cache", reader, f"{normalise.__name__} keys, seed {seed}", evidence)
        served += cache.served
    if not served:
        walk.report("", "shared cache", VISITOR, f"seed {seed}", "nothing ever came out of the cache")
    return served


def _questions(walk: Walk, rng: random.Random, count: int, cache: SharedCache) -> Iterator[tuple[Ask, str]]:
    # What has to be tried whatever chance says: a payer follows a bent address, then everybody does.
    for key in ("premium-wire", "metered-long"):
        for bent in ("", *BENT):
            for reader in (SUBSCRIBER, VISITOR, AT_LIMIT):
                yield Ask(walk.a.path(key) + bent), reader
    for _ in range(count):
        cache.now += rng.choice(JUMPS)
        place = rng.random()
        if place < 0.6:  # noqa: PLR2004
            target = walk.a.path(rng.choice(STORIES))
        elif place < 0.8:  # noqa: PLR2004
            target = walk.a.path(rng.choice(STORIES)) + rng.choice(BENT)
            target = target.upper() if rng.random() < 0.1 else target  # noqa: PLR2004
        else:
            target = rng.choice(PLACES)
        method = "HEAD" if rng.random() < 0.1 else "GET"  # noqa: PLR2004
        yield Ask(target, method, rng.choice(WISHES)), rng.choice(WHO)


def _story(walk: Walk, target: str) -> str:
    return next((key for key in BY_KEY if walk.a.path(key) == target.partition("?")[0]), "")


def _may_read(reader: str, key: str) -> bool:
    plan = BY_KEY.get(key)  # None for hidden words that belong to no story
    return plan is not None and may_read(SUBSCRIBER if reader == HOLDER else reader, plan)


def _wrong_variant(ask: Ask, reader: str, answer: Response, key: str) -> str:
    """Advertising for who reads without it, or a page without for anybody else; "" for what is as it should be."""
    if not (key or ask.target in PRINTED) or not answer.is_html or (ADS in answer.content) is (reader != HOLDER):
        return ""
    return "advertising for one who reads without" if reader == HOLDER else "another's page without advertising"


def _judged(walk: Walk, ask: Ask, reader: str, answer: Response, *, hit: bool) -> str:
    """What is wrong with an answer to this reader, "" when nothing is."""
    origin = "out of the cache: " if hit else "through the cache: "
    for find in oracles.without_echo(walk.canaries.find(oracles.searched(answer)), ask.target):
        if not _may_read(reader, find.story):
            return f"{origin}words of {find.story}, {find.how}: {find.words}"
    if hit and answer.cookies():
        return f"{origin}another's cookie: {', '.join(answer.cookies())}"
    if ask.method != "GET" or answer.status != 200:  # noqa: PLR2004
        return ""
    if ask.target == "/me.json":
        signed_in = json.loads(answer.content)["signed_in"]
        return "" if signed_in == (reader in SIGNED_IN) else f"{origin}another's personal words"
    key = _story(walk, ask.target)
    mixed_up = _wrong_variant(ask, reader, answer, key)
    if mixed_up:
        return f"{origin}{mixed_up}"
    prefetch = any(name == "Sec-Purpose" for name, _ in ask.headers)
    counted = BY_KEY[key].tier == "metered" and reader in (VISITOR, QUOTA) if key else False
    if key and _may_read(reader, key) and not (prefetch and counted):
        if answer.get("Broadsheet-Variant") != "full":
            return f"{origin}a wall for one who may read ({answer.get('Broadsheet-Reason')})"
        if not oracles.is_private(answer):
            return f"{origin}full text that a cache may keep"
    return ""

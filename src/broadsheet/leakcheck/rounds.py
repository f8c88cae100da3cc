"""The rounds of a walk: what each of them tries, on whom, and what must come of it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from broadsheet.leakcheck import oracles, surfaces
from broadsheet.leakcheck.canaries import words
from broadsheet.leakcheck.client import Ask, Response
from broadsheet.leakcheck.fuzz import fuzzed
from broadsheet.leakcheck.readers import (
    AT_LIMIT,
    AT_THE_WALLS,
    BY_KEY,
    LAPSED,
    LEFT_OVER,
    READERS,
    REGISTERED,
    SUBSCRIBER,
    UNLIMITED,
    VISITOR,
    may_read,
)
from broadsheet.leakcheck.stories import FREE_LIMIT, PLANS, REGISTERED_LIMIT, UNSEEN, Plan, text_of
from broadsheet.leakcheck.tricks import Trick, tricks
from broadsheet.leakcheck.walk import Probe, Walk

NOT_FOUND, GONE = 404, 410
ROOTS = ("/", "/robots.txt", "/sitemap.xml", "/news-sitemap.xml", "/feed.xml", "/me.json", "/account/", "/subscribe/")
MOST_QUERIES = 3
# What is not there for a visitor (nor, if a link led to it, for a subscriber) is not asked for by everyone else.
INERT = ("identity", "parameters", "cookies", "rewrite", "fuzz")
"""Classes of tricks that change nothing where the address and the method stay the story's own."""
NOTHING = (0, 301, 308, 400, 404, 405, 421)
PUBLISHED = [plan for plan in PLANS if plan.state not in UNSEEN]
# Who tries which tricks on which story: every wall there is, from the side of those who meet it. Addresses are read
# before tiers are, so that paths, which cost most, are bent on a few stories only. No groups: every trick.
PATHLESS = ("identity", "parameters", "methods", "http", "cookies")
TRICKED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("metered-long", AT_LIMIT, (*PATHLESS, "host", "rewrite")),
    ("metered-two", REGISTERED, PATHLESS),
    ("registered-long", VISITOR, PATHLESS),
    ("premium-wire", VISITOR, ()),
    ("premium-marked", UNLIMITED, PATHLESS),
    ("premium-long", SUBSCRIBER, ("parameters", "methods", "http", "path", "host")),
    ("draft-premium", SUBSCRIBER, ("methods", "path", "rewrite")),
    ("withdrawn-premium", SUBSCRIBER, ("parameters", "methods", "http")),
    ("scheduled-premium", VISITOR, ("methods",)),
)


async def surfaces_round(
    walk: Walk, *, guess: bool = True, share: float = 1.0, crowd: float = 1.0, most: int = 600, seed: int = 0
) -> int:
    """Every address found by following links, and (`guess`) those that papers are known to have, and those that stand
    in the program's own table of addresses. Visitors and subscribers ask for all of them, everybody else for a share
    (`crowd`); no more than `most` are followed. Returns how many."""
    rng = random.Random(seed)  # noqa: S311 - to be repeated
    guesses = [t for t in surfaces.WELL_KNOWN if t in ROOTS or rng.random() < max(share, 0.25)]
    known: dict[str, None] = dict.fromkeys(guesses if guess else ("/",))
    known |= dict.fromkeys(walk.a.path(plan.key) for plan in PUBLISHED)
    todo = list(known)
    variants: Counter[str] = Counter()
    shown: dict[str, str] = {}
    while todo:
        tried = await _visit(walk, todo, (VISITOR,))
        tried += await _visit(walk, [target for target in todo if target not in surfaces.WELL_KNOWN], (SUBSCRIBER,))
        there = dict.fromkeys(probe.ask.target for probe, answer in tried if answer.status not in NOTHING)
        asked = {(probe.ask.target, probe.reader) for probe, _ in tried}
        for reader in READERS:
            left = [target for target in there if (target, reader) not in asked]
            left = left if crowd >= 1 else rng.sample(left, round(len(left) * crowd))
            tried += await _visit(walk, left, (reader,))
        todo = []
        for probe, answer in tried:
            for target in _links(walk, probe.ask.target, answer):
                if target not in known and len(known) < most and _wanted(target, variants):
                    known[target] = None
                    todo.append(target)
        for probe, answer in tried:
            if answer.status == 200 and probe.reader == VISITOR:  # noqa: PLR2004
                shown.setdefault(probe.surface, probe.ask.target)
    await _other_methods(walk, shown.values())
    return len(known) + (await _routes(walk, known, share, seed) if guess else 0)


async def _other_methods(walk: Walk, targets: Iterable[str]) -> None:
    """One address of each kind, asked for in other ways, with a subscriber's validator too."""
    probes = []
    for target in targets:
        full = await walk.a.ask(Ask(target), SUBSCRIBER)
        ways = [Ask(target, method=method) for method in ("HEAD", "OPTIONS", "POST", "TRACE")]
        ways.append(Ask(target, headers=(("Range", "bytes=0-99999"),)))
        if full.get("ETag"):
            ways.append(Ask(target, headers=(("If-None-Match", full.get("ETag")),)))
        probes += [
            Probe(surfaces.shape(target), VISITOR, f"{ask.method} {dict(ask.headers) or ''}".strip(), ask)
            for ask in ways
        ]
    for probe, answer in zip(probes, await walk.run(probes), strict=True):
        if probe.ask.method == "HEAD" and answer.body:
            walk.report("", probe.surface, VISITOR, "HEAD", f"a body of {len(answer.body)} bytes")


async def _routes(walk: Walk, known: Iterable[str], share: float, seed: int) -> int:
    """The program's own table of addresses, the editors' screens among them, as those who are no editors."""
    rng = random.Random(seed)  # noqa: S311
    routes = [target for target in walk.a.paper.get("routes", ()) if target not in known]
    if share < 1:
        routes = rng.sample(routes, round(len(routes) * share))
    probes = [Probe(surfaces.shape(target), VISITOR, "the table of addresses", Ask(target)) for target in routes]
    probes += [Probe(surfaces.shape(target), SUBSCRIBER, "the table of addresses", Ask(target)) for target in routes]
    for probe, answer in zip(probes, await walk.run(probes), strict=True):
        if probe.ask.target.startswith("/admin/") and answer.status == 200 and not _open_screen(probe.ask.target):  # noqa: PLR2004
            walk.report("", probe.surface, probe.reader, probe.trick, "an editors' screen that opens for others")
    return len(routes)


def _open_screen(target: str) -> bool:
    """The few screens of the editors' that one sees before signing in."""
    return target.startswith(
        ("/admin/login", "/admin/logout", "/admin/password_reset", "/admin/jsi18n", "/admin/sprite")
    )


async def _visit(walk: Walk, targets: Iterable[str], readers: Iterable[str]) -> list[tuple[Probe, Response]]:
    probes = [
        Probe(surfaces.shape(target), reader, "follow a link", Ask(target), _story(walk, target))
        for target in targets
        for reader in readers
    ]
    return list(zip(probes, await walk.run(probes), strict=True))


def _wanted(target: str, variants: Counter[str]) -> bool:
    """Each path with a few of its queries; none of the files that came with the editors' screens."""
    path, _, query = target.partition("?")
    if path.startswith("/static/wagtail") or variants[path] >= MOST_QUERIES:
        return False
    variants[path] += bool(query)
    return True


def _story(walk: Walk, target: str) -> str:
    wanted = surfaces.story_id(target)
    return next((key for key in BY_KEY if walk.a.id(key) == wanted), "")


def _links(walk: Walk, target: str, answer: Response) -> Iterator[str]:
    kind = answer.get("Content-Type")
    if answer.get("Location"):
        yield from surfaces.links(target, f'href="{answer.get("Location")}"', "", walk.a.site.origin)
    if "html" in kind or "xml" in kind or "json" in kind or "javascript" in kind or "css" in kind or "plain" in kind:
        text = answer.content.decode("utf-8", "replace")
        yield from surfaces.links(target, text, answer.get("Link"), walk.a.site.origin)


async def searches_round(walk: Walk) -> None:
    """Hidden words must find nothing: a result would say which story holds them."""
    probes = []
    for key in ("metered-long", "registered-one", "premium-two", "withdrawn-premium", "draft-premium"):
        hidden = words(text_of(BY_KEY[key], "a").hidden)
        for target in surfaces.searches([hidden[0], " ".join(hidden[1:7]), hidden[-1][:5] + "*", f"body:{hidden[0]}"]):
            readers = (VISITOR, SUBSCRIBER) if key == "premium-two" else (VISITOR,)
            probes += [Probe("search", reader, "search hidden words", Ask(target), key) for reader in readers]
    for probe, answer in zip(probes, await walk.run(probes), strict=True):
        found = probe.ask.target.startswith("/search?q=") and walk.a.path(probe.story).encode() in answer.content
        if found:
            walk.report(probe.story, "search", probe.reader, probe.trick, "the story is among the results")


def sample(made: Sequence[Trick], share: float, rng: random.Random) -> list[Trick]:
    """A share of the tricks, of every class at least one."""
    if share >= 1:
        return list(made)
    groups: dict[str, list[Trick]] = {}
    for trick in made:
        groups.setdefault(trick.group, []).append(trick)
    return [trick for group in groups.values() for trick in rng.sample(group, max(1, round(share * len(group))))]


async def tricks_round(
    walk: Walk, groups: tuple[str, ...] = (), *, share: float = 1.0, seed: int = 0, fuzz: int = 0
) -> int:
    """Every trick on a story behind each kind of wall, and on stories that nobody may see; then `fuzz` mixtures that
    nobody has thought of. Returns how many different tricks."""
    rng = random.Random(seed)  # noqa: S311 - to be repeated
    most = 0
    for place, (key, reader, own) in enumerate(TRICKED):
        wanted = [group for group in groups if not own or group in own] if groups else own
        if groups and not wanted:
            continue
        path = walk.a.path(key)
        made = [t for t in tricks(path, walk.a.id(key), walk.a.site.host) if not wanted or t.group in wanted]
        most = max(most, len(made))
        tried = sample(made, share, rng)
        if not groups:
            tried += fuzzed(path, walk.a.site.host, seed + place, fuzz)
        await _same_as_without(walk, key, reader, tried)
    return most + (0 if groups else fuzz * len(TRICKED))


async def _same_as_without(walk: Walk, key: str, reader: str, tried: Sequence[Trick]) -> None:
    """Try them, and look whether one whose address and method are the story's own changes anything."""
    probes = [Probe("story page", reader, f"{t.group}: {t.name}", t.ask, key) for t in tried]
    control = await walk.a.ask(Ask(walk.a.path(key)), reader)
    said = control.get("Broadsheet-Variant"), control.content
    for trick, answer in zip(tried, await walk.run(probes), strict=True):
        if trick.group not in INERT or answer.status != 200 or trick.ask.method != "GET":  # noqa: PLR2004
            continue
        if surfaces.story_id(trick.ask.target) == walk.a.id(key) and (
            (answer.get("Broadsheet-Variant"), answer.content) != said
        ):
            evidence = f"another answer than without it: {answer.get('Broadsheet-Reason') or 'no reason'}"
            walk.report(key, "story page", reader, f"{trick.group}: {trick.name}", evidence)


async def walls_round(walk: Walk) -> None:
    """Whoever may read gets all of it; whoever may not gets a wall that says the real limit; HEAD tells no more."""
    for plan in PUBLISHED:
        if plan.tier == "free":
            continue
        for reader in AT_THE_WALLS:
            probe = Probe("story page", reader, "read", Ask(walk.a.path(plan.key)), plan.key)
            answer = await walk.try_one(probe)
            if may_read(reader, plan):
                found = list(oracles.full_faults(answer, text_of(plan, "a").hidden, plan.credit))
            else:
                found = list(oracles.wall_faults(answer, _limit(reader, plan)))
                found += await _head(walk, probe, answer)
            for evidence in found[:1]:
                walk.report(plan.key, "story page", reader, "read", evidence)


def _limit(reader: str, plan: Plan) -> int | None:
    if plan.tier != "metered":
        return None
    return {AT_LIMIT: FREE_LIMIT, LEFT_OVER: FREE_LIMIT, REGISTERED: REGISTERED_LIMIT, LAPSED: REGISTERED_LIMIT}.get(
        reader
    )


async def _head(walk: Walk, probe: Probe, answer: Response) -> list[str]:
    head = await walk.try_one(replace(probe, trick="HEAD", ask=Ask(probe.ask.target, method="HEAD")))
    # The reason may say that a HEAD is no read; everything else is the wall's.
    left, right = (
        Response(one.status, tuple(pair for pair in one.headers if pair[0].lower() != "broadsheet-reason"))
        for one in (answer, head)
    )
    difference = oracles.difference(left, right)
    return [f"HEAD differs from GET: {difference}"] if difference else []


async def shut_round(walk: Walk) -> None:
    """Withdrawn stories are gone; unpublished ones answer as if they had never been."""
    for plan in PLANS:
        if plan.state not in UNSEEN:
            continue
        path, story = walk.a.path(plan.key), walk.a.id(plan.key)
        gone = plan.state == "withdrawn"
        unknown = path.replace(f"-{story}", "-999999")
        for reader in READERS:
            probe = Probe("story page", reader, "read", Ask(path), plan.key, other=None if gone else Ask(unknown))
            answer = await walk.try_one(probe)
            if answer.status != (GONE if gone else NOT_FOUND):
                walk.report(plan.key, "story page", reader, "read", f"status {answer.status}")


async def etags_round(walk: Walk) -> None:
    """A validator of the full text is worth nothing to those who may not read it."""
    for key, reader in (("metered-long", AT_LIMIT), ("registered-long", VISITOR), ("premium-long", UNLIMITED)):
        path = walk.a.path(key)
        full = await walk.a.ask(Ask(path), SUBSCRIBER)
        ask = Ask(path, headers=(("If-None-Match", full.get("ETag")),))
        answer = await walk.a.ask(ask, reader)
        wall = await walk.a.ask(Ask(path), reader)
        if oracles.difference(answer, wall):
            walk.report(key, "story page", reader, "ETag of the full text", f"status {answer.status}")

"""`broadsheet leakcheck --url`: a live site probed from outside with the hidden text of this installation.

It reads and never writes; on the site it leaves the reads of one visitor's meter. Without a twin the oracles are the
hidden words themselves, the variant a page says it is, and the faults any page may have.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from broadsheet import clock
from broadsheet.leakcheck import oracles, surfaces
from broadsheet.leakcheck.canaries import SHINGLE, Canaries, shingles, words
from broadsheet.leakcheck.client import Ask, Response, Site, UnreachableError
from broadsheet.leakcheck.fuzz import fuzzed
from broadsheet.leakcheck.oracles import Leak
from broadsheet.leakcheck.report import CLEAN, FOUND, UNREACHABLE, new_seed, print_leaks
from broadsheet.leakcheck.tricks import tricks
from broadsheet.newsroom.queries import full_story, latest_cards
from broadsheet.newsroom.rules import plain

WIDTH = 4
MOST_READS = 40  # of the site's free stories, to use a visitor's meter up
POOL = 400
FUZZ = 60  # mixtures by chance for each kind of wall
PUBLISH_TRICKS = 18


@dataclass(frozen=True, slots=True)
class Sample:
    """A published story of this installation and the words beyond its lead-in."""

    key: str
    path: str
    tier: str
    hidden: str
    at: tuple[str, int, int] = ("", 0, 0)  # section, year and month


@dataclass(slots=True)
class Visit:
    """A bounded visit: at most `rate` requests a second, none after `end`."""

    site: Site
    canaries: Canaries
    rate: float
    end: float
    seed: int = 0
    leaks: list[Leak] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)  # one for each leak: how to ask for it again
    probes: int = 0
    skipped: int = 0
    there: int = 0  # stories of ours that the site has
    _next: float = 0.0

    async def ask(self, ask: Ask, jar: dict[str, str]) -> Response | None:
        """None when the time is up."""
        now = time.monotonic()
        if now >= self.end:
            self.skipped += 1
            return None
        at = max(now, self._next)
        self._next = at + 1 / self.rate
        await asyncio.sleep(at - now)
        self.probes += 1
        return await self.site.send(ask, jar)

    def judge(self, response: Response, ask: Ask, leak: tuple[str, str, str, str], *, own: str = "") -> None:
        """`leak`: story, surface, reader, trick. `own`: the story this reader may read here."""
        finds = oracles.without_echo(self.canaries.find(oracles.searched(response)), ask.target)
        evidence = next((f"words of {find.story}, {find.how}: {find.words}" for find in finds if find.story != own), "")
        evidence = evidence or next(oracles.faults(response), "")
        if evidence:
            self.found(leak, ask, evidence)

    def found(self, leak: tuple[str, str, str, str], ask: Ask, evidence: str) -> None:
        said = " ".join(f"-H '{name}: {value}'" for name, value in ask.headers)
        self.leaks.append(Leak(*leak, evidence))
        self.requests.append(f"{ask.method} {ask.target} {said}".strip())


Public = list[set[tuple[str, ...]]]


def samples(most: int) -> tuple[list[Sample], Public]:
    """The newest walled stories, the tiers in turn, and every sampled story's public shingles."""
    by_tier: dict[str, list[int]] = {"premium": [], "registered": [], "metered": []}
    for card in latest_cards(POOL):
        by_tier.get(card.tier, []).append(card.id)
    return samples_of([ids[place] for place in range(POOL) for ids in by_tier.values() if place < len(ids)][:most])


def samples_of(ids: Sequence[int]) -> tuple[list[Sample], Public]:
    """Those of the stories that are in the paper and hide something."""
    found: list[Sample] = []
    public: Public = []
    for story_id in ids:
        story = full_story(story_id)
        if story is None or story.public.tier == "free":
            continue
        about = story.public
        open_words = words(plain(about.lead_in_html))
        caption = about.picture.caption if about.picture else ""
        told = (about.headline, about.standfirst, caption, about.correction)
        public += [shingles(words(text)) for text in told]
        public.append(shingles(open_words))
        hidden = words(plain(story.body_html))[len(open_words) :]
        if len(hidden) >= SHINGLE:
            at = (about.section.slug, about.published_at.year, about.published_at.month)
            found.append(Sample(str(about.id), about.path, about.tier, " ".join(hidden), at))
    return found, public


def run_live(args: argparse.Namespace) -> int:
    begin = time.monotonic()
    found, public = samples(args.stories)
    canaries = Canaries()
    for sample in found:
        canaries.hide(sample.key, sample.hidden, public)
    parts = urlsplit(args.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        print("broadsheet: --url takes an address such as https://news.example", file=sys.stderr)  # noqa: T201
        return 2
    seed = new_seed() if args.seed is None else args.seed
    visit = Visit(Site(args.url, width=WIDTH), canaries, args.rate, begin + args.seconds, seed=seed)
    try:
        asyncio.run(visit_all(visit, found, {}))
    except UnreachableError as error:
        print(f"broadsheet: {error}", file=sys.stderr)  # noqa: T201
        return UNREACHABLE
    print_leaks(visit.leaks, as_json=args.json)
    if not args.quiet:
        text = f"leakcheck: {args.url} at {clock.now():%Y-%m-%d %H:%M} UTC: {len(found)} stories, {visit.probes} probes"
        text += f", seed {seed}"
        late = f", {visit.skipped} not tried in {args.seconds:.0f} s" if visit.skipped else ""
        print(f"{text}{late}: {len(visit.leaks) or 'no'} leaks.", file=sys.stderr)  # noqa: T201
    return FOUND if visit.leaks else CLEAN


async def visit_all(visit: Visit, found: list[Sample], held: Mapping[str, Mapping[str, str]]) -> None:
    """Everything there is time for. `held`: cookies we were given, of a visitor at the limit and of a subscriber."""
    first = await visit.site.send(Ask("/"))
    if not 200 <= first.status < 400:  # noqa: PLR2004
        raise UnreachableError(f"{visit.site.origin} answers its front page with {first.status or 'nothing at all'}")
    metered = [sample for sample in found if sample.tier == "metered"]
    jar = dict(held.get("at the limit", ())) or await _use_up(visit, metered)
    await _stories(visit, found, jar)
    if found and not visit.there:
        raise UnreachableError(
            f"none of the {len(found)} newest stories of this installation is at {visit.site.origin}"
        )
    await _payers(visit, found, dict(held.get("subscriber", ())))
    await _surfaces(visit, found, jar)
    visit.site.close()


async def visit_published(visit: Visit, found: list[Sample], held: Mapping[str, Mapping[str, str]]) -> None:
    """Where a story shows itself when it has just gone live: its page, fronts, feeds, sitemaps, search."""
    jar = dict(held.get("at the limit", ()))
    rng = random.Random(visit.seed)  # noqa: S311 - to be repeated
    targets = dict.fromkeys(("/", "/feed.xml", "/news-sitemap.xml"))
    for sample in found:
        section, year, month = sample.at
        targets |= dict.fromkeys((f"/{section}/", f"/{section}/feed.xml", f"/sitemap-{year}-{month:02}.xml"))
        made = list(tricks(sample.path, int(sample.key), visit.site.host))
        asks = [("read", Ask(sample.path)), ("HEAD", Ask(sample.path, "HEAD"))]
        asks += [(f"{trick.group}: {trick.name}", trick.ask) for trick in rng.sample(made, PUBLISH_TRICKS)]
        asks += [(t.name, t.ask) for t in fuzzed(sample.path, visit.site.host, visit.seed, PUBLISH_TRICKS // 3)]
        asks += [("search", Ask(next(surfaces.searches([" ".join(sample.hidden.split()[:6])]))))]
        for name, ask in asks:
            answer = await visit.ask(ask, jar)
            if answer:
                reader = "visitor at the limit" if jar else "visitor"
                own = sample.key if sample.tier == "metered" and not jar else ""
                visit.judge(answer, ask, (sample.key, "story page", reader, name), own=own)
    for target in targets:
        answer = await visit.ask(Ask(target), jar)
        if answer:
            visit.judge(answer, Ask(target), ("", surfaces.shape(target), "visitor", "read"))
    await _payers(visit, found, dict(held.get("subscriber", ())))
    visit.site.close()


async def _payers(visit: Visit, found: list[Sample], jar: dict[str, str]) -> None:
    """A subscriber gets the whole of each story, and so that no cache keeps it."""
    for sample in found if jar else ():
        ask = Ask(sample.path)
        answer = await visit.ask(ask, jar)
        if answer is None:
            return
        for evidence in list(oracles.full_faults(answer, sample.hidden))[:1]:
            visit.found((sample.key, "story page", "subscriber", "read"), ask, evidence)


async def _use_up(visit: Visit, metered: list[Sample]) -> dict[str, str]:
    """The cookies of a visitor at the limit. The oldest stories are read for it, the newest are kept for the tricks."""
    jar: dict[str, str] = {}
    for sample in list(reversed(metered))[:MOST_READS]:
        answer = await visit.ask(Ask(sample.path), jar)
        if answer is None or answer.get("Broadsheet-Variant") == "wall":
            return jar
        jar.update(answer.cookies())
    return jar


async def _stories(visit: Visit, found: list[Sample], jar: dict[str, str]) -> None:
    tried: set[str] = set()  # every trick is tried on one story behind each kind of wall
    for sample in found:
        reader, cookies = ("visitor at the limit", jar) if sample.tier == "metered" else ("visitor", {})
        answer = await visit.ask(Ask(sample.path), cookies)
        if answer is None:
            return
        visit.there += answer.status == 200  # noqa: PLR2004
        # A story that was read to use the meter up stays open: its text is rightly there.
        own = sample.key if sample.tier == "metered" and answer.get("Broadsheet-Reason") in ("repeat", "meter") else ""
        visit.judge(answer, Ask(sample.path), (sample.key, "story page", reader, "read"), own=own)
        if own or sample.tier in tried:
            continue
        tried.add(sample.tier)
        made = [*tricks(sample.path, int(sample.key), visit.site.host)]
        made += fuzzed(sample.path, visit.site.host, visit.seed + len(tried), FUZZ)
        for trick in made:
            answer = await visit.ask(trick.ask, cookies)
            if answer is None:
                return
            visit.judge(answer, trick.ask, (sample.key, "story page", reader, f"{trick.group}: {trick.name}"))


async def _surfaces(visit: Visit, found: list[Sample], jar: dict[str, str]) -> None:
    stories = {surfaces.story_id(sample.path): sample for sample in found}
    known: dict[str, None] = dict.fromkeys(surfaces.WELL_KNOWN)
    known |= dict.fromkeys(surfaces.searches([" ".join(sample.hidden.split()[:6]) for sample in found[:8]]))
    todo = list(known)
    while todo:
        target = todo.pop(0)
        answer = await visit.ask(Ask(target), jar)
        if answer is None:
            return
        sample = stories.get(surfaces.story_id(target))
        own = sample.key if sample and sample.tier == "metered" and answer.get("Broadsheet-Reason") == "repeat" else ""
        visit.judge(answer, Ask(target), ("", surfaces.shape(target), "visitor at the limit", "follow a link"), own=own)
        for link in _new(answer, target, visit.site.origin):
            if link not in known and not link.startswith("/static/wagtail"):
                known[link] = None
                todo.append(link)


def _new(answer: Response, target: str, origin: str) -> Iterable[str]:
    kind = answer.get("Content-Type")
    if any(name in kind for name in ("html", "xml", "json", "plain")):
        yield from surfaces.links(target, answer.content.decode("utf-8", "replace"), answer.get("Link"), origin)

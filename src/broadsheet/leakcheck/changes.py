"""What was open a moment ago and must not be any more: rights that ended, stories withdrawn or moved behind the wall.

The newsroom's own actions are carried out by a process beside the running paper, as an editor or a till would.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from broadsheet.leakcheck import oracles
from broadsheet.leakcheck.client import Ask, Response
from broadsheet.leakcheck.lending import lending_round
from broadsheet.leakcheck.readers import SUBSCRIBER, VISITOR, Jar
from broadsheet.leakcheck.twins import environment
from broadsheet.leakcheck.walk import Walk

WITHIN = 3.0  # seconds in which every worker has heard of a change, on a machine that is busy


class Newsroom:
    """A process with the twin's data that does what it is told, one line of JSON at a time."""

    def __init__(self, data: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "broadsheet", "leakcheck", "--fill", "act"],
            env=environment(data),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(20)

    def _tell(self, order: dict[str, Any]) -> str:
        assert self._process.stdin  # both are pipes
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    async def do(self, **order: Any) -> dict[str, Any]:
        """What came of it; {} when this version of the program cannot do that."""
        answer: dict[str, Any] = json.loads(await asyncio.to_thread(self._tell, order) or "{}")
        return answer


async def changes_round(walk: Walk) -> dict[str, float]:
    """Returns how long each change took to arrive, in seconds."""
    watch = _Watch(walk)
    if walk.a.data is None:
        return {}
    with Newsroom(walk.a.data) as newsroom:
        await _right_ended(walk, newsroom, watch)
        await _withdrawn(walk, newsroom, watch)
        await _became_premium(walk, newsroom, watch)
        await _emergency(walk, newsroom, watch)
        await lending_round(walk, newsroom, watch)
    return watch.took


@dataclass(slots=True)
class _Watch:
    """Looks when a change has arrived, and keeps how long each took."""

    walk: Walk
    took: dict[str, float] = field(default_factory=dict)

    async def until(self, name: str, key: str, who: tuple[str, Jar], right: Callable[[Response], bool]) -> None:
        """`who`: the reader's class and cookies. Reported when the story does not answer as it must within the time."""
        begin = time.monotonic()
        while time.monotonic() - begin < WITHIN:
            self.walk.probes += 1
            if right(await self.walk.a.site.send(Ask(self.walk.a.path(key)), who[1])):
                self.took[name] = time.monotonic() - begin
                return
            await asyncio.sleep(0.02)
        self.walk.report(key, "story page", who[0], name, f"nothing has changed after {WITHIN:.0f} s")


def _walled(answer: Response) -> bool:
    return answer.get("Broadsheet-Variant") == "wall"


def _full(answer: Response) -> bool:
    return answer.get("Broadsheet-Variant") == "full"


async def _right_ended(walk: Walk, newsroom: Newsroom, watch: _Watch) -> None:
    jar = await walk.a.sign_in("ending")
    before = await walk.a.site.send(Ask(walk.a.path("premium-long")), jar)
    if not _full(before):
        walk.report("premium-long", "story page", SUBSCRIBER, "read before the right ends", "walled")
    if not await newsroom.do(end="leakcheck ending"):
        return
    await watch.until("a right that ended", "premium-long", (SUBSCRIBER, jar), _walled)
    # With the validator of the text that was theirs a moment ago.
    headers = (("If-None-Match", before.get("ETag")),)
    answer = await walk.a.site.send(Ask(walk.a.path("premium-long"), headers=headers), jar)
    if answer.status != 200 or walk.canaries.find(oracles.searched(answer)):  # noqa: PLR2004
        walk.report("premium-long", "story page", SUBSCRIBER, "validator of an ended right", f"status {answer.status}")


async def _withdrawn(walk: Walk, newsroom: Newsroom, watch: _Watch) -> None:
    key, jar = "premium-wire", walk.a.jars[SUBSCRIBER]
    if not await newsroom.do(withdraw=walk.a.id(key)):
        return
    await watch.until("a withdrawal", key, (SUBSCRIBER, jar), lambda answer: answer.status == 410)  # noqa: PLR2004
    for target in (walk.a.path(key), "/", "/harbour/", "/feed.xml", "/harbour/feed.xml", "/news-sitemap.xml"):
        for reader in (VISITOR, SUBSCRIBER):
            answer = await walk.a.ask(Ask(target), reader)
            walk.probes += 1
            if target != walk.a.path(key) and walk.a.path(key).encode() in answer.content:
                walk.report(key, target, reader, "a withdrawal", "the story is still named there")
            elif any(find.story == key for find in walk.canaries.find(oracles.searched(answer))):
                walk.report(key, target, reader, "a withdrawal", "its words are still there")


async def _became_premium(walk: Walk, newsroom: Newsroom, watch: _Watch) -> None:
    key = "free-2"
    before = await walk.a.site.send(Ask(walk.a.path(key)))
    if not await newsroom.do(tier=[walk.a.id(key), "premium"]):
        return
    await watch.until("a free story that became premium", key, (VISITOR, {}), _walled)
    answer = await walk.a.site.send(Ask(walk.a.path(key), headers=(("If-None-Match", before.get("ETag")),)))
    if answer.status != 200:  # noqa: PLR2004
        walk.report(key, "story page", VISITOR, "validator of the free text", f"status {answer.status}")
    await watch.until("the same story for a subscriber", key, (SUBSCRIBER, walk.a.jars[SUBSCRIBER]), _full)


async def _emergency(walk: Walk, newsroom: Newsroom, watch: _Watch) -> None:
    """The whole paper free, and shut again."""
    if not await newsroom.do(policy={"emergency": True}):
        return
    key = "premium-long"
    await watch.until("the paper made free", key, (VISITOR, {}), _full)
    free = await walk.a.site.send(Ask(walk.a.path(key)))
    if not await newsroom.do(policy={"emergency": False}):
        return
    await watch.until("the paper shut again", key, (VISITOR, {}), _walled)
    for ask in (Ask(walk.a.path(key)), Ask(walk.a.path(key), headers=(("If-None-Match", free.get("ETag")),))):
        answer = await walk.a.site.send(ask)
        if answer.status != 200 or walk.canaries.find(oracles.searched(answer)):  # noqa: PLR2004
            walk.report(key, "story page", VISITOR, "the paper shut again", f"status {answer.status}, or its words")

"""What the meter gives: exactly its limit of distinct stories, whatever the order, the retries or the crowd."""

from __future__ import annotations

import asyncio

from broadsheet.leakcheck.client import Ask, Response
from broadsheet.leakcheck.readers import Desk, Jar
from broadsheet.leakcheck.stories import FREE_LIMIT, PLANS, REGISTERED_LIMIT
from broadsheet.leakcheck.walk import Walk

METERED = [plan.key for plan in PLANS if plan.tier == "metered" and plan.state in ("published", "updated")]


def _full(response: Response) -> bool:
    return response.get("Broadsheet-Variant") == "full"


async def meters_round(walk: Walk) -> None:
    desk = walk.a
    await _honest(walk, "visitor", {}, FREE_LIMIT)
    await _honest(walk, "registered reader", await desk.sign_in("counted"), REGISTERED_LIMIT)
    await _untouched(walk, desk)
    await _race(walk, desk)
    await _unmetered(walk, desk)


async def _honest(walk: Walk, reader: str, jar: Jar, limit: int) -> None:
    """Read everything there is, twice: the first round opens `limit` stories, the second the same ones."""
    opened = [[key for key in METERED if _full(await walk.a.read(key, jar))] for _ in range(2)]
    walk.probes += 2 * len(METERED)
    if len(opened[0]) != limit or opened[1] != opened[0]:
        evidence = f"{len(opened[0])} stories opened instead of {limit}, then {len(opened[1])} again"
        walk.report("", "meter", reader, "read every story twice", evidence)


async def _untouched(walk: Walk, desk: Desk) -> None:
    """Looking is not reading: HEAD and prefetches neither open a story nor use the meter up."""
    jar: Jar = {}
    looks = [Ask(desk.path(key), method="HEAD") for key in METERED]
    looks += [Ask(desk.path(key), headers=(("Sec-Purpose", "prefetch"),)) for key in METERED]
    for look in looks:
        answer = await desk.site.send(look, jar)
        jar.update(answer.cookies())
        walk.probes += 1
        if _full(answer):
            walk.report("", "meter", "visitor", f"{look.method} {look.headers}", "opened without being counted")
    left = sum([_full(await desk.read(key, jar)) for key in METERED])
    if left != FREE_LIMIT:
        walk.report("", "meter", "visitor", "HEAD and prefetch first", f"{left} stories left instead of {FREE_LIMIT}")


async def _race(walk: Walk, desk: Desk) -> None:
    """One read left, and every other story asked for at the same moment with the same cookie."""
    visitor: Jar = {}
    for key in METERED[: FREE_LIMIT - 1]:
        await desk.read(key, visitor)
    rest = METERED[FREE_LIMIT - 1 :]
    answers = await asyncio.gather(*(desk.site.send(Ask(desk.path(key)), visitor) for key in rest))
    walk.probes += len(rest)
    opened = sum(_full(answer) for answer in answers)
    if opened != 1:
        walk.report("", "meter", "visitor", "many stories at once on one cookie", f"{opened} opened, one was left")


async def _unmetered(walk: Walk, desk: Desk) -> None:
    """A full metered story always comes with a meter that holds it, so that the next one is counted."""
    for value in ("", "x", "A" * 230):
        answer = await desk.site.send(Ask(desk.path(METERED[-1])), {"bsm": value})
        walk.probes += 1
        if _full(answer) and not answer.cookies():
            walk.report(METERED[-1], "meter", "visitor", f"meter cookie {value[:8]!r}", "opened without a meter")

"""What is lent: seats of institutions to those who come from their networks, and stories that somebody gave away.

Each opens exactly what it was lent for, to as many as it was lent to, and no longer.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Protocol

from broadsheet.leakcheck import oracles
from broadsheet.leakcheck.client import Ask, Response, Site, UnreachableError
from broadsheet.leakcheck.readers import BY_KEY, SUBSCRIBER, VISITOR, Jar, keep
from broadsheet.leakcheck.stories import text_of
from broadsheet.leakcheck.walk import Walk

SEAT, FULL_HOUSE, GIFT = "reader in a seat", "reader without a free seat", "receiver of a gift"
CAMPUS, NEIGHBOUR = "127.0.0.2", "127.0.0.3"
GIVEN, OTHER = "premium-long", "premium-two"
WITHIN = 3.0


class Newsroom(Protocol):
    """changes.Newsroom: does what it is told, and says what came of it."""

    async def do(self, **order: Any) -> dict[str, Any]: ...


class Watch(Protocol):
    """changes' list of how long each change took to arrive."""

    took: dict[str, float]


async def lending_round(walk: Walk, newsroom: Newsroom, watch: Watch) -> None:
    await _gifts(walk, newsroom, watch)
    await _seats(walk, newsroom, watch)


async def visit(site: Site, target: str, jar: Jar, ask: Ask | None = None) -> Response:
    """As a browser does: cookies are kept, and a redirection to our own site is followed."""
    answer = await site.send(ask or Ask(target), jar)
    for _ in range(4):
        keep(jar, answer)
        place = answer.get("Location").removeprefix(site.origin)
        if answer.status not in (301, 302, 303, 307, 308) or not place.startswith("/"):
            return answer
        answer = await site.send(Ask(place), jar)
    return answer


def _full(answer: Response) -> bool:
    return answer.get("Broadsheet-Variant") == "full"


def _shut(walk: Walk, key: str, reader: str, trick: str, answer: Response) -> None:
    walk.probes += 1
    finds = [find for find in walk.canaries.find(oracles.searched(answer)) if find.story == key]
    if _full(answer) or finds:
        walk.report(key, "story page", reader, trick, f"opened ({answer.get('Broadsheet-Reason')})")


def _open(walk: Walk, key: str, reader: str, trick: str, answer: Response) -> None:
    walk.probes += 1
    for evidence in list(oracles.full_faults(answer, text_of(BY_KEY[key], "a").hidden, BY_KEY[key].credit))[:1]:
        walk.report(key, "story page", reader, trick, evidence)


async def _gone(walk: Walk, key: str, reader: str, trick: str, jar: Jar, watch: Watch, site: Site) -> None:  # noqa: PLR0917
    """What was lent is taken back: within seconds the story is shut."""
    begin = time.monotonic()
    while time.monotonic() - begin < WITHIN:
        walk.probes += 1
        if not _full(await visit(site, walk.a.path(key), dict(jar))):
            watch.took[trick] = time.monotonic() - begin
            return
        await asyncio.sleep(0.02)
    walk.report(key, "story page", reader, trick, f"still open after {WITHIN:.0f} s")


async def _gifts(walk: Walk, newsroom: Newsroom, watch: Watch) -> None:
    given = await newsroom.do(give=walk.a.id(GIVEN), by="subscriber")
    if not given:
        walk.say("leakcheck: this version has no gifts; they were not tried.")
        return
    site, path, other = walk.a.site, walk.a.path(GIVEN), walk.a.path(OTHER)
    link = f"{path}?gift={given['token']}"
    await _looks_at_a_gift(walk, link)
    jars: list[Jar] = []
    for number in range(given["devices"]):
        jars.append({})
        _open(walk, GIVEN, GIFT, f"device {number + 1}", await visit(site, link, jars[-1]))
        _open(walk, GIVEN, GIFT, f"device {number + 1} again", await visit(site, path, jars[-1]))
    _shut(walk, GIVEN, GIFT, "one device too many", await visit(site, link, {}))
    for trick, target, jar in (
        ("the gift on another story", f"{other}?gift={given['token']}", {}),
        ("another story on the device of a gift", other, dict(jars[0])),
        ("the gift's token on another story, on its device", f"{other}?gift={given['token']}", dict(jars[0])),
    ):
        _shut(walk, OTHER, GIFT, trick, await visit(site, target, jar))
    token = given["token"]
    name = walk.a.cookie("bsg")
    for trick, target, jar in (
        ("a token cut short", f"{path}?gift={token[:-1]}", {}),
        ("a token turned", f"{path}?gift={token[::-1]}", {}),
        ("a token in capitals", f"{path}?gift={token.upper()}", {}),
        ("another parameter", f"{path}?unlock={token}", {}),
        ("the token as the cookie", path, {name: token}),
        ("an edited grant", path, {name: _edited(jars[0].get(name, ""))}),
        ("a grant as a passport", path, {walk.a.cookie("bsp"): jars[0].get(name, "")}),
    ):
        _shut(walk, GIVEN, VISITOR, trick, await visit(site, target, jar))
    regift = await site.send(Ask(f"/account/gift/{walk.a.id(GIVEN)}/", "POST"), dict(jars[0]))
    if b"gift=" in regift.content or "gift=" in regift.get("Location"):
        walk.report(GIVEN, "gifts", GIFT, "giving a gift on", f"status {regift.status}")
    await newsroom.do(revoke=given["gift"], giver=given["giver"])
    await _gone(walk, GIVEN, GIFT, "a gift taken back", jars[0], watch, site)
    _shut(walk, GIVEN, GIFT, "the link of a gift taken back", await visit(site, link, {}))


async def _looks_at_a_gift(walk: Walk, link: str) -> None:
    """Looking uses nothing up: link previews and prefetches neither read the story nor take a device's place."""
    looks = [Ask(link, "HEAD")] * 12 + [Ask(link, headers=(("Sec-Purpose", "prefetch"),))] * 12
    looks += [Ask(link, headers=(("User-Agent", "WhatsApp/2.23.20.0"),))] * 12
    for ask in looks:
        answer = await walk.a.site.send(ask)
        _shut(walk, GIVEN, GIFT, "looking at the link", answer)
        if answer.status == 200 and not oracles.is_private(answer):  # noqa: PLR2004
            walk.report(GIVEN, "story page", GIFT, "looking at the link", "an answer that a cache may keep")


def _edited(value: str) -> str:
    return value[:-8] + ("A" if value[-8:-7] != "A" else "B") + value[-7:]


async def _seats(walk: Walk, newsroom: Newsroom, watch: Watch) -> None:
    host, port = walk.a.site.address
    campus, neighbour = (Site(f"http://{host}:{port}", host=walk.a.site.host, source=at) for at in (CAMPUS, NEIGHBOUR))
    fields = {"name": "Campus", "prefixes": f"{CAMPUS}/32", "seats": 1}
    made = await newsroom.do(institution=fields)
    if not made:
        walk.say("leakcheck: this version has no institutions; they were not tried.")
        return
    path, jar = walk.a.path(GIVEN), {}
    try:
        for _ in range(round(WITHIN / 0.05)):
            if _full(await visit(campus, path, jar)):
                break
            await asyncio.sleep(0.05)
    except UnreachableError:
        walk.say("leakcheck: this machine has one loopback address; seats were not tried.")
        return
    _open(walk, GIVEN, SEAT, "read", await visit(campus, path, jar))
    _shut(walk, GIVEN, FULL_HOUSE, "one seat, two browsers", await visit(campus, path, {}))
    _shut(walk, GIVEN, VISITOR, "no cookies kept", await campus.send(Ask(path)))
    for said in (("X-Forwarded-For", CAMPUS), ("X-Real-IP", CAMPUS), ("Forwarded", f"for={CAMPUS}")):
        answer = await visit(walk.a.site, path, {}, Ask(path, headers=(said,)))
        _shut(walk, GIVEN, VISITOR, f"{said[0]}: an address of the campus", answer)
    _shut(walk, GIVEN, VISITOR, "the address beside the campus", await visit(neighbour, path, {}))
    _shut(walk, GIVEN, VISITOR, "a seat taken home", await visit(walk.a.site, path, dict(jar)))
    _shut(walk, GIVEN, VISITOR, "an edited seat", await visit(campus, path, {k: _edited(v) for k, v in jar.items()}))
    _open(walk, GIVEN, SUBSCRIBER, "on a full campus", await visit(campus, path, dict(walk.a.jars[SUBSCRIBER])))
    await newsroom.do(drop=made["institution"])
    await _gone(walk, GIVEN, SEAT, "a contract that ended", jar, watch, campus)
    campus.close()
    neighbour.close()

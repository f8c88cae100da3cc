"""Cookies edited, forged, rolled back and replayed; requests glued together on one connection."""

from __future__ import annotations

import asyncio
import os

from broadsheet import clock
from broadsheet.ids import derive_key
from broadsheet.leakcheck import oracles
from broadsheet.leakcheck.client import Ask, Response, Site, read_response
from broadsheet.leakcheck.readers import AT_LIMIT, LAPSED, SUBSCRIBER, VISITOR, Desk, Jar
from broadsheet.leakcheck.walk import Probe, Walk
from broadsheet.readers.passport import Passport, PassportOffice, Right

EDITS = 12
OTHER_PURPOSES = (
    ("meter", "paper.example"),
    ("passport", "other.example"),
    ("passport", ""),
    ("django", "paper.example"),
)
CALM = 0.4  # seconds after a change in which every worker must have heard of it


def _edited(value: str) -> list[str]:
    """A sealed value with one character changed, cut short, doubled, and turned."""
    places = [len(value) * step // EDITS for step in range(EDITS)]
    changed = [value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1 :] for at in places]
    return [
        *changed,
        value[: len(value) // 2],
        value[:-4],
        value + "AAAA",
        value + value,
        value[::-1],
        "",
        "0",
        "null",
        "{}",
    ]


def sealed_elsewhere(walk: Walk) -> list[str]:
    """Passports with every right, well sealed: elsewhere, and by this secret for another purpose."""
    now = clock.now()
    start, end = int(now.timestamp()) - 10, int(now.timestamp()) + 600
    products = tuple(Right(name, start - 86400, None) for name in ("unlimited", "premium"))
    passport = Passport(1, 10**6, "0" * 16, True, start, end, products)
    host = walk.a.site.host
    offices = [PassportOffice([os.urandom(32)], host), PassportOffice([b"\0" * 32], host)]
    if walk.a.data:
        secret = bytes.fromhex((walk.a.data.parent / "secret.key").read_text("ascii").split()[0])
        offices += [PassportOffice([derive_key(secret, purpose)], site) for purpose, site in OTHER_PURPOSES]
    return [office.seal(passport) for office in offices]


async def forgeries_round(walk: Walk) -> None:
    """Nothing but a whole, current cookie of one's own is worth anything."""
    probes: list[Probe] = []
    passport, meter, session = (walk.a.cookie(name) for name in ("bsp", "bsm", "bss"))
    good, lapsed = walk.a.jars[SUBSCRIBER][passport], walk.a.jars[LAPSED][passport]
    cookies = [f"{passport}={value}" for value in _edited(good)]
    cookies += [f"{passport}={value}" for value in sealed_elsewhere(walk)]
    cookies += [
        f"{passport}={lapsed}",
        f"{passport}={good[:-6]}; {passport}={lapsed}",
        f"{passport.upper()}={good}",
        f"x{passport}={good}",
        f"{passport}={walk.a.jars[AT_LIMIT].get(meter, '')}",
        f"{meter}={good}",
        f"{session}={good}",
        f'{passport}="{lapsed}"',
    ]
    for key in ("registered-long", "premium-long"):
        for cookie in cookies:
            reader = LAPSED if lapsed in cookie else VISITOR
            ask = Ask(walk.a.path(key), instead=cookie)
            probes.append(Probe("story page", reader, f"forged cookie {cookie[:24]}…", ask, key))
    await walk.run(probes)


async def signed_out_round(walk: Walk, session: str = "leaver") -> None:
    """A passport that outlives its session opens nothing."""
    desk = walk.a
    jar = await desk.sign_in(session)
    before = await desk.site.send(Ask(desk.path("premium-long")), jar)
    if before.get("Broadsheet-Variant") != "full":
        walk.report("premium-long", "story page", SUBSCRIBER, "read before signing out", "walled")
    out = await desk.sign_out(dict(jar))
    if not out:
        walk.say("leakcheck: /account/ has no form to sign out with; the replay of a passport was not tried.")
        return
    await asyncio.sleep(CALM)
    for cookies in (jar, {name: value for name, value in jar.items() if name != desk.cookie("bss")}):
        answer = await desk.site.send(Ask(desk.path("premium-long")), cookies)
        if answer.get("Broadsheet-Variant") != "wall":
            evidence = f"still {answer.get('Broadsheet-Variant')} after signing out ({out})"
            walk.report("premium-long", "story page", SUBSCRIBER, "passport after signing out", evidence)


async def _answers(data: bytes) -> list[Response]:
    reader = asyncio.StreamReader(limit=2**22)
    reader.feed_data(data)
    reader.feed_eof()
    found = []
    while not reader.at_eof():
        try:
            found.append((await read_response(reader, "GET"))[0])
        except (asyncio.IncompleteReadError, ValueError, IndexError):
            break
    return found


def _get(site: Site, path: str, jar: Jar, *more: str) -> bytes:
    return Ask(path, headers=tuple(tuple(line.split(": ", 1)) for line in more)).encode(site.host, jar)  # type: ignore[misc]


async def one_connection_round(walk: Walk) -> None:
    """Several readers' requests on one connection, and requests inside requests: each gets what is its own."""
    desk = walk.a
    path = desk.path("premium-long")
    theirs, mine = _get(desk.site, path, desk.jars[SUBSCRIBER]), _get(desk.site, path, {}, "Connection: close")
    for name, data in (
        ("pipelined after a subscriber", theirs + mine),
        ("pipelined after two subscribers", theirs + theirs + mine),
        ("pipelined after a slow page", _get(desk.site, "/search?q=a", desk.jars[SUBSCRIBER]) + mine),
    ):
        answers = await _answers(await desk.site.converse(data))
        walk.probes += 1
        if not answers or answers[-1].get("Broadsheet-Variant") != "wall" or walk.canaries.find(answers[-1].content):
            variants = [f"{answer.status} {answer.get('Broadsheet-Variant')}" for answer in answers]
            walk.report("premium-long", "story page", VISITOR, name, f"answers: {variants}")
    for name, data in _smuggled(desk, path):
        ours, other = await asyncio.gather(desk.site.converse(data), (walk.b or desk).site.converse(data))
        walk.probes += 1
        finds = walk.canaries.find(ours)
        pairs = zip(await _answers(ours), await _answers(other), strict=False)
        differs = next(filter(None, (oracles.difference(*pair) for pair in pairs)), "")
        evidence = f"words of {finds[0].story}: {finds[0].words}" if finds else differs
        if evidence:
            walk.report("premium-long", "connection", VISITOR, name, evidence)


def _smuggled(desk: Desk, path: str) -> list[tuple[str, bytes]]:
    host = desk.site.host
    inner = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Subscriber: 1\r\nConnection: close\r\n\r\n".encode()
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\n".encode()
    return [
        ("CL.TE", head + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG" + inner),
        ("TE.CL", head + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n1\r\nA\r\n0\r\n\r\n" + inner),
        ("two lengths", head + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello" + inner),
        ("obscured chunking", head + b"Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n" + inner),
        ("folded header", f"GET {path} HTTP/1.1\r\nHost: {host}\r\nX-A: b\r\n Cookie: subscriber=1\r\n\r\n".encode()),
        ("bare line feeds", f"GET {path} HTTP/1.1\nHost: {host}\n\n".encode()),
        ("HTTP/1.0", f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode()),
        ("HTTP/0.9", f"GET {path}\r\n".encode()),
        ("HTTP/2.0 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + inner),
        ("a line of spaces", f"GET  {path}  HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()),
        ("a cut request", f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCook".encode()),
        ("a null in a header", f"GET {path} HTTP/1.1\r\nHost: {host}\r\nX-A: \0b\r\n\r\n".encode()),
    ]

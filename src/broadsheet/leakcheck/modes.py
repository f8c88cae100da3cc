"""The same paper with other options: another kind of meter, https behind a proxy, a changed limit, a later day.

Each mode is one more server over a copy of the first twin's data, with the cookies that readers already hold.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from broadsheet.leakcheck import oracles
from broadsheet.leakcheck.client import Ask, Response, Site
from broadsheet.leakcheck.forging import forgeries_round, signed_out_round
from broadsheet.leakcheck.meters import METERED
from broadsheet.leakcheck.readers import AT_LIMIT, BURNS, BY_KEY, SUBSCRIBER, VISITOR, Desk, Jar, keep
from broadsheet.leakcheck.stories import FREE_LIMIT, text_of
from broadsheet.leakcheck.twins import HOST, Running, ScratchError, Twins
from broadsheet.leakcheck.walk import Walk

BUDGET = 3
AGENT = (("User-Agent", "curl/8.0"),)


@dataclass(frozen=True, slots=True)
class Mode:
    """Options of the server, and what is tried on it."""

    options: Mapping[str, str]
    tried: tuple[Callable[[Walk, Walk], Awaitable[None]], ...]
    tls: bool = False


@dataclass(slots=True)
class Tried:
    """The modes that were tried, and those this version of the program does not have."""

    names: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def _full(answer: Response) -> bool:
    return answer.get("Broadsheet-Variant") == "full"


async def modes_round(walk: Walk, twins: Twins, wanted: tuple[str, ...] = ()) -> Tried:
    """Every mode in turn, or the `wanted` ones. What leaks is reported under the mode's name."""
    tried = Tried()
    for name in wanted or MODES:
        mode = MODES[name]
        with Running() as running:
            try:
                data = twins.beside("a", f"mode-{len(tried.names) + len(tried.missing)}")
                server = running.start(data, extra=mode.options)
                running.wait()
            except ScratchError:
                tried.missing.append(name)
                continue
            site = Site(server.url, host=HOST, behind_tls=mode.tls)
            desk = Desk(site, walk.a.paper, data=data)
            if mode.tls:
                await desk.prepare()
            else:
                desk.jars = {reader: dict(jar) for reader, jar in walk.a.jars.items()}
                desk.old_meters = list(walk.a.old_meters)
            there = Walk(desk, None, walk.canaries, quiet=True)
            for one in mode.tried:
                await one(there, walk)
            site.close()
        walk.leaks += [replace(leak, trick=f"{name}: {leak.trick}") for leak in there.leaks]
        walk.probes += there.probes
        walk.requests += there.requests
        tried.names.append(name)
    return tried


async def _payers(walk: Walk, before: Walk) -> None:  # noqa: ARG001 - one signature for all
    """Whatever the mode, who has paid reads all of it."""
    for key in ("metered-long", "registered-long", "premium-long"):
        answer = await walk.a.ask(Ask(walk.a.path(key)), SUBSCRIBER)
        walk.probes += 1
        for evidence in list(oracles.full_faults(answer, text_of(BY_KEY[key], "a").hidden))[:1]:
            walk.report(key, "story page", SUBSCRIBER, "read", evidence)


async def _forged(walk: Walk, before: Walk) -> None:  # noqa: ARG001
    await forgeries_round(walk)
    await signed_out_round(walk, "leaver-tls" if walk.a.site.always else "leaver-strict")


async def _walled(walk: Walk, reader: str, jar: Jar, trick: str, asks: Mapping[str, Ask] | Sequence[str]) -> None:
    """None of these stories opens, and none of their words comes. `asks`: stories, or how each is asked for."""
    for key in asks:
        ask = asks[key] if isinstance(asks, Mapping) else Ask(walk.a.path(key))
        answer = await walk.a.site.send(ask, jar)
        walk.probes += 1
        if _full(answer) or any(find.story == key for find in walk.canaries.find(oracles.searched(answer))):
            walk.report(key, "story page", reader, trick, f"opened ({answer.get('Broadsheet-Reason')})")


async def _strict(walk: Walk, before: Walk) -> None:  # noqa: ARG001
    """Without a jar nothing opens; with one, exactly the limit."""
    for headers in ((), AGENT, (("Sec-Fetch-Dest", "document"),)):
        asks = {key: Ask(walk.a.path(key), headers=headers) for key in METERED[:4]}
        await _walled(walk, VISITOR, {}, "no cookies at all", asks)
    for value in ("x", "", "A" * 200):
        await _walled(walk, VISITOR, {walk.a.cookie("bsm"): value}, "a made-up meter", METERED[:2])
    await _honest(walk, VISITOR, {}, FREE_LIMIT)
    await _walled(walk, AT_LIMIT, dict(walk.a.jars[AT_LIMIT]), "at the limit", METERED[FREE_LIMIT:])


async def _honest(walk: Walk, reader: str, jar: Jar, limit: int, trick: str = "read every story, each twice") -> None:
    """Exactly `limit` stories open to a browser that goes on as browsers do; read stories stay open."""
    opened: set[str] = set()
    for key in METERED:
        for _ in range(2):
            answer = await walk.a.read(key, jar)
            walk.probes += 1
            if 300 <= answer.status < 400:  # noqa: PLR2004 - strict mode may ask for the same address again
                answer = await walk.a.site.send(Ask(answer.get("Location")), jar)
                keep(jar, answer)
            opened.update([key] if _full(answer) else ())
    if len(opened) != limit:
        walk.report("", "meter", reader, trick, f"{len(opened)} stories opened instead of {limit}")


async def _login(walk: Walk, before: Walk) -> None:  # noqa: ARG001
    await _walled(walk, VISITOR, {}, "read", METERED)
    await _walled(walk, AT_LIMIT, dict(walk.a.jars[AT_LIMIT]), "read", METERED)


async def _https(walk: Walk, before: Walk) -> None:
    """The __Host- cookies count, their plain namesakes do not, and plain http gets nothing."""
    for reader in (AT_LIMIT, SUBSCRIBER):
        bare = {name.removeprefix("__Host-"): value for name, value in walk.a.jars[reader].items()}
        await _walled(walk, reader, bare, "cookies without their prefix", ["premium-long", "registered-long"])
        await _walled(walk, reader, dict(before.a.jars[reader]), "cookies of the plain site", ["premium-long"])
    site = Site(f"http://{walk.a.site.address[0]}:{walk.a.site.address[1]}", host=HOST)
    for said in ((), (("X-Forwarded-Proto", "http"),), (("X-Forwarded-Proto", "https, http"),)):
        answer = await site.send(Ask(walk.a.path("premium-long"), headers=said), walk.a.jars[SUBSCRIBER])
        walk.probes += 1
        if _full(answer) or answer.cookies():
            walk.report("premium-long", "story page", SUBSCRIBER, f"plain http {said}", f"status {answer.status}")
    site.close()
    for name, value in (await walk.a.site.send(Ask(walk.a.path(METERED[-1])))).headers:
        if name.lower() == "set-cookie" and not (value.startswith("__Host-") and "secure" in value.lower()):
            walk.report("", "story page", VISITOR, "Set-Cookie over https", value.partition("=")[0])


async def _tighter(walk: Walk, before: Walk) -> None:
    """The limit was lowered to 1 in the middle of the window: nothing more opens, what was read stays open."""
    await _walled(walk, AT_LIMIT, dict(walk.a.jars[AT_LIMIT]), "limit lowered", METERED[FREE_LIMIT:])
    for key in BURNS[:FREE_LIMIT]:
        answer = await walk.a.site.send(Ask(walk.a.path(key)), before.a.jars[AT_LIMIT])
        if not _full(answer):
            walk.report(key, "story page", AT_LIMIT, "limit lowered", "a story already read is walled")
    await _honest(walk, VISITOR, {}, 1, "limit lowered")


async def _wider(walk: Walk, before: Walk) -> None:  # noqa: ARG001
    """The limit was raised by 2: a reader at the old limit has exactly 2 more."""
    await _honest(walk, AT_LIMIT, dict(walk.a.jars[AT_LIMIT]), FREE_LIMIT + 2, "limit raised by 2")


async def _other_window(walk: Walk, before: Walk) -> None:  # noqa: ARG001
    """Month became a rolling window: no error, and no second helping."""
    jar = dict(walk.a.jars[AT_LIMIT])
    opened = []
    for key in METERED:
        answer = await walk.a.read(key, jar)
        walk.probes += 1
        opened += [key] if _full(answer) else []
        if answer.status != 200:  # noqa: PLR2004
            walk.report(key, "story page", AT_LIMIT, "window changed", f"status {answer.status}")
    if len(opened) > FREE_LIMIT:
        evidence = f"{len(opened)} stories open to one who had read {FREE_LIMIT}"
        walk.report("", "meter", AT_LIMIT, "window changed", evidence)


async def _next_window(walk: Walk, before: Walk) -> None:  # noqa: ARG001
    """A month later the meter begins anew, once."""
    jar = dict(walk.a.jars[AT_LIMIT])
    await _honest(walk, "visitor a month later", jar, FREE_LIMIT)
    await _walled(walk, "visitor a month later", jar, "at the limit", METERED[FREE_LIMIT:])


async def _budget(walk: Walk, before: Walk) -> None:  # noqa: ARG001
    """A network that throws its cookies away gets as many meters as its budget has, then walls and no errors."""
    opened = 0
    for turn in range(BUDGET * 3):
        for headers in ((), (("X-Forwarded-For", f"198.51.{turn}.7"),)):
            answer = await walk.a.site.send(Ask(walk.a.path(METERED[turn % 5]), headers=headers))
            walk.probes += 1
            opened += _full(answer)
            if answer.status != 200:  # noqa: PLR2004
                walk.report("", "meter", VISITOR, "fresh jars", f"status {answer.status}")
    if opened > BUDGET:
        walk.report("", "meter", VISITOR, "fresh jars", f"{opened} reads without a cookie, the budget is {BUDGET}")


MODES: Mapping[str, Mode] = {
    "strict meter": Mode({"BROADSHEET_METER_MODE": "strict"}, (_strict, _payers, _forged)),
    "login mode": Mode({"BROADSHEET_METER_MODE": "login"}, (_login, _payers)),
    "https behind a proxy": Mode(
        {"BROADSHEET_PUBLIC_URL": f"https://{HOST}", "BROADSHEET_TRUSTED_PROXIES": "127.0.0.1"},
        (_https, _payers, _forged),
        tls=True,
    ),
    "limit lowered": Mode({"BROADSHEET_FREE_LIMIT": "1"}, (_tighter, _payers)),
    "limit raised": Mode({"BROADSHEET_FREE_LIMIT": str(FREE_LIMIT + 2)}, (_wider,)),
    "other window": Mode({"BROADSHEET_METER_WINDOW": "rolling:30"}, (_other_window, _payers)),
    "a month later": Mode({"BROADSHEET_CLOCK": "2027-04-02T10:00:00+05:30"}, (_next_window,)),
    "budget of meters": Mode({"BROADSHEET_METER_BUDGET": str(BUDGET)}, (_budget, _payers)),
}

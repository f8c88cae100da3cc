"""What the meter gives: exactly its limit of distinct stories, whatever the order, the retries or the crowd."""

from __future__ import annotations

import asyncio
import email
import re
from email import policy

from broadsheet.leakcheck import oracles
from broadsheet.leakcheck.client import Ask, Response
from broadsheet.leakcheck.readers import AT_LIMIT, BY_KEY, Desk, Jar
from broadsheet.leakcheck.stories import FREE_LIMIT, PLANS, REGISTERED_LIMIT, text_of
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
    await _same_story(walk, desk)
    await _two_devices(walk, desk)
    await _rolled_back(walk, desk)
    await _unmetered(walk, desk)
    await _ping_pong(walk, desk)


async def _honest(walk: Walk, reader: str, jar: Jar, limit: int) -> None:
    """Read everything there is, twice: the first round opens `limit` stories, the second the same ones, each whole."""
    opened: list[list[str]] = [[], []]
    for keys in opened:
        for key in METERED:
            answer = await walk.a.read(key, jar)
            if _full(answer):
                keys.append(key)
                for evidence in oracles.full_faults(answer, text_of(BY_KEY[key], "a").hidden, BY_KEY[key].credit):
                    walk.report(key, "story page", f"{reader} with quota", "read", evidence)
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


async def _same_story(walk: Walk, desk: Desk) -> None:
    """One story asked for many times at once is one read."""
    jar: Jar = {}
    await desk.read(METERED[0], jar)
    answers = await asyncio.gather(*(desk.site.send(Ask(desk.path(METERED[1])), jar) for _ in range(16)))
    walk.probes += len(answers)
    for answer in answers:
        jar.update(answer.cookies())
    left = sum([_full(await desk.read(key, jar)) for key in METERED[2:]])
    shut = sum(not _full(answer) for answer in answers)
    if shut or left != FREE_LIMIT - 2:
        evidence = f"{shut} of 16 walled, then {left} more stories opened instead of {FREE_LIMIT - 2}"
        walk.report(METERED[1], "meter", "visitor", "one story many times at once", evidence)


async def _two_devices(walk: Walk, desk: Desk) -> None:
    """A registered reader on two devices, every story on both at once: the account has one meter."""
    jars = [await desk.sign_in("devices") for _ in range(2)]
    asked = [(key, jar) for key in METERED for jar in jars]
    answers = await asyncio.gather(*(desk.site.send(Ask(desk.path(key)), jar) for key, jar in asked))
    walk.probes += len(asked)
    opened = {key for (key, _), answer in zip(asked, answers, strict=True) if _full(answer)}
    if len(opened) != REGISTERED_LIMIT:
        evidence = f"{len(opened)} stories opened instead of {REGISTERED_LIMIT}"
        walk.report("", "meter", "registered reader", "every story on two devices at once", evidence)


async def _rolled_back(walk: Walk, desk: Desk) -> None:
    """Each older cookie of a meter that is used up, on every story it has not read."""
    name = desk.cookie("bsm")
    for number, old in enumerate(desk.old_meters):
        for key in METERED[FREE_LIMIT:]:
            for cookie in (f"{name}={old}", f"{name}={old}; {name}=x", f"{name}={desk.old_meters[-1]}; {name}={old}"):
                answer = await desk.site.send(Ask(desk.path(key), instead=cookie))
                walk.probes += 1
                if _full(answer):
                    walk.report(key, "meter", AT_LIMIT, f"rolled-back meter {number}", answer.get("Broadsheet-Reason"))


async def sign_in_by_letter(desk: Desk, address: str, jar: Jar) -> bool:
    """Sign in as a person does: ask for a code, read the letter, type it. False when it did not work."""
    if desk.data is None:
        return False
    letters = desk.data / "letters"
    before = {path.name for path in letters.glob("*.eml")}
    await desk.submit("/account/sign-in/", "/account/sign-in/", jar, {"email": address.replace("@", "%40")})
    for path in sorted(letters.glob("*.eml"), reverse=True):
        if path.name in before:
            continue
        message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
        code = re.search(r"\b[A-Z0-9]{3,4}-[A-Z0-9]{3,4}\b", str(message["Subject"]))
        if code and address in str(message["To"]):
            typed = await desk.submit("/account/sign-in/code/", "/account/sign-in/code/", jar, {"code": code[0]})
            return typed.status in (302, 303) and desk.cookie("bss") in jar
    return False


async def _ping_pong(walk: Walk, desk: Desk) -> None:
    """A visitor at the limit signs in, reads on, signs out, reads on, signs in again: one meter all the while."""
    jar: Jar = {}
    opened: list[str] = []
    for turn in range(2):
        for key in METERED:
            if _full(await desk.read(key, jar)) and key not in opened:
                opened.append(key)
        if not await sign_in_by_letter(desk, "pingpong@readers.example", jar):
            walk.report("", "meter", "registered reader", "sign in by letter", f"could not sign in, turn {turn + 1}")
            return
        for key in METERED:
            if _full(await desk.read(key, jar)) and key not in opened:
                opened.append(key)
        await desk.sign_out(jar)
    walk.probes += 4 * len(METERED)
    if len(opened) != REGISTERED_LIMIT:
        evidence = f"{len(opened)} stories opened instead of {REGISTERED_LIMIT}"
        walk.report("", "meter", "registered reader", "signing in and out again and again", evidence)

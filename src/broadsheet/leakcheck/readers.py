"""Who asks: the reader classes of the scratch paper, what each may read, and the cookies each of them really holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broadsheet.access.products import CODES
from broadsheet.leakcheck.client import Ask, Response, Site
from broadsheet.leakcheck.stories import FREE_LIMIT, PLANS, REGISTERED_LIMIT, UNSEEN, Plan

VISITOR = "visitor"
QUOTA = "visitor with quota"
AT_LIMIT = "visitor at the limit"
LEFT_OVER = "signed-out browser"
REGISTERED = "registered reader at the limit"
LAPSED = "former subscriber"
UNLIMITED = "subscriber without premium"
SUBSCRIBER = "subscriber"
EDITOR = "editor"
HOLDER = "subscriber with every benefit"
HOLDERS_EMAIL = "holder@readers.example"
READERS = (VISITOR, AT_LIMIT, LEFT_OVER, REGISTERED, LAPSED, UNLIMITED, SUBSCRIBER)
"""Those whose cookies can be used any number of times without changing what they may read."""
AT_THE_WALLS = (*READERS, QUOTA, EDITOR)
SESSIONS = {
    REGISTERED: "registered", LAPSED: "lapsed", UNLIMITED: "unlimited", SUBSCRIBER: "subscriber", EDITOR: "editor",
}  # fmt: skip
BENEFITS = tuple(product for product in CODES if product not in ("unlimited", "premium"))
"""The products that open something else than stories. Those of READERS have none of them."""
BURNS = [plan.key for plan in PLANS if plan.burn]
BY_KEY: Mapping[str, Plan] = {plan.key: plan for plan in PLANS}
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')
Jar = dict[str, str]


def all_but(product: str) -> str:
    """The class of readers who have every product but one."""
    return f"subscriber without {product}"


def may_read(reader: str, plan: Plan) -> bool:
    """Whether a reader is entitled to the hidden text of a story, on its own page. Nobody where nothing is hidden."""
    if plan.state in UNSEEN or plan.tier == "free":
        return False
    if reader in (SUBSCRIBER, EDITOR):
        return True
    if plan.tier == "premium":
        return False
    if plan.tier == "registered":
        return reader in (REGISTERED, LAPSED, UNLIMITED)
    if reader in (AT_LIMIT, LEFT_OVER):
        return plan.key in BURNS[:FREE_LIMIT]
    # A visitor without a cookie is on the first read of a new meter, every time.
    return reader in (VISITOR, QUOTA, UNLIMITED) or plan.key in BURNS[:REGISTERED_LIMIT]


_BENEFIT_SESSIONS = {HOLDER: "holder", **{all_but(product): f"no-{product}" for product in BENEFITS}}


@dataclass(slots=True)
class Desk:
    """One twin, its stories' addresses and every reader's cookies. `data`: its folder, where its letters lie."""

    site: Site
    paper: Mapping[str, Any]
    jars: dict[str, Jar] = field(default_factory=dict)
    old_meters: list[str] = field(default_factory=list)
    data: Path | None = None

    def path(self, key: str) -> str:
        return str(self.paper["stories"][key]["path"])

    def id(self, key: str) -> int:
        return int(self.paper["stories"][key]["id"])

    def cookie(self, name: str) -> str:
        """The name of a cookie of the paper's: bsm (meter), bsp (passport), bss (session), as this site calls it."""
        return f"__Host-{name}" if self.site.origin.startswith("https") else name

    async def ask(self, ask: Ask, reader: str) -> Response:
        jar = self.jars.get(reader, {})
        if reader == QUOTA:
            jar = {}
            await self.read(BURNS[0], jar)
        return await self.site.send(ask, jar)

    async def sign_in(self, session: str, jar: Jar | None = None) -> Jar:
        """The cookies of a reader who has just signed in: the session, and the passport Django gives for it."""
        jar = {} if jar is None else jar
        jar[self.cookie("bss")] = str(self.paper["sessions"][session])
        jar.update((await self.site.send(Ask("/healthz"), jar)).cookies())
        return jar

    async def submit(self, page: str, target: str, jar: Jar, fields: Mapping[str, str]) -> Response:
        """Fill in the form on `page` and send it to `target`, keeping what both set. Status 0: there is no form."""
        shown = await self.site.send(Ask(page), jar)
        keep(jar, shown)
        token = _TOKEN.search(shown.content)
        if token is None:
            return Response(0)
        body = b"csrfmiddlewaretoken=" + token[1]
        body += "".join(f"&{name}={value}" for name, value in fields.items()).encode()
        sent = await self.site.send(Ask(target, "POST", (*FORM, ("Origin", self.site.origin)), body=body), jar)
        keep(jar, sent)
        return sent

    async def sign_out(self, jar: Jar) -> int:
        """The status of the answer; the jar is left as a browser would have it."""
        return (await self.submit("/account/", "/account/sign-out/", jar, {})).status

    async def read(self, key: str, jar: Jar) -> Response:
        """Read a story as a person does, keeping what it sets."""
        response = await self.site.send(Ask(self.path(key)), jar)
        keep(jar, response)
        return response

    async def prepare(self) -> None:
        """Give every reader class its cookies; those at a limit use it up."""
        self.jars[VISITOR] = {}
        for reader, session in (SESSIONS | _BENEFIT_SESSIONS).items():
            self.jars[reader] = await self.sign_in(session)
        visitor = self.jars[AT_LIMIT] = {}
        for key in BURNS[:FREE_LIMIT]:
            response = await self.read(key, visitor)
            self.old_meters += [v for name, v in response.cookies().items() if name == self.cookie("bsm")]
        for reader in (REGISTERED, LAPSED):
            for key in BURNS[:REGISTERED_LIMIT]:
                await self.read(key, self.jars[reader])
        # All that a browser may still hold of a subscriber who has signed out, and a meter that is used up.
        signed_in = await self.sign_in("left")
        await self.sign_out(dict(signed_in))
        self.jars[LEFT_OVER] = {**visitor, **signed_in}


def keep(jar: Jar, response: Response) -> None:
    """Put what a response sets into the jar, and take out what it takes away."""
    for name, value in response.cookies().items():
        if value in ("", '""'):
            jar.pop(name, None)
        else:
            jar[name] = value

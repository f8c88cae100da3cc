"""Who asks: the reader classes of the scratch paper, what each may read, and the cookies each of them really holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from broadsheet.leakcheck.client import Ask, Response, Site
from broadsheet.leakcheck.stories import FREE_LIMIT, PLANS, REGISTERED_LIMIT, UNSEEN, Plan

VISITOR = "visitor"
AT_LIMIT = "visitor at the limit"
REGISTERED = "registered reader at the limit"
LAPSED = "former subscriber"
UNLIMITED = "subscriber without premium"
SUBSCRIBER = "subscriber"
READERS = (VISITOR, AT_LIMIT, REGISTERED, LAPSED, UNLIMITED, SUBSCRIBER)
SESSIONS = {REGISTERED: "registered", LAPSED: "lapsed", UNLIMITED: "unlimited", SUBSCRIBER: "subscriber"}
BURNS = [plan.key for plan in PLANS if plan.burn]
BY_KEY: Mapping[str, Plan] = {plan.key: plan for plan in PLANS}
Jar = dict[str, str]


def may_read(reader: str, plan: Plan) -> bool:
    """Whether a reader is entitled to the hidden text of a story, on its own page. Nobody where nothing is hidden."""
    if plan.state in UNSEEN or plan.tier == "free":
        return False
    if reader == SUBSCRIBER:
        return True
    if plan.tier == "premium":
        return False
    if plan.tier == "registered":
        return reader in (REGISTERED, LAPSED, UNLIMITED)
    if reader == AT_LIMIT:
        return plan.key in BURNS[:FREE_LIMIT]
    # A visitor without a cookie is on the first read of a new meter, every time.
    return reader in (VISITOR, UNLIMITED) or plan.key in BURNS[:REGISTERED_LIMIT]


@dataclass(slots=True)
class Desk:
    """One twin, its stories' addresses and every reader's cookies."""

    site: Site
    paper: Mapping[str, Any]
    jars: dict[str, Jar] = field(default_factory=dict)
    old_meters: list[str] = field(default_factory=list)

    def path(self, key: str) -> str:
        return str(self.paper["stories"][key]["path"])

    def id(self, key: str) -> int:
        return int(self.paper["stories"][key]["id"])

    async def ask(self, ask: Ask, reader: str) -> Response:
        return await self.site.send(ask, self.jars.get(reader, {}))

    async def sign_in(self, session: str) -> Jar:
        """The cookies of a reader who has just signed in: the session, and the passport Django gives for it."""
        jar = {str(self.paper["cookie"]): str(self.paper["sessions"][session])}
        jar.update((await self.site.send(Ask("/healthz"), jar)).cookies())
        return jar

    async def read(self, key: str, jar: Jar) -> Response:
        """Read a story as a person does, keeping what it sets."""
        response = await self.site.send(Ask(self.path(key)), jar)
        jar.update(response.cookies())
        return response

    async def prepare(self) -> None:
        """Give every reader class its cookies; those at a limit use it up."""
        self.jars[VISITOR] = {}
        for reader, session in SESSIONS.items():
            self.jars[reader] = await self.sign_in(session)
        visitor = self.jars[AT_LIMIT] = {}
        for key in BURNS[:FREE_LIMIT]:
            response = await self.read(key, visitor)
            self.old_meters += response.cookies().values()
        for reader in (REGISTERED, LAPSED):
            for key in BURNS[:REGISTERED_LIMIT]:
                await self.read(key, self.jars[reader])

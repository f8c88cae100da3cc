"""One request on its road through the gate: who asks, what is known, what was decided."""

from __future__ import annotations

from datetime import UTC, datetime
from socket import AF_INET, AF_INET6, inet_pton

from broadsheet.access.book import Taken
from broadsheet.access.meter import Meter, section_of, stories_of
from broadsheet.access.rules import Decision, Request, Window
from broadsheet.gate.passes import Grants
from broadsheet.readers.passport import Passport


class Visit:
    """`request`: the facts for the decision, taken `at` this instant. `meter`: a visitor's, None when they bring none.
    `passport`: a reader's. `decision`: set when it is known already. `taken`: what came of the count, if there was
    one. `grants`: the grant cookie to be set.
    """

    decision: Decision | None = None
    taken: Taken | None = None
    grants: Grants | None = None

    def __init__(
        self, request: Request, span: Window, at: datetime, meter: Meter | None = None, passport: Passport | None = None
    ) -> None:
        self.request = request
        self.window = span
        self.at = at
        self.meter = meter
        self.passport = passport


def in_section(reads: tuple[int, ...], read: int) -> int:
    """How many of `reads` lie in the section of `read`."""
    section = section_of(read)
    return sum([section_of(other) == section for other in reads])


def as_it_turned_out(request: Request, taken: Taken, limit: int) -> Request:
    """The request's facts with what whoever counts said: theirs hold against a cookie that knew less."""
    verdict = taken.verdict
    if verdict == "repeat":
        return request._replace(seen=stories_of(taken.reads))
    if verdict == "limit":
        return request._replace(used=max(limit, len(taken.reads)))
    if verdict == "section_limit":
        return request._replace(section_used=max(limit, len(taken.reads)))
    if verdict == "budget":
        return request._replace(may_begin=False)
    return request._replace(countable=False)


def packed(address: str) -> bytes:
    """An address as 4 or 16 bytes; none when it is not one (a Unix socket's peer)."""
    try:
        return inet_pton(AF_INET6 if ":" in address else AF_INET, address.partition("%")[0])
    except (OSError, ValueError):
        return b""


def instant(seconds: int) -> datetime:
    """Unix seconds as an aware instant."""
    return datetime.fromtimestamp(seconds, UTC)

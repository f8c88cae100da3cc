"""`/me.json`: the personal words of a page, so that the page itself needs none and stays the same for everybody."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from broadsheet.gate.answers import PRIVATE, SECURITY_HEADERS, Answer, Needs, head, plain
from broadsheet.gate.asked import Asked
from broadsheet.gate.told import Told
from broadsheet.readers.passport import Passport

if TYPE_CHECKING:
    from broadsheet.gate.app import Gate

_YOUNG = 5.0  # seconds: another worker may have counted since


def personal_words(gate: Gate, asked: Asked, told: Told, now: datetime) -> Answer | Needs:
    if asked.method not in ("GET", "HEAD"):
        return plain(405, extra=[("Allow", "GET, HEAD")])
    passport = gate.passport_of(asked, now, told)
    if isinstance(passport, Needs):
        return passport
    policy = gate.policy
    subscriber = passport is not None and _holds(passport, "unlimited", now)
    if passport is None:
        reads, limit = gate.reads_in(asked.meter, now), policy.free_limit
        meter, _ = gate.open_meter(asked.meter, now)
        code = gate.recorder.who_of_meter(meter.id).hex() if meter else ""
    else:
        reads, limit = (), policy.registered_limit
        code = gate.recorder.who_of_reader(passport.reader).hex()
        if not subscriber:
            known = gate.reads_of(passport.reader, now, _YOUNG)
            if known is None:
                return Needs("reads", (passport.reader,))
            reads = known[1]
    body = json.dumps(
        {
            "signed_in": passport is not None,
            "name": passport.name if passport else "",
            "staff": bool(passport and passport.staff),
            "subscriber": subscriber,
            "read": len(reads),
            "limit": limit,
            "left": max(0, limit - len(reads)),
            "window": policy.window,
            "code": code,
        },
        ensure_ascii=False,
    ).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Cache-Control", PRIVATE)]
    answer = Answer(head(200, [*headers, *SECURITY_HEADERS]), body)
    if told.issued is not None:
        answer.add("Set-Cookie", gate.passport_cookie(told.issued))
    return answer


def _holds(passport: Passport, product: str, now: datetime) -> bool:
    at = now.timestamp()
    return any(r.product == product and r.start <= at and (r.end is None or at < r.end) for r in passport.rights)

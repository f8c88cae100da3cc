"""`/me.json`: the personal words of a page, so that the page itself needs none and stays the same for everybody."""

from __future__ import annotations

import json
from datetime import datetime

from broadsheet.access.rules import Policy
from broadsheet.gate.answers import PRIVATE, SECURITY_HEADERS, Answer, head
from broadsheet.readers.passport import Passport

YOUNG = 5.0  # seconds for which a reader's count is shown from memory: another worker may have counted since


def personal_words(passport: Passport | None, read: int, policy: Policy, code: str, now: datetime) -> Answer:
    """`read`: stories read in the window; `code`: under which the support desk finds this reader's decisions."""
    limit = policy.registered_limit if passport else policy.free_limit
    body = json.dumps(
        {
            "signed_in": passport is not None,
            "name": passport.name if passport else "",
            "staff": bool(passport and passport.staff),
            "subscriber": is_subscriber(passport, now),
            "read": read,
            "limit": limit,
            "left": max(0, limit - read),
            "window": policy.window,
            "code": code,
        },
        ensure_ascii=False,
    ).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Cache-Control", PRIVATE)]
    return Answer(head(200, [*headers, *SECURITY_HEADERS]), body)


def is_subscriber(passport: Passport | None, now: datetime) -> bool:
    """Whether the reader has a live right to read without the meter."""
    at = now.timestamp()
    return passport is not None and any(
        right.product == "unlimited" and right.start <= at and (right.end is None or at < right.end)
        for right in passport.rights
    )

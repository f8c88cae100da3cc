"""What the gate decided and recorded, said so that a support person can read it to a caller."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from broadsheet.access import recall
from broadsheet.access.queries import policy_at
from broadsheet.access.records import NOBODY, Record
from broadsheet.access.replay import decide_again
from broadsheet.access.rules import Body, Policy, Principal, Surface
from broadsheet.dates import rfc3339
from broadsheet.desk.policy import RULES
from broadsheet.newsroom.queries import cards_by_id
from broadsheet.press.queries import window_words

MOST: Final = 100
_BY_METER: Final = ("meter", "repeat", "limit", "section_limit", "not_a_read", "meter_away", "budget")
_VERDICTS: Final = {Body.FULL: "let in", Body.WALL: "stopped", Body.NONE: "nothing to read"}
_WHO: Final = {
    Principal.VISITOR: "a visitor without an account",
    Principal.REGISTERED: "a reader with an account",
    Principal.STAFF: "staff",
}
_OPENS: Final = {
    "premium": "A subscription with premium stories, or a gift link to this story.",
    "register": "A free account.",
    "login": "A free account.",
    "budget": "A free account: accounts do not depend on the network.",
    "section_limit": "A subscription, or a new window of the meter; stories of other sections still open.",
    "meter_away": "To load the page again in a minute. Subscribers were not affected.",
    "not_a_read": "To open the page in the ordinary way, not as a preview.",
    "surface": "To open the story's own page.",
}


class CodeError(ValueError):
    """What was given as a reader code is none."""


@dataclass(frozen=True, slots=True)
class Told:
    """One recorded decision in words. `code` is "" when nobody was recognisable."""

    record: Record
    headline: str
    verdict: str
    rule: str
    inputs: tuple[str, ...]
    opens: str

    @property
    def at(self) -> datetime:
        return self.record.instant

    @property
    def code(self) -> str:
        return code_of(self.record.who)


def who_of_code(code: str) -> bytes:
    """The digest behind a reader code, however it was spelled over the telephone."""
    text = code.replace(" ", "").replace("-", "").lower()
    try:
        who = bytes.fromhex(text)
    except ValueError:
        who = b""
    if len(who) != len(NOBODY):
        raise CodeError("A reader code has 16 characters: digits and the letters a to f.")
    return who


def code_of(who: bytes) -> str:
    """`1a2b 3c4d 5e6f 7081`: as a caller reads it out."""
    return "" if who == NOBODY else who.hex(" ", 2)


def recorded(
    *, folder: Path, who: bytes | None, story: int | None, since: datetime, until: datetime, most: int = MOST
) -> Sequence[Told]:
    """The newest recorded decisions on one reader or meter, one story, or both; the newest first."""
    rows = heapq.nlargest(most, recall.read(folder, since, until, who, story), key=lambda record: record.at)
    return in_words(rows)


def in_words(rows: Iterable[Record]) -> Sequence[Told]:
    rows = list(rows)
    cards = cards_by_id({record.story for record in rows})
    policies = lru_cache(maxsize=None)(policy_at)
    return [
        Told(
            record,
            cards[record.story].headline if record.story in cards else f"Story {record.story}",
            _VERDICTS[record.body],
            RULES[record.reason],
            tuple(_inputs(record, policies(record.revision))),
            _opens(record, policies(record.revision)),
        )
        for record in rows
    ]


def _inputs(record: Record, policy: Policy | None) -> Iterable[str]:
    """What the decision looked at, in the order in which it asks."""
    yield _WHO[record.principal]
    yield f"a {record.tier.value} story{', opened to everyone by the desk' if record.emergency_free else ''}"
    if record.rights:
        yield f"subscription to {' and '.join(record.rights)}"
    elif record.principal is Principal.REGISTERED and record.body is Body.WALL:
        yield "no subscription that opens it"
    if record.seat:
        yield f"an institution's seat for {' and '.join(record.seat)}"
    if record.gift:
        yield "held a gift of this story"
    if record.reason in _BY_METER:
        yield _count(record, policy)
    if not record.real_read:
        yield "not a person's page view (a preview, a check or a program)"
    if record.surface is not Surface.PAGE:
        yield "not the story's own page"
    yield _revision(record, policy)


def _count(record: Record, policy: Policy | None) -> str:
    window = window_words(policy.window) if policy else "in the window"
    if record.reason == "meter":
        return f"number {record.used + 1} of {record.limit} stories {window}"
    told = f"{record.used} of {record.limit} read {window}"
    return f"{told}, {record.section_used} of them in this section" if record.reason == "section_limit" else told


def _revision(record: Record, policy: Policy | None) -> str:
    name = f"policy revision {record.revision}" if record.revision else "the policy of the options"
    if policy is None:
        return f"{name}, which is not known here"
    # The options are not kept: what they said then may be another thing than what they say now.
    same = decide_again(policy, record).reason == record.reason
    return name if same else f"{name}, which has been changed since"


def _opens(record: Record, policy: Policy | None) -> str:
    if record.body is not Body.WALL:
        return ""
    if record.reason != "limit":
        return _OPENS.get(record.reason, "A subscription.")
    more = policy.registered_limit - record.limit if policy and record.principal is Principal.VISITOR else 0
    account = f"a free account ({more} more stories), " if more > 0 else ""
    text = f"{account}a subscription, or waiting for a new window of the meter."
    return f"{text[0].upper()}{text[1:]}"


def as_values(told: Told) -> dict[str, Any]:
    """One JSON object of `broadsheet why`."""
    record = told.record
    return {
        "at": rfc3339(record.instant),
        "code": told.code,
        "story": record.story,
        "headline": told.headline,
        "body": record.body.value,
        "reason": record.reason,
        "rule": told.rule,
        "inputs": list(told.inputs),
        "would_open": told.opens,
        "tier": record.tier.value,
        "principal": record.principal.value,
        "read": record.used,
        "limit": record.limit,
        "policy_revision": record.revision,
    }

"""Why was this reader stopped, or let in? The same decision, asked with the same facts, and said in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings

from broadsheet.access.meter import MeterSeal, meter_seal, section_code, section_of, stories_of
from broadsheet.access.queries import current_policy, live_grants, running_reads
from broadsheet.access.rules import Policy, Principal, Request, Right, State, Story, Tier, decide, window
from broadsheet.dates import rfc3339
from broadsheet.newsroom.queries import story_facts
from broadsheet.readers.queries import ReaderCard, reader_by_email


def _read(reads: Iterable[int], section: str) -> dict[str, Any]:
    """What a meter holds, as the request's facts: the stories, and how many of them are of this section."""
    reads = list(reads)
    code = section_code(section)
    return {"seen": stories_of(reads), "section_used": sum(section_of(read) == code for read in reads)}


def _as_reader(reader: ReaderCard, section: str, policy: Policy, now: datetime) -> Request:
    rights = tuple(Right(row.product, row.starts_at, row.ends_at) for row in live_grants(reader.id, now))
    principal = Principal.STAFF if reader.staff else Principal.REGISTERED
    return Request(principal, rights, **_read(running_reads(reader.id, policy, now)[2], section))


def _seal() -> MeterSeal:
    secret, *older = settings.BROADSHEET_SECRETS
    return meter_seal(secret, settings.BROADSHEET.public_host, *older)


def _as_visitor(cookie: str, section: str, policy: Policy, now: datetime) -> tuple[Request, str]:
    meter = _seal().open(cookie) if cookie else None
    if meter is None:
        return Request(), "not ours, edited or of another site" if cookie else "none"
    if window(policy, now, meter.first_read_at).name != meter.window:
        return Request(), f"of window {meter.window}, which is over"
    return Request(**_read(meter.reads, section)), f"of window {meter.window}"


def explain(*, story_id: int, email: str | None, cookie: str, now: datetime) -> dict[str, Any]:
    """The decision on a page view of this story, its rule, and every input it had. JSON values."""
    facts = story_facts(story_id)
    section = facts.section if facts else ""
    story = Story(facts.id, Tier(facts.tier), State(facts.state), facts.emergency_free, section) if facts else None
    policy = current_policy()
    reader = reader_by_email(email) if email else None
    meter = None
    if reader:
        request = _as_reader(reader, section, policy, now)
    else:
        request, meter = _as_visitor(cookie, section, policy, now)
    decision = decide(policy, story, request, now)
    return {
        "story": story_id,
        "at": rfc3339(now),
        "body": decision.body.value,
        "status": decision.status,
        "reason": decision.reason,
        "wall": decision.wall.value if decision.wall else None,
        "would_count": decision.counts,
        "tier": facts.tier if facts else None,
        "state": facts.state if facts else None,
        "reader": reader.email if reader else None,
        "reader_known": reader is not None if email else None,
        "rights": [
            {"product": r.product, "start": rfc3339(r.start), "end": rfc3339(r.end) if r.end else None}
            for r in request.rights
        ],
        "meter_cookie": meter,
        "stories_read": sorted(request.seen),
        "limit": decision.limit,
        "read_in_section": request.section_used,
        "section_limit": policy.section_limits.get(section),
        "policy_revision": policy.revision,
        "emergency": policy.emergency,
    }

"""Why was this reader stopped, or let in? The same decision, asked with the same facts, and said in words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from broadsheet.access.meter import meter_seal
from broadsheet.access.queries import current_policy, live_grants, running_reads
from broadsheet.access.rules import Principal, Request, Right, State, Story, Tier, decide, window
from broadsheet.dates import rfc3339
from broadsheet.newsroom.queries import story_facts
from broadsheet.readers.queries import reader_by_email


def _as_reader(reader_id: int, now: datetime) -> Request:
    rights = tuple(Right(row.product, row.starts_at, row.ends_at) for row in live_grants(reader_id, now))
    seen = running_reads(reader_id, current_policy(), now)[2]
    return Request(Principal.REGISTERED, rights, seen)


def _as_visitor(cookie: str, now: datetime) -> tuple[Request, str]:
    policy = current_policy()
    meter = meter_seal(settings.BROADSHEET_SECRET, settings.BROADSHEET.public_host).open(cookie) if cookie else None
    if meter is None:
        return Request(), "not ours, edited or of another site" if cookie else "none"
    if window(policy, now, meter.first_read_at).name != meter.window:
        return Request(), f"of window {meter.window}, which is over"
    return Request(seen=frozenset(meter.stories)), f"of window {meter.window}"


def explain(*, story_id: int, email: str | None, cookie: str, now: datetime) -> dict[str, Any]:
    """The decision on a page view of this story, its rule, and every input it had. JSON values."""
    facts = story_facts(story_id)
    story = Story(facts.id, Tier(facts.tier), State(facts.state), facts.emergency_free) if facts else None
    reader = reader_by_email(email) if email else None
    meter = None
    if reader:
        request = _as_reader(reader.id, now)
    else:
        request, meter = _as_visitor(cookie, now)
    decision = decide(current_policy(), story, request, now)
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
    }

"""A story as an app's reader may have it: through the one decision, counted like a page that was opened."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from broadsheet.access.actions import count_read
from broadsheet.access.book import Taken
from broadsheet.access.meter import pack, section_code, stories_of
from broadsheet.access.queries import asking, current_policy, running_reads
from broadsheet.access.rules import Body, Decision, Policy, Request, Story, Surface, Tier, decide
from broadsheet.account.actions import story_to_decide
from broadsheet.api import shapes
from broadsheet.api.queries import Caller
from broadsheet.gate.visit import as_it_turned_out, in_section
from broadsheet.newsroom.queries import full_story, public_story


def decision_for(caller: Caller | None, story: Story | None, *, real: bool, now: datetime) -> Decision:
    """What this reader may have of a story now; where that is a read of the meter's, it is counted before anything is
    handed out. `caller` None: nobody, or an app that may not read in its reader's name."""
    policy = current_policy()
    if caller is None:
        return decide(policy, story, Request(real_read=False, surface=Surface.OTHER), now)
    request = asking(caller.reader, now)._replace(surface=Surface.PAGE, real_read=real)
    first = decide(policy, story, request, now)
    if story is None or story.tier is not Tier.METERED or (first.body is Body.FULL and not first.counts):
        return first
    return _metered(policy, caller.reader, story, request, now)


def _metered(policy: Policy, reader: int, story: Story, request: Request, now: datetime) -> Decision:
    span, _, reads = running_reads(reader, policy, now)
    read = pack(story.id, section_code(story.section))
    used = in_section(tuple(reads), read) if policy.section_limits else 0
    request = request._replace(seen=stories_of(reads), section_used=used)
    decision = decide(policy, story, request, now)
    if not decision.counts:
        return decision
    ceiling = policy.section_limits.get(story.section)
    verdict, counted = count_read(
        reader_id=reader, window=span.name, read=read, limit=decision.limit, section_limit=ceiling, now=now
    )
    if verdict == "ok":
        return decision._replace(used=decision.used + 1)
    return decide(policy, story, as_it_turned_out(request, Taken(verdict, counted), decision.limit), now)


def story_values(caller: Caller | None, story_id: int, *, real: bool, now: datetime) -> tuple[Decision, Any]:
    """The decision, and the story as JSON values; None where there is nothing to show."""
    decision = decision_for(caller, story_to_decide(story_id), real=real, now=now)
    if decision.body is Body.NONE:
        return decision, None
    if decision.body is Body.FULL:
        full = full_story(story_id)
        public, body = (full.public, full.body_html) if full else (None, None)
    else:
        public, body = public_story(story_id), None
    if public is None:  # it went this very moment
        return Decision(Body.NONE, 404, "unknown", decision.cache), None
    access = {
        "variant": "full" if body is not None else "wall",
        "reason": decision.reason,
        "limit": decision.limit or None,
        "used": decision.used if decision.limit else None,
    }
    return decision, {**shapes.public_story(public), "access": access, "body_html": body, "wall": shapes.wall(decision)}

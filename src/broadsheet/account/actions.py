"""Gift links, which need both sides: the newsroom says what a story is, access says who may read and give it."""

from __future__ import annotations

from datetime import datetime

from broadsheet.access import actions as access
from broadsheet.access import queries
from broadsheet.access.queries import GiftRow
from broadsheet.access.rules import State, Story, Tier
from broadsheet.newsroom.queries import story_facts


def story_to_decide(story_id: int) -> Story | None:
    """A story as the access decision knows it; None when there never was one."""
    facts = story_facts(story_id)
    if facts is None:
        return None
    return Story(facts.id, Tier(facts.tier), State(facts.state), facts.emergency_free, facts.section)


def give_story(*, reader_id: int, story_id: int, now: datetime) -> GiftRow:
    """The reader's gift of this story, made now or standing. access.actions.GiftRefusedError says why there is none."""
    return access.give_story(reader_id=reader_id, story=story_to_decide(story_id), now=now)


def open_gift(*, token: str, now: datetime) -> dict[str, int] | None:
    """What a gift link opens: `{"gift", "story", "until"}`, Unix seconds. None when it opens nothing now.

    It only looks: what a bot opens to draw a preview of uses no device up.
    """
    story_id = queries.story_of_gift(token)
    story = story_to_decide(story_id) if story_id is not None else None
    found = queries.open_gift(token, story, now) if story is not None else None
    return {"gift": found[0], "story": story.id, "until": found[1]} if story and found else None


def use_gift(*, gift: int, story: int, device: str, now: datetime) -> int:
    """Open a gift on a device: until when in Unix seconds, 0 when it is refused."""
    return access.use_gift(gift_id=gift, story=story_to_decide(story), device=device, now=now)

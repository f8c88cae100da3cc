"""Which published stories name an instrument: follows the newsroom, and can be made anew at any time."""

from __future__ import annotations

from django.db import transaction

from broadsheet.markets.models import Instrument, StoryLink
from broadsheet.newsroom.queries import instruments_of, published_ids

_BATCH = 500


@transaction.atomic
def link_story(*, story_id: int) -> None:
    """Make the links of a story what its tags say now; none when it is not published."""
    told = instruments_of(story_id)
    at, codes = told or (None, ())
    wanted = set(Instrument.objects.filter(code__in=codes).values_list("pk", flat=True)) if codes else set()
    StoryLink.objects.filter(story_id=story_id).exclude(instrument__in=wanted).delete()
    for number in wanted:
        StoryLink.objects.update_or_create(story_id=story_id, instrument_id=number, defaults={"published_at": at})


def link_all() -> int:
    """Go through the whole paper; returns how many stories. For a paper that had stories before it had markets."""
    after = done = 0
    while ids := published_ids(after, _BATCH):
        for story_id in ids:
            link_story(story_id=story_id)
        after, done = ids[-1], done + len(ids)
    return done

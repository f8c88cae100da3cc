"""Keeps the indexes and the calendar in step with what is published. Any of these may run twice, or twice at once."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from django.conf import settings
from django.db import transaction

from broadsheet import clock
from broadsheet.archive import rules
from broadsheet.archive.events import IndexLost
from broadsheet.archive.models import Day, Pending
from broadsheet.archive.queries import open_from, recent_index, search_index
from broadsheet.bus.actions import emit
from broadsheet.bus.queries import is_waiting
from broadsheet.dates import day_start, local_date
from broadsheet.newsroom.queries import (
    count_between,
    public_words,
    published_ids,
    published_ids_since,
    published_times,
)
from broadsheet.newsroom.values import PublicWords

log = logging.getLogger(__name__)

BATCH = 500
_MANY = 5000  # notes above which building anew is the shorter way


def note(*, story_id: int) -> None:
    """Write down that a story changed, for the next write_pending()."""
    Pending.objects.create(story_id=story_id)


def note_many(*, story_ids: Iterable[int]) -> None:
    """The same for many; in the caller's transaction."""
    Pending.objects.bulk_create(Pending(story_id=story_id) for story_id in story_ids)


def is_pressing() -> bool:
    """Whether the notes should not wait for more: a new paper has no index yet, or an import has left hundreds."""
    return not search_index().exists() or Pending.objects.count() >= BATCH


def write_pending() -> None:
    """Bring every noted story into the index, many in one commit; the newsroom says which of them are published.

    While the index is being built anew the notes stay: whoever builds it takes them in afterwards.
    """
    index = search_index()
    # Looked at again after the lock is released: a note that came too late for one writer finds the next.
    while Pending.objects.exists():
        with index.locked("build", wait=False) as free:
            if not free:
                return
            if not index.exists() or Pending.objects.all()[_MANY : _MANY + 1].exists():
                _build()
            _take_in_pending()


def rebuild() -> int:
    """Build the index anew from all published stories. Returns how many; 0 when somebody else is at it already."""
    with search_index().locked("build", wait=False) as free:
        if not free:
            return 0
        count = _build()
        _take_in_pending()
    write_pending()
    return count


def turn_window() -> None:
    """Build the index of the open days anew when they have moved on, or when there is none."""
    first = open_from(clock.now())
    if first is None or (recent_index().label() == str(first) and recent_index().exists()):
        return
    with search_index().locked("build", wait=False) as free:
        if free:
            _build_recent(first)


def report_lost(*, reason: str, handler: str, now: datetime) -> None:
    """Ask for a rebuild in the background, once."""
    if not is_waiting(handler, now):
        log.warning("The search index is rebuilt: %s", reason)
        with transaction.atomic():
            emit(IndexLost(reason[:200]))


def _build() -> int:
    """Everything anew, from one walk through the paper. What is noted on the way is looked at again after it."""
    last = Pending.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    days: Counter[date] = Counter()
    count = search_index().replace(_all_words(days))
    _keep_days(days)
    first = open_from(clock.now())
    if first is not None:
        _build_recent(first)
    Pending.objects.filter(pk__lte=last).delete()
    return count


def _all_words(days: Counter[date]) -> Iterator[Sequence[PublicWords]]:
    after, zone = 0, settings.BROADSHEET.zone
    while ids := published_ids(after, BATCH):
        words = list(public_words(ids).values())
        days.update(local_date(one.published_at, zone) for one in words)
        yield words
        after = ids[-1]


def _build_recent(first: date) -> None:
    def batches() -> Iterator[Sequence[PublicWords]]:
        start, after = day_start(first, settings.BROADSHEET.zone), 0
        while rows := published_ids_since(start, after, BATCH):
            yield list(public_words([story for _, story in rows]).values())
            after = rows[-1][1]

    recent_index().replace(batches(), str(first))


def _keep_days(days: Counter[date]) -> None:
    with transaction.atomic():
        Day.objects.all().delete()
        Day.objects.bulk_create((Day(day=day, stories=count) for day, count in days.items()), batch_size=2000)


def _take_in_pending() -> None:
    while rows := list(Pending.objects.order_by("pk")[:BATCH]):
        ids = {row.story_id for row in rows}
        words = public_words(ids)
        search_index().update(words.values(), ids - words.keys())
        _take_in_recent(words, ids)
        _count_days(published_times(ids).values())
        Pending.objects.filter(pk__in=[row.pk for row in rows]).delete()


def _take_in_recent(words: dict[int, PublicWords], ids: set[int]) -> None:
    """Into the index of the open days what stands in them. One that is lost or too old is built anew by its own job."""
    recent, first = recent_index(), open_from(clock.now())
    if first is None or not recent.exists():
        return
    start = day_start(first, settings.BROADSHEET.zone)
    inside = {story: one for story, one in words.items() if one.published_at >= start}
    recent.update(inside.values(), ids - inside.keys())


def keep_day(*, day: date, stories: int) -> None:
    """Write down how many stories a day has."""
    Day.objects.update_or_create(day=day, defaults={"stories": stories})


def _count_days(times: Iterable[datetime]) -> None:
    """Count the days of these instants anew: each is one look at an index."""
    zone = settings.BROADSHEET.zone
    for day in {local_date(at, zone) for at in times}:
        keep_day(day=day, stories=count_between(*rules.day_span(day, zone)))

"""Keeps the index in step with what is published. Any of these may run twice, or twice at once."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import transaction

from broadsheet.archive.events import IndexLost
from broadsheet.archive.models import Pending
from broadsheet.archive.queries import search_index
from broadsheet.bus.actions import emit
from broadsheet.bus.queries import is_waiting
from broadsheet.newsroom.queries import public_words, published_ids
from broadsheet.newsroom.values import PublicWords

log = logging.getLogger(__name__)

BATCH = 500


def note(*, story_id: int) -> None:
    """Write down that a story changed, for the next write_pending()."""
    Pending.objects.create(story_id=story_id)


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
            if not index.exists():
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


def report_lost(*, reason: str, handler: str, now: datetime) -> None:
    """Ask for a rebuild in the background, once."""
    if not is_waiting(handler, now):
        log.warning("The search index is rebuilt: %s", reason)
        with transaction.atomic():
            emit(IndexLost(reason[:200]))


def _build() -> int:
    return search_index().replace(_all_words())


def _all_words() -> Iterator[Sequence[PublicWords]]:
    after = 0
    while ids := published_ids(after, BATCH):
        yield list(public_words(ids).values())
        after = ids[-1]


def _take_in_pending() -> None:
    while rows := list(Pending.objects.order_by("pk")[:BATCH]):
        ids = {row.story_id for row in rows}
        words = public_words(ids)
        search_index().update(words.values(), ids - words.keys())
        Pending.objects.filter(pk__in=[row.pk for row in rows]).delete()

"""Periodic jobs of the wire: the folder watch, files a crash left unread, embargoes that are over."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from broadsheet import clock
from broadsheet.newsroom.events import StoryPublished
from broadsheet.wire import actions, incoming, queries
from broadsheet.wire.parse import read_limited

UNREAD_AFTER = timedelta(minutes=1)
_log = logging.getLogger(__name__)
_seen: dict[Path, tuple[int, int]] = {}


def wire_folder() -> Path:
    """Where `incoming`, `done`, `quarantine` and `sources.toml` lie."""
    return Path(settings.BROADSHEET.data) / "wire"


def watch_incoming() -> int:
    """Take in what lies ready in the incoming folder; one bad file never stops the others. Returns how many it took."""
    folder = wire_folder() / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    paths = incoming.ready(folder, _seen)
    if not paths:
        return 0
    # The demo has no desk to wait for; any other paper says in sources.toml what may go out unseen.
    rules = incoming.read_sources(wire_folder() / "sources.toml") or {"default": {"publish": settings.BROADSHEET.demo}}
    taken = 0
    for path in paths:
        try:
            _take(path, incoming.source_of(path, folder, rules))
            taken += 1
        except Exception:  # noqa: BLE001 - see the docstring
            _log.exception("Taking in %s failed; it stays and is tried again.", path)
    return taken


def _take(path: Path, source: incoming.Source) -> None:
    now = clock.now()
    received = actions.receive(
        file_name=path.name,
        content=read_limited(path),
        source=source.name,
        publish=source.publish,
        tier=source.tier,
        now=now,
    )
    filed = actions.process(raw_id=received.raw_id, now=now) if received.fresh else []
    bad = any(entry.status == "quarantined" for entry in filed)
    incoming.put_away(path, wire_folder() / ("quarantine" if bad else "done"))


def read_unread() -> int:
    """Read files that were stored and, after a crash, never read. Returns how many."""
    now = clock.now()
    ids = queries.unread(received_before=now - UNREAD_AFTER)
    for raw_id in ids:
        try:
            actions.process(raw_id=raw_id, now=now)
        except Exception:  # noqa: BLE001 - the next file must be read
            _log.exception("Reading raw message %s failed; it is tried again.", raw_id)
    return len(ids)


def note_published(event: StoryPublished) -> None:
    """On StoryPublished: a wire draft that an editor published leaves the list of what waits."""
    actions.note_published(story_id=event.story_id)


def release_embargoes() -> int:
    """Publish what an embargo held and nothing else does. Returns how many were published."""
    now = clock.now()
    return sum(actions.release_embargo(version_id=version_id, now=now) for version_id in queries.embargoes_over(now))

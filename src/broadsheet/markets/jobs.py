"""Background entries of the markets: the folder watch, the feed, alerts, links of stories, snapshots."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from broadsheet import clock
from broadsheet.bus.actions import announce, remember
from broadsheet.bus.queries import standing
from broadsheet.dates import local_date, parse_instant, rfc3339
from broadsheet.markets import folder, fronts, sessions
from broadsheet.markets.actions import alerts, imports, snapshots, stories
from broadsheet.markets.actions.imports import Report
from broadsheet.markets.actions.known import calendar
from broadsheet.markets.adapters.feed import FeedError, fetch
from broadsheet.markets.events import AlertsFired, PricesImported
from broadsheet.newsroom.events import StoryPublished, StoryRemoved
from broadsheet.wire.incoming import put_away, ready

FEED = "markets_feed"
LATE = "markets_late"
BACK_OFF = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
_log = logging.getLogger(__name__)
_seen: dict[Path, tuple[int, int]] = {}


def markets_folder() -> Path:
    """Where `incoming`, `done` and `refused` lie."""
    return Path(settings.BROADSHEET.data) / "markets"


def watch_incoming() -> int:
    """Take in what lies ready in the incoming folder; one bad file never stops the others. Returns how many it took."""
    incoming = markets_folder() / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    taken = 0
    for path in ready(incoming, _seen):
        try:
            reports = imports.take_file(
                name=path.name, data=folder.read_limited(path), now=clock.now(), came_by="folder"
            )
            refused = [report for report in reports if report.status == "refused"]
            put_away(path, markets_folder() / ("refused" if refused else "done"))
            for report in refused:
                _log.warning("%s was refused: %s", report.file, report.detail)
            taken += 1
        except Exception:  # noqa: BLE001 - see the docstring
            _log.exception("Taking in %s failed; it stays and is tried again.", path)
    if taken:
        snapshots.refresh_stale()
    return taken


def watch_lateness() -> bool:
    """Have the front printed anew when prices have become late or have come; returns whether it was."""
    state = {"missing": [str(part) for part in fronts.missing(clock.now()) or ()]}
    if state == (standing(LATE) or {"missing": []}):
        return False
    with transaction.atomic():
        remember(LATE, state)
        announce("page", "/investor/")
    return True


def refresh_stale() -> int:
    """Compute the snapshots of instruments whose older prices changed."""
    return snapshots.refresh_stale()


def fetch_feed() -> Report | None:
    """Ask the feed when it is due; after a failure later and later, on the same day. None when nothing was fetched."""
    options = settings.BROADSHEET
    if not options.markets_feed_url:
        return None
    now = clock.now()
    state: dict[str, Any] = standing(FEED) or {}
    if not is_due(state, now, options.markets_feed_hour):
        return None
    return ask_feed(now, state)


def is_due(state: dict[str, Any], now: datetime, hour: int) -> bool:
    """Whether the feed should be asked: a market day, late enough, not had yet, and not in a pause after a failure."""
    today = local_date(now, sessions.EXCHANGE_ZONE)
    if now.astimezone(sessions.EXCHANGE_ZONE).hour < hour or state.get("had") == today.isoformat():
        return False
    if not sessions.is_market_day(today, calendar("NSE", today.year)):
        return False
    return not state.get("again") or parse_instant(state["again"]) <= now


def ask_feed(now: datetime, state: dict[str, Any]) -> Report | None:
    """Ask the feed now, take in what it says, and keep what became of it for the desk."""
    options = settings.BROADSHEET
    today = local_date(now, sessions.EXCHANGE_ZONE).isoformat()
    failures = int(state.get("failures", 0)) if state.get("day") == today else 0
    report, problem = None, ""
    try:
        data = fetch(options.markets_feed_url, options.markets_feed_key)
    except FeedError as error:
        problem = str(error)
    else:
        [report, *_] = imports.take_file(name=f"feed-{today}.json", data=data, now=now, came_by="feed")
        if report.status == "refused":
            problem = report.detail
        elif report.status == "duplicate" or report.day is None or report.day.isoformat() != today:
            problem = "the feed has no prices of today yet"
    failures = failures + 1 if problem else 0
    again = rfc3339(now + BACK_OFF[min(failures, len(BACK_OFF)) - 1]) if problem else ""
    had = state.get("had", "") if problem else today
    remember(
        FEED,
        {"day": today, "had": had, "at": rfc3339(now), "problem": problem[:300], "failures": failures, "again": again},
    )
    if problem:
        _log.warning("The feed of prices: %s", problem)
    return report


def fire_alerts(event: PricesImported) -> None:
    """On PricesImported: fire what readers wait for."""
    alerts.fire_alerts(day=date.fromisoformat(event.day), now=clock.now())


def mail_alerts(event: AlertsFired) -> None:
    """On AlertsFired: the letter to one reader."""
    alerts.send_alerts(
        reader_id=event.reader_id, alert_ids=event.alert_ids, day=date.fromisoformat(event.day), now=clock.now()
    )


def link_story(event: StoryPublished) -> None:
    """On StoryPublished: the story stands with the instruments it names."""
    stories.link_story(story_id=event.story_id)


def unlink_story(event: StoryRemoved) -> None:
    """On StoryRemoved: and no longer."""
    stories.link_story(story_id=event.story_id)

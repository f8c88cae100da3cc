"""Background entries: each night, and after each publication, a look at the paper from outside.

A publication's look is short and runs in a thread of this process; the night's is long and runs in a process of its
own, at the lowest priority. Both ask slowly enough that no reader notices.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time

from django.conf import settings
from django.db import connection

from broadsheet import clock
from broadsheet.leakcheck import actions, queries, rules
from broadsheet.leakcheck.looking import look_and_tell
from broadsheet.newsroom.events import StoryPublished

log = logging.getLogger(__name__)
MOST_AT_ONCE = 25  # stories in one look after publications
REST = 30.0  # seconds between two looks: a paper that publishes all day is not looked at all day
_looking = threading.Lock()
_ended = [float("-inf")]


def note_published(event: StoryPublished) -> None:
    if settings.BROADSHEET.leakcheck in ("on", "publish"):
        actions.note_published(story_id=event.story_id, now=clock.now())


def look_at_published() -> None:
    """Start to look at what was published a few seconds ago, unless a look is under way."""
    if settings.BROADSHEET.leakcheck not in ("on", "publish") or time.monotonic() < _ended[0] + REST:
        return
    if not _looking.acquire(blocking=False):
        return
    stories = actions.take_due(now=clock.now() - rules.AFTERTHOUGHT, most=MOST_AT_ONCE)
    if not stories:
        _looking.release()
        return
    threading.Thread(target=_look, args=(stories,), name="leakcheck", daemon=True).start()


def _look(stories: list[int]) -> None:
    try:
        look_and_tell("publish", stories=stories)
    except Exception:
        log.exception("The look after a publication failed.")
    finally:
        connection.close()
        _ended[0] = time.monotonic()
        _looking.release()


def look_at_night() -> None:
    """Start the night's run when its hour has come."""
    if settings.BROADSHEET.leakcheck not in ("on", "night"):
        return
    if not rules.is_night(clock.now().astimezone(settings.BROADSHEET.zone), queries.last_run("night")):
        return
    command = [sys.executable, "-m", "broadsheet", "--quiet", "leakcheck", "--night"]
    environment = {**os.environ, "BROADSHEET_DATA": str(settings.BROADSHEET.data)}
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)  # noqa: S603 - our own program
    # Somebody has to be told that it ended, or it stays in the table of processes.
    threading.Thread(target=process.wait, name="leakcheck-night", daemon=True).start()

"""The newsroom of the proof: a process with Django up that changes the paper on command and says what it looks like.

Commands are JSON lines on stdin, answers JSON lines on stdout. Run as a script with the paper's environment.
"""

from __future__ import annotations

import json
import sys
import time
from hashlib import blake2b
from typing import Any

from broadsheet.server.setup import start_django

start_django()

from broadsheet import clock  # noqa: E402 - Django first
from broadsheet.access.actions import switch_policy  # noqa: E402
from broadsheet.access.queries import current_policy  # noqa: E402
from broadsheet.bus.actions import run_due_jobs  # noqa: E402
from broadsheet.newsroom import actions as newsroom  # noqa: E402
from broadsheet.newsroom.queries import story_facts  # noqa: E402
from broadsheet.press.actions import print_story  # noqa: E402
from broadsheet.press.queries import stores  # noqa: E402
from broadsheet.readers.actions import ensure_reader  # noqa: E402
from broadsheet.readers.queries import reader_by_email  # noqa: E402

NAMES = ("limit", "limit-signed-in", "register", "subscribe", "gone")
ENCODINGS = ("plain", "gzip", "br")
stories: list[int] = []


def publish(copy: dict[str, Any]) -> int:
    story = newsroom.file_story(copy=newsroom.Copy(**copy), now=clock.now(), publish=True)
    stories.append(story)
    return story


def readers(count: int) -> list[int]:
    made = []
    for number in range(count):
        email = f"reader{number}@prove.example"
        ensure_reader(email=email, now=clock.now())
        made.append(reader_by_email(email).id)
    return made


def paper() -> dict[str, Any]:
    """Every story's state, the policy, and a digest of every printed sheet in every encoding."""
    facts = {story: story_facts(story) for story in stories}
    sheets = []
    for story in stories:
        found = [(name, stores().public.get(f"story/{story}/{name}")) for name in NAMES]
        found.append(("full", stores().full.get(f"story/{story}/full")))
        for name, sheet in found:
            if sheet is not None:
                sheets += [(story, name, encoding, digest(getattr(sheet, encoding))) for encoding in ENCODINGS]
    policy = current_policy()
    return {
        "stories": {story: [fact.path, fact.tier] for story, fact in facts.items()},
        "states": {story: fact.state for story, fact in facts.items()},
        "policy": [policy.free_limit, policy.registered_limit],
        "sheets": sheets,
    }


def digest(body: bytes) -> str:
    return blake2b(body, digest_size=12).hexdigest()


def obey(command: dict[str, Any]) -> Any:
    do = command["do"]
    if do == "publish":
        return publish(command["copy"])
    if do == "fill":
        return [publish(copy) for copy in command["copies"]]
    if do == "correct":
        return newsroom.update_story(story_id=command["story"], copy=newsroom.Copy(**command["copy"]), now=clock.now())
    if do == "kill":
        return newsroom.withdraw_story(story_id=command["story"], reason="A test.", now=clock.now())
    if do == "revive":
        return newsroom.publish_story(story_id=command["story"], now=clock.now())
    if do == "policy":
        switch_policy(values=command["values"], by=None, now=clock.now())
        return None
    if do == "readers":
        return readers(command["count"])
    return None


for line in sys.stdin:
    order = json.loads(line)
    begin = time.time()
    result = obey(order)
    run_due_jobs()
    if order["do"] == "policy":
        for known in stories:
            print_story(known)
    print(json.dumps({"result": result, "begin": begin, **paper()}), flush=True)

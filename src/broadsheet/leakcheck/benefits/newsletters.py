"""A newsletter for subscribers whose issue is premium stories of the scratch paper: its copy in the browser. The mails
themselves are compared word by word in tests/newsletters."""

from __future__ import annotations

from datetime import datetime

from broadsheet.leakcheck.benefits import Address, Filled
from broadsheet.newsletters.actions import issues
from broadsheet.newsletters.jobs import send_due
from broadsheet.newsletters.queries import live_lists
from broadsheet.newsletters.values import Chosen
from broadsheet.newsroom.queries import latest_cards


def fill(twin: str, now: datetime) -> Filled:  # noqa: ARG001 - the twins' stories differ already
    """An issue that has gone out, to nobody."""
    issues.ensure_default_lists()
    paid = [card.id for card in latest_cards(100) if card.tier in ("premium", "metered")][:6]
    one = next(card for card in live_lists() if card.slug == "weekend")
    made = issues.begin_issue(list_id=one.id, by=None, now=now)
    stories = [Chosen(story, whole=True) for story in paid]
    issues.write_issue(issue_id=made, subject="For subscribers", preheader="", intro="", stories=stories)
    issues.schedule(issue_id=made, at=now, now=now)
    send_due()
    return Filled({}, [Address("/newsletters/weekend/1/", "newsletters")])

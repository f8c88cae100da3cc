"""The demo's newsletters: five lists, two of them with issues that went out to the personas. Invented by us."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from broadsheet.demo import rules
from broadsheet.newsletters.actions import issues, signups
from broadsheet.newsletters.queries import live_lists
from broadsheet.newsletters.values import Chosen
from broadsheet.newsroom.queries import latest_cards
from broadsheet.newsroom.values import Card

_WHOLE = 2
_INTRO = (
    "Good morning. Today's first letter is about who pays: for the harbour, for the rains, for the paper in your "
    "hands.\n\nEverything below is invented for this demo paper, the names and the numbers too."
)
_WEEKEND = "Three long reads for a slow morning. The kettle first; none of them is in a hurry."


def furnish(now: datetime) -> None:
    """The lists, the personas on two of them, an issue of each on its way. May be repeated."""
    issues.ensure_default_lists()
    lists = {one.slug: one for one in live_lists()}
    for door in ("reader", "subscriber"):
        who = rules.persona(door)
        if who is not None and who.email:
            signups.choose(email=who.email, list_slugs=["morning-brief", "weekend"], now=now)
    cards = [card for card in latest_cards(60) if card.language == "en"]
    _send(lists["morning-brief"].id, "The morning, in eight stories", _INTRO, cards[:8], now)
    paid = [card for card in cards if card.tier == "premium"] or cards
    _send(lists["weekend"].id, "Three reads for the weekend", _WEEKEND, paid[:3], now)


def _send(list_id: int, subject: str, intro: str, cards: Sequence[Card], now: datetime) -> None:
    if not cards or issues.has_issues(list_id=list_id):
        return
    made = issues.begin_issue(list_id=list_id, by=None, now=now)
    stories = [
        Chosen(card.id, "Our desk has followed this for a month." if place == 1 else "", place < _WHOLE)
        for place, card in enumerate(cards)
    ]
    preheader = cards[0].headline
    issues.write_issue(issue_id=made, subject=subject, preheader=preheader[:150], intro=intro, stories=stories)
    issues.schedule(issue_id=made, at=now, now=now)

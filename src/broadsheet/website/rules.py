"""Which story stands where on a front, and how a page of older stories is addressed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from broadsheet.newsroom.values import Card
from broadsheet.press.values import FrontBlock

HALF_LIFE = timedelta(hours=10)
WITH_PICTURE = 1.25
SECONDS = 4
LATEST = 8
STRIP = 5
# A strip of this many stories takes the width of the page; website/front.html counts the same.
WIDE = 4
OPINION = "opinion"
_CURSOR = re.compile(r"(\d{8}T\d{6})(?:\.(\d{6}))?Z-([1-9]\d{0,17})\Z", re.ASCII)


class Top(NamedTuple):
    lead: Card | None
    seconds: tuple[Card, ...]
    latest: tuple[Card, ...]


def weight(card: Card, now: datetime) -> float:
    """How strongly a story presses to the top: its priority (1 strongest, 9 weakest), halved every ten hours."""
    age = max(now - card.published_at, timedelta())
    return float((10 - min(max(card.priority, 1), 9)) * 0.5 ** (age / HALF_LIFE))


def arrange_top(pool: Sequence[Card], lead: Card | None, pinned: Sequence[Card], now: datetime) -> Top:
    """The top of the front from the newest stories: what editors pinned, then by weight; no story stands twice.

    Opinion has a strip of its own and leads the front only when an editor says so. A lead without a picture must be
    stronger than one with.
    """
    eligible = [card for card in pool if card.section.slug != OPINION]
    if lead is None and eligible:
        lead = max(eligible, key=lambda card: (weight(card, now) * (WITH_PICTURE if card.picture else 1), card.id))
    used = {lead.id} if lead else set()
    seconds = [card for card in _once(pinned) if card.id not in used]
    used |= {card.id for card in seconds}
    rest = sorted(eligible, key=lambda card: (weight(card, now), card.id), reverse=True)
    seconds += take(rest, SECONDS - len(seconds), used)
    return Top(lead, tuple(seconds[:SECONDS]), tuple(take(eligible, LATEST, used)))


def take(cards: Iterable[Card], count: int, used: set[int]) -> list[Card]:
    """The first `count` cards that stand nowhere yet; `used` then holds them too."""
    taken: list[Card] = []
    for card in cards:
        if len(taken) >= count:
            break
        if card.id not in used:
            used.add(card.id)
            taken.append(card)
    return taken


def picture_first(cards: Sequence[Card]) -> list[Card]:
    """A strip opens with a story that has a picture, if one of the first three has; the rest keep their order."""
    drawn = next((card for card in cards[:3] if card.picture), None)
    return [drawn, *(card for card in cards if card.id != drawn.id)] if drawn else list(cards)


def in_rows(blocks: Sequence[FrontBlock]) -> list[FrontBlock]:
    """Strips in the order they are set: two short ones share a row, so the second is brought up to the first."""
    rows: list[FrontBlock] = []
    waiting: int | None = None
    for block in blocks:
        if len(block.cards) >= WIDE:
            rows.append(block)
        elif waiting is None:
            waiting = len(rows)
            rows.append(block)
        else:
            rows.insert(waiting + 1, block)
            waiting = None
    return rows


def _once(cards: Iterable[Card]) -> list[Card]:
    return list({card.id: card for card in cards}.values())


def cursor(card: Card) -> str:
    """The place of a card in its section, as the address of what is older: `20261121T103500Z-812`."""
    at = card.published_at.astimezone(UTC)
    fraction = f".{at.microsecond:06d}" if at.microsecond else ""
    return f"{at:%Y%m%dT%H%M%S}{fraction}Z-{card.id}"


def read_cursor(text: str) -> tuple[datetime, int] | None:
    """The (published_at, id) that `cursor` wrote; None when it wrote no such thing."""
    match = _CURSOR.match(text)
    if match is None:
        return None
    try:
        at = datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return at.replace(microsecond=int(match[2] or 0)), int(match[3])

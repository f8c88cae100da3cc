"""What can be printed, as frozen values: the newsroom's, and what the press adds around them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from broadsheet.ads.values import Frame
from broadsheet.newsroom.values import Card, FullStory, Picture, PublicStory, Section
from broadsheet.subscriptions.cards import PlanCard

__all__ = [
    "Card",
    "Chrome",
    "Front",
    "FrontBlock",
    "FullStory",
    "Picture",
    "PlanCard",
    "PublicStory",
    "Section",
    "SectionFront",
    "WallText",
]


@dataclass(frozen=True, slots=True)
class WallText:
    """One wall: its kind (limit, section, register, subscribe, cookie, away) and the real numbers it states."""

    kind: str
    limit: int
    registered_limit: int
    window: str  # "this month", "this week", "in 30 days"
    signed_in: bool = False
    plans: tuple[PlanCard, ...] = ()


@dataclass(frozen=True, slots=True)
class Chrome:
    """The paper around every page: name, menu, footer, and the edition all printed pages of this state carry."""

    name: str
    tagline: str
    public_url: str
    time_zone: str
    language: str
    edition: int
    sections: tuple[Section, ...] = ()
    footer: tuple[tuple[str, str], ...] = ()  # (title, path) of standing pages
    asset_version: str = ""
    demo: bool = False
    doors: tuple[tuple[str, str], ...] = ()  # (name, path) of what plans include besides stories, where it works
    gifts: bool = False  # full variants lead to the page where a story is given away
    ads: Frame | None = None  # on the variant of a page that carries advertising alone


@dataclass(frozen=True, slots=True)
class FrontBlock:
    """A section's strip on the front."""

    section: Section
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Front:
    """The front page: one lead, seconds beside it, the latest in brief, then the sections."""

    lead: Card | None
    seconds: tuple[Card, ...] = ()
    latest: tuple[Card, ...] = ()
    premium: tuple[Card, ...] = ()
    opinion: tuple[Card, ...] = ()
    blocks: tuple[FrontBlock, ...] = ()
    printed_at: datetime | None = None  # the date line's day


@dataclass(frozen=True, slots=True)
class SectionFront:
    """One page of a section's stories, newest first. Keyset paging: `older_path` is "" on the last page."""

    section: Section
    cards: tuple[Card, ...]
    older_path: str = ""
    first_page: bool = True

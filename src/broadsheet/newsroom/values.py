"""What the newsroom tells others about a story, as frozen values. A public story has no body: a leak into a wall, a
feed or a search index cannot be written. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing or photograph with its words. Sizes in CSS pixels, 0 when unknown."""

    src: str
    alt: str
    caption: str = ""
    credit: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    slug: str
    language: str = "en"
    ads: bool = True  # whether its pages may carry advertising

    @property
    def path(self) -> str:
        return f"/{self.slug}/"


@dataclass(frozen=True, slots=True)
class Card:
    """A story as fronts, feeds, search and Also Read show it: public words only."""

    id: int
    path: str
    headline: str
    standfirst: str
    section: Section
    published_at: datetime
    tier: str = "metered"
    kicker: str = ""
    byline: str = ""
    credit: str = ""
    language: str = "en"
    priority: int = 5
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class PublicStory:
    """Everything about a story that anyone may see. `lead_in_html` was fixed when the story was published."""

    id: int
    version: int
    path: str
    url: str
    headline: str
    standfirst: str
    lead_in_html: str
    section: Section
    tier: str
    published_at: datetime
    updated_at: datetime | None = None
    kicker: str = ""
    bylines: tuple[str, ...] = ()
    dateline: str = ""
    credit: str = ""
    via: tuple[str, ...] = ()
    disclaimer: str = ""
    correction: str = ""
    language: str = "en"
    picture: Picture | None = None
    also_read: tuple[Card, ...] = ()
    instruments: tuple[str, ...] = ()  # codes of what it is about and what is traded
    ads: bool = True  # whether advertising may stand beside it: the editor's word and its section's


@dataclass(frozen=True, slots=True)
class FullStory:
    """The public part and the body, for those entitled. `body_html` is sanitised and holds the lead-in too."""

    public: PublicStory
    body_html: str


@dataclass(frozen=True, slots=True)
class StoryFacts:
    """What the access decision and the press need to know: no words at all. `state` is access.rules.State's value."""

    id: int
    version: int
    path: str
    tier: str
    section: str
    state: str
    emergency_free: bool
    withdrawn_reason: str = ""


@dataclass(frozen=True, slots=True)
class PublicWords:
    """The words of a published story that a search may look through: nothing beyond its lead-in. Plain text."""

    id: int
    headline: str
    standfirst: str
    lead_in: str
    section: str
    credit: str
    kicker: str
    bylines: tuple[str, ...]
    published_at: datetime
    section_slug: str = ""
    language: str = "en"
    year: int = 0  # in the publisher's zone

    @property
    def kind(self) -> str:
        """Where it comes from: `agency` or the paper's `own`."""
        return "agency" if self.credit else "own"

"""What the press prints into a page, and what the gate is told, as frozen values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class HouseAd:
    """The paper's own words in a slot, printed into the page: what stands there until something else is put in, and all
    that a browser without JavaScript shows. `href` is a path of this paper."""

    headline: str
    text: str
    action: str
    href: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What the advertising variant of a page has more than the other one. `house`: (slot, its house ad); `tag`: the
    script of a tag manager, loaded when the reader agrees, "" for none."""

    house: tuple[tuple[str, HouseAd], ...]
    tag: str = ""

    def house_ad(self, slot: str) -> HouseAd | None:
        """What is printed into a slot."""
        return dict(self.house).get(slot)


@dataclass(frozen=True, slots=True)
class CreativePlan:
    """An advertisement to be made: words, or `picture` (a file's name) with its `content`."""

    url: str
    headline: str = ""
    text: str = ""
    action: str = ""
    picture: str = ""
    content: bytes = b""
    alt: str = ""
    printed: bool = False


@dataclass(frozen=True, slots=True)
class CampaignPlan:
    """A campaign to be made; as the fields of models.Campaign."""

    name: str
    advertiser: str
    creatives: tuple[CreativePlan, ...]
    slots: tuple[str, ...]
    starts_at: datetime
    kind: str = "direct"
    state: str = "approved"
    ends_at: datetime | None = None
    weight: int = 10
    frequency_cap: int = 0
    devices: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()

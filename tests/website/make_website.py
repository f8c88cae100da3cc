"""Values of the website's tests: invented, complete, and cheap to vary."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from broadsheet.newsroom.values import Card, Picture, PublicStory, Section
from broadsheet.press.values import Chrome, PlanCard, WallText

NOON = datetime(2026, 11, 21, 10, 35, tzinfo=UTC)  # 4:05 pm in Kolkata
TOWN = Section("Town", "town")
HINDI = Section("हिन्दी", "hindi", "hi")
OPINION = Section("Opinion", "opinion")
DRAWING = Picture("/media/mill.svg", "A mill by a river", "The mill at Sonpar.", "Drawing: M. Rao", 1200, 800)


def section(name: str) -> Section:
    return Section(name, name.lower())


def card(number: int = 1, **changes: Any) -> Card:
    values: dict[str, Any] = {
        "id": number,
        "path": f"/town/mill-opens-{number}",
        "headline": f"Mill number {number} opens again",
        "standfirst": f"Standfirst of story {number}.",
        "section": TOWN,
        "published_at": NOON - timedelta(minutes=number),
        "byline": "Asha Rao",
    }
    return Card(**values | changes)


def story(**changes: Any) -> PublicStory:
    values: dict[str, Any] = {
        "id": 7,
        "version": 1,
        "path": "/town/mill-opens-7",
        "url": "http://paper.test/town/mill-opens-7",
        "headline": "Mill opens again",
        "standfirst": "The looms ran at six.",
        "lead_in_html": "<p>The lead-in is open to everyone.</p>",
        "section": TOWN,
        "tier": "metered",
        "published_at": NOON,
        "bylines": ("Asha Rao", "Devika Nair"),
        "credit": "PTN",
        "via": ("Coast Radio", "Meridian"),
        "disclaimer": "The paper has not edited this story.",
        "picture": DRAWING,
        "also_read": (card(1), card(2, tier="premium")),
    }
    return PublicStory(**values | changes)


def plans() -> tuple[PlanCard, ...]:
    benefits = ("All stories", "Premium stories")
    return (
        PlanCard(
            "Q", "Quarterly", "₹900", "3 months", "₹300 a month", "/subscribe/Q/", best_value=False, benefits=benefits
        ),
        PlanCard(
            "T", "Two years", "₹3,900", "2 years", "₹162 a month", "/subscribe/T/", best_value=True, benefits=benefits
        ),
    )


def wall(kind: str = "limit", **changes: Any) -> WallText:
    values: dict[str, Any] = {"limit": 5, "registered_limit": 10, "window": "this month", "plans": plans()}
    return WallText(kind, **values | changes)


def chrome(**changes: Any) -> Chrome:
    values: dict[str, Any] = {
        "name": "The Sonpar Post",
        "tagline": "News of the plain",
        "public_url": "http://paper.test",
        "time_zone": "Asia/Kolkata",
        "language": "en",
        "edition": 3,
        "sections": (TOWN, HINDI),
        "footer": (("About us", "/about/"),),
    }
    return Chrome(**values | changes)

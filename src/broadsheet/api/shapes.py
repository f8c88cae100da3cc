"""Stories, sections and editions as JSON values. The public part is made of a type that has no body in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from broadsheet.access.rules import Decision, Wall
from broadsheet.dates import rfc3339
from broadsheet.epaper.values import EditionView, PageView
from broadsheet.newsroom.values import Card, Picture, PublicStory, Section

_WALLS: Mapping[Wall, tuple[str, str]] = {
    Wall.LIMIT: ("Subscribe, or come back when the count begins anew.", "/subscribe/"),
    Wall.REGISTER: ("Log in to read this story.", "/account/sign-in/"),
    Wall.SUBSCRIBE: ("This story is for subscribers.", "/subscribe/"),
}


def absolute(path: str) -> str:
    return settings.BROADSHEET.public_url + path if path.startswith("/") else path


def section(one: Section) -> dict[str, Any]:
    return {"name": one.name, "slug": one.slug, "language": one.language, "url": absolute(one.path)}


def picture(one: Picture | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "url": absolute(one.src),
        "alt": one.alt,
        "caption": one.caption,
        "credit": one.credit,
        "width": one.width or None,
        "height": one.height or None,
    }


def card(one: Card) -> dict[str, Any]:
    return {
        "id": one.id,
        "url": absolute(one.path),
        "headline": one.headline,
        "standfirst": one.standfirst,
        "kicker": one.kicker,
        "byline": one.byline,
        "credit": one.credit,
        "language": one.language,
        "tier": one.tier,
        "section": {"name": one.section.name, "slug": one.section.slug},
        "picture": picture(one.picture),
        "published_at": rfc3339(one.published_at),
    }


def public_story(one: PublicStory) -> dict[str, Any]:
    return {
        "id": one.id,
        "url": one.url,
        "headline": one.headline,
        "standfirst": one.standfirst,
        "kicker": one.kicker,
        "bylines": list(one.bylines),
        "dateline": one.dateline,
        "credit": one.credit,
        "via": list(one.via),
        "disclaimer": one.disclaimer,
        "correction": one.correction,
        "language": one.language,
        "tier": one.tier,
        "section": {"name": one.section.name, "slug": one.section.slug},
        "picture": picture(one.picture),
        "published_at": rfc3339(one.published_at),
        "updated_at": rfc3339(one.updated_at) if one.updated_at else None,
        "lead_in_html": one.lead_in_html,
        "also_read": [card(other) for other in one.also_read],
    }


def wall(decision: Decision) -> dict[str, Any] | None:
    """What stands in place of the body: which wall, in words, with the meter's numbers, and the way on."""
    if decision.wall is None:
        return None
    words, path = _WALLS[decision.wall]
    return {
        "kind": decision.wall.value,
        "words": words,
        "url": absolute(path),
        "limit": decision.limit,
        "used": decision.used,
    }


def edition(one: EditionView) -> dict[str, Any]:
    return {
        "id": one.id,
        "date": one.date.isoformat(),
        "city": one.city,
        "title": one.title,
        "language": one.language,
        "complete": one.state == "published",
        "pages": one.pages_total,
        "pages_ready": one.pages_ready,
        "revision": one.revision,
        "published_at": rfc3339(one.published_at),
    }


def page(edition_id: int, one: PageView) -> dict[str, Any]:
    base = f"/api/v1/epaper/{edition_id}/pages/{one.number}"
    return {
        "number": one.number,
        "label": one.label,
        "section": one.section,
        "ready": one.ready,
        "width_mm": one.width_mm,
        "height_mm": one.height_mm,
        "pictures": [
            {"width": width, "height": height, "bytes": size, "url": absolute(f"{base}/pictures/{width}")}
            for width, height, size in one.images
        ],
    }

"""What the typesetter is told of an edition: the front's words, and every story as paragraphs of words. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_date

from broadsheet.epaper.rules.copytext import paragraphs
from broadsheet.epaper.rules.grid import LIVE
from broadsheet.newsroom.values import FullStory, Picture

LEAST_PAGES, MOST_PAGES = 8, 16
OTHER_SCRIPTS = frozenset({"hi", "mr", "ne", "sa", "bn", "gu", "pa", "kn", "ml", "or", "ta", "te"})
WIDEST = 74  # points of the nameplate's letters
WORDS = {
    "en": {
        "goes": "Continued on page {}", "from": "From page {}", "page": "Page {}", "inside": "Inside today",
        "briefs": "In brief", "pages": "{} pages", "by": "By {}", "and": " and ",
    },
    "hi": {
        "goes": "शेष पृष्ठ {} पर", "from": "पृष्ठ {} से", "page": "पृष्ठ {}", "inside": "आज अंदर", "briefs": "संक्षेप",
        "pages": "{} पृष्ठ", "by": "{}", "and": " और ",
    },
}  # fmt: skip
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Front:
    """What the nameplate says. `address` is the site's host."""

    paper: str
    tagline: str
    address: str
    day: date
    title: str
    language: str


def job_of(front: Front, stories: Sequence[tuple[FullStory, str, int, str]]) -> dict[str, Any]:
    """The typesetter's job. `stories` are (story, role, page asked for, its picture's file name or "")."""
    words = WORDS.get(front.language, WORDS["en"])
    day = format_date(front.day, "EEEE, d MMMM y", locale="hi_IN" if front.language == "hi" else "en_IN")
    wide = LIVE * 0.74 / max(1, len(front.paper)) / 0.53
    return {
        "stories": [_story(rank, *each) for rank, each in enumerate(stories)],
        "least_pages": LEAST_PAGES if len(stories) >= 24 else 2,  # noqa: PLR2004 - stories
        "most_pages": MOST_PAGES,
        "timestamp": int(front.day.toordinal() - date(1970, 1, 1).toordinal()) * 86_400,
        "words": words,
        "front": {
            "title": f"{front.paper}, {day}",
            "paper": front.paper,
            "date": [front.day.year, front.day.month, front.day.day],
            "keywords": [front.title] if front.title else [],
            "lang": front.language,
            "house": front.address,
            "folio": f"{front.paper}  ·  {day}",
            "nameplate": round(min(WIDEST, wide), 1),
            "dateline": [front.title or front.tagline or front.address, day, words["pages"]],
        },
    }


def _story(rank: int, story: FullStory, role: str, page: int, picture: str) -> dict[str, Any]:
    public = story.public
    words = WORDS.get(public.language, WORDS["en"])
    shown = public.picture if picture else None
    return {
        "lang": public.language,
        "latin": public.language not in OTHER_SCRIPTS,
        "headline": _plain(public.headline),
        "deck": _plain(public.standfirst),
        "kicker": _plain(public.kicker),
        "byline": words["by"].format(words["and"].join(public.bylines)) if public.bylines else public.credit,
        "paras": _paragraphs(story),
        "tail": _tail(story),
        "caption": _caption(shown),
        "picture": picture,
        "alt": _alt(shown, public.headline),
        "aspect": _aspect(shown),
        "loose": bool(picture) and not picture.endswith(".svg"),
        "role": role,
        "section": public.section.name,
        "weight": 2.0 if role == "lead" else 1.0,
        "page": page,
        "rank": rank,
    }


def _plain(text: str) -> str:
    return _SPACES.sub(" ", text).strip()


def _paragraphs(story: FullStory) -> list[dict[str, Any]]:
    made = paragraphs(story.body_html)
    for paragraph in made:
        paragraph.pop("glue", None)
    dateline = _plain(story.public.dateline)
    if dateline and made and made[0]["k"] == "p":
        made[0]["w"][:0] = [[f"{word}", "b"] for word in f"{dateline.upper()}:".split()]
    if story.public.correction:
        made.append({"k": "p", "w": [[word, "i"] for word in f"Correction: {story.public.correction}".split()]})
    return made


def _tail(story: FullStory) -> str:
    """The agency's credit and what is said of a story that nobody edited: from fields, as on the site."""
    public = story.public
    parts = [public.credit if public.bylines else "", public.disclaimer]
    return _plain(" — ".join(part for part in parts if part))


def _caption(picture: Picture | None) -> str:
    if picture is None:
        return ""
    return _plain(" ".join(part for part in (picture.caption, picture.credit) if part))


def _alt(picture: Picture | None, headline: str) -> str:
    return (_plain(picture.alt) or _plain(picture.caption) or f"Picture: {_plain(headline)}") if picture else ""


def _aspect(picture: Picture | None) -> float | None:
    if picture is None:
        return None
    if picture.width <= 0 or picture.height <= 0:
        return 1.5
    return max(0.4, min(4.0, picture.width / picture.height))

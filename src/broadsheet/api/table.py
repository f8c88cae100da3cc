"""The one table of the API: its routes, its OpenAPI document and its page are all made from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from broadsheet.api import views
from broadsheet.api.answers import Said
from broadsheet.website.rules import read_cursor

_DIGITS = re.compile(r"[1-9]\d{0,17}\Z", re.ASCII)
_WORD = re.compile(r"[a-z0-9-]{1,40}\Z")


@dataclass(frozen=True, slots=True)
class Param:
    """A part of the path or of the query. `parse` raises ValueError with a hint."""

    name: str
    words: str
    schema: Mapping[str, Any]
    where: str = "query"
    parse: Callable[[str], Any] = str
    default: Any = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`path` after /api/v1, with {names}; `scope` what the token must have, "" for nobody's; `open`: answered without a
    token too, then with less. `answer`: its schema in document.SCHEMAS, "" for none. `for_partners`: a partner's
    requests are counted for it, not for each reader."""

    method: str
    path: str
    view: Callable[..., Said]
    name: str
    words: str
    answer: str = ""
    scope: str = ""
    open: bool = False
    for_partners: bool = False
    params: Sequence[Param] = ()
    body: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    problems: Sequence[int] = ()


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:4]) <= 100 or len(text) > 3:  # noqa: PLR2004
        raise ValueError("write a whole number from 1 to 100")
    return int(text)


def _place(text: str) -> tuple[Any, int]:
    found = read_cursor(text)
    if found is None:
        raise ValueError("take what the page before gave as next")
    return found


def _number(text: str) -> int:
    if not _DIGITS.match(text):
        raise ValueError("take what the page before gave as next")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("write a day as 2027-01-10") from None


def _slug(text: str) -> str:
    if not _WORD.match(text):
        raise ValueError("write a section's slug")
    return text


def _city(text: str) -> str:
    if len(text) > 40:  # noqa: PLR2004 - a column's length
        raise ValueError("write a city's name as an edition has it")
    return text


def story_number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**48:
        raise ValueError("story is a story's number")
    return value


_INTEGER, _TEXT = {"type": "integer", "minimum": 1}, {"type": "string"}
LIMIT = Param(
    "limit", "How many at most.", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, "query", _limit, 20
)
BEFORE = "Goes on after the last one: the next of the page before."
STORY = Param("story_id", "A story's number.", _INTEGER, "path")
EDITION = Param("edition_id", "An edition's number.", _INTEGER, "path")
PAGE = Param("number", "A page's number, from 1.", _INTEGER, "path")

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET", "/paper", views.paper, "getPaper", "The paper itself: its name, its languages, where to go.", "Paper"
    ),
    Endpoint("GET", "/sections", views.sections, "listSections", "The sections in the order of the menu.", "Sections"),
    Endpoint(
        "GET",
        "/front",
        views.front,
        "getFront",
        "The front page as it stands: the lead and what stands beside it, "
        "the latest, the strips of the sections. No story twice.",
        "Front",
    ),
    Endpoint(
        "GET",
        "/stories",
        views.stories,
        "listStories",
        "Stories, the newest first, of the paper or of a section. Goes back to the first year without growing slow.",
        "StoryList",
        problems=(404,),
        params=(
            Param("section", "A section's slug.", _TEXT, "query", _slug, ""),
            Param("before", BEFORE, _TEXT, "query", _place),
            LIMIT,
        ),
    ),
    Endpoint(
        "GET",
        "/stories/{story_id}",
        views.story,
        "getStory",
        "A story. Everybody gets its public part; the body is "
        "there when access.variant is full. With a token of the scope stories it opens as the story's page does "
        "for that reader, and counts as it does there, once a story and window; without one only what is free to "
        "everybody is full.",
        "Story",
        "stories",
        open=True,
        params=(STORY,),
        problems=(404, 410, 451),
    ),
    Endpoint(
        "GET",
        "/me",
        views.me,
        "getMe",
        "The reader whose token this is, as far as they let the app know.",
        "Me",
        "openid",
    ),
    Endpoint(
        "GET",
        "/entitlements",
        views.entitled,
        "getEntitlements",
        "What the reader's plan includes at this "
        "moment. An app gets products; a partner gets its own offers, by a name of the reader that is its own.",
        "Entitlements",
        "entitlements",
        for_partners=True,
    ),
    Endpoint(
        "GET",
        "/saved",
        views.saved,
        "listSaved",
        "What the reader saved, the newest first.",
        "SavedList",
        "saved",
        params=(Param("before", BEFORE, _TEXT, "query", _number), LIMIT),
    ),
    Endpoint(
        "POST",
        "/saved",
        views.save,
        "saveStory",
        "Save a story. A second time changes nothing.",
        "",
        "saved",
        body={"story": story_number},
        problems=(409, 413, 415, 422),
    ),
    Endpoint(
        "DELETE",
        "/saved/{story_id}",
        views.unsave,
        "unsaveStory",
        "Take a story off the list, on it or not.",
        "",
        "saved",
        params=(STORY,),
    ),
    Endpoint(
        "GET",
        "/epaper",
        views.editions,
        "listEditions",
        "Editions of the e-paper, the newest day first.",
        "EditionList",
        "epaper",
        params=(
            Param("city", "One city's editions.", _TEXT, "query", _city),
            Param(
                "before",
                "Older than this day: the next of the page before.",
                {"type": "string", "format": "date"},
                "query",
                _day,
            ),
            LIMIT,
        ),
    ),
    Endpoint(
        "GET",
        "/epaper/{edition_id}",
        views.edition,
        "getEdition",
        "An edition and its pages.",
        "Edition",
        "epaper",
        params=(EDITION,),
        problems=(404,),
    ),
    Endpoint(
        "GET",
        "/epaper/{edition_id}/pages/{number}",
        views.edition_page,
        "getPage",
        "A page: its pictures, and its stories as text with their places, in ten-thousandths of the page.",
        "EditionPage",
        "epaper",
        params=(EDITION, PAGE),
        problems=(404,),
    ),
    Endpoint(
        "GET",
        "/epaper/{edition_id}/pages/{number}/pictures/{width}",
        views.edition_picture,
        "getPagePicture",
        "A page's picture in one of the widths that the page lists.",
        "picture",
        "epaper",
        params=(EDITION, PAGE, Param("width", "Pixels across.", _INTEGER, "path")),
        problems=(404,),
    ),
)

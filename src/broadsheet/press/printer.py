"""Builds the bytes of each variant. `print_walls` takes a story that has no body; `print_full` alone has one.

Pure but for the templates: values in, sheets out.
"""

from __future__ import annotations

from collections.abc import Mapping

from broadsheet.ads.rules import story_parts
from broadsheet.newsroom.rules import placeholder
from broadsheet.press.store import ADS, Sheet, make_sheet
from broadsheet.press.typesetting import render
from broadsheet.press.values import Chrome, FullStory, PublicStory, WallText


class UnrenderedError(ValueError):
    """A printed page still holds template braces. It is not stored: readers never see a placeholder."""


def check_rendered(html: str, key: str) -> str:
    """The page itself; UnrenderedError when a placeholder stands on it."""
    found = placeholder(html)
    if found:
        raise UnrenderedError(f"{key} holds an unrendered {found!r}")
    return html


def _mentions(story: PublicStory) -> tuple[int, ...]:
    return tuple(card.id for card in story.also_read)


def print_walls(story: PublicStory, walls: Mapping[str, WallText], chrome: Chrome, variant: str = "") -> list[Sheet]:
    """One sheet for each wall this story may meet; keys `story/<id>/<name>`. `variant`: ADS before the name of those
    that advertising stands on."""
    sheets = []
    for name, wall in walls.items():
        key = f"story/{story.id}/{variant}{name}"
        html = render("press/story.html", chrome=chrome, story=story, body_html=None, wall=wall)
        sheets.append(
            make_sheet(
                key,
                check_rendered(html, key),
                version=story.version,
                edition=chrome.edition,
                mentions=_mentions(story),
            )
        )
    return sheets


def print_full(story: FullStory, chrome: Chrome, variant: str = "") -> Sheet:
    """The full variant, key `story/<id>/full`; `variant` as above."""
    key = f"story/{story.public.id}/{variant}full"
    body = story.body_html
    parts = story_parts(body) if chrome.ads else (body,)
    html = render("press/story.html", chrome=chrome, story=story.public, body_html=body, body_parts=parts, wall=None)
    return make_sheet(
        key,
        check_rendered(html, key),
        version=story.public.version,
        edition=chrome.edition,
        mentions=_mentions(story.public),
    )


def print_variants(
    public: PublicStory, full: FullStory, walls: Mapping[str, WallText], chrome: Chrome, with_ads: Chrome | None
) -> tuple[list[Sheet], list[Sheet]]:
    """(full sheets, walls) of a story: without advertising, and where pages carry any a second time with it. A story
    that must stand without is the same page under both names."""
    fulls, public_sheets = [print_full(full, chrome)], print_walls(public, walls, chrome)
    if with_ads is not None:
        around = with_ads if public.ads else chrome
        fulls.append(print_full(full, around, ADS))
        public_sheets += print_walls(public, walls, around, ADS)
    return fulls, public_sheets


def print_gone(story_id: int, version: int, reason: str, chrome: Chrome) -> Sheet:
    """The tombstone of a withdrawn story: its words are gone, its address says so."""
    key = f"story/{story_id}/gone"
    html = render("press/gone.html", chrome=chrome, reason=reason)
    return make_sheet(key, check_rendered(html, key), version=version, edition=chrome.edition, status=410)

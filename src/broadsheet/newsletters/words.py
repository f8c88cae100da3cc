"""The one place where a story's words enter a newsletter: mail, web copy and preview all come through `letter_story`.

Each asks the decision first, for the reader who will get it, and hands its result in: without a full one the body is
not even loaded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from lxml import html as lxml_html

from broadsheet.access import queries as access
from broadsheet.access.rules import (
    Body,
    Decision,
    Policy,
    Principal,
    Request,
    Right,
    State,
    Story,
    Surface,
    Tier,
    decide,
    decide_benefit,
)
from broadsheet.newsletters.pictures import mail_picture
from broadsheet.newsletters.rules import PRODUCT, Share, share
from broadsheet.newsletters.values import Chosen, LetterStory
from broadsheet.newsroom import queries as newsroom
from broadsheet.newsroom.rules import blocks, plain
from broadsheet.newsroom.values import PublicStory


@dataclass(frozen=True, slots=True)
class Facts:
    """An issue's stories as they stand at one moment, without words, and the policy that holds."""

    stories: tuple[tuple[Chosen, Story | None, int], ...]  # what was chosen, what it is, its print version
    policy: Policy


def facts(chosen: Sequence[Chosen]) -> Facts:
    """Asked anew for every batch of mails: a story withdrawn meanwhile is in none of them."""
    found = []
    for one in chosen:
        row = newsroom.story_facts(one.story_id)
        story = Story(row.id, Tier(row.tier), State(row.state), row.emergency_free, row.section) if row else None
        found.append((one, story, row.version if row else 0))
    return Facts(tuple(found), access.current_policy())


# Whose letter it is: each story in its place with its version and what of it they get. Equal ones get equal mails.
Cut = tuple[tuple[int, int, Share, bool], ...]


def cut(audience: str, known: Facts, request: Request, now: datetime) -> Cut:
    """What a reader gets of each story, by the decisions for this reader now. Stories that are gone are left out."""
    benefit = decide_benefit(PRODUCT, request, now)
    out = []
    for place, (chosen, story, version) in enumerate(known.stories):
        decision = decide(known.policy, story, request, now)
        got = share(audience, decision, benefit)
        if got is not Share.NONE:
            out.append((place, version, got, chosen.whole))
    return tuple(out)


def request_of(staff: bool, rights: Sequence[tuple[str, datetime, datetime | None]]) -> Request:
    """A reader with these rights, asking by mail."""
    principal = Principal.STAFF if staff else Principal.REGISTERED
    return Request(principal, tuple(Right(*row) for row in rights), real_read=False, surface=Surface.OTHER)


VISITOR = Request(real_read=False, surface=Surface.OTHER)


def letter_stories(known: Facts, given: Cut, *, on_site: bool = False) -> tuple[LetterStory, ...]:
    """The words of a cut; `on_site`: for a page of the paper, whose own styles dress them."""
    found = (letter_story(known.stories[place][0], got, whole, on_site=on_site) for place, _, got, whole in given)
    return tuple(story for story in found if story is not None)


def letter_story(chosen: Chosen, got: Share, whole: bool, *, on_site: bool = False) -> LetterStory | None:
    """A story's words for somebody who gets `got` of it; None when it is no longer published."""
    if got is Share.FULL and whole:
        full = newsroom.full_story(chosen.story_id)
        if full is None:
            return None
        return _story(full.public, chosen, body=full.body_html if on_site else mail_html(full.body_html), wall=False)
    public = newsroom.public_story(chosen.story_id)
    return _story(public, chosen, body="", wall=got is Share.TEASER) if public else None


def _story(public: PublicStory, chosen: Chosen, *, body: str, wall: bool) -> LetterStory:
    return LetterStory(
        id=public.id,
        headline=public.headline,
        standfirst=public.standfirst,
        kicker=public.kicker or public.section.name,
        section=public.section.name,
        byline=", ".join(public.bylines),
        credit=public.credit,
        note=chosen.note,
        url=public.url,
        language=public.language,
        premium=public.tier == "premium",
        lead_in=() if body else tuple(filter(None, (plain(_outer(part)) for part in blocks(public.lead_in_html)))),
        body=body,
        wall=wall,
        picture=mail_picture(public.picture),
        disclaimer=public.disclaimer,
    )


def _outer(part: Any) -> str:
    return str(lxml_html.tostring(part, encoding="unicode", with_tail=False))


_STYLES = {
    "p": "margin:0 0 16px;",
    "h2": "margin:24px 0 8px;font-size:20px;line-height:1.25;",
    "h3": "margin:20px 0 6px;font-size:17px;line-height:1.3;",
    "blockquote": "margin:0 0 16px;padding-left:14px;border-left:3px solid #8c1d18;font-style:italic;",
    "ul": "margin:0 0 16px;padding-left:22px;",
    "ol": "margin:0 0 16px;padding-left:22px;",
    "li": "margin:0 0 6px;",
    "a": "color:#8c1d18;text-decoration:underline;",
    "hr": "width:96px;margin:24px auto;border:0;border-top:1px solid #171410;",
}
_KEPT = {"a": ("href",)}
_ABSOLUTE = re.compile(r"^(https?:|mailto:)", re.IGNORECASE)


def mail_html(body_html: str) -> str:
    """A story's sanitised body as mail programs need it: styles on the elements, whole addresses, well-formed."""
    base = settings.BROADSHEET.public_url
    out = []
    for part in blocks(body_html):
        for element in part.iter():
            if not isinstance(element.tag, str):
                continue
            for name in list(element.attrib):
                if name not in _KEPT.get(element.tag, ()):
                    del element.attrib[name]
            href = element.get("href")
            if href is not None and not _ABSOLUTE.match(href):
                element.set("href", base + href if href.startswith("/") else base)
            if element.tag in _STYLES:
                element.set("style", _STYLES[element.tag])
                if element.tag == "a":
                    element.set("class", "bs-link")
        out.append(str(lxml_html.tostring(part, encoding="unicode", method="xml", with_tail=False)))
    return "".join(out)


def benefit_of(request: Request, now: datetime) -> Decision:
    return decide_benefit(PRODUCT, request, now)


def is_entitled(request: Request, now: datetime) -> bool:
    return benefit_of(request, now).body is Body.FULL

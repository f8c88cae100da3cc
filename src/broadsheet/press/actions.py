"""Printing: what was published goes into the stores; what left the site leaves them."""

from __future__ import annotations

from collections.abc import Iterable

from broadsheet.newsroom import queries as newsroom
from broadsheet.press.printer import check_rendered, print_gone, print_variants
from broadsheet.press.queries import chrome, stores, walls, with_ads
from broadsheet.press.store import ADS, Facts, make_sheet

LOOKS = 4


class ChangingError(RuntimeError):
    """A story changed its state at each of several looks. It is printed at the next request or by its event."""


def print_story(story_id: int) -> Facts | None:
    """Print every variant of a story as it stands now, or its tombstone; None when there is nothing at this id.

    The full variant is stored first: while both are being replaced nobody is sent a wall that has no story behind it.
    ChangingError when it is published and withdrawn faster than it can be read.
    """
    for _ in range(LOOKS):
        try:
            return _print(story_id)
        except ChangingError:
            continue  # withdrawn between two reads: what it is now is seen at the next look
    raise ChangingError(f"story {story_id} keeps changing")


def _print(story_id: int) -> Facts | None:
    facts = newsroom.story_facts(story_id)
    if facts is None:
        return None
    known = Facts(facts.id, facts.version, facts.path, facts.tier, facts.section, facts.state, facts.emergency_free)
    shelf, frame = stores(), chrome()
    if facts.state != "published":
        shelf.full.drop(f"story/{story_id}")
        shelf.public.drop(f"story/{story_id}")
        gone = (
            [print_gone(story_id, facts.version, facts.withdrawn_reason, frame)] if facts.state == "withdrawn" else []
        )
        shelf.public.put(*gone, facts=known)
        return known
    public, full = newsroom.public_story(story_id), newsroom.full_story(story_id)
    if public is None or full is None:
        raise ChangingError
    fulls, met = print_variants(public, full, walls(facts.tier, facts.section), frame, with_ads(frame))
    shelf.full.put(*fulls)
    shelf.public.put(*met, facts=known)
    return known


def reprint_mentioning(story_id: int) -> None:
    """Print anew every story whose Also Read shows a story that left the site."""
    keys = stores().public.mentioning(story_id) + stores().full.mentioning(story_id)
    for other in sorted({int(key.split("/")[1]) for key in keys if key.startswith("story/")}):
        print_story(other)


def print_page(
    path: str,
    text: str,
    *,
    version: int,
    mentions: Iterable[int] = (),
    content_type: str = "text/html; charset=utf-8",
    ads_text: str = "",
) -> None:
    """Store a public page (a front, a section front, a feed), the same for every visitor, under its path. `ads_text`:
    the same page with advertising, "" when it stands without for everyone."""
    frame, shown = chrome(), tuple(mentions)
    variants = {f"page{path}": text}
    if with_ads(frame) is not None and content_type.startswith("text/html"):
        variants[f"{ADS}page{path}"] = ads_text or text
    stores().public.put(
        *(
            make_sheet(
                key,
                check_rendered(html, key),
                version=version,
                edition=frame.edition,
                content_type=content_type,
                mentions=shown,
            )
            for key, html in variants.items()
        )
    )

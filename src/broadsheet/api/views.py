"""What each endpoint of the table answers. Thin: values come from the packages they belong to."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.conf import settings

from broadsheet import clock
from broadsheet.api import reading, shapes
from broadsheet.api.answers import Asked, ProblemError, Said
from broadsheet.api.queries import Caller, entitlements
from broadsheet.dates import rfc3339
from broadsheet.epaper import queries as epaper
from broadsheet.epaper.reading import opened
from broadsheet.epaper.values import EditionView
from broadsheet.epaper.views_door import may_read
from broadsheet.newsroom import queries as newsroom
from broadsheet.newsroom.values import Card
from broadsheet.partners.queries import entitlements_for
from broadsheet.readers import actions as readers
from broadsheet.readers.queries import saved_stories
from broadsheet.website import queries as website
from broadsheet.website.rules import cursor

ABSENT = "There is nothing at this address."


def absent() -> ProblemError:
    return ProblemError(404, "absent", ABSENT)


def paper(asked: Asked) -> Said:  # noqa: ARG001 - an endpoint's form
    options = settings.BROADSHEET
    base = options.public_url
    body = {
        "name": options.name,
        "tagline": options.tagline,
        "url": base,
        "languages": list(options.languages),
        "time_zone": options.time_zone,
        "issuer": base,
        "subscribe_url": f"{base}/subscribe/",
        "account_url": f"{base}/account/",
    }
    return Said(body, public=True)


def sections(asked: Asked) -> Said:  # noqa: ARG001 - as above
    return Said({"sections": [shapes.section(one) for one in newsroom.sections()]}, public=True)


def front(asked: Asked) -> Said:  # noqa: ARG001 - as above
    made = website.front(clock.now())

    def cards(group: Any) -> list[dict[str, Any]]:
        return [shapes.card(one) for one in group]

    body = {
        "lead": shapes.card(made.lead) if made.lead else None,
        "seconds": cards(made.seconds),
        "latest": cards(made.latest),
        "premium": cards(made.premium),
        "opinion": cards(made.opinion),
        "blocks": [{"section": shapes.section(one.section), "stories": cards(one.cards)} for one in made.blocks],
    }
    return Said(body, public=True)


def stories(asked: Asked) -> Said:
    """Newest first; `next` leads to the older ones, however many there are."""
    slug, limit, before = asked.query["section"], asked.query["limit"], asked.query["before"]
    if slug:
        if website.section(slug) is None:
            raise absent()
        found = newsroom.section_cards(slug, limit + 1, before=before)
    else:
        found = newsroom.latest_cards(limit + 1, before=before)
    return Said(_page(found, limit), public=True)


def _page(found: Any, limit: int) -> dict[str, Any]:
    shown = list(found[:limit])
    return {"stories": [shapes.card(one) for one in shown], "next": cursor(shown[-1]) if len(found) > limit else None}


def story(asked: Asked, story_id: int) -> Said:
    """The public part for everybody; the body where this reader may have it, counted as a page would be."""
    now = clock.now()
    caller = asked.caller if asked.may("stories") else None
    head = asked.request.headers
    ahead = any("prefetch" in head.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz"))
    real = asked.request.method == "GET" and not ahead
    decision, body = reading.story_values(caller, story_id, real=real, now=now)
    if body is None:
        if decision.status in (410, 451):
            raise ProblemError(decision.status, "withdrawn", "This story was withdrawn.")
        raise absent()
    public = decision.cache.value == "public" and caller is None
    return Said(
        body,
        public=public,
        headers={"Broadsheet-Variant": body["access"]["variant"], "Broadsheet-Reason": decision.reason},
    )


def me(asked: Asked) -> Said:
    caller = asked.reader
    body: dict[str, Any] = {"id": caller.subject, "scopes": sorted(caller.scopes), "client": caller.client.name}
    if "email" in caller.scopes:
        body["email"] = caller.email
    if "profile" in caller.scopes:
        body["name"] = caller.name
    return Said(body)


def entitled(asked: Asked) -> Said:
    """Asked anew each time: what ended a second ago is not among it."""
    caller, now = asked.reader, clock.now()
    until = {"checked_at": rfc3339(now), "good_for_seconds": 300}
    if caller.client.kind == "partner":
        # A partner hears of its own offers and of nothing else its reader has here.
        held = entitlements_for(caller.client.partner or caller.client.id, caller.reader, now)
        offers = [{"offer": one.offer, "subject": one.subject, "until": _instant(one.until)} for one in held]
        return Said({"partner": caller.client.partner, "offers": offers, **until})
    held_here = entitlements(caller.reader, now)
    return Said({"products": [{"product": o.product, "until": _instant(o.until)} for o in held_here], **until})


def _instant(at: Any) -> str | None:
    return rfc3339(at) if at else None


# --- saved stories --------------------------------------------------------------------------------------------------
def saved(asked: Asked) -> Said:
    """Newest first; a story that is no longer in the paper is left out."""
    limit = asked.query["limit"]
    rows = saved_stories(asked.reader.reader, limit + 1, before=asked.query["before"])
    shown = rows[:limit]
    cards: dict[int, Card] = newsroom.cards_by_id(row.story for row in shown)
    found = [
        {**shapes.card(cards[row.story]), "saved_at": rfc3339(row.saved_at)} for row in shown if row.story in cards
    ]
    return Said({"stories": found, "next": str(shown[-1].id) if len(rows) > limit else None})


def save(asked: Asked) -> Said:
    story_id = asked.body["story"]
    if story_id not in newsroom.cards_by_id([story_id]):
        raise ProblemError(422, "body", "There is no such story in the paper.")
    if not readers.save_story(reader_id=asked.reader.reader, story_id=story_id, now=clock.now()):
        raise ProblemError(409, "full", f"A reader can save {readers.MOST_SAVED} stories.")
    return Said(None)


def unsave(asked: Asked, story_id: int) -> Said:
    readers.unsave_story(reader_id=asked.reader.reader, story_id=story_id)
    return Said(None)


# --- the e-paper ----------------------------------------------------------------------------------------------------
def _let_in(caller: Caller) -> None:
    """Before anything is looked up: whoever may not read hears the same of every edition, and of none."""
    if not may_read(caller.reader):
        raise ProblemError(403, "product", "The reader's plan does not include the e-paper.")


def _edition(asked: Asked, edition_id: int) -> EditionView:
    _let_in(asked.reader)
    found = epaper.edition(edition_id)
    if found is None:
        raise absent()
    return found


def editions(asked: Asked) -> Said:
    _let_in(asked.reader)
    limit, before, city = asked.query["limit"], asked.query["before"], asked.query["city"]
    found = list(epaper.latest(limit + 1, city=city, before=before))
    more = len(found) > limit
    if more:
        # Whole days alone, as `before` names a day: one that does not fit comes with the next page.
        cut = found[limit].date
        found = [one for one in found[:limit] if one.date != cut] or _of_day(cut, city)
    after = found[-1].date.isoformat() if more else None
    return Said({"editions": [shapes.edition(one) for one in found], "next": after})


def _of_day(day: date, city: str | None) -> list[EditionView]:
    found = epaper.editions_between(day, day + timedelta(days=1))
    return [one for one in found if city is None or one.city == city]


def edition(asked: Asked, edition_id: int) -> Said:
    found = _edition(asked, edition_id)
    pages = [shapes.page(found.id, one) for one in epaper.pages(found.id)]
    return Said({**shapes.edition(found), "page_list": pages})


def edition_page(asked: Asked, edition_id: int, number: int) -> Said:
    """A page with its stories as text; one that was withdrawn from the paper is withdrawn here."""
    shown = opened(_edition(asked, edition_id), with_text=True)
    one = shown.page(number)
    if one is None:
        raise absent()
    areas = [
        {
            "id": area.id,
            "box": list(area.box),
            "headline": shown.heading(area),
            "text": area.text,
            "story": area.story_id,
            "continued_on": area.continued_on[1] if area.continued_on else None,
        }
        for area in shown.on_page(number)
    ]
    return Said({**shapes.page(shown.edition.id, one), "areas": areas})


def edition_picture(asked: Asked, edition_id: int, number: int, width: int) -> Said:
    found = _edition(asked, edition_id)
    content = epaper.page_picture(found.id, number, width)
    if content is None:
        raise absent()
    return Said(True, content=content, content_type="image/jpeg")

"""What a subscriber reads: the shelf of editions, a page, a story as text, a search. All of it is whole without
scripts."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_date
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from broadsheet import clock
from broadsheet.dates import add_months
from broadsheet.epaper import clipping, queries, reading, views_door
from broadsheet.epaper.reading import OpenEdition
from broadsheet.epaper.rules import reading as rules_reading
from broadsheet.epaper.values import AreaView, EditionView, PageView

HEADLINES = 9


@dataclass(frozen=True, slots=True)
class Issue:
    """An edition on the shelf: every text final."""

    path: str
    day: str
    city: str
    cover: str
    pages: int
    ready: bool


@dataclass(frozen=True, slots=True)
class StoryText:
    """A story as text: `parts` are (page number, paragraphs); `path` leads to the story on the site."""

    id: int
    page: int
    heading: str
    parts: tuple[tuple[int, tuple[str, ...]], ...]
    path: str
    language: str


def longday(day: date) -> str:
    """`Sunday, 22 November 2026`"""
    return format_date(day, "EEEE, d MMMM y", locale="en_IN")


def parse_day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Http404 from None
    if day.year == date.max.year:
        raise Http404
    return day


def edition_at(day: str, city: str | None) -> EditionView:
    """The edition of an address; Http404 when readers cannot open one there."""
    found = reading.find_edition(parse_day(day), city or "")
    if found is None:
        raise Http404
    return found


def _issue(edition: EditionView) -> Issue:
    front = queries.page(edition.id, 1)
    cover = f"{reading.data_path(edition)}1-480-{front.picture_key}.jpg" if front and front.ready else ""
    ready = edition.state == "published"
    return Issue(reading.base_path(edition), longday(edition.date), edition.title, cover, edition.pages_total, ready)


@require_safe
@views_door.page
def shelf(request: HttpRequest) -> HttpResponse:
    """The newest edition, its sisters of other cities, and a month of back issues."""
    newest = queries.latest(40)
    day = newest[0].date if newest else None
    today = [_issue(edition) for edition in newest if edition.date == day]
    headlines = _headlines(newest[0]) if len(today) == 1 else []
    month = _month(request.GET.get("month", ""), day)
    values = {"today": today, "headlines": headlines, "month": month, "days": calendar.day_abbr}
    return render(request, "epaper/shelf.html", values, using="jinja2")


def _headlines(edition: EditionView) -> list[tuple[str, str, int]]:
    """(headline, path, page) of the stories that begin on the first pages."""
    shown = reading.opened(edition)
    stories = (area for area in shown.areas.values() if area.kind == "story" and area.headline)
    begun = (area for area in stories if area.continued_from is None and area.story_id is not None)
    rows = {area.headline: (area.headline, f"{shown.base}story/{area.id}/", area.page) for area in begun}
    return list(rows.values())[:HEADLINES]


def _month(asked: str, newest: date | None) -> Mapping[str, Any] | None:
    """A month of the calendar: weeks of days, each (number, [(city, path)]); the way to the month before and after."""
    try:
        first = date.fromisoformat(f"{asked[:7]}-01") if asked else None
    except ValueError:
        first = None
    if newest is None:
        return None
    first = min(first or newest, newest).replace(day=1)
    end = add_months(first, 1)
    found: dict[int, list[tuple[str, str]]] = {}
    for edition in queries.editions_between(first, end):
        found.setdefault(edition.date.day, []).append((edition.title, reading.base_path(edition)))
    weeks = [
        [(number, found.get(number, ())) for number in week]
        for week in calendar.Calendar().monthdayscalendar(first.year, first.month)
    ]
    older = queries.latest(1, before=first)
    return {
        "name": format_date(first, "MMMM y", locale="en_IN"),
        "weeks": weeks,
        "older": f"{older[0].date:%Y-%m}" if older else "",
        "newer": f"{end:%Y-%m}" if end <= newest else "",
    }


@require_safe
@views_door.page
@gzip_page
def read(request: HttpRequest, day: str, city: str | None = None, number: str | None = None) -> HttpResponse:
    """A page of an edition: its picture, and its words beneath for whoever cannot use a picture."""
    edition = edition_at(day, city)
    if edition.city != (city or ""):
        return redirect(f"{reading.base_path(edition)}{f'{int(number)}/' if number else ''}")
    shown = reading.opened(edition, with_text=True)
    at = int(number or 1)
    here = shown.page(at)
    if here is None:
        raise Http404
    numbers = [page.number for page in shown.pages]
    place = numbers.index(at)
    values = {
        "edition": edition,
        "day": longday(edition.date),
        "base": shown.base,
        "data": reading.data_path(edition),
        "page": here,
        "pages": shown.pages,
        "first": _picture(here, 480),
        "large": _picture(here, 1600),
        "before": numbers[place - 1] if place else 0,
        "after": numbers[place + 1] if place + 1 < len(numbers) else 0,
        "stories": [_story(shown, area) for area in shown.on_page(at) if area.text.strip()],
        "pdf": edition.has_pdf and settings.BROADSHEET.epaper_download == "on",
    }
    return render(request, "epaper/viewer.html", values, using="jinja2")


def _picture(page: PageView, at_least: int) -> tuple[int, int] | None:
    """(width, height) of the page's smallest picture that is so wide; of its largest when none is."""
    sizes = [(width, height) for width, height, _ in page.images]
    return next((size for size in sizes if size[0] >= at_least), sizes[-1] if sizes else None)


def _story(shown: OpenEdition, area: AreaView, parts: Sequence[AreaView] = ()) -> StoryText:
    card = shown.cards.get(area.story_id) if area.story_id else None
    texts = tuple((part.page, rules_reading.paragraphs(part)) for part in parts or (area,))
    language = card.language if card else shown.edition.language
    return StoryText(area.id, area.page, shown.heading(area), texts, card.path if card else "", language)


@require_safe
@views_door.page
@gzip_page
def story(request: HttpRequest, area: str, day: str, city: str | None = None) -> HttpResponse:
    """A story of an edition as text, from its first line to its last, over every page it stands on."""
    edition = edition_at(day, city)
    shown = reading.opened(edition, with_text=True)
    parts = rules_reading.chain(shown.areas, int(area))
    if not parts:
        raise Http404
    values = {
        "edition": edition,
        "day": longday(edition.date),
        "base": shown.base,
        "story": _story(shown, parts[0], parts),
        "left": clipping.left(request.user.pk, clock.now()),
        "quota": settings.BROADSHEET.epaper_clips_per_month,
    }
    return render(request, "epaper/story.html", values, using="jinja2")


@require_safe
@views_door.page
def search(request: HttpRequest, day: str, city: str | None = None) -> HttpResponse:
    """The search for who has no scripts: the hits as a list, each leading to its page."""
    edition = edition_at(day, city)
    shown = reading.opened(edition)
    query = request.GET.get("q", "").replace("\0", "")[: rules_reading.LONGEST_QUERY].strip()
    hits = [(hit, reading.area_at(shown, hit)) for hit in reading.search(shown, query)]
    rows = [(hit, shown.heading(area) if area else "", area) for hit, area in hits]
    values = {"edition": edition, "day": longday(edition.date), "base": shown.base, "query": query, "hits": rows}
    return render(request, "epaper/search.html", values, using="jinja2")

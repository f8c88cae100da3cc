"""The archive by calendar: years, months, a day's stories. What is closed to a reader answers alike, full or empty."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from broadsheet import clock
from broadsheet.archive import queries, rules
from broadsheet.dates import local_date
from broadsheet.epaper.queries import edition_of
from broadsheet.subscriptions.views_wall import benefit_wall

HERE = "/archive/"
TITLE = "The archive"
WORDS = "Older years, back to the first, are for subscribers: to search, and to leaf through day by day."


def _page(request: HttpRequest, template: str, values: dict[str, Any], *, everything: bool) -> HttpResponse:
    response = render(request, f"archive/{template}", values, using="jinja2")
    private = everything or request.COOKIES
    response.headers["Cache-Control"] = "private, no-store" if private else "public, max-age=60"
    return response


def _wall(request: HttpRequest) -> HttpResponse:
    return benefit_wall(request, queries.PRODUCT, title=TITLE, words=WORDS, here=HERE)


def _asking(request: HttpRequest, now: datetime) -> bool:
    reader = request.user.pk if request.user.is_authenticated else None
    return queries.may_search_all(reader, now)


def _on(now: datetime, year: str, month: str = "12", day: str = "1") -> date:
    """A day that has been since the paper's first year; Http404 for what is no day, or none of ours."""
    today = local_date(now, settings.BROADSHEET.zone)
    try:
        asked = date(int(year), int(month), int(day))
    except ValueError:
        raise Http404 from None
    since = min(settings.BROADSHEET.archive_since, today.year)
    if asked.year < since or asked.year > today.year:
        raise Http404
    return asked


def _closed(last: date, now: datetime) -> bool:
    """Whether no day up to `last` is open to everybody."""
    first = queries.open_from(now)
    return first is not None and last < first


@require_safe
def years(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    everything = _asking(request, now)
    spans = queries.years(now, everything=everything)
    first = queries.open_from(now)
    shown = {"years": spans, "everything": everything, "words": WORDS, "first": _words(first) if first else ""}
    return _page(request, "years.html", shown, everything=everything)


def _words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


@require_safe
def year(request: HttpRequest, year: str) -> HttpResponse:
    now = clock.now()
    asked, everything = _on(now, year), _asking(request, now)
    if not everything and _closed(date(asked.year, 12, 31), now):
        return _wall(request)
    spans = queries.months(asked.year, now, everything=everything)
    shown = {"year": asked.year, "months": [(f"{date(2000, one.number, 1):%B}", one) for one in spans]}
    return _page(request, "year.html", {**shown, "everything": everything}, everything=everything)


@require_safe
def month(request: HttpRequest, year: str, month: str) -> HttpResponse:
    now = clock.now()
    asked, everything = _on(now, year, month), _asking(request, now)
    if asked > local_date(now, settings.BROADSHEET.zone):
        raise Http404
    end = date.fromordinal(rules.month_days(asked.year, asked.month)[1].toordinal() - 1)
    if not everything and _closed(end, now):
        return _wall(request)
    shown = {
        "first": asked,
        "title": f"{asked:%B %Y}",
        "weeks": queries.days(asked.year, asked.month, now, everything=everything),
        "everything": everything,
    }
    return _page(request, "month.html", shown, everything=everything)


@require_safe
def day(request: HttpRequest, year: str, month: str, day: str) -> HttpResponse:
    now = clock.now()
    asked, everything = _on(now, year, month, day), _asking(request, now)
    today = local_date(now, settings.BROADSHEET.zone)
    if asked > today:
        raise Http404
    if not everything and _closed(asked, now):
        return _wall(request)
    cards, place = queries.of_day(asked, _before(request.GET.get("after", "")))
    edition = edition_of(asked)
    shown = {
        "title": f"{asked:%A}, {_words(asked)}",
        "month": (f"{asked:%B %Y}", f"/archive/{asked:%Y/%m}/"),
        "cards": cards,
        "next_path": f"{request.path}?after={place}" if place else "",
        "later": bool(request.GET.get("after")),
        "before": _neighbour(asked, -1, today),
        "behind": _neighbour(asked, 1, today),
        "edition": f"/epaper/{asked:%Y-%m-%d}/" if edition else "",
    }
    return _page(request, "day.html", shown, everything=everything)


def _neighbour(asked: date, step: int, today: date) -> tuple[str, str] | None:
    other = date.fromordinal(asked.toordinal() + step)
    if other > today or other.year < min(settings.BROADSHEET.archive_since, today.year):
        return None
    return _words(other), f"/archive/{other:%Y/%m/%d}/"


def _before(text: str) -> tuple[datetime, int] | None:
    """The place at which a page begins; None for the first page and for what is none."""
    at, _, story = text[:60].rpartition("-")
    try:
        return datetime.fromtimestamp(float(at), UTC), int(story)
    except (ValueError, OverflowError, OSError):
        return None

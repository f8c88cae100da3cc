"""Who may have what: one question to access, the wall below a public part, and answers no cache keeps."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from broadsheet import clock
from broadsheet.access.queries import benefit
from broadsheet.access.rules import Body
from broadsheet.markets import charts, figures
from broadsheet.subscriptions.views_road import sign_in_first
from broadsheet.subscriptions.views_wall import as_wall, benefit_offers, benefit_wall

PRODUCT = "investor"
DOOR = "/investor/"
WATCH = (
    "Keep the instruments you follow in lists of your own, and be told by mail when a close reaches your level or a "
    "day moves far."
)
PORTFOLIO = (
    "Note what you bought and sold, and see what it is worth at the last close, what it has gained, and its yearly "
    "return (XIRR)."
)
SCREENER = (
    "Find instruments by price, change, returns, turnover and their distance from the highest and lowest of the year."
)
MORE = (
    "Charts of every range with volume and related stories, comparisons, returns and corporate actions are part of "
    "The Investor."
)
ROOMS = {
    "watch": ("Watch lists", WATCH),
    "portfolio": ("Portfolio", PORTFOLIO),
    "screener": ("Screener", SCREENER),
}
"""What each of the rooms behind the wall is: the same words for everybody who may not enter."""

View = Callable[..., HttpResponse]


def may_enter(request: HttpRequest) -> bool:
    """Asked at every request: a right ends by itself."""
    reader_id = request.user.pk if request.user.is_authenticated else None
    return benefit(PRODUCT, reader_id, clock.now()).body is Body.FULL


def room(name: str, *methods: str) -> Callable[[View], View]:
    """For views of readers alone whose plan has the product: everybody else meets the wall, whatever they asked for."""

    def decorate(view: View) -> View:
        @require_http_methods(methods or ("GET", "HEAD"))
        @wraps(view)
        def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if not may_enter(request):
                return _refused(request, name)
            if not request.user.is_authenticated:
                return sign_in_first(request)  # let in by an institution's seat: what is a reader's own needs a reader
            response = view(request, **kwargs)
            response.headers["Cache-Control"] = "private, no-store"
            return response

        return guarded

    return decorate


def _refused(request: HttpRequest, name: str) -> HttpResponse:
    title, words = ROOMS[name]
    return benefit_wall(request, PRODUCT, title=title, words=words, here=DOOR)


def page(request: HttpRequest, template: str, values: dict[str, Any], *, walled: bool = False) -> HttpResponse:
    """A page of the section. `walled`: its public part, above the wall."""
    shown = {"f": figures, "charts": charts, "walled": walled, "here": DOOR, **values}
    if walled:
        shown |= {**benefit_offers(request, PRODUCT), "words": MORE}
    response = render(request, template, shown, using="jinja2")
    response.headers["Cache-Control"] = "private, no-store"
    return as_wall(response) if walled else response

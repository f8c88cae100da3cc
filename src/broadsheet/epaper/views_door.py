"""The one door of the e-paper: every page, picture, word and hit goes through it, before anything is looked up."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from broadsheet import clock
from broadsheet.access.queries import benefit
from broadsheet.access.rules import Body
from broadsheet.epaper import queries
from broadsheet.subscriptions.views_wall import benefit_wall

View = Callable[..., HttpResponse]
PRIVATE = "private, no-store"
TITLE = "The e-paper"
WORDS = "The newspaper as it is printed, page by page: to read, to search, to keep for a journey and to clip from."


def let_in(request: HttpRequest) -> bool:
    """Whether whoever asks may read the e-paper now. Asked anew at every request."""
    reader = request.user.pk if request.user.is_authenticated else None
    return may_read(reader)


def may_read(reader_id: int | None) -> bool:
    """The same of a reader by id: the giver of a clipping."""
    return benefit("epaper", reader_id, clock.now()).body is Body.FULL


def wall(request: HttpRequest) -> HttpResponse:
    """The same for every address, whether there is anything behind it or not."""
    picture = "/epaper/front.jpg" if queries.works() else ""
    return benefit_wall(request, "epaper", title=TITLE, words=WORDS, here="/epaper/", picture=picture)


def page(view: View) -> View:
    """A page of the e-paper, or the wall."""
    return _guarded(view, wall)


def data(view: View) -> View:
    """A picture or JSON; to whoever is not let in there is nothing, as behind an address of nothing."""
    return _guarded(view, absent)


def _guarded(view: View, otherwise: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not let_in(request):
            return otherwise(request)
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            response = missing(request) if otherwise is wall else absent(request)
        response.headers["Cache-Control"] = PRIVATE
        response.headers.setdefault("Broadsheet-Variant", "full")
        return response

    return guarded


def absent(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view's form
    """Nothing here, in JSON: for pictures and data."""
    response = JsonResponse({"error": "not found"}, status=404)
    response.headers["Cache-Control"] = PRIVATE
    return response


def missing(request: HttpRequest) -> HttpResponse:
    """To a subscriber: there is no such edition or page."""
    return render(request, "epaper/missing.html", status=404, using="jinja2")

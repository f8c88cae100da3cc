"""The wall before what is not a story: what it is, in open words, and the plans that have it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from broadsheet.subscriptions import queries
from broadsheet.subscriptions.views_road import language, today, with_next


def benefit_wall(
    request: HttpRequest, product: str, *, title: str, words: str, here: str = "", picture: str = ""
) -> HttpResponse:
    """The answer to a reader whom access.queries.benefit() does not let in. Status 200, for this reader alone.

    `title` and `words` say what is behind it, `here` marks a menu entry (a section's slug or a door's path), `picture`
    is the address of one that everybody may see. None of them may depend on what is hidden.
    """
    shown = {"title": title, "words": words, "here": here, "picture": picture, **benefit_offers(request, product)}
    response = render(request, "subscriptions/benefit_wall.html", shown)
    return as_wall(response)


def benefit_offers(request: HttpRequest, product: str) -> dict[str, Any]:
    """What subscriptions/_benefit.html needs: for pages that have a public part, and the wall below it."""
    return {
        "offers": [
            (card, with_next(card.url, request.path)) for card in queries.cards_with(product, language(), day=today())
        ],
        "signed_in": request.user.is_authenticated,
        "sign_in": with_next(reverse("sign_in"), request.get_full_path()),
    }


def as_wall(response: HttpResponse) -> HttpResponse:
    """An answer that is a wall says so, and is kept by nobody."""
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Broadsheet-Variant"] = "wall"
    response.headers["Broadsheet-Reason"] = "product"
    return response

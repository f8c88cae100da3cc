"""What the gate hands over: cold fronts, older pages, feeds and sitemaps, and the pages that say what went wrong."""

from __future__ import annotations

import logging
from datetime import timedelta
from hashlib import blake2b

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe
from wagtail.views import serve

from broadsheet import clock
from broadsheet.archive.queries import moved_to
from broadsheet.newsroom import queries as newsroom
from broadsheet.press.queries import chrome
from broadsheet.press.typesetting import render as typeset
from broadsheet.press.typesetting import static
from broadsheet.website import actions, feeds, queries, rules

log = logging.getLogger(__name__)

PRIVATE = "private, no-store"
PUBLIC = "public, max-age=60, stale-while-revalidate=60"
XML = "application/xml; charset=utf-8"
NEWS_DAYS = timedelta(days=2)
NEWS_LENGTH = 1000


def _public(request: HttpRequest, text: str, content_type: str) -> HttpResponse:
    """An answer that is the same for everyone, with a validator made from its bytes.

    Whoever sends a cookie is told to keep it private all the same: a shared cache must never learn to store what
    belongs to a session.
    """
    body = text.encode()
    etag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    cache = PRIVATE if request.COOKIES else PUBLIC
    response = HttpResponse(body, content_type=content_type, headers={"ETag": etag, "Cache-Control": cache})
    return get_conditional_response(request, etag=etag, response=response) or response


@require_safe
def printed(request: HttpRequest, **kwargs: str) -> HttpResponse:  # noqa: ARG001 - the path says it all
    """A front, a section front or a feed; else whatever the page tree has under this path."""
    built = actions.print_at(path=request.path, now=clock.now())
    if built is None:
        return serve(request, request.path.lstrip("/"))
    return _public(request, built.text, built.content_type)


@require_safe
def older(request: HttpRequest, slug: str, place: str) -> HttpResponse:
    before = rules.read_cursor(place)
    page = queries.section_front(slug, before) if before else None
    if page is None:
        raise Http404
    text = typeset("website/section.html", chrome=chrome(), section_front=page)
    return _public(request, text, actions.HTML)


@require_safe
def sitemap_index(request: HttpRequest) -> HttpResponse:
    return _public(request, feeds.sitemap_index(queries.paper(), newsroom.month_index()), XML)


@require_safe
def page_sitemap(request: HttpRequest) -> HttpResponse:
    return _public(request, feeds.page_sitemap(queries.paper(), queries.page_paths()), XML)


@require_safe
def month_sitemap(request: HttpRequest, year: str, month: str) -> HttpResponse:
    asked = (int(year), int(month))
    if asked not in newsroom.month_index():
        raise Http404
    return _public(request, feeds.story_sitemap(queries.paper(), newsroom.month_addresses(*asked)), XML)


@require_safe
def news_sitemap(request: HttpRequest) -> HttpResponse:
    cards = newsroom.latest_cards(NEWS_LENGTH)
    return _public(request, feeds.news_sitemap(queries.paper(), cards, clock.now() - NEWS_DAYS), XML)


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    return _public(request, feeds.robots(queries.paper()), "text/plain; charset=utf-8")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - the same for everyone
    """Browsers ask here for pages that name no icon, such as a feed."""
    return redirect(static("press/icon.svg"))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's form
    """No such page: unless the address is one of the system that the paper came from."""
    there = moved_to(request.get_full_path())
    if there:
        return redirect(there, permanent=True)
    return render(request, "website/404.html", status=404, using="jinja2")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's form
    return render(request, "website/403.html", status=403, using="jinja2")


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's form
    """What a form without its token is answered: the setting CSRF_FAILURE_VIEW."""
    return render(request, "website/form_expired.html", status=403, using="jinja2")


def server_error(request: HttpRequest) -> HttpResponse:
    try:
        return render(request, "website/500.html", status=500, using="jinja2")
    except Exception:  # The frame needs the database, which may be the very thing that failed.
        log.exception("The error page itself could not be set.")
        return HttpResponse(_BARE, status=500)


_BARE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Something went wrong</title>'
    "<h1>Something went wrong.</h1><p>The fault is ours and has been recorded. Please try again in a minute.</p></html>"
)

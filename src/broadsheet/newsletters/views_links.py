"""What links in mails lead to. Scanners follow every link of a mail: a GET here changes nothing, ever."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from broadsheet import clock
from broadsheet.newsletters import queries, rules
from broadsheet.newsletters.actions import sending, signups
from broadsheet.newsletters.queries import AddressCard
from broadsheet.newsletters.tokens import Named
from broadsheet.newsletters.views import page

_DOT = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


def _named(purpose: str, token: str) -> Named:
    found = queries.tokens().open(purpose, token)
    if found is None:
        raise Http404
    return found


def _owner(found: Named) -> AddressCard:
    card = queries.address(found.address)
    if card is None:
        raise Http404
    return card


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The second half of a sign-up. The token in the address is the proof; no cookie takes part."""
    found = _named("c", token)
    card = _owner(found)
    asked = datetime.fromtimestamp(found.issue, UTC)
    if clock.now() > asked + timedelta(days=rules.CONFIRM_DAYS):
        return page(request, "late.html", {}, status=410)
    if request.method != "POST":
        return page(request, "confirm.html", {"email": card.email, "names": queries.pending_names(card.id)})
    names = signups.confirm(address_id=card.id, now=clock.now())
    mine = f"/newsletters/mine/{queries.tokens().make('m', card.id)}"
    return page(request, "confirmed.html", {"email": card.email, "names": names, "mine": mine})


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """RFC 8058: a POST takes the address off the list, without login, cookie or redirect. A GET shows a button."""
    found = _named("m", token)
    card = _owner(found)
    lists = {one.id: one for one in queries.live_lists()}
    name = lists[found.list].name if found.list in lists else ""
    values = {"name": name, "email": rules.masked(card.email), "mine": f"/newsletters/mine/{token}"}
    if request.method != "POST":
        return page(request, "leave.html", values)
    why = "one-click" if request.POST.get("List-Unsubscribe") == "One-Click" else "page"
    signups.unsubscribe(address_id=card.id, list_id=found.list, now=clock.now(), why=why)
    return page(request, "left.html", values)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest, token: str) -> HttpResponse:
    """Which newsletters an address gets, by the link in any of its mails, without logging in."""
    card = _owner(_named("m", token))
    done = ""
    if request.method == "POST":
        slugs = request.POST.getlist("list")
        done = "kept" if signups.choose(email=card.email, list_slugs=slugs, now=clock.now()) else "suppressed"
        if done == "suppressed":
            signups.ask(email=card.email, list_slugs=slugs, now=clock.now())
        card = _owner(_named("m", token))
    values = {"email": rules.masked(card.email), "on": card.lists, "lists": queries.live_lists(), "done": done}
    return page(request, "mine.html", values)


@require_safe
def go(request: HttpRequest, token: str) -> HttpResponse:
    """A link of a letter: counted for the issue, not for the reader. It leads only where that issue's letter leads."""
    found = _named("g", token)
    url = queries.link(found.address, found.issue)
    if not url:
        raise Http404
    if request.method == "GET":
        sending.count_click(link_id=found.address)
    base = settings.BROADSHEET.public_url
    response = HttpResponseRedirect(url.removeprefix(base) or "/" if url.startswith(base + "/") else url)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@require_safe
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """The dot, where the publisher wants one: an issue was shown once more, nobody knows to whom."""
    found = _named("o", token)
    if request.method == "GET" and settings.BROADSHEET.newsletter_opens == "on":
        sending.count_open(issue_id=found.issue)
    response = HttpResponse(_DOT, content_type="image/gif", headers={"Cache-Control": "private, no-store"})
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response

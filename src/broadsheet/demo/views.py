"""The doors and the mailbox. They exist in a demo and on this machine alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model, login, logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from broadsheet.demo import queries, rules
from broadsheet.demo.schedule import ARRIVALS
from broadsheet.gate.asked import CookieNames
from broadsheet.readers.rules import local_path

View = Callable[..., HttpResponse]
BACKEND = "django.contrib.auth.backends.ModelBackend"


def demo_only(view: View) -> View:
    """404 for everybody who is not on this machine, and for everybody when the paper is no demo."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        meta = request.META
        proxied = any(name in meta for name in ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP"))
        here = rules.is_loopback(peer=meta.get("REMOTE_ADDR", ""), host=meta.get("HTTP_HOST", ""))
        if not settings.BROADSHEET.demo or proxied or not here:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@demo_only
@require_safe
def doors(request: HttpRequest) -> HttpResponse:
    """Who you can be, and what the feed will bring."""
    return render(request, "demo/doors.html", {"personas": rules.PERSONAS, "arrivals": ARRIVALS, "next": ""})


# The bar with the doors stands on printed pages, which cannot carry a token: the form's origin is checked instead.
@csrf_exempt
@demo_only
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, door: str) -> HttpResponse:
    """Goes through a door: the session becomes the persona's, or nobody's.

    An address that was typed, or followed from the terminal, opens it at once; a link on somebody else's page, and
    whatever only looks ahead, is shown the door and its button.
    """
    who = rules.persona(door)
    if who is None:
        raise Http404
    wanted = local_path(request.POST.get("next") or request.GET.get("next") or "")
    site = request.headers.get("Sec-Fetch-Site", "")
    here = rules.is_from_here(origin=request.headers.get("Origin", ""), fetch_site=site, host=request.get_host())
    if request.method != "POST" and (not here or request.method == "HEAD" or request.headers.get("Sec-Purpose")):
        return render(request, "demo/doors.html", {"personas": [who], "arrivals": (), "next": wanted})
    if not here:
        return HttpResponseForbidden("This door opens from the demo's own pages.", content_type="text/plain")
    logout(request)
    response = redirect(wanted or who.opens)
    if who.email:
        login(request, get_user_model().objects.get(email=who.email), backend=BACKEND)
    else:
        _forget_visitor(response)
    return response


def _forget_visitor(response: HttpResponse) -> None:
    """A visitor nobody has seen: the meter goes. The passport goes by itself when the session has ended."""
    names = CookieNames.for_site(https=settings.BROADSHEET.https)
    response.delete_cookie(names.meter, samesite="Lax")


@demo_only
@require_safe
def mail(request: HttpRequest) -> HttpResponse:
    """Every letter the paper has written, newest first: codes, receipts, notices."""
    return render(request, "demo/mail.html", {"letters": queries.letters()})

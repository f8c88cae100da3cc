"""What every answer of Django's carries, and the passport that lets the gate answer the next request itself."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers

from broadsheet import clock
from broadsheet.bus.actions import announce
from broadsheet.gate.answers import PRIVATE, SECURITY_HEADERS
from broadsheet.gate.asked import CookieNames
from broadsheet.readers.queries import session_digest
from broadsheet.server import passports

GetResponse = Callable[[HttpRequest], HttpResponse]
# Wagtail's admin needs inline styles and scripts; it is staff's alone and is not framed by anybody else.
ADMIN_POLICY = "default-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; frame-ancestors 'self'"


class ResponseHeaders:
    """The gate's security headers on Django's answers, and no shared cache unless a view says otherwise."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        admin = request.path.startswith("/admin/")
        for name, value in SECURITY_HEADERS:
            response.headers.setdefault(name, value)
        if admin:
            response.headers["Content-Security-Policy"] = ADMIN_POLICY
            add_never_cache_headers(response)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = PRIVATE
        return response


class Passports:
    """Issues a passport to whoever is signed in and has none that is current; takes it away after signing out.

    Signing in brings the visitor's meter along: what this browser read counts on the account from then on.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response
        self._names = CookieNames.for_site(https=settings.BROADSHEET.https)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        held = request.COOKIES.get(self._names.passport, "")
        if request.session.session_key and request.user.is_authenticated:
            now = clock.now()
            if not passports.is_current(held, request.user.pk, request.session.session_key, now):
                passports.merge_meter(request.user.pk, request.COOKIES.get(self._names.meter, ""), now)
                if request.session.modified:
                    # Who signed in just now stands only in memory yet, and the passport is issued from what is stored.
                    request.session.save()
                value = passports.issue(request.session.session_key, request.headers.get("User-Agent", ""))
                if value:
                    self._set(response, value)
        elif held:
            ended = passports.session_of(held, clock.now())
            own = request.COOKIES.get(self._names.session, "")
            # Only who came with that very session has ended it. A passport sent without its session, or beside a
            # broken one, must not close the reader's session in every gate.
            if ended and own and session_digest(own) == ended:
                announce("session", ended)
            response.delete_cookie(self._names.passport, samesite="Lax")
        return response

    def _set(self, response: HttpResponse, value: str) -> None:
        response.set_cookie(
            self._names.passport,
            value,
            max_age=settings.SESSION_COOKIE_AGE,
            secure=settings.BROADSHEET.https,
            httponly=True,
            samesite="Lax",
        )
        response.headers["Cache-Control"] = PRIVATE

"""Routes of api. The provider's names are those allauth asks for; its modules are imported with the first request to
one of them, not at the start."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import URLPattern, URLResolver, include, path, register_converter

from broadsheet.api import views_docs
from broadsheet.api.answers import ProblemError, cross_origin, door, problem
from broadsheet.api.document import PREFIX
from broadsheet.api.table import ENDPOINTS, Endpoint
from broadsheet.api.views import ABSENT

_IDENTITY = "broadsheet.api.views_identity"


def _later(name: str, *, own_form: bool = False, pages: bool = False) -> Callable[..., HttpResponse]:
    """A view of the provider. `own_form`: posted to by our own page alone, so Django guards it; the others know no
    cookie or guard themselves. `pages`: an app that is a web page calls it too, if the publisher lists its origin."""

    @lru_cache(maxsize=1)
    def found() -> Callable[..., HttpResponse]:
        view: Callable[..., HttpResponse] = getattr(import_module(_IDENTITY), name)
        return view

    def view(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return found()(request, **kwargs)

    answered = cross_origin(view) if pages else view
    answered.csrf_exempt = not own_form  # type: ignore[attr-defined]
    return answered


_oidc: list[URLPattern | URLResolver] = [
    path(".well-known/openid-configuration", _later("configuration"), name="configuration"),
    path(".well-known/oauth-authorization-server", _later("configuration")),
    path(".well-known/jwks.json", _later("jwks"), name="jwks"),
    path("oauth/authorize", _later("authorize"), name="authorization"),
    path("oauth/token", _later("token", pages=True), name="token"),
    path("oauth/revoke", _later("revoke", pages=True), name="revoke"),
    path("oauth/introspect", _later("introspect"), name="introspect"),
    path("oauth/userinfo", _later("user_info", pages=True), name="userinfo"),
    path("oauth/device", _later("device_code"), name="device_code"),
    path("oauth/logout", _later("logout_door"), name="logout"),
    path("device/", _later("device_door", own_form=True), name="device_authorization"),
]


def _routes() -> list[URLPattern]:
    """One route an address, its endpoints by method; {names} are whole numbers."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for one in ENDPOINTS:
        by_path.setdefault(one.path, {})[one.method] = one
    routes = []
    for address, endpoints in by_path.items():
        route = PREFIX.lstrip("/") + address.replace("{", "<whole:").replace("}", ">")
        routes.append(path(route, door(endpoints)))
    return routes


class Whole:
    """A number as an address has it: no sign, no zero in front, no longer than a row's id."""

    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(Whole, "whole")


def _nothing(request: HttpRequest, rest: str = "") -> HttpResponse:  # noqa: ARG001 - the route's
    return problem(request, ProblemError(404, "absent", ABSENT))


def _slash(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view's form
    return HttpResponsePermanentRedirect("/api/")


_nothing.csrf_exempt = True  # type: ignore[attr-defined]  # nothing is done
urlpatterns: list[URLPattern | URLResolver] = [
    path("api", _slash),
    path("api/", views_docs.page, name="api"),
    path("api/v1/openapi.json", views_docs.document),
    *_routes(),
    path("api/<path:rest>", _nothing),
    path("", include(([path("", include((_oidc, "oidc")))], "idp"))),
]

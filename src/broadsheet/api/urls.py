"""Routes of api. The provider's names are those allauth asks for; its modules are imported with the first request to
one of them, not at the start."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path

_IDENTITY = "broadsheet.api.views_identity"


def _later(name: str, *, own_form: bool = False) -> Callable[..., HttpResponse]:
    """A view of the provider. `own_form`: posted to by our own page alone, so Django guards it; the others know no
    cookie or guard themselves."""

    @lru_cache(maxsize=1)
    def found() -> Callable[..., HttpResponse]:
        view: Callable[..., HttpResponse] = getattr(import_module(_IDENTITY), name)
        return view

    def view(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return found()(request, **kwargs)

    view.csrf_exempt = not own_form  # type: ignore[attr-defined]
    return view


_oidc: list[URLPattern | URLResolver] = [
    path(".well-known/openid-configuration", _later("configuration"), name="configuration"),
    path(".well-known/oauth-authorization-server", _later("configuration")),
    path(".well-known/jwks.json", _later("jwks"), name="jwks"),
    path("oauth/authorize", _later("authorize"), name="authorization"),
    path("oauth/token", _later("token"), name="token"),
    path("oauth/revoke", _later("revoke"), name="revoke"),
    path("oauth/introspect", _later("introspect"), name="introspect"),
    path("oauth/userinfo", _later("user_info"), name="userinfo"),
    path("oauth/device", _later("device_code"), name="device_code"),
    path("oauth/logout", _later("logout_door"), name="logout"),
    path("device/", _later("device_door", own_form=True), name="device_authorization"),
]
urlpatterns: list[URLPattern | URLResolver] = [path("", include(([path("", include((_oidc, "oidc")))], "idp")))]

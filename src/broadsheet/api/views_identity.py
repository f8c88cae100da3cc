"""The doors of the OpenID provider. allauth keeps the protocol; here stands where we are stricter than it is:

redirects letter by letter, S256 alone, nothing granted silently that this very app was not granted before, each code
and refresh token once, whoever comes with a copy ends what came of it, and a page in the paper's own words.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from allauth.core.internal.httpkit import extract_basic_auth
from allauth.idp.oidc import views as allauth
from allauth.idp.oidc.adapter import get_adapter
from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.http import urlencode

from broadsheet import clock
from broadsheet.api import actions, queries
from broadsheet.api.adapters import validator
from broadsheet.api.rules import form_target, is_redirect, place_words, refuses_challenge, with_query
from broadsheet.gate.answers import PUBLIC, SECURITY_HEADERS
from broadsheet.seals import Seal

_POLICY = dict(SECURITY_HEADERS)["Content-Security-Policy"]
_PRESENTED = {
    "authorization_code": "code",
    "refresh_token": "refresh_token",
    validator.DEVICE_GRANT: "device_code",
}
_GOOD, _BAD = 200, 400
validator.install()


def _away(uri: str, **said: str) -> HttpResponse:
    """Back to the app. Not Django's redirect, which knows no scheme of an app's own."""
    return HttpResponse(status=302, headers={"Location": with_query(uri, {k: v for k, v in said.items() if v})})


class Configuration(allauth.ConfigurationView):
    def get(self, request: HttpRequest) -> HttpResponse:
        response = super().get(request)
        response.headers["Cache-Control"] = PUBLIC
        return response


class Authorize(allauth.AuthorizationView):
    template_name = "api/consent.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = request.GET
        client = queries.client(asked.get("client_id", ""))
        if client is None or not is_redirect(asked.get("redirect_uri", ""), client.redirect_uris):
            return _mistaken(request)
        uri, state = asked["redirect_uri"], asked.get("state", "")
        refused = refuses_challenge(asked.dict(), public=client.public)
        if refused or asked.get("response_type") != "code" or asked.get("response_mode", "query") != "query":
            error = "invalid_request" if refused else "unsupported_response_type"
            return _away(uri, error=error, error_description=refused, state=state)
        answer = self._prompted(request, client, uri, state)
        if answer is not None:
            return answer
        response = super().get(request, *args, **kwargs)
        response.headers["Content-Security-Policy"] = _POLICY.replace(
            "form-action 'self'", f"form-action 'self' {form_target(uri)}"
        )
        return response

    @staticmethod
    def _prompted(request: HttpRequest, client: queries.ClientRow, uri: str, state: str) -> HttpResponse | None:
        """What the app wants shown: `none` only where this app was let in before, `login` always afresh."""
        prompts = request.GET.get("prompt", "").split()
        if "none" in prompts:
            if not request.user.is_authenticated:
                return _away(uri, error="login_required", state=state)
            wanted = set(request.GET.get("scope", "openid").split())
            if not wanted <= queries.granted_scopes(request.user.pk, client.id):
                return _away(uri, error="consent_required", state=state)
        elif {"login", "select_account"} & set(prompts):
            if request.user.is_authenticated:
                logout(request)
            query = request.GET.copy()
            query.pop("prompt")
            return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")
        return None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown = super().get_context_data(**kwargs)
        uri = str(self._request_info["redirect_uri"])
        shown |= {
            "app": shown["client"].name,
            "email": self.request.user.email,
            "asks": [(scope, *queries.SCOPES[scope], scope in queries.ALWAYS) for scope in queries.SCOPES
                     if scope in self._scopes],
            "place": place_words(uri),
            "signed": shown["form"]["request"].value(),
            "again": f"{self.request.path}?{self.request.GET.urlencode()}",
            "problem": "Choose at least one." if shown["form"].errors else "",
        }  # fmt: skip
        return shown


def _mistaken(request: HttpRequest) -> HttpResponse:
    """An app that is not registered, or wants its answer elsewhere: said here, as it must not be told there."""
    response = allauth.respond_html_error(request)
    response.status_code = _BAD
    return response


class Token(allauth.TokenView):
    """Each code and refresh token is exchanged once. The same request again within half a minute, as from a telephone
    whose answer was lost in a tunnel, gets the same answer; any other repeat is a copy."""

    def post(self, request: HttpRequest) -> HttpResponse:
        field = _PRESENTED.get(request.POST.get("grant_type", ""), "")
        presented = request.POST.get(field, "") if field else ""
        digest = get_adapter().hash_token(f"{field}:{presented}")
        if presented and (before := queries.spent(digest)) is not None:
            return self._repeated(request, before, presented)
        try:
            with transaction.atomic():
                device = queries.token_device("rt", presented) if field == "refresh_token" else ""
                response = super().post(request)
                if response.status_code == _GOOD and presented:
                    self._tie(request, response, digest, device, presented)
        except actions.ReusedError:
            before = queries.spent(digest)
            return self._repeated(request, before, presented) if before else _refused()
        if field == "code" and response.status_code != _GOOD:
            validator.burn(_client_id(request), presented)
        return response

    @staticmethod
    def _tie(request: HttpRequest, response: HttpResponse, digest: str, device: str, presented: str) -> None:
        now, said = clock.now(), json.loads(response.content)
        values = [("at", said["access_token"]), ("rt", said.get("refresh_token", ""))]
        key = actions.tie_tokens(values=values, device=device, now=now)
        answer = "" if "code" in request.POST else _seal(presented).seal(response.content)
        actions.spend(digest=digest, device=key, asked=_asked(request), answer=answer, now=now)

    @staticmethod
    def _repeated(request: HttpRequest, before: Any, presented: str) -> HttpResponse:
        young = clock.now() - before.at < actions.REPEAT
        if young and before.answer and before.asked == _asked(request):
            body = _seal(presented).open(before.answer)
            if body is not None and queries.token_device("at", json.loads(body)["access_token"]):
                headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
                return HttpResponse(body, content_type="application/json", headers=headers)
        actions.end_reused(digest=before.digest)
        return _refused()


def _client_id(request: HttpRequest) -> str:
    return extract_basic_auth(request.headers)[0] or request.POST.get("client_id", "")


def _seal(presented: str) -> Seal:
    """Opens for whoever holds the token that was exchanged, and for nobody who reads the table."""
    return Seal([hashlib.blake2b(presented.encode(), digest_size=32).digest()], "token answer")


def _asked(request: HttpRequest) -> str:
    """A request to the letter, its client's secret included."""
    parts = [request.headers.get("Authorization", ""), urlencode(sorted(request.POST.items()))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _refused() -> HttpResponse:
    return JsonResponse({"error": "invalid_grant"}, status=_BAD, headers={"Cache-Control": "no-store"})


class Revoke(allauth.RevokeView):
    """A refresh token that is given back ends the whole signing in, its access tokens included."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        presented = request.POST.get("token", "")
        device = queries.token_device("rt", presented)
        response = super().post(request, *args, **kwargs)
        if device and not queries.token_device("rt", presented):
            actions.end_device_of(key=device)
        return response


class DeviceDoor(allauth.DeviceAuthorizationView):
    """Where a reader types the code that a television shows. The form is protected like every form of ours."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().dispatch(request, *args, **kwargs)


class Logout(allauth.LogoutView):
    template_name = "api/logout.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown = super().get_context_data(**kwargs)
        form = shown["form"]
        shown["hidden"] = [(name, form[name].value() or "") for name in form.fields if name != "action"]
        client = queries.client(form["client_id"].value() or "")
        return {**shown, "app": client.name if client else ""}


configuration, authorize, token = Configuration.as_view(), Authorize.as_view(), Token.as_view()
revoke, device_door, logout_door = Revoke.as_view(), DeviceDoor.as_view(), Logout.as_view()
device_code, introspect, user_info, jwks = allauth.device_code, allauth.introspect, allauth.user_info, allauth.jwks

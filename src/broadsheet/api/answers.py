"""How every answer of the API is made: JSON, or a problem (RFC 9457); who may keep it; who asks, and how often.

A cookie means nothing here: whoever shows no access token is nobody, so no page can act in a reader's name.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from broadsheet.api.queries import Caller, caller_of
from broadsheet.gate.answers import PRIVATE, PUBLIC

_MINUTE = 60
_LONGEST_BODY = 10_000


class ProblemError(Exception):
    """What goes back instead of an answer. `kind` names it for programs: the end of its type's address in the docs."""

    def __init__(self, status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail, self.headers = status, kind, detail, dict(headers or {})


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: `body` of JSON values, None for nothing (204). `public`: the same for everybody, and a cache may keep
    it when no token came with the request."""

    body: Any
    public: bool = False
    status: int = 200
    headers: Mapping[str, str] | None = None
    content: bytes = b""  # instead of `body`, such as a picture
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `caller`: whose token came, None for nobody's. `query`, `body`: as the table lets them be."""

    request: HttpRequest
    caller: Caller | None
    query: Mapping[str, Any]
    body: Mapping[str, Any]

    @property
    def reader(self) -> Caller:
        """The caller of an endpoint that has a scope."""
        assert self.caller is not None
        return self.caller

    def may(self, scope: str) -> bool:
        return self.caller is not None and scope in self.caller.scopes


View = Callable[..., Said]


def problem(request: HttpRequest, error: ProblemError) -> HttpResponse:
    body = {
        "type": f"{settings.BROADSHEET.public_url}/api/#problem-{error.kind}",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.detail,
        "instance": request.path,
    }
    text = json.dumps(body, ensure_ascii=False)
    headers = {"Cache-Control": PRIVATE, **error.headers}
    return HttpResponse(text, status=error.status, content_type="application/problem+json", headers=headers)


def bearer(request: HttpRequest) -> str:
    """The access token in the request's head; "" for none. Never from an address, which ends up in logs."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


def identify(request: HttpRequest) -> Caller | None:
    """Whose token it is. A token that is none is a problem, never a visitor: the app must notice."""
    if "Authorization" not in request.headers:
        return None
    value = bearer(request)
    caller = caller_of(value) if value and len(value) < 1000 else None  # noqa: PLR2004 - ours have 86 letters
    if caller is None:
        raise ProblemError(
            401, "token", "The access token is not ours, has ended, or its reader is signed out.",
            {"WWW-Authenticate": 'Bearer realm="broadsheet", error="invalid_token"'},
        )  # fmt: skip
    return caller


def need(caller: Caller | None, scope: str) -> None:
    if caller is None:
        realm = f'Bearer realm="broadsheet", scope="{scope}"'
        raise ProblemError(401, "token", "This needs an access token.", {"WWW-Authenticate": realm})
    if scope not in caller.scopes:
        realm = f'Bearer realm="broadsheet", error="insufficient_scope", scope="{scope}"'
        raise ProblemError(
            403, "scope", f"The reader did not let this app have the scope {scope}.", {"WWW-Authenticate": realm}
        )


def network(address: str) -> str:
    """The network an address is counted under: an IPv6 one by its /64. Nothing of it is stored."""
    try:
        one = ip_address(address)
    except ValueError:
        return "-"
    return str(one) if one.version == 4 else str(ip_network(f"{one}/64", strict=False))  # noqa: PLR2004 - IPv4


def hold_rate(key: str, most: int) -> None:
    """Count a request within the running minute of this process."""
    now = time.time()
    minute = f"api-rate:{key}:{int(now // _MINUTE)}"
    cache.add(minute, 0, 2 * _MINUTE)
    try:
        used = cache.incr(minute)
    except ValueError:  # dropped in between
        return
    if used > most:
        wait = str(_MINUTE - int(now % _MINUTE))
        raise ProblemError(429, "rate", f"More than {most} requests in a minute.", {"Retry-After": wait})


def _hold_rates(request: HttpRequest, caller: Caller | None, *, partners: bool) -> None:
    options = settings.BROADSHEET
    if caller is None:
        hold_rate(f"net:{network(request.META.get('REMOTE_ADDR', ''))}", options.api_rate)
    elif partners and caller.client.kind == "partner":
        hold_rate(f"client:{caller.client.id}", caller.client.rate or options.partner_rate)
    else:
        hold_rate(f"token:{caller.client.id}:{caller.reader}", caller.client.rate or options.api_rate)


def read_query(request: HttpRequest, params: Sequence[Any]) -> dict[str, Any]:
    """The query by the table's parameters; one it does not know, one twice or one that is wrong is refused."""
    known = {param.name: param for param in params if param.where == "query"}
    values = {}
    for name in request.GET:
        if name not in known:
            raise ProblemError(400, "query", f"There is no parameter {name[:40]!r} here.")
        given = request.GET.getlist(name)
        if len(given) > 1:
            raise ProblemError(400, "query", f"{name}: name it once.")
        try:
            values[name] = known[name].parse(given[0])
        except ValueError as error:
            raise ProblemError(400, "query", f"{name}: {error}.") from None
    return {name: values.get(name, param.default) for name, param in known.items()}


def read_body(request: HttpRequest, fields: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """A JSON object with exactly these fields."""
    if not fields:
        return {}
    if request.content_type != "application/json":
        raise ProblemError(415, "body", "Send JSON, as application/json.")
    if len(request.body) > _LONGEST_BODY:
        raise ProblemError(413, "body", "That is too long.")
    try:
        given = json.loads(request.body)
    except (ValueError, RecursionError):
        raise ProblemError(400, "body", "The body is not JSON.") from None
    if not isinstance(given, dict) or set(given) != set(fields):
        raise ProblemError(422, "body", f"Send an object with exactly: {', '.join(fields)}.")
    try:
        return {name: parse(given[name]) for name, parse in fields.items()}
    except ValueError as error:
        raise ProblemError(422, "body", f"{error}.") from None


def _answer(request: HttpRequest, said: Said, *, personal: bool) -> HttpResponse:
    if said.body is None and not said.content:
        return HttpResponse(status=204, headers={"Cache-Control": PRIVATE, **(said.headers or {})})
    content = said.content or json.dumps(said.body, ensure_ascii=False, separators=(",", ":")).encode()
    public = said.public and not personal
    tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"' if public else ""
    headers = {"Cache-Control": PUBLIC if public else PRIVATE, "Vary": "Authorization", **(said.headers or {})}
    if tag:
        headers["ETag"] = tag
        given = [one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")]
        if tag in given or "*" in given:
            return HttpResponse(status=304, headers=headers)
    return HttpResponse(content, status=said.status, content_type=said.content_type, headers=headers)


def cross_origin(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Web pages of the origins the publisher lists may call it; those of no others, and never with cookies."""

    @wraps(view)
    def answered(request: HttpRequest, **path: Any) -> HttpResponse:
        origin = request.headers.get("Origin", "")
        allowed = bool(origin) and origin in settings.BROADSHEET.api_origins
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers and allowed:
            response = HttpResponse(status=204, headers={"Cache-Control": PRIVATE})
            response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, DELETE"
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
            response.headers["Access-Control-Max-Age"] = "600"
        else:
            response = view(request, **path)
        if settings.BROADSHEET.api_origins:
            vary = response.headers.get("Vary", "")
            response.headers["Vary"] = f"{vary}, Origin" if vary else "Origin"
        if allowed:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = "ETag, Retry-After, Link"
        return response

    return answered


def door(endpoints: Mapping[str, Any]) -> Callable[..., HttpResponse]:
    """The view of one address: `endpoints` by method. Every request of the API comes through here."""
    allowed = sorted({*endpoints, "OPTIONS", *(["HEAD"] if "GET" in endpoints else [])})

    @cross_origin
    def view(request: HttpRequest, **path: Any) -> HttpResponse:
        method = "GET" if request.method == "HEAD" else request.method
        endpoint = endpoints.get(method or "")
        if endpoint is None:
            said = f"Ask with {', '.join(allowed)}."
            return problem(request, ProblemError(405, "method", said, {"Allow": ", ".join(allowed)}))
        try:
            caller = identify(request)
            _hold_rates(request, caller, partners=endpoint.for_partners)
            if endpoint.scope and not endpoint.open:
                need(caller, endpoint.scope)
            query = read_query(request, endpoint.params)
            asked = Asked(request, caller, query, read_body(request, endpoint.body))
            return _answer(request, endpoint.view(asked, **path), personal=caller is not None)
        except ProblemError as error:
            return problem(request, error)

    view.csrf_exempt = True  # type: ignore[attr-defined]  # no cookie is looked at
    return view

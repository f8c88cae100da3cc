"""The API's own description: for programs, and for the people who write them."""

from __future__ import annotations

import json
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from broadsheet.api.answers import cross_origin
from broadsheet.api.document import PREFIX, PROBLEMS, openapi
from broadsheet.api.queries import SCOPES
from broadsheet.api.table import ENDPOINTS
from broadsheet.gate.answers import PUBLIC

_GROUPS = (
    ("The paper", ("/paper", "/sections", "/front", "/stories")),
    ("The reader", ("/me", "/entitlements", "/saved")),
    ("The e-paper", ("/epaper",)),
)


@lru_cache(maxsize=1)
def _document() -> bytes:
    return json.dumps(openapi(), ensure_ascii=False, indent=1).encode()


@cross_origin
@require_safe
def document(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view's form
    return HttpResponse(_document(), content_type="application/json", headers={"Cache-Control": PUBLIC})


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    groups = [
        (title, [one for one in ENDPOINTS if any(one.path.startswith(path) for path in paths)])
        for title, paths in _GROUPS
    ]
    shown = {
        "groups": groups,
        "prefix": PREFIX,
        "scopes": [(name, words, more) for name, (words, more) in SCOPES.items()],
        "problems": sorted(PROBLEMS.items()),
        "base": settings.BROADSHEET.public_url,
        "rate": settings.BROADSHEET.api_rate,
    }
    response = render(request, "api/docs.html", shown, using="jinja2")
    response.headers["Cache-Control"] = PUBLIC
    return response

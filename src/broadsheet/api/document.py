"""The OpenAPI document, made from the table. Schemas say what is there today; later versions only add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from broadsheet import __version__
from broadsheet.api.queries import SCOPES
from broadsheet.api.table import ENDPOINTS, Endpoint

PREFIX = "/api/v1"
PROBLEMS: Mapping[int, str] = {
    400: "A parameter is wrong or unknown.",
    401: "There is no access token, or it has ended.",
    403: "The reader did not allow this, or their plan does not include it.",
    404: "There is nothing at this address.",
    409: "The list is full.",
    410: "The story was withdrawn.",
    413: "The body is too long.",
    415: "The body is not JSON.",
    422: "A field is missing, wrong or unknown.",
    429: "Too many requests; Retry-After says in how many seconds to come again.",
    451: "The story may not be shown for legal reasons.",
}
_TEXT: dict[str, Any] = {"type": "string"}
_MAYBE: dict[str, Any] = {"type": ["string", "null"]}
_NUMBER: dict[str, Any] = {"type": "integer"}
_INSTANT: dict[str, Any] = {"type": "string", "format": "date-time"}
_URL: dict[str, Any] = {"type": "string", "format": "uri"}
_FLAG: dict[str, Any] = {"type": "boolean"}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _many(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": one}


def _or_null(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [one, {"type": "null"}]}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


_SHORT_SECTION = _object(name=_TEXT, slug=_TEXT)
_TIER = {"type": "string", "enum": ["free", "metered", "registered", "premium"]}
_CARD: dict[str, Any] = {
    "id": _NUMBER, "url": _URL, "headline": _TEXT, "standfirst": _TEXT, "kicker": _TEXT, "byline": _TEXT,
    "credit": _TEXT, "language": _TEXT, "tier": _TIER, "section": _SHORT_SECTION, "picture": _or_null(_ref("Picture")),
    "published_at": _INSTANT,
}  # fmt: skip
_EDITION: dict[str, Any] = {
    "id": _NUMBER, "date": {"type": "string", "format": "date"}, "city": _TEXT, "title": _TEXT, "language": _TEXT,
    "complete": _FLAG, "pages": _NUMBER, "pages_ready": _NUMBER, "revision": _NUMBER, "published_at": _INSTANT,
}  # fmt: skip
_PAGE: dict[str, Any] = {
    "number": _NUMBER, "label": _TEXT, "section": _TEXT, "ready": _FLAG, "width_mm": _NUMBER, "height_mm": _NUMBER,
    "pictures": _many(_object(width=_NUMBER, height=_NUMBER, bytes=_NUMBER, url=_URL)),
}  # fmt: skip
SCHEMAS: dict[str, Any] = {
    "Paper": _object(
        name=_TEXT, tagline=_TEXT, url=_URL, languages=_many(_TEXT), time_zone=_TEXT, issuer=_URL, subscribe_url=_URL,
        account_url=_URL,
    ),
    "Section": _object(name=_TEXT, slug=_TEXT, language=_TEXT, url=_URL),
    "Sections": _object(sections=_many(_ref("Section"))),
    "Picture": _object(
        url=_URL, alt=_TEXT, caption=_TEXT, credit=_TEXT, width={"type": ["integer", "null"]},
        height={"type": ["integer", "null"]},
    ),
    "Card": _object(**_CARD),
    "Front": _object(
        lead=_or_null(_ref("Card")), seconds=_many(_ref("Card")), latest=_many(_ref("Card")),
        premium=_many(_ref("Card")), opinion=_many(_ref("Card")),
        blocks=_many(_object(section=_ref("Section"), stories=_many(_ref("Card")))),
    ),
    "StoryList": _object(stories=_many(_ref("Card")), next=_MAYBE),
    "Story": _object(
        **{name: value for name, value in _CARD.items() if name != "byline"},
        bylines=_many(_TEXT), dateline=_TEXT, via=_many(_TEXT), disclaimer=_TEXT, correction=_TEXT,
        updated_at=_or_null(_INSTANT), lead_in_html=_TEXT, also_read=_many(_ref("Card")),
        access=_object(
            variant={"type": "string", "enum": ["full", "wall"]}, reason=_TEXT, limit={"type": ["integer", "null"]},
            used={"type": ["integer", "null"]},
        ),
        body_html=_MAYBE, wall=_or_null(_ref("Wall")),
    ),
    "Wall": _object(
        kind={"type": "string", "enum": ["limit", "register", "subscribe"]}, words=_TEXT, url=_URL, limit=_NUMBER,
        used=_NUMBER,
    ),
    "Me": {
        "type": "object", "required": ["id", "scopes", "client"],
        "properties": {"id": _TEXT, "scopes": _many(_TEXT), "client": _TEXT, "email": _TEXT, "name": _TEXT},
    },
    "Entitlements": {
        "type": "object", "required": ["checked_at", "good_for_seconds"],
        "properties": {
            "products": _many(_object(product=_TEXT, until=_or_null(_INSTANT))),
            "partner": _TEXT,
            "offers": _many(_object(offer=_TEXT, subject=_TEXT, until=_or_null(_INSTANT))),
            "checked_at": _INSTANT, "good_for_seconds": _NUMBER,
        },
    },
    "SavedList": _object(stories=_many(_object(**_CARD, saved_at=_INSTANT)), next=_MAYBE),
    "Edition": _object(**_EDITION, page_list=_many(_object(**_PAGE))),
    "EditionList": _object(editions=_many(_object(**_EDITION)), next=_MAYBE),
    "EditionPage": _object(
        **_PAGE,
        areas=_many(_object(
            id=_NUMBER, box=_many(_NUMBER), headline=_TEXT, text=_TEXT, story={"type": ["integer", "null"]},
            continued_on={"type": ["integer", "null"]},
        )),
    ),
    "Problem": _object(type=_URL, title=_TEXT, status=_NUMBER, detail=_TEXT, instance=_TEXT),
}  # fmt: skip


def openapi() -> dict[str, Any]:
    """The whole document, OpenAPI 3.1."""
    base = settings.BROADSHEET.public_url
    paths: dict[str, dict[str, Any]] = {}
    for one in ENDPOINTS:
        paths.setdefault(PREFIX + one.path, {})[one.method.lower()] = _operation(one)
    flow = {
        "authorizationUrl": f"{base}/oauth/authorize",
        "tokenUrl": f"{base}/oauth/token",
        "refreshUrl": f"{base}/oauth/token",
        "scopes": {scope: words for scope, (words, _) in SCOPES.items()},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{settings.BROADSHEET.name}: the paper's API", "version": f"1 (Broadsheet {__version__})"},
        "servers": [{"url": base}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"reader": {"type": "oauth2", "flows": {"authorizationCode": flow}}},
        },
    }


def _operation(one: Endpoint) -> dict[str, Any]:
    made: dict[str, Any] = {"operationId": one.name, "summary": one.words}
    if one.params:
        made["parameters"] = [
            {"name": p.name, "in": p.where, "required": p.where == "path", "description": p.words, "schema": p.schema}
            for p in one.params
        ]
    if one.body:
        properties = {name: {"type": "integer", "minimum": 1} for name in one.body}
        schema = {**_object(**properties), "additionalProperties": False}
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if one.scope:
        made["security"] = [*([{}] if one.open else []), {"reader": [one.scope]}]
    good = {"description": "There it is."} if one.answer else {"description": "Done."}
    if one.answer == "picture":
        good["content"] = {"image/jpeg": {"schema": {"type": "string", "contentMediaType": "image/jpeg"}}}
    elif one.answer:
        good["content"] = {"application/json": {"schema": _ref(one.answer)}}
    bad = sorted({400, 429, *([401, 403] if one.scope else []), *one.problems})
    told = {"application/problem+json": {"schema": _ref("Problem")}}
    made["responses"] = {"200" if one.answer else "204": good} | {
        str(status): {"description": PROBLEMS[status], "content": told} for status in bad
    }
    return made

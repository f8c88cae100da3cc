"""Where a click leads, what was seen, and who may sell: three addresses, none of which knows who asks."""

from __future__ import annotations

import json

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from broadsheet import clock
from broadsheet.ads import actions, queries, rules

MOST_BYTES = 2000
MOST_SEEN = 12
PUBLIC = "public, max-age=3600"
_HINTS = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_MOZ")


@require_safe
def go(request: HttpRequest, creative: int) -> HttpResponse:
    """To what the advertisement's own row says, and nowhere a parameter says."""
    now = clock.now()
    url = queries.target(creative, now) if queries.works() else ""
    if not url:
        raise Http404
    slot = request.GET.get("slot", "")
    wanted = request.method == "GET" and not any(name in request.META for name in _HINTS)
    if wanted and slot in rules.SLOT_NAMES:
        actions.note_click(creative=creative, slot=slot, now=now)
    response = HttpResponseRedirect(url)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@csrf_exempt
@require_POST
def seen(request: HttpRequest) -> HttpResponse:
    """A page's report: `[[advertisement, slot], …]`. What makes no sense is not counted, and nobody hears why."""
    if queries.works() and settings.BROADSHEET.ads_sample and request.META.get("HTTP_SEC_FETCH_SITE") == "same-origin":
        rows = _rows(request.read(MOST_BYTES + 1))
        if rows:
            actions.note_seen(rows=rows, now=clock.now())
    return HttpResponse(status=204)


def _rows(body: bytes) -> list[tuple[int, str]]:
    try:
        said = json.loads(body) if len(body) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        return []
    if not isinstance(said, list) or len(said) > MOST_SEEN:
        return []
    return list(dict.fromkeys((row[0], row[1]) for row in said if _makes_sense(row)))


def _makes_sense(row: object) -> bool:
    if not isinstance(row, list) or len(row) != 2:  # noqa: PLR2004 - which advertisement, in which slot
        return False
    creative, slot = row
    return type(creative) is int and 0 < creative < 1 << 31 and isinstance(slot, str) and slot in rules.SLOT_NAMES


def _sellers(lines: tuple[str, ...]) -> HttpResponse:
    if not lines:
        raise Http404
    text = "\n".join(lines) + "\n"
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers={"Cache-Control": PUBLIC})


@require_safe
def ads_txt(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - the same for everyone
    return _sellers(settings.BROADSHEET.ads_txt)


@require_safe
def app_ads_txt(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - the same for everyone
    return _sellers(settings.BROADSHEET.app_ads_txt)

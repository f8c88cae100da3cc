"""The program's own pages."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.views.decorators.http import require_safe

from broadsheet.leakcheck.queries import is_leaking

PICTURES = ("images", "original_images", "ads", "newsletters")  # what Wagtail stores; documents go through its own view
# A drawing is shown, never run: an uploaded SVG opened by itself is in a sandbox without scripts.
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"


def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's form
    """`ok`, or what is wrong without a secret, for load balancers and monitors."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        leaking = is_leaking()
    except DatabaseError:
        return HttpResponse("database: not reachable\n", status=503, content_type="text/plain")
    if leaking:
        # Not a failure: a balancer must not take the paper away. What leaks is for editors to read, not for the world.
        return HttpResponse("leakcheck: something needs a look; see Reports, Leaks\n", content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def media(request: HttpRequest, name: str) -> HttpResponse:
    """A picture of the paper. Its name changes with its content, so it may be cached for long."""
    if "\0" in name or name.partition("/")[0] not in PICTURES:
        raise Http404
    root = Path(settings.MEDIA_ROOT).resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise Http404
    stat = path.stat()
    etag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    headers = {
        "ETag": etag,
        "Last-Modified": http_date(stat.st_mtime),
        "Cache-Control": "public, max-age=86400",
        "Content-Security-Policy": PICTURE_POLICY,
    }
    if name.startswith("newsletters/"):
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # a mail program that runs in a browser shows them
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    response = HttpResponse(path.read_bytes(), content_type=kind, headers=headers)
    return get_conditional_response(request, etag=etag, response=response) or response

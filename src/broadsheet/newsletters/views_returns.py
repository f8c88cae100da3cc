"""Where a mail provider reports bounces and complaints. Signed, or it is not read."""

from __future__ import annotations

import hashlib
import hmac
import json

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from broadsheet import clock
from broadsheet.newsletters.actions import reports

MOST = 1_000_000  # bytes of one message


@csrf_exempt
@require_POST
def take_in(request: HttpRequest) -> HttpResponse:
    """`Broadsheet-Signature: sha256=<hex HMAC of the body>`; JSON events, or a bounce as message/rfc822.

    400 for a wrong signature or a body that cannot be read; 200 once every event in it is recorded, however often.
    """
    secret = settings.BROADSHEET.mail_webhook_secret
    if not secret:
        raise Http404
    if int(request.headers.get("Content-Length") or 0) > MOST:
        return _said(413, "too long")
    given = request.headers.get("Broadsheet-Signature", "").removeprefix("sha256=")
    right = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(given.encode(), right.encode()):
        return _said(400, "the signature is wrong")
    if request.content_type == "message/rfc822":
        return _said(200, reports.take_message(raw=request.body, now=clock.now()))
    try:
        events = json.loads(request.body)["events"]
        taken = [reports.take_event(event=dict(event), now=clock.now()) for event in events]
    except (ValueError, KeyError, TypeError) as error:
        return _said(400, f"write {{'events': [...]}}: {type(error).__name__}")
    return _said(200, f"{len(taken)} taken")


def _said(status: int, words: str) -> HttpResponse:
    return HttpResponse(f"{words}\n", status=status, content_type="text/plain; charset=utf-8")

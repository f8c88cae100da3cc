"""Why was this reader stopped? The screen of the support desk."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from broadsheet import clock
from broadsheet.access.records import who_of_reader
from broadsheet.desk.policy_views import PERMISSION as DECIDES
from broadsheet.desk.policy_views import records
from broadsheet.desk.recorded import MOST, CodeError, recorded, who_of_code
from broadsheet.readers.queries import reader_by_email

log = logging.getLogger(__name__)
PERMISSION: Final = "access.explain_decisions"


@require_safe
def why(request: HttpRequest) -> HttpResponse:
    """Recent decisions on one reader (by address or code), on one story, or both."""
    if not (request.user.has_perm(PERMISSION) or request.user.has_perm(DECIDES)):
        raise PermissionDenied
    email, code = request.GET.get("email", "").strip(), request.GET.get("code", "").strip()
    story = request.GET.get("story", "").strip()
    shown: dict[str, Any] = {"email": email, "code": code, "story": story, "days": settings.BROADSHEET.decision_days}
    if email or code or story:
        shown |= _found(request, email, code, story)
    return TemplateResponse(request, "desk/admin/why.html", shown, using="django")


def _found(request: HttpRequest, email: str, code: str, story: str) -> dict[str, Any]:
    who = None
    if email:
        reader = reader_by_email(email)
        if reader is None:
            return {"wrong": f"There is no account with the address {email}."}
        who = who_of_reader(settings.BROADSHEET_SECRET, reader.id)
    elif code:
        try:
            who = who_of_code(code)
        except CodeError as error:
            return {"wrong": str(error)}
    if story and not story.isdecimal():
        return {"wrong": "A story\N{RIGHT SINGLE QUOTATION MARK}s number is the one at the end of its address."}
    if who is not None:
        log.info("Account %s looked up the decisions on %s.", request.user.pk, who.hex())
    now = clock.now()
    rows = recorded(
        folder=records(),
        who=who,
        story=int(story) if story else None,
        since=now - timedelta(days=settings.BROADSHEET.decision_days),
        until=now,
    )
    return {"rows": rows, "searched": True, "most": MOST if len(rows) == MOST else None}

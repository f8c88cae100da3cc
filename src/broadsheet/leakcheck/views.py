"""The report: what was tried on the running paper, what came through, and what to do."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_POST

from broadsheet import clock
from broadsheet.leakcheck import actions, queries
from broadsheet.leakcheck.catalogue import CLASSES


def _may_see(request: HttpRequest) -> None:
    """The evidence is hidden text, so only those who may publish see it."""
    if not request.user.has_perm("newsroom.publish_article"):
        raise PermissionDenied


@require_GET
def leaks(request: HttpRequest) -> HttpResponse:
    _may_see(request)
    context = {
        "open": queries.findings(open_only=True),
        "closed": [row for row in queries.findings(open_only=False, limit=40) if row.closed_at],
        "runs": queries.runs(),
        "tried": CLASSES,
        "when": settings.BROADSHEET.leakcheck,
    }
    # The admin's templates are Django's; the first engine in the settings is the reader pages' own.
    return TemplateResponse(request, "leakcheck/admin/leaks.html", context, using="django")


@require_POST
def close(request: HttpRequest, finding_id: int) -> HttpResponse:
    _may_see(request)
    actions.close_finding(finding_id=finding_id, by=request.user.get_full_name() or str(request.user), now=clock.now())
    return redirect("leaks")

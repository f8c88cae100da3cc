"""The wire board: what came in, what waits for a person and why, what could not be read."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from broadsheet import clock
from broadsheet.wire import actions, queries

REASONS: Final = {
    "awaiting_editor": "imported without publication",
    "canceled": "canceled by the agency",
    "cleaned_too_much": "cleaning took out more than a third of the words",
    "edited_by_hand": "an update to a story the desk has edited",
    "embargo_notice": "an embargo line in the copy",
    "embargoed": "under embargo",
    "encoding": "characters look wrong",
    "headline_length": "the headline is missing, too short or too long",
    "internal_text": "text not for publication in the copy",
    "kill_notice": "a kill notice",
    "language": "not one of the paper's languages",
    "long_disclaimer": "a disclaimer too long to be one",
    "more_to_come": "the agency is still writing",
    "no_text": "no text",
    "placeholder": "an unfilled placeholder such as {{name}}",
    "refused_by_newsroom": "the newsroom's own checks refused it",
    "repaired": "the feed was broken and has been repaired",
    "revived": "a new version of a story the agency withdrew",
    "superseded": "a newer version is known",
    "silent_change": "other words under the same version number",
    "teaser": "a summary, not the whole story",
    "text_after_wall": "text behind a paywall notice",
    "too_short": "fewer than forty words",
    "withheld": "withheld by the agency",
}
_SHOWN_OF_RAW: Final = 40_000
_STATUSES: Final = ("held", "published", "updated", "withdrawn", "superseded", "rejected")


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
    # The admin's templates are Django's; the first engine in the settings is the reader pages' own.
    return TemplateResponse(request, f"desk/admin/{template}", context, using="django")


def _may_publish(request: HttpRequest) -> None:
    if not request.user.has_perm("newsroom.publish_article"):
        raise PermissionDenied


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isdigit() else None


def _told(reasons: tuple[str, ...]) -> list[str]:
    return [REASONS.get(reason, reason) for reason in reasons]


@require_GET
def wire_board(request: HttpRequest) -> HttpResponse:
    """Versions, newest first, all or of one status; `before` pages on by id."""
    status = request.GET.get("status", "")
    chosen = status if status in _STATUSES else None
    rows = queries.board(status=chosen, before=_number(request, "before"))
    return _page(
        request,
        "wire_board.html",
        {
            "rows": [(row, _told(row.reasons)) for row in rows],
            "status": chosen or "all",
            "statuses": _STATUSES,
            "counts": queries.counts(),
            "older": rows[-1].id if len(rows) == queries.PAGE else None,
        },
    )


@require_GET
def quarantine(request: HttpRequest) -> HttpResponse:
    rows = queries.quarantine(before=_number(request, "before"))
    older = rows[-1].id if len(rows) == queries.PAGE else None
    return _page(
        request,
        "wire_quarantine.html",
        {"rows": rows, "counts": queries.counts(), "older": older, "quarantined": True, "statuses": _STATUSES},
    )


@require_GET
def wire_version(request: HttpRequest, version_id: int) -> HttpResponse:
    found = queries.version_row(version_id)
    if found is None:
        raise Http404
    row, fields = found
    return _page(
        request,
        "wire_version.html",
        {"row": row, "reasons": _told(row.reasons), "item": fields, "paragraphs": fields["body_text"].split("\n\n")},
    )


@require_GET
def raw_file(request: HttpRequest, raw_id: int) -> HttpResponse:
    """The file as it came, as text; never in a form a browser would run."""
    found = queries.raw_file(raw_id)
    if found is None:
        raise Http404
    row, content = found
    text = content[:_SHOWN_OF_RAW].decode("utf-8", "replace").replace("\x00", "\N{SYMBOL FOR NULL}")
    return _page(request, "wire_raw.html", {"row": row, "text": text, "cut": len(content) > _SHOWN_OF_RAW})


@require_POST
def publish_version(request: HttpRequest, version_id: int) -> HttpResponse:
    _may_publish(request)
    try:
        actions.publish_held(version_id=version_id, now=clock.now())
    except actions.NotPublishableError as refused:
        reason = str(refused)
        messages.error(request, f"Not published: {REASONS.get(reason, reason)}.")
    except ValidationError as refused:
        messages.error(request, f"Not published: {'; '.join(refused.messages)}")
    else:
        messages.success(request, "Published.")
    return redirect(reverse("wire_board") + "?status=held")


@require_POST
def reject_version(request: HttpRequest, version_id: int) -> HttpResponse:
    _may_publish(request)
    actions.reject_version(version_id=version_id)
    messages.success(request, "Rejected; it stays listed.")
    return redirect(reverse("wire_board") + "?status=held")


@require_POST
def retry_raw(request: HttpRequest, raw_id: int) -> HttpResponse:
    _may_publish(request)
    filed = actions.retry_raw(raw_id=raw_id, now=clock.now())
    bad = [entry.reasons[0] for entry in filed if entry.status == "quarantined"]
    if bad:
        messages.error(request, f"Still not readable: {bad[0].replace('_', ' ')}.")
    else:
        messages.success(request, f"Read: {len(filed)} item{'s' if len(filed) != 1 else ''}.")
    return redirect("wire_quarantine")


@require_POST
def reject_raw(request: HttpRequest, raw_id: int) -> HttpResponse:
    _may_publish(request)
    actions.reject_raw(raw_id=raw_id)
    messages.success(request, "Rejected; the file is kept.")
    return redirect("wire_quarantine")

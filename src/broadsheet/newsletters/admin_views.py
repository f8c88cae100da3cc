"""Editors' screens: what is under way, an issue's contents, its preview, its sending. All work without a script."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from broadsheet import clock
from broadsheet.newsletters import proofs, queries, rules
from broadsheet.newsletters.actions import issues, signups
from broadsheet.newsletters.actions.issues import IssueError
from broadsheet.newsletters.values import Chosen, IssueCard
from broadsheet.newsroom import queries as newsroom
from broadsheet.newsroom.values import Card

EDITS: Final = "newsletters.change_issue"
SENDS: Final = "newsletters.send_issue"
SUPPRESSES: Final = "newsletters.suppress_address"
_SHOWN = 60  # stories to choose from


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> TemplateResponse:
    may = {"sends": request.user.has_perm(SENDS), "suppresses": request.user.has_perm(SUPPRESSES)}
    return TemplateResponse(request, f"newsletters/admin/{template}", {**context, **may}, using="django", status=status)


def _needs(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _issue(issue_id: int) -> IssueCard:
    found = queries.issue(issue_id)
    if found is None:
        raise Http404
    return found


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Every list with the way to a new issue, and the latest issues with how they went."""
    _needs(request, EDITS)
    zone, now = settings.BROADSHEET.zone, clock.now()
    rows = []
    for row in queries.schedules():
        slot = rules.next_slot(row.weekdays, row.send_at, zone, now) if row.by_rule else None
        rows.append({"row": row, "next": slot, "size": queries.audience_size(row.id)})
    recent = [{"issue": one, "percent": _percent(one)} for one in queries.recent_issues()]
    return _page(request, "overview.html", {"rows": rows, "recent": recent, "troubles": queries.troubles()})


def _percent(one: IssueCard) -> int:
    counted = {name: getattr(one, name) for name in ("sent", "refused", "doubtful", "skipped", "recipients")}
    return rules.percent(counted)


@require_POST
def begin(request: HttpRequest, list_id: int) -> HttpResponse:
    _needs(request, EDITS)
    if list_id not in {row.id for row in queries.schedules()}:
        raise Http404
    number = issues.begin_issue(list_id=list_id, by=request.user.pk, now=clock.now())
    return redirect("newsletter_edit", issue_id=number)


def _given(request: HttpRequest) -> list[Chosen]:
    """The stories of the form in the order of their numbers; equal numbers keep the order they stood in."""
    rows = []
    for place, text in enumerate(request.POST.getlist("story")):
        if not text.isdigit() or request.POST.get(f"drop-{text}"):
            continue
        order = request.POST.get(f"order-{text}", "")
        note = " ".join(request.POST.get(f"note-{text}", "").split())[:300]
        whole = bool(request.POST.get(f"whole-{text}"))
        rows.append((int(order) if order.isdigit() else 999, place, Chosen(int(text), note, whole)))
    return [chosen for _, _, chosen in sorted(rows, key=lambda row: row[:2])]


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, issue_id: int) -> HttpResponse:
    """An issue's contents. A POST keeps them, and takes in the stories that were ticked."""
    _needs(request, EDITS)
    one = _issue(issue_id)
    if one.status not in ("draft", "scheduled"):
        return redirect("newsletter_status", issue_id=issue_id)
    if request.method == "POST":
        try:
            issues.write_issue(
                issue_id=issue_id,
                subject=request.POST.get("subject", "")[:150],
                preheader=request.POST.get("preheader", "")[:150],
                intro=request.POST.get("intro", "")[:20_000],
                stories=_given(request),
            )
            added = [int(text) for text in request.POST.getlist("add") if text.isdigit()]
            issues.add_stories(issue_id=issue_id, story_ids=list(newsroom.cards_by_id(added)))
            messages.success(request, "Kept.")
        except IssueError as error:
            messages.error(request, str(error))
        return redirect("newsletter_edit", issue_id=issue_id)
    cards = newsroom.cards_by_id([chosen.story_id for chosen in one.stories])
    rows = [(place + 1, chosen, cards.get(chosen.story_id)) for place, chosen in enumerate(one.stories)]
    query = request.GET.get("q", "")[:100]
    context = {"issue": one, "rows": rows, "choice": _choice(one, query), "query": query}
    context["heading"] = f"{one.list_name}, issue {one.number}"
    return _page(request, "edit.html", {**context, "looks": proofs.LOOKS, "default_at": _local(clock.now())})


def _choice(one: IssueCard, query: str) -> list[Card]:
    """The latest stories that are not in it, those with every word of `query` in their public words."""
    words = [word.lower() for word in re.findall(r"\w+", query)]
    held = [chosen.story_id for chosen in one.stories]
    found = []
    for card in newsroom.latest_cards(300 if words else _SHOWN, exclude=held):
        text = f"{card.headline} {card.standfirst} {card.section.name} {card.kicker} {card.byline}".lower()
        if all(word in text for word in words):
            found.append(card)
    return found[:_SHOWN]


def _local(at: datetime) -> str:
    return f"{at.astimezone(settings.BROADSHEET.zone):%Y-%m-%dT%H:%M}"


@require_GET
def preview(request: HttpRequest, issue_id: int) -> HttpResponse:
    """The letter itself, for a frame: as whom, in which light, HTML or text."""
    _needs(request, EDITS)
    as_whom = request.GET.get("as", "free")
    proof = proofs.proof(_issue(issue_id), as_whom, clock.now())
    if request.GET.get("part") == "text":
        return HttpResponse(proof.text, content_type="text/plain; charset=utf-8")
    dark = request.GET.get("look") == "dark"
    return HttpResponse(proofs.in_light(proof.html, dark=dark), content_type="text/html; charset=utf-8")


@require_POST
def send_test(request: HttpRequest, issue_id: int) -> HttpResponse:
    """The letter to the editor's own mailbox, as one of its audiences gets it."""
    _needs(request, EDITS)
    one = _issue(issue_id)
    answer = proofs.send_to(one, request.user.email, request.POST.get("as", "free"), clock.now())
    if answer:
        messages.error(request, f"Not sent: {answer}")
    else:
        messages.success(request, f"A test is on its way to {request.user.email}.")
    return redirect("newsletter_edit", issue_id=issue_id)


@require_POST
def deed(request: HttpRequest, issue_id: int, name: str) -> HttpResponse:
    """schedule, now, cancel, resume or delete."""
    _needs(request, SENDS)
    one, now = _issue(issue_id), clock.now()
    try:
        if name in ("schedule", "now"):
            at = now if name == "now" else _asked_time(request)
            issues.schedule(issue_id=one.id, at=at, now=now)
            messages.success(request, "It goes out now." if at <= now else "It is scheduled.")
        elif name == "cancel":
            issues.cancel(issue_id=one.id, now=now)
            messages.success(request, "Stopped. Nobody else gets it.")
        elif name == "resume":
            issues.resume(issue_id=one.id, now=now)
            messages.success(request, "It goes on where it stopped.")
        elif name == "delete":
            issues.delete_draft(issue_id=one.id)
            return redirect("newsletter_overview")
        else:
            raise Http404
    except IssueError as error:
        messages.error(request, str(error))
        return redirect("newsletter_edit", issue_id=one.id)
    return redirect("newsletter_status", issue_id=one.id)


def _asked_time(request: HttpRequest) -> datetime:
    found = None
    try:
        found = parse_datetime(request.POST.get("at", ""))
    except ValueError:
        found = None
    if found is None:
        raise IssueError("Write a day and a time.")
    return found.replace(tzinfo=settings.BROADSHEET.zone)


@require_GET
def status(request: HttpRequest, issue_id: int) -> HttpResponse:
    """How a sending goes; while it goes, the page asks again by itself."""
    _needs(request, EDITS)
    one = _issue(issue_id)
    seconds = (
        ((one.finished_at or one.progress_at or clock.now()) - one.started_at).total_seconds() if one.started_at else 0
    )
    rate = one.sent / seconds if seconds >= 1 else 0.0
    left = max(0, one.recipients - one.done)
    context = {
        "issue": one,
        "heading": f"{one.list_name}, issue {one.number}",
        "percent": _percent(one),
        "rate": round(rate, 1) if rate else 0,
        "minutes": round(left / rate / 60) if rate and one.status == "sending" else 0,
        "left": left,
        "troubled": queries.troubled(one.id),
        "links": queries.links_of(one.id)[:20],
        "opens": settings.BROADSHEET.newsletter_opens == "on",
        "signed": bool(settings.BROADSHEET.dkim_selector),
    }
    return _page(request, "status.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def addresses(request: HttpRequest) -> HttpResponse:
    """Who gets nothing and why; shut an address out, take one back."""
    _needs(request, SUPPRESSES)
    email = rules.normal_email(request.POST.get("email", "") or request.GET.get("email", ""))
    if request.method == "POST":
        card = queries.address_by_email(email)
        if request.POST.get("do") == "suppress" and "@" in email:
            signups.suppress_email(email=email, now=clock.now())
            messages.success(request, f"Nothing goes to {email} any more.")
        elif request.POST.get("do") == "release" and card:
            signups.release(address_id=card.id)
            messages.success(request, f"{email} can be written to again.")
        else:
            messages.error(request, "There is no such address.")
        return redirect("newsletter_addresses")
    context: dict[str, Any] = {"heading": "Addresses that get nothing", "email": email}
    context |= {"card": queries.address_by_email(email) if email else None, "rows": queries.suppressed()}
    return _page(request, "addresses.html", context)

"""Staff's screens of the e-paper: editions and what was refused, the press's files, the choice of stories. They work
without scripts; with them, stories are dragged."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from broadsheet import clock
from broadsheet.epaper import desk_queries, queries
from broadsheet.epaper.actions import composing, intake, withdrawing
from broadsheet.epaper.rules.choice import Chosen

PERMISSION = "epaper.change_edition"
ROLES = ("lead", "story", "brief")


def _may(request: HttpRequest) -> None:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
    return TemplateResponse(request, f"epaper/admin/{template}", context, using="django")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@require_GET
def editions(request: HttpRequest) -> HttpResponse:
    """The newest editions, and files that were put aside."""
    _may(request)
    shown = {
        "editions": desk_queries.desk_editions(30),
        "aside": desk_queries.put_aside(20),
        "today": desk_queries.today(clock.now()),
    }
    return _page(request, "editions.html", shown)


@require_POST
def upload(request: HttpRequest) -> HttpResponseRedirect:
    """Take in the press's files; their pages are made in the background."""
    _may(request)
    day, title = _day(request.POST.get("date", "")), request.POST.get("title", "").strip()[:80]
    given = request.FILES.getlist("files")
    if day is None or not given:
        messages.error(request, "Choose a day, and one PDF or more.")
        return redirect("epaper_editions")
    with TemporaryDirectory(prefix="upload-") as folder:
        paths = [_local(file, Path(folder), place) for place, file in enumerate(given)]
        taken = intake.receive(paths=paths, day=day, city=slugify(title)[:40], title=title, now=clock.now())
    for each in taken.files:
        if each.reason:
            messages.error(request, f"{each.name}: {each.outcome.replace('_', ' ')}, {each.reason.replace('_', ' ')}.")
    if taken.edition_id is None:
        return redirect("epaper_editions")
    messages.success(request, "Taken in; its pages are being made." if taken.fresh else "It is there already.")
    return redirect("epaper_edition", taken.edition_id)


def _local(file: UploadedFile, folder: Path, place: int) -> Path:
    """The upload as a file of its own, under the name it came with."""
    target = folder / str(place)
    target.mkdir()
    path = target / (Path(file.name or "").name[:150] or "edition.pdf")
    with path.open("wb") as out:
        for chunk in file.chunks():
            out.write(chunk)
    return path


@require_POST
def begin(request: HttpRequest) -> HttpResponseRedirect:
    """Open the automatic edition of a day, its stories proposed by the rule."""
    _may(request)
    day = _day(request.POST.get("date", ""))
    if day is None:
        messages.error(request, "Choose a day.")
        return redirect("epaper_editions")
    try:
        edition_id = composing.open_edition(day=day, now=clock.now())
        if not desk_queries.chosen(edition_id):
            composing.propose_places(edition_id=edition_id)
    except composing.NotPossibleError as error:
        messages.error(request, str(error))
        return redirect("epaper_editions")
    return redirect("epaper_edition", edition_id)


@require_http_methods(["GET", "HEAD", "POST"])
def edition(request: HttpRequest, edition_id: int) -> HttpResponse:
    """One edition: its pages, and for an automatic one the choice of its stories."""
    _may(request)
    found = desk_queries.desk_edition(edition_id)
    if found is None:
        raise Http404
    if request.method == "POST":
        return _change(request, edition_id)
    context = {"edition": found, "pages": queries.pages(edition_id), "roles": ROLES, "numbers": range(1, 17)}
    if found.kind == "typeset":
        context["chosen"] = desk_queries.chosen(edition_id)
        context["others"] = desk_queries.others(edition_id)
    return _page(request, "edition.html", context)


def _change(request: HttpRequest, edition_id: int) -> HttpResponseRedirect:
    wanted = request.POST.get("do", "")
    try:
        if wanted == "propose":
            count = composing.propose_places(edition_id=edition_id)
            messages.success(request, f"{count} stories, by the rule.")
        elif wanted == "withdraw":
            withdrawing.withdraw_edition(edition_id=edition_id, reason=request.POST.get("reason", "").strip())
            messages.success(request, "Withdrawn: readers no longer see it.")
        else:
            composing.choose(edition_id=edition_id, places=_places(request))
            if wanted == "set":
                composing.order(edition_id=edition_id)
                messages.success(request, "It is being set; its pages appear here.")
            else:
                messages.success(request, "Kept.")
    except composing.NotPossibleError as error:
        messages.error(request, str(error))
    return redirect("epaper_edition", edition_id)


def _places(request: HttpRequest) -> list[Chosen]:
    """The stories that are ticked, in the order of the numbers beside them."""
    rows = []
    for text in request.POST.getlist("story"):
        if text.isdecimal() and request.POST.get(f"in-{text}"):
            place, page = request.POST.get(f"place-{text}", ""), request.POST.get(f"page-{text}", "")
            role = request.POST.get(f"role-{text}", "story")
            rows.append(
                (
                    int(place) if place.isdecimal() else 9999,
                    len(rows),
                    Chosen(int(text), role if role in ROLES else "story", int(page) if page.isdecimal() else 0),
                )
            )
    return [chosen for _, _, chosen in sorted(rows)]


@require_GET
def picture(request: HttpRequest, edition_id: int, number: int, width: int) -> HttpResponse:
    """A page's picture for staff, whatever the edition's state."""
    _may(request)
    content = queries.page_picture(edition_id, number, width)
    if content is None:
        raise Http404
    return HttpResponse(content, content_type="image/jpeg", headers={"Cache-Control": "private, no-store"})

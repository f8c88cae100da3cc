"""What a reader takes along: editions kept on a device, and PDFs with their name."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from broadsheet import clock
from broadsheet.dates import rfc3339
from broadsheet.epaper import keeping, queries, reading, views_door
from broadsheet.epaper.actions import keeping as actions
from broadsheet.epaper.rules import reading as rules
from broadsheet.epaper.values import EditionView
from broadsheet.epaper.views import edition_at, longday
from broadsheet.readers.queries import reader as reader_card


@require_safe
@views_door.page
def kept(request: HttpRequest) -> HttpResponse:
    """What this device keeps: the list is made by the page's script, which works without a network too."""
    elsewhere = [(row, longday(row.day)) for row in keeping.kept_by(request.user.pk)]
    return render(request, "epaper/kept.html", {"days": rules.KEPT_DAYS, "elsewhere": elsewhere}, using="jinja2")


@require_POST
@views_door.data
def keep(request: HttpRequest, edition: str) -> HttpResponse:
    """A device asks what an edition is made of, to keep it: every address, and until when it may show them."""
    now, found = clock.now(), queries.edition(int(edition))
    if found is None:
        raise Http404
    device = request.POST.get("device", "")
    actions.keep(reader_id=request.user.pk, edition_id=found.id, device=device, now=now)
    version = keeping.kept_versions(request.user.pk).get(str(found.id), "")
    return JsonResponse(
        {
            "edition": found.id,
            "title": " ".join(filter(None, (longday(found.date), found.title))),
            "base": reading.base_path(found),
            "version": version,
            "who": keeping.pseudonym(request.user.pk),
            "until": rfc3339(reading.may_keep_until(request.user.pk, now)),
            "now": rfc3339(now),
            "addresses": _addresses(found),
        }
    )


def _addresses(edition: EditionView) -> list[str]:
    """What is read without a network: each page and its picture in three sizes, its words, and every story's text."""
    shown, data = reading.opened(edition), reading.data_path(edition)
    pages = [page for page in shown.pages if page.ready]
    made = [shown.base, f"{data}edition.json"]
    for page in pages:
        widths = [width for width, _, _ in page.images if width <= rules.KEPT_WIDTH]
        made += [f"{shown.base}{page.number}/", f"{data}words/{page.number}.json"]
        made += [f"{data}{page.number}-{width}-{page.picture_key}.jpg" for width in widths]
    heads = [area.id for area in shown.areas.values() if area.kind == "story"]
    return [*made, *(f"{shown.base}story/{number}/" for number in heads)]


@require_POST
def let_go(request: HttpRequest, edition: str) -> HttpResponse:
    """A device has thrown an edition away; also when its reader may no longer read it."""
    if request.user.is_authenticated:
        device = request.POST.get("device", "")
        actions.let_go(reader_id=request.user.pk, edition_id=int(edition), device=device)
    response = JsonResponse({})
    response.headers["Cache-Control"] = views_door.PRIVATE
    return response


@require_safe
@views_door.page
def download(request: HttpRequest, day: str, city: str | None = None) -> HttpResponseBase:
    """The edition's PDF with the reader's name on each page."""
    edition, card = edition_at(day, city), reader_card(request.user.pk)
    if settings.BROADSHEET.epaper_download != "on" or not edition.has_pdf or card is None:
        raise Http404
    if request.method == "GET" and not actions.hand_out(reader_id=card.id, edition_id=edition.id, now=clock.now()):
        values = {"most": settings.BROADSHEET.epaper_downloads_per_day}
        return render(request, "epaper/enough.html", values, status=429, using="jinja2")
    pdf = queries.marked_pdf(edition.id, name=card.name, contact=card.email)
    if pdf is None:
        raise Http404
    response = StreamingHttpResponse(pdf.chunks, content_type="application/pdf")
    response.headers["Content-Length"] = str(pdf.size)
    response.headers["Content-Disposition"] = f'attachment; filename="{pdf.name}"'
    return response

"""Pictures, places and words of an edition for the viewer, and what its worker asks: all through the door but the
worker itself and the one small front that is public."""

from __future__ import annotations

from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from broadsheet import clock
from broadsheet.dates import rfc3339
from broadsheet.epaper import keeping, queries, reading, views_door
from broadsheet.epaper.rules import reading as rules_reading
from broadsheet.epaper.values import AreaView, EditionView, PageView

_WORKER = Path(__file__).parent / "static" / "epaper" / "worker.js"


def _edition(number: str) -> EditionView:
    found = queries.edition(int(number))
    if found is None:
        raise Http404
    return found


@require_safe
@views_door.data
@gzip_page
def places(request: HttpRequest, edition: str) -> HttpResponse:  # noqa: ARG001 - a view's form
    """Pages and story areas: what the viewer draws on. Boxes in ten-thousandths."""
    shown = reading.opened(_edition(edition), with_text=True)
    stories = [area for area in shown.areas.values() if area.kind == "story" and rules_reading.paragraphs(area)]
    return JsonResponse(
        {
            "id": shown.edition.id,
            "revision": shown.edition.revision,
            "base": shown.base,
            "data": reading.data_path(shown.edition),
            "done": shown.edition.state == "published",
            "pages": [_page(page) for page in shown.pages],
            "areas": [_area(area, shown.heading(area)) for area in stories],
        }
    )


def _page(page: PageView) -> dict[str, object]:
    return {
        "n": page.number,
        "label": page.label,
        "section": page.section,
        "ready": page.ready,
        "scanned": page.scanned,
        "key": page.picture_key,
        "wide": page.width_mm,
        "high": page.height_mm,
        "images": [width for width, _, _ in page.images],
    }


def _area(area: AreaView, heading: str) -> dict[str, object]:
    return {
        "id": area.id,
        "page": area.page,
        "title": heading,
        "boxes": area.boxes,
        "on": area.continued_on[1] if area.continued_on else 0,
        "from": area.continued_from[1] if area.continued_from else 0,
    }


@require_safe
@views_door.data
def picture(request: HttpRequest, edition: str, number: str, width: str, key: str) -> HttpResponse:  # noqa: ARG001 - a view's form
    """A page's picture. `key` is part of the address so that a page made anew is another address."""
    page = queries.page(_edition(edition).id, int(number))
    content = queries.page_picture(int(edition), int(number), int(width)) if page and page.picture_key == key else None
    if content is None:
        raise Http404
    return HttpResponse(content, content_type="image/jpeg")


@require_safe
@views_door.data
@gzip_page
def words(request: HttpRequest, edition: str, number: str) -> HttpResponse:  # noqa: ARG001 - a view's form
    """A page's words with their boxes, to be searched where there is no network."""
    shown = reading.opened(_edition(edition))
    return JsonResponse({"words": [[word.text, *word.box] for word in reading.words(shown, int(number))]})


@require_safe
@views_door.data
@gzip_page
def search(request: HttpRequest, edition: str) -> HttpResponse:
    """Hits in an edition: page, snippet as [text, sought] and boxes to mark."""
    shown = reading.opened(_edition(edition))
    query = request.GET.get("q", "").replace("\0", "")[: rules_reading.LONGEST_QUERY]
    hits = []
    for hit in reading.search(shown, query):
        area = reading.area_at(shown, hit)
        title = shown.heading(area) if area else ""
        hits.append({"page": hit.page, "title": title, "snippet": hit.snippet, "boxes": hit.boxes})
    return JsonResponse({"hits": hits})


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """The newest front, so small that no word of it can be read: for everyone."""
    newest = queries.latest(1)
    content = queries.front_picture(newest[0].id) if newest else None
    if content is None:
        return views_door.absent(request)
    response = HttpResponse(content, content_type="image/jpeg")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@require_safe
def rights(request: HttpRequest) -> HttpResponse:
    """What a device that keeps editions asks: whether it may go on, until when, and what has changed since."""
    now = clock.now()
    answer: dict[str, object] = {"entitled": False}
    if request.user.is_authenticated and views_door.let_in(request):
        answer = {
            "entitled": True,
            "who": keeping.pseudonym(request.user.pk),
            "now": rfc3339(now),
            "until": rfc3339(reading.may_keep_until(request.user.pk, now)),
            "editions": keeping.kept_versions(request.user.pk),
        }
    response = JsonResponse(answer)
    response.headers["Cache-Control"] = views_door.PRIVATE
    return response


@require_safe
def worker(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view's form
    """The service worker, at an address from which it may look after /epaper/ and nothing else."""
    response = HttpResponse(_WORKER.read_bytes(), content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    return response

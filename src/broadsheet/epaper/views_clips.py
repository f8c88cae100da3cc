"""Clippings: made, listed and shared by their owner; seen by whoever has the link."""

from __future__ import annotations

from datetime import date, datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from broadsheet import clock
from broadsheet.dates import local_date, month_window
from broadsheet.epaper import clipping, views_door
from broadsheet.epaper.actions import clips as actions
from broadsheet.epaper.rules import reading as rules
from broadsheet.epaper.views import longday
from broadsheet.subscriptions.cards import longday as shortday
from broadsheet.subscriptions.queries import cards_with
from broadsheet.subscriptions.views_road import language, today, with_next

_REFUSED = {
    "gone": "This part of the paper cannot be clipped any more.",
    "box": "A clipping is larger than a word and smaller than half a page.",
    "full": "You have as many clippings as one account keeps. Remove some first.",
    "quota": "You have shared as many clippings as a month allows.",
    "off": "Clippings are not shared in this paper.",
}


def link_of(token: str) -> str:
    """The address to send."""
    return f"{settings.BROADSHEET.public_url}/epaper/clip/{token}/" if token else ""


def _allowance(reader_id: int, now: datetime) -> dict[str, object]:
    options = settings.BROADSHEET
    again = local_date(month_window(now, options.zone)[1], options.zone)
    left = clipping.left(reader_id, now)
    return {"left": left, "quota": options.epaper_clips_per_month, "again": shortday(again)}


@require_safe
@views_door.page
def clips(request: HttpRequest) -> HttpResponse:
    """What I clipped, what of it is shared, until when, and how often it was looked at."""
    now = clock.now()
    rows = [(row, link_of(row.token), longday(row.day)) for row in clipping.clips_of(request.user.pk, now)]
    said = _REFUSED.get(request.GET.get("said", ""), "")
    values = {"clips": rows, "said": said, "days": settings.BROADSHEET.epaper_clip_days}
    return render(request, "epaper/clips.html", {**values, **_allowance(request.user.pk, now)}, using="jinja2")


@require_POST
@views_door.page
def clip(request: HttpRequest) -> HttpResponse:
    """Clip a story (`area`) or a box (`page`, `box` as x0,y0,x1,y1) of an `edition`; `share` at once when asked."""
    now, reader = clock.now(), request.user.pk
    try:
        made = _make(request, now)
        token = actions.share_clip(reader_id=reader, clip_id=made, now=now) if request.POST.get("share") else ""
    except actions.ClipRefusedError as refusal:
        return _refused(request, refusal.reason)
    if _wants_json(request):
        values = {"id": made, "link": link_of(token), "picture": f"/epaper/clips/{made}/1.jpg"}
        return JsonResponse({**values, **_allowance(reader, now)}, status=201)
    return redirect(f"/epaper/clips/#clip-{made}")


def _make(request: HttpRequest, now: datetime) -> int:
    post = request.POST
    try:
        edition, area, page = int(post.get("edition", "")), int(post.get("area") or 0), int(post.get("page") or 0)
    except ValueError:
        raise actions.ClipRefusedError("gone") from None
    if post.get("share") and not clipping.left(request.user.pk, now):
        raise actions.ClipRefusedError("quota")
    if area:
        return actions.clip_story(reader_id=request.user.pk, edition_id=edition, area_id=area, now=now)
    box = rules.clip_box(post.get("box", "").split(","))
    if box is None:
        raise actions.ClipRefusedError("box")
    return actions.clip_box(reader_id=request.user.pk, edition_id=edition, number=page, box=box, now=now)


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _refused(request: HttpRequest, reason: str) -> HttpResponse:
    if _wants_json(request):
        allowance = _allowance(request.user.pk, clock.now())
        return JsonResponse({"error": reason, "words": _REFUSED[reason], **allowance}, status=409)
    return redirect(f"/epaper/clips/?said={reason}")


@require_POST
@views_door.page
def share(request: HttpRequest, clip_id: str) -> HttpResponse:
    """Share one of my clippings by a link."""
    now = clock.now()
    try:
        token = actions.share_clip(reader_id=request.user.pk, clip_id=int(clip_id), now=now)
    except actions.ClipRefusedError as refusal:
        return _refused(request, refusal.reason)
    if _wants_json(request):
        return JsonResponse({"id": int(clip_id), "link": link_of(token), **_allowance(request.user.pk, now)})
    return redirect(f"/epaper/clips/#clip-{clip_id}")


@require_POST
def remove(request: HttpRequest, clip_id: str) -> HttpResponse:
    """Take back or throw away one of mine: also for whoever may no longer read the e-paper."""
    if not request.user.is_authenticated:
        return views_door.wall(request)
    actions.remove_clip(reader_id=request.user.pk, clip_id=int(clip_id), now=clock.now())
    return redirect("/epaper/clips/")


@require_safe
@views_door.data
def own_picture(request: HttpRequest, clip_id: str, part: str) -> HttpResponse:
    """A part of one of my clippings."""
    row = clipping.clip_of(request.user.pk, int(clip_id), clock.now())
    content = clipping.picture(row.id, int(part)) if row and row.there and int(part) <= row.parts else None
    if content is None:
        raise Http404
    return HttpResponse(content, content_type="image/jpeg")


@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """What a link shows: just the clipping, whose it is, and how to get the rest."""
    found = clipping.shown_by(token, clock.now())
    offers = [(card, with_next(card.url, "/epaper/")) for card in cards_with("epaper", language(), day=today())]
    values = {"clip": found, "token": token, "offers": [] if views_door.let_in(request) else offers}
    if found is not None:
        values |= {"day": longday(found.edition.date), "until": shortday(_local(found.expires_at))}
        if _is_stranger(request, found.giver):
            actions.count_opening(clip_id=found.id)
    response = render(request, "epaper/clip.html", values, status=200 if found else 404, using="jinja2")
    return _unlisted(response)


def _local(instant: datetime) -> date:
    return local_date(instant, settings.BROADSHEET.zone)


def _is_stranger(request: HttpRequest, giver: int) -> bool:
    early = "prefetch" in request.headers.get("Sec-Purpose", "")
    return request.method == "GET" and not early and request.user.pk != giver


@require_safe
def shared_picture(request: HttpRequest, token: str, part: str) -> HttpResponse:
    """A part of a shared clipping."""
    found = clipping.shown_by(token, clock.now())
    content = clipping.picture(found.id, int(part)) if found and int(part) <= len(found.parts) else None
    if content is None:
        return views_door.absent(request)
    return _unlisted(HttpResponse(content, content_type="image/jpeg"))


def _unlisted(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = views_door.PRIVATE
    response.headers["X-Robots-Tag"] = "noindex, noimageindex"
    response.headers["Referrer-Policy"] = "same-origin"
    return response

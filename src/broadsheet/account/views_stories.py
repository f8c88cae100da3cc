"""The stories a reader gives away: what was given, one story to give, and taking it back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from broadsheet import clock
from broadsheet.access import actions as access
from broadsheet.access.queries import GiftRow, gifts_left, gifts_of, live_gift, refuses_gift
from broadsheet.account.actions import give_story, story_to_decide
from broadsheet.dates import local_date, month_window
from broadsheet.newsroom.queries import cards_by_id
from broadsheet.newsroom.values import Card
from broadsheet.subscriptions.cards import longday

private = cache_control(private=True, no_store=True)


@dataclass(frozen=True, slots=True)
class GiftShown:
    """A gift as its giver sees it: every text final. `link` is empty once it opens nothing."""

    id: int
    headline: str
    path: str
    link: str
    given_at: datetime
    opened: str
    until: str
    ended: str


def _gift_shown(row: GiftRow, story: Card | None, now: datetime) -> GiftShown:
    live = row.is_live(now) and story is not None
    ended = "" if live else "Taken back" if row.revoked else "Expired" if now >= row.expires_at else "Not in the paper"
    return GiftShown(
        id=row.id,
        headline=story.headline if story else "A story that is no longer in the paper",
        path=story.path if story else "",
        link=f"{settings.BROADSHEET.public_url}{story.path}?gift={row.token}" if story and live and row.token else "",
        given_at=row.created_at,
        opened=f"{row.opened} of {row.devices}",
        until=_moment(row.expires_at),
        ended=ended,
    )


def _moment(instant: datetime) -> str:
    """`4 December 2026, 10:05 am`"""
    local = instant.astimezone(settings.BROADSHEET.zone)
    return f"{longday(local.date())}, {local.strftime('%I:%M %p').lstrip('0').lower()}"


def _quota(reader_id: int, now: datetime) -> dict[str, object]:
    """How many gifts are left this month, and the day on which the count begins anew."""
    options = settings.BROADSHEET
    again = local_date(month_window(now, options.zone)[1], options.zone)
    return {"left": gifts_left(reader_id, now), "quota": options.gift_quota, "again": longday(again)}


@private
@login_required
@require_safe
def gifts(request: HttpRequest) -> HttpResponse:
    """What I gave, on how many devices it was opened, until when it opens."""
    if not settings.BROADSHEET.gift_quota:
        raise Http404
    now = clock.now()
    rows = gifts_of(request.user.pk)
    stories = cards_by_id(row.story for row in rows)
    shown = [_gift_shown(row, stories.get(row.story), now) for row in rows]
    return render(request, "account/gifts.html", {"gifts": shown, **_quota(request.user.pk, now)})


@private
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def gift(request: HttpRequest, story_id: int) -> HttpResponse:
    """Give one story away: a look first, and a link only when it is asked for."""
    now, reader = clock.now(), request.user.pk
    story = cards_by_id([story_id]).get(story_id)
    refusal = refuses_gift(reader, story_to_decide(story_id), now)
    if story is None or refusal in ("off", "absent"):
        raise Http404
    shown = {"story": story, "days": settings.BROADSHEET.gift_days, "devices": settings.BROADSHEET.gift_devices}
    if refusal:
        plans = f"/subscribe/?{urlencode({'next': story.path})}"
        link = settings.BROADSHEET.public_url + story.path
        shown |= {"free": refusal == "free", "plans": plans, "link": link}
        return render(request, "account/gift_refused.html", shown, status=200 if refusal == "free" else 403)
    if request.method == "POST":
        with suppress(access.GiftRefusedError):  # the last one went while the page was open: the page says so
            give_story(reader_id=reader, story_id=story_id, now=now)
        return redirect("gift", story_id=story_id)
    row = live_gift(reader, story_id, now)
    shown["gift"] = _gift_shown(row, story, now) if row else None
    return render(request, "account/gift.html", {**shown, **_quota(reader, now)})


@private
@login_required
@require_POST
def revoke_gift(request: HttpRequest, gift_id: int) -> HttpResponse:
    """The link opens nothing any more, on no device. Somebody else's is not found."""
    if not access.revoke_gift(gift_id=gift_id, giver_id=request.user.pk, now=clock.now()):
        raise Http404
    return redirect("gifts")

"""The stories a reader put aside. The story's page leads here by a plain link that is the same for everybody."""

from __future__ import annotations

import re

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from broadsheet import clock
from broadsheet.newsroom.queries import cards_by_id
from broadsheet.readers.actions import MOST_SAVED, save_story, unsave_story
from broadsheet.readers.queries import has_saved, saved_stories

private = cache_control(private=True, no_store=True)
PAGE = 20
_PLACE = re.compile(r"[1-9][0-9]{0,17}\Z")


@private
@login_required
@require_safe
def saved(request: HttpRequest, before: str = "") -> HttpResponse:
    """Newest first, twenty a page; a story that has left the paper is left out."""
    if before and not _PLACE.match(before):
        raise Http404
    rows = saved_stories(request.user.pk, PAGE + 1, before=int(before) if before else None)
    cards = cards_by_id(row.story for row in rows[:PAGE])
    values = {
        "stories": [(cards[row.story], row.saved_at) for row in rows[:PAGE] if row.story in cards],
        "older": f"/account/saved/{rows[PAGE - 1].id}/" if len(rows) > PAGE else "",
        "first": not before,
    }
    return render(request, "account/saved.html", values)


@private
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def save(request: HttpRequest, story_id: int) -> HttpResponse:
    """Save it or take it off the list. What is not in the paper cannot be saved, and stays off the list."""
    story = cards_by_id([story_id]).get(story_id)
    if story is None:
        raise Http404
    full = False
    if request.method == "POST":
        if request.POST.get("do") == "remove":
            unsave_story(reader_id=request.user.pk, story_id=story_id)
            return redirect("saved" if request.POST.get("from") == "list" else "save_story", **_of(request, story_id))
        full = not save_story(reader_id=request.user.pk, story_id=story_id, now=clock.now())
        if not full:
            return redirect("save_story", story_id=story_id)
    values = {"story": story, "saved": has_saved(request.user.pk, story_id), "full": full, "most": MOST_SAVED}
    return render(request, "account/save.html", values)


def _of(request: HttpRequest, story_id: int) -> dict[str, int]:
    return {} if request.POST.get("from") == "list" else {"story_id": story_id}

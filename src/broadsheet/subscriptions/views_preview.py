"""The plan cards as readers will see them, for whoever edits plans: drafts too, and prices of a day to come."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from broadsheet.subscriptions import queries
from broadsheet.subscriptions.views_road import language, private, today


@private
@require_safe
def preview_cards(request: HttpRequest) -> HttpResponse:
    """`?day=2027-04-01` shows what will be on sale then."""
    if not request.user.has_perm("subscriptions.change_plan"):
        raise PermissionDenied
    try:
        day = date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        day = today()
    cards = queries.plan_cards(language(), gifts=settings.BROADSHEET.gift_quota, day=day, drafts=True)
    groups = queries.group_cards(language(), day=day, drafts=True)
    shown = {
        "offers": [(card, card.url) for card in cards],
        "groups": [(card, card.url) for card in groups],
        "subscribed": False,
        "signed_in": True,
        "sign_in": "",
    }
    return render(request, "subscriptions/plans.html", shown)

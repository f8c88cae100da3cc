"""A reader's partner titles: what there is, claiming it in two clicks, and using it."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from broadsheet import clock
from broadsheet.access.queries import benefit
from broadsheet.access.rules import Body
from broadsheet.partners import actions, links, queries, rules
from broadsheet.partners.queries import PRODUCT, Standing

private = cache_control(private=True, no_store=True)


@private
@login_required
@require_safe
def titles(request: HttpRequest) -> HttpResponse:
    """Every title that is on, for everybody alike; what the reader has of it, and what they may do."""
    now, reader = clock.now(), request.user.pk
    shown = {
        "titles": [_shown(one) for one in queries.standings(reader, now)],
        "entitled": benefit(PRODUCT, reader, now).body is Body.FULL,
        "welcomed": [
            (name, queries.day_words(queries.last_day(until))) for name, until in queries.welcomed(reader, now)
        ],
    }
    return render(request, "partners/titles.html", shown)


def _shown(one: Standing) -> dict[str, object]:
    """A title in words that are final."""
    claim = one.claim
    day = queries.day_words(one.verdict.day) if one.verdict.day else ""
    return {
        "card": one.card,
        "running": claim is not None and claim.running,
        "ended": claim is not None and not claim.running,
        "may": not one.verdict.reason,
        "why": _why(one.verdict.reason, day),
        "until": queries.day_words(queries.last_day(claim.ends_at)) if claim and claim.ends_at else "",
        "since": queries.day_words(queries.today(claim.claimed_at)) if claim else "",
        "lasts": f"{one.lasts_days} days from the day you claim it" if one.lasts_days else "As long as you subscribe",
        "button": BUTTONS[one.card.kind],
        "claim": claim,
        "redeem_by": queries.day_words(claim.redeem_by) if claim and claim.redeem_by else "",
        "host": urlsplit(claim.url).hostname if claim else "",
    }


BUTTONS = {"codes": "Get my code", "link": "Get my access", "token": "Connect my account"}


def _why(reason: str, day: str) -> str:
    match reason:
        case "too_soon" | "not_open" if day:
            return f"You can claim it from {day} on."
        case "too_late" | "closed" if day:
            return f"{rules.REASONS[reason]} The last day was {day}."
    return rules.REASONS.get(reason, "")


@private
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def title(request: HttpRequest, partner: str, offer: str) -> HttpResponse:
    """One title: its terms and a button; after it, the code or the way to it."""
    now, why = clock.now(), ""
    if request.method == "POST":
        try:
            actions.claim(reader_id=request.user.pk, partner=partner, offer=offer, now=now)
        except actions.ClaimRefusedError as refused:
            if refused.reason == "absent":
                raise Http404 from None
            why = refused.reason
        else:
            return redirect("partner_title", partner=partner, offer=offer)
    one = queries.standing(request.user.pk, partner, offer, now)
    if one is None:
        raise Http404
    values = _shown(one)
    if why:
        values |= {"why": values["why"] or rules.REASONS[why], "may": False}
    return render(request, "partners/title.html", {"title": values}, status=409 if why else 200)


@private
@login_required
@require_safe
def go(request: HttpRequest, partner: str, offer: str) -> HttpResponse:
    """Over to the partner with a link signed this moment. Nobody without a running claim learns more than that."""
    url = links.signed_link(reader_id=request.user.pk, partner=partner, offer=offer, now=clock.now())
    if url is None:
        return redirect("partner_titles")
    response = HttpResponseRedirect(url, status=303)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response

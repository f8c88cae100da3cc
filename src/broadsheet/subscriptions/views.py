"""From the plans to the till and back. Nothing here is ever kept by a cache: every page is one reader's."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from broadsheet import clock
from broadsheet.dates import local_date
from broadsheet.readers.rules import local_path
from broadsheet.subscriptions import actions, queries, rules
from broadsheet.subscriptions.cards import last_day, longday

private = cache_control(private=True, no_store=True)
# Pages of the road itself are no place to go back to.
ON_THE_ROAD = ("/account/", "/subscribe/", "/till/", "/admin/")


def _wanted(request: HttpRequest) -> str:
    """The story the reader came from: named in the address, else the page of ours that the browser says led here."""
    named = request.POST.get("next") or request.GET.get("next")
    if named is not None:
        return local_path(named)
    referrer = urlsplit(request.headers.get("Referer", ""))
    path = local_path(referrer.path) if referrer.netloc == request.get_host() else ""
    return "" if path.startswith(ON_THE_ROAD) else path


def _with_next(url: str, wanted: str) -> str:
    return f"{url}?{urlencode({'next': wanted})}" if wanted else url


def _subscribed(request: HttpRequest) -> bool:
    if not request.user.is_authenticated:
        return False
    row = queries.current_subscription(request.user.pk)
    return row is not None and row.live


def _today() -> date:
    return local_date(clock.now(), settings.BROADSHEET.zone)


@private
@require_safe
def plans(request: HttpRequest) -> HttpResponse:
    wanted = _wanted(request)
    options = settings.BROADSHEET
    cards = queries.plan_cards(options.languages[0], gifts=options.gift_quota)
    shown = {
        "offers": [(card, _with_next(card.url, wanted)) for card in cards],
        "subscribed": _subscribed(request),
        "signed_in": request.user.is_authenticated,
        "sign_in": _with_next(reverse("sign_in"), wanted or reverse("subscribe")),
    }
    return render(request, "subscriptions/plans.html", shown)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def order(request: HttpRequest, code: str) -> HttpResponse:
    """What is bought, for how much, until when; then the till. A visitor signs in first and comes back here."""
    card = queries.plan_card(code, settings.BROADSHEET.languages[0])
    if card is None:
        raise Http404
    wanted = _wanted(request)
    if not request.user.is_authenticated:
        return redirect(_with_next(reverse("sign_in"), _with_next(card.url, wanted)))
    if _subscribed(request):
        return redirect("account")
    if request.method == "POST":
        return _to_the_till(request, code, wanted)
    renewal = queries.renewal_date(code, _today())
    shown = {"card": card, "next": wanted, "renewal": longday(renewal) if renewal else "", "email": request.user.email}
    return render(request, "subscriptions/order.html", shown)


def _to_the_till(request: HttpRequest, code: str, wanted: str) -> HttpResponse:
    try:
        checkout = actions.start_checkout(reader_id=request.user.pk, plan_code=code, next_path=wanted, now=clock.now())
    except rules.RefusedError as refusal:
        return redirect("account" if refusal.reason == "already_subscribed" else "subscribe")
    return redirect(checkout.url)


@private
@require_safe
def thanks(request: HttpRequest, subscription_id: int) -> HttpResponse:
    """Back from the till. The payment takes effect here and now: the next page the reader opens is the full story."""
    wanted = _wanted(request)
    if not request.user.is_authenticated:
        return redirect(_with_next(reverse("sign_in"), request.get_full_path()))
    row = queries.subscription(subscription_id)
    if row is None or row.reader_id != request.user.pk:
        raise Http404
    answer = actions.complete_checkout(subscription_id=subscription_id, now=clock.now())
    row = queries.subscription(subscription_id)
    again = _with_next(reverse("order", args=[row.plan_code]), wanted)
    if answer == "open":
        return redirect(again)
    if answer == "declined":
        return render(request, "subscriptions/declined.html", {"again": again, "plan": row.plan_name})
    shown = {
        "plan": row.plan_name,
        "next": wanted,
        "until": last_day(row.paid_until),
        "email": request.user.email,
        "live": row.live,
        "renews": row.next_charge_on is not None,
    }
    return render(request, "subscriptions/thanks.html", shown)

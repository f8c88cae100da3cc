"""A partner's subscribers at our door: with a voucher, or by a link the partner signed."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from broadsheet import clock
from broadsheet.access.products import PRODUCTS
from broadsheet.partners import inward, links, queries
from broadsheet.partners.models import Redemption
from broadsheet.partners.views import private

WHY = {
    "unknown": "This code is not one of ours, or it has expired. Look at every letter once more.",
    "used": "This was used already, by another account.",
    "revoked": "The partner has ended this. Please ask them.",
    "expired": "This link is too old. Go back to the partner and follow it again.",
}
_BAD_LINK = "This link cannot be read. Go back to the partner and follow it again."
_BENEFITS = {product.code: product.benefit for product in PRODUCTS}


@private
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def redeem(request: HttpRequest) -> HttpResponse:
    """A voucher is typed in once and read out never."""
    why, code = "", request.POST.get("code", "")[:80].strip()
    if request.method == "POST":
        try:
            made = inward.redeem_voucher(reader_id=request.user.pk, code=code, now=clock.now())
        except inward.WelcomeRefusedError as refused:
            why = WHY.get(refused.reason, WHY["unknown"])
        else:
            return _open(request, made)
    return render(request, "partners/redeem.html", {"why": why, "code": code}, status=409 if why else 200)


def _open(request: HttpRequest, made: Redemption) -> HttpResponse:
    found = queries.welcome_by_id(made.welcome_id)
    shown = {
        "partner": found.partner_name if found else "",
        "until": queries.day_words(queries.last_day(made.until)),
        "benefits": [_BENEFITS[code] for code in (found.products if found else ()) if code in _BENEFITS],
        "email": request.user.email,
    }
    return render(request, "partners/opened.html", shown)


@private
@require_safe
def enter(request: HttpRequest, partner: str) -> HttpResponse:
    """A link from a partner: its token is taken off the address at once and never seen again."""
    try:
        sealed = inward.open_link(partner=partner, token=request.GET.get("token", ""), now=clock.now())
    except inward.WelcomeRefusedError as refused:
        why = WHY.get(refused.reason, _BAD_LINK) if refused.reason != "unknown" else _BAD_LINK
        return render(request, "partners/refused.html", {"why": why}, status=403)
    response = redirect(f"{reverse('partner_welcome')}?{urlencode({'pass': sealed})}")
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@private
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest) -> HttpResponse:
    """Signed in by now: one button opens what the partner's link is for, under this account."""
    now, sealed = clock.now(), (request.POST if request.method == "POST" else request.GET).get("pass", "")
    held = inward.read_pass(sealed, now)
    found = queries.welcome_by_id(held.welcome) if held else None
    if held is None or found is None:
        return render(request, "partners/refused.html", {"why": WHY["expired"]}, status=403)
    if request.method == "POST":
        try:
            return _open(request, inward.redeem_pass(reader_id=request.user.pk, sealed=sealed, now=now))
        except inward.WelcomeRefusedError as refused:
            return render(request, "partners/refused.html", {"why": WHY.get(refused.reason, _BAD_LINK)}, status=403)
    shown = {"partner": found.partner_name, "name": found.name, "days": found.lasts_days, "pass": sealed}
    shown |= {
        "benefits": [_BENEFITS[code] for code in found.products if code in _BENEFITS],
        "email": request.user.email,
    }
    return render(request, "partners/welcome.html", shown)


@require_safe
@cache_control(public=True, max_age=3600)
def keys(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """The public halves of the keys that sign our links."""
    return JsonResponse(links.key_set())

"""The sandbox till's hosted page: what a payment provider would show on its own site, plainly marked."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from broadsheet import clock
from broadsheet.money import format_money
from broadsheet.payments.adapters import sandbox


@cache_control(private=True, no_store=True)
@require_http_methods(["GET", "HEAD", "POST"])
def till(request: HttpRequest, token: str) -> HttpResponse:
    """Pay or Decline; then back to the shop. A page that was decided leads back without asking again."""
    page = sandbox.till_page(token)
    if page is None:
        raise Http404
    if request.method == "POST" and request.POST.get("answer") in ("pay", "decline"):
        sandbox.decide(
            token=token,
            pay=request.POST["answer"] == "pay",
            renewals_decline="renewals_decline" in request.POST,
            now=clock.now(),
        )
        return redirect(page.return_url)
    if not page.open:
        return redirect(page.return_url)
    amount = format_money(page.amount_minor, page.currency)
    shown = {"page": page, "amount": amount, "paper": settings.BROADSHEET.name}
    return render(request, "payments/till.html", shown)

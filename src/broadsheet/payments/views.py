"""The sandbox till's hosted page, plainly marked, and the address providers send their messages to."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from broadsheet import clock
from broadsheet.money import format_money
from broadsheet.payments import crash, inbox, queries
from broadsheet.payments.adapters import manual, sandbox


@cache_control(private=True, no_store=True)
@require_http_methods(["GET", "HEAD", "POST"])
def till(request: HttpRequest, token: str) -> HttpResponse:
    """Pay or Decline; then back to the shop. A page that was decided leads back without asking again."""
    page = sandbox.till_page(token)
    if page is None:
        raise Http404
    if request.method == "POST" and request.POST.get("answer") in ("pay", "decline"):
        return _press(request, page)
    if not page.open:
        return redirect(page.return_url)
    return render(request, "payments/till.html", _shown(page))


def _press(request: HttpRequest, page: sandbox.TillPage) -> HttpResponse:
    pay = request.POST["answer"] == "pay"
    try:
        result = sandbox.decide(
            token=page.token, pay=pay, renewals_decline="renewals_decline" in request.POST, now=clock.now()
        )
    except crash.CrashError:
        result = None
    if result is None or result.status == "pending":
        # Scripted: the press was lost, or the till died over it. What the reader knows is that nothing came back.
        return render(request, "payments/till.html", {**_shown(page), "unanswered": True}, status=504)
    return redirect(page.return_url)


def _shown(page: sandbox.TillPage) -> dict[str, object]:
    most = format_money(page.max_minor, page.currency) if page.max_minor is not None else ""
    return {
        "page": page,
        "amount": format_money(page.amount_minor, page.currency) if page.amount_minor else "",
        "most": most,
        "paper": settings.BROADSHEET.name,
        "unanswered": False,
    }


@csrf_exempt
@require_POST
@cache_control(private=True, no_store=True)
def hook(request: HttpRequest, provider: str) -> HttpResponse:
    """A provider's message: verified, kept, answered. What it means is worked out by a job: providers wait seconds."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > inbox.MOST_BYTES:
        return HttpResponse(status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return HttpResponse(status=inbox.receive(provider=provider, headers=headers, body=request.body, now=clock.now()))


@cache_control(private=True, no_store=True)
@require_http_methods(["GET", "HEAD"])
def transfer(request: HttpRequest, token: str) -> HttpResponse:
    """Where to send the money, and what to write on it."""
    page = manual.transfer_page(token)
    bill = queries.invoice_of_payment(page.key) if page else None
    if page is None or bill is None:
        raise Http404
    shown = {
        "page": page,
        "number": bill.number,
        "owed": bill.status == "open",
        "amount": format_money(page.amount_minor, page.currency),
        "details": settings.BROADSHEET.bank_details.splitlines(),
        "paper": settings.BROADSHEET.name,
    }
    return render(request, "payments/transfer.html", shown)

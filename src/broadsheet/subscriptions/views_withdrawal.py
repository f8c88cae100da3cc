"""Withdrawing from the contract, as readers in some countries may: two steps, no question, no account needed."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from broadsheet import clock
from broadsheet.money import format_money
from broadsheet.payments.queries import reader_email
from broadsheet.subscriptions import links, queries, rules
from broadsheet.subscriptions.actions.withdrawal import Withdrawal, may_withdraw
from broadsheet.subscriptions.actions.withdrawal import withdraw as withdraw_from
from broadsheet.subscriptions.cards import longday
from broadsheet.subscriptions.views_road import private, sign_in_first


@private
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, token: str = "") -> HttpResponse:
    """By the link in the receipt, or signed in. The first button declares it, the second confirms it."""
    row = _contract(request, token)
    if row is None:
        if token:
            raise Http404
        return sign_in_first(request) if not request.user.is_authenticated else _page(request, None, None, "none")
    offer = may_withdraw(subscription_id=row.id, now=clock.now())
    if request.method == "POST" and request.POST.get("step") == "confirm" and offer is not None:
        return _done(request, row, offer)
    step = "none" if offer is None else "confirm" if request.method == "POST" else "declare"
    return _page(request, row, offer, step)


def _contract(request: HttpRequest, token: str) -> queries.SubscriptionRow | None:
    if token:
        found = links.read_withdraw_token(token)
        return queries.subscription(found) if found else None
    return queries.current_subscription(request.user.pk) if request.user.is_authenticated else None


def _done(request: HttpRequest, row: queries.SubscriptionRow, offer: Withdrawal) -> HttpResponse:
    now = clock.now()
    actor = f"reader:{row.reader_id}"
    try:
        withdraw_from(subscription_id=row.id, actor=actor, now=now)
    except rules.RefusedError:
        return _page(request, row, None, "none")
    local = now.astimezone(settings.BROADSHEET.zone)
    received = f"{longday(local.date())}, {local:%H:%M:%S} ({settings.BROADSHEET.time_zone})"
    return _page(request, row, offer, "done", received=received)


def _page(
    request: HttpRequest,
    row: queries.SubscriptionRow | None,
    offer: Withdrawal | None,
    step: str,
    received: str = "",
) -> HttpResponse:
    shown: dict[str, object] = {"step": step, "received": received, "path": request.path, "plan": ""}
    if row is not None:
        shown |= {
            "plan": row.plan_name,
            "started": longday(row.started_at.astimezone(settings.BROADSHEET.zone).date()) if row.started_at else "",
            "signed_in": request.user.is_authenticated,
            "email": _half_hidden(reader_email(row.reader_id)),
        }
    if offer is not None:
        shown |= {
            "until": longday(offer.until),
            "refund": format_money(offer.refund_minor, offer.currency) if offer.refund_minor else "",
            "credit": format_money(offer.credit_minor, offer.currency) if offer.credit_minor else "",
            "part": offer.terms == "pro_rata",
        }
    return render(request, "subscriptions/withdraw.html", shown)


def _half_hidden(email: str) -> str:
    """`a…@example.org`: enough to know one's own, too little to learn somebody else's."""
    name, _, host = email.partition("@")
    return f"{name[:1]}…@{host}" if host else ""

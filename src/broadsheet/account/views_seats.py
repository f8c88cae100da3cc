"""A group's seats, for whoever pays for them: who has one, inviting, freeing, more and fewer."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from broadsheet import clock
from broadsheet.account.standing import standing
from broadsheet.account.views import private
from broadsheet.account.views_subscription import actor, after_change, change_bill, mine, refused, then_words
from broadsheet.subscriptions import actions, queries, rules
from broadsheet.subscriptions.cards import longday

WHY = {
    "bad_email": "Write an email address, such as name@example.org.",
    "has_seat": "This address has a seat already.",
    "no_seat_left": "All seats are taken. Free one, or add seats below.",
    "bad_domain": "Write a domain, such as example.org.",
    "public_domain": "Anybody can have an address at this domain, so it opens no seats. Invite people one by one.",
    "not_active": "The subscription is not running at the moment.",
    "bad_quantity": "The plan is sold for {} to {} seats.",
    "same_quantity": "That is the number of seats you have.",
    "charge_under_way": "A payment is on its way just now. Please try again when it has arrived.",
    "payment_declined": "Your bank declined the payment. Nothing was charged, and your seats are as before.",
}


@private
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def seats(request: HttpRequest) -> HttpResponse:
    row = mine(request)
    if row is None or "seats" not in standing(row, clock.now()).may:
        return redirect("account")
    why = ""
    if request.method == "POST":
        try:
            _do(request, row)
        except rules.RefusedError as refusal:
            why = WHY.get(refusal.reason, "That is not possible just now.")
        else:
            return redirect("seats")
    return _page(request, row, why)


def _do(request: HttpRequest, row: queries.SubscriptionRow) -> None:
    """Invite an address, free a seat, or say whose domain opens one."""
    now, form = clock.now(), request.POST
    if "invite" in form:
        actions.invite_seat(subscription_id=row.id, email=form.get("email", ""), actor=actor(request), now=now)
    elif form.get("free", "").isdecimal():
        actions.remove_seat(subscription_id=row.id, seat_id=int(form["free"]), actor=actor(request), now=now)
    elif "domain" in form:
        actions.set_seat_domain(subscription_id=row.id, domain=form["domain"], actor=actor(request), now=now)


def _page(request: HttpRequest, row: queries.SubscriptionRow, why: str) -> HttpResponse:
    shown = {
        "plan": row.plan_name,
        "quantity": row.quantity,
        "pending": row.pending_quantity,
        "from_day": longday(row.paid_until),
        "seats": queries.seats_of(row.id),
        "left": queries.seats_left(row.id),
        "domain": queries.seat_domain(row.id),
        "email": request.user.email,
        "sold": queries.seats_sold(row.plan_code),
        "why": why,
    }
    return render(request, "account/seats.html", shown)


@private
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def number(request: HttpRequest) -> HttpResponse:
    """More seats or fewer: the very invoice first."""
    row = mine(request)
    if row is None or "seats" not in standing(row, clock.now()).may:
        return redirect("account")
    wanted = request.POST.get("quantity") or request.GET.get("quantity", "")
    quantity = int(wanted) if wanted.isdecimal() and len(wanted) < len("100000") else 0
    try:
        quote = actions.preview_quantity(subscription_id=row.id, quantity=quantity, now=clock.now())
        seen = f"{quote.when}.{quote.total_minor}.{quote.credit_minor}.{quote.renewal_minor}.{quote.starts}"
        if request.method == "POST" and request.POST.get("seen") == seen:
            actions.set_quantity(subscription_id=row.id, quantity=quantity, actor=actor(request), now=clock.now())
            return after_change(row.id, quote, "seats")
    except rules.RefusedError as refusal:
        if refusal.reason not in WHY:
            return refused(refusal)
        return _page(request, row, WHY[refusal.reason].format(*queries.seats_sold(row.plan_code)))
    shown = {
        "plan": row.plan_name,
        "quantity": quantity,
        "had": row.quantity,
        "quote": quote,
        "bill": change_bill(quote),
        "seen": seen,
        "starts": longday(quote.starts),
        "then": then_words(row, quote),
        "renews": longday(quote.renews_on),
        "held": standing(row, clock.now()).method,
    }
    return render(request, "account/seats_number.html", shown)

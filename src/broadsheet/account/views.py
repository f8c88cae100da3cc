"""The reader's account: what I have, what comes next, what I gave, and every invoice."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from broadsheet import clock
from broadsheet.access.products import opened
from broadsheet.access.queries import products_held
from broadsheet.account.standing import credit_words, standing
from broadsheet.dates import local_date
from broadsheet.money import format_money
from broadsheet.partners.queries import works as has_partner_titles
from broadsheet.payments import queries as payments
from broadsheet.subscriptions import queries
from broadsheet.subscriptions.cards import longday, span

private = cache_control(private=True, no_store=True)
# What was just done, as the page says it once: named in the address, so that reloading does nothing twice.
DID = {
    "cancelled": "Your subscription is cancelled. A confirmation is on its way to you.",
    "kept": "Your subscription goes on as before.",
    "paused": "Your subscription is paused.",
    "resumed": "Your subscription goes on. The days of the pause were added at the end.",
    "changed": "Your plan is changed.",
    "planned": "Your change is noted. Nothing is charged today.",
    "stays": "Your plan stays as it is.",
    "method": "Your new payment method is in use.",
    "no-method": "No new payment method was given; everything is as before.",
    "seats": "Your seats are changed.",
    "nothing": "That is not possible any more. This page shows how things stand.",
    "busy": "A payment is on its way just now. Please try again when it has arrived, tomorrow at the latest.",
}


@private
@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    now, reader = clock.now(), request.user.pk
    row = queries.current_subscription(reader)
    shown = {
        "email": request.user.email,
        "did": DID.get(request.GET.get("did", ""), ""),
        "standing": standing(row, now) if row else None,
        "live": row is not None and row.live,
        "benefits": opened(products_held(reader, now)),
        "bills": [_bill(bill) for bill in payments.readers_invoices(reader)],
        "gifts": bool(settings.BROADSHEET.gift_quota),
        "titles": has_partner_titles(),
        "credit": credit_words(reader),
        "waiting": queries.gifts_for(request.user.email, local_date(now, settings.BROADSHEET.zone)),
        "given": [_given(gift) for gift in queries.gifts_of(reader)],
        "seats": [_seat(seat) for seat in queries.seats_held(reader)],
    }
    return render(request, "account/account.html", shown)


def _bill(bill: payments.InvoiceRow) -> dict[str, object]:
    return {
        "number": bill.number,
        "paid_at": bill.paid_at,
        "period": span(bill.period_start, bill.period_end),
        "total": format_money(bill.total_minor, bill.currency),
    }


_GIFT_WORDS = {"redeemed": "Opened"}


def _given(gift: queries.GiftSubscriptionRow) -> dict[str, object]:
    today = local_date(clock.now(), settings.BROADSHEET.zone)
    waits = "Sent, not opened yet" if gift.send_on <= today else f"To be sent on {longday(gift.send_on)}"
    link = f"/gift/thanks/{gift.id}/" if gift.status == "paid" else ""
    return {"plan": gift.plan_name, "to": gift.to_email, "status": _GIFT_WORDS.get(gift.status, waits), "link": link}


def _seat(seat: queries.SeatRow) -> str:
    row = queries.subscription(seat.subscription_id)
    return row.plan_name if row else ""

"""The plans, and the way back from the till. Nothing here is ever kept by a cache: every page is one reader's."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from broadsheet import clock
from broadsheet.dates import local_date
from broadsheet.money import format_money
from broadsheet.payments.queries import payments_of_subject
from broadsheet.subscriptions import actions, queries
from broadsheet.subscriptions.cards import last_day, longday
from broadsheet.subscriptions.views_road import language, private, sign_in_first, today, wanted, with_next


def is_subscribed(request: HttpRequest) -> bool:
    if not request.user.is_authenticated:
        return False
    row = queries.current_subscription(request.user.pk)
    return row is not None and row.live


@private
@require_safe
def plans(request: HttpRequest) -> HttpResponse:
    path = wanted(request)
    cards = queries.plan_cards(language(), gifts=settings.BROADSHEET.gift_quota, day=today())
    groups = queries.group_cards(language(), day=today())
    shown = {
        "offers": [(card, with_next(card.url, path)) for card in cards],
        "groups": [(card, with_next(card.url, path)) for card in groups],
        "subscribed": is_subscribed(request),
        "signed_in": request.user.is_authenticated,
        "sign_in": with_next(reverse("sign_in"), path or reverse("subscribe")),
    }
    return render(request, "subscriptions/plans.html", shown)


@private
@require_safe
def thanks(request: HttpRequest, subscription_id: int) -> HttpResponse:
    """Back from the till. The payment takes effect here and now: the next page the reader opens is the full story."""
    if not request.user.is_authenticated:
        return sign_in_first(request)
    row = queries.subscription(subscription_id)
    if row is None or row.reader_id != request.user.pk:
        raise Http404
    answer = actions.complete_checkout(subscription_id=subscription_id, now=clock.now())
    row = queries.subscription(subscription_id)
    assert row is not None
    path = wanted(request)
    again = with_next(reverse("order", args=[row.plan_code]), path)
    if answer == "open":
        tried = payments_of_subject(f"subscription:{row.id}")
        under_way = any(payment.status == "processing" for payment in tried)
        shown = {"plan": row.plan_name, "again": again, "look": request.get_full_path(), "under_way": under_way}
        return render(request, "subscriptions/open.html", shown)
    if answer == "declined":
        return render(request, "subscriptions/declined.html", {"again": again, "plan": row.plan_name})
    return render(request, "subscriptions/thanks.html", {"next": path, "email": request.user.email, **_begun(row)})


def _begun(row: queries.SubscriptionRow) -> dict[str, object]:
    """What has begun: a trial with or without a charge at its end, or a paid period."""
    charge = ""
    if row.next_charge_on:
        money = actions.quote_renewal(subscription_id=row.id, amount_minor=row.amount_minor, now=clock.now())
        charge = f"{format_money(money.split.total_minor, row.currency)} on {longday(row.next_charge_on)}"
    ends = local_date(row.trial_end, settings.BROADSHEET.zone) if row.trial_end else row.paid_until
    return {
        "plan": row.plan_name,
        "until": last_day(row.paid_until),
        "live": row.live,
        "trial": longday(ends) if row.status == "trialing" else "",
        "charge": charge,
        "seats": row.quantity if row.quantity > 1 else 0,
    }


def gone(request: HttpRequest) -> HttpResponse:
    """To the plans, when what was asked for is not sold any more."""
    return redirect(with_next(reverse("subscribe"), wanted(request)))

"""Giving a term of a plan away, and taking what was given."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from broadsheet import clock
from broadsheet.money import format_money
from broadsheet.payments.actions import Money, save_profile
from broadsheet.payments.queries import billing_profile
from broadsheet.payments.values import Line
from broadsheet.subscriptions import actions, links, queries, rules, totals, views_form
from broadsheet.subscriptions.cards import last_day, longday, period_words
from broadsheet.subscriptions.views_form import Order
from broadsheet.subscriptions.views_road import language, private, sign_in_first, to_the_till, today

AHEAD = timedelta(days=365)
MESSAGE = 500


@dataclass(frozen=True, slots=True)
class Present:
    """The form of a gift as it was sent."""

    plan: str = ""
    to: str = ""
    send_on: date | None = None
    message: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def _read(form: QueryDict, codes: set[str], day: date) -> Present:
    errors: dict[str, str] = {}
    plan, to = form.get("plan", ""), form.get("to", "").strip().lower()
    if plan not in codes:
        errors["plan"] = "Choose what to give."
    try:
        validate_email(to)
    except ValidationError:
        errors["to"] = "Write the address of whoever it is for, such as name@example.org."
    try:
        send_on = date.fromisoformat(form.get("send_on", "") or day.isoformat())
    except ValueError:
        send_on = None
    if send_on is None or not day <= send_on <= day + AHEAD:
        errors["send_on"] = "Choose a day from today on, within a year."
    return Present(plan, to[:254], send_on, form.get("message", "").strip()[:MESSAGE], errors)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def give(request: HttpRequest) -> HttpResponse:
    """Three looks at one page: what to give and to whom, what it comes to, the till."""
    if not request.user.is_authenticated:
        return sign_in_first(request)
    cards = {card.code: card for card in queries.plan_cards(language(), day=today())}
    if request.method != "POST":
        asked = request.GET.get("plan", "")
        present = Present(plan=asked if asked in cards else "", send_on=today())
        order = views_form.known(billing_profile(request.user.pk), quantity=1, coupon="")
        return _form(request, cards, present, order)
    present = _read(request.POST, set(cards), today())
    order = views_form.sent(request.POST)
    if present.errors or order.errors or "edit" in request.POST:
        return _form(request, cards, present, order, told="edit" not in request.POST)
    if order.billed != _billed(request.user.pk):
        save_profile(reader_id=request.user.pk, now=clock.now(), **order.billed)
    price, money = actions.quote_gift(giver_id=request.user.pk, plan_code=present.plan, now=clock.now())
    if request.POST.get("seen") == _seen(money) and "pay" in request.POST:
        return _buy(request, present)
    line = Line(f"Gift: {cards[present.plan].name}, {cards[present.plan].period}", price)
    return _review(request, cards[present.plan], present, order, line, money)


def _billed(reader_id: int) -> dict[str, str]:
    return views_form.known(billing_profile(reader_id), quantity=1, coupon="").billed


def _form(
    request: HttpRequest, cards: dict[str, queries.PlanCard], present: Present, order: Order, *, told: bool = True
) -> HttpResponse:
    shown = {
        "cards": list(cards.values()),
        "present": present,
        "form": order,
        "errors": {**order.errors, **present.errors} if told else {},
        "countries": views_form.countries(),
        "states": views_form.states(),
        "first": today().isoformat(),
        "last": (today() + AHEAD).isoformat(),
        "most": MESSAGE,
    }
    return render(request, "subscriptions/gift_buy.html", shown)


def _review(  # noqa: PLR0917 - what a bill is made of
    request: HttpRequest, card: queries.PlanCard, present: Present, order: Order, line: Line, money: Money
) -> HttpResponse:
    currency, total = queries.currency_of(card.code), money.split.total_minor
    shown = {
        "card": card,
        "present": present,
        "form": order,
        "bill": totals.lay_out(
            [line], money.tax, total_minor=total, credit_minor=money.credit_minor, currency=currency
        ),
        "due": format_money(money.due_minor, currency),
        "send_on": longday(present.send_on or today()),
        "seen": _seen(money),
    }
    return render(request, "subscriptions/gift_review.html", shown)


def _seen(money: Money) -> str:
    return totals.digest(money.split.total_minor, money.credit_minor, 0, money.tax)


def _buy(request: HttpRequest, present: Present) -> HttpResponse:
    try:
        gift, key, _ = actions.buy_gift(
            giver_id=request.user.pk,
            plan_code=present.plan,
            to_email=present.to,
            send_on=present.send_on,
            message=present.message,
            now=clock.now(),
        )
    except rules.RefusedError:
        return redirect("subscribe")
    back = reverse("gift_thanks", args=[gift.pk])
    if not key:  # the giver's credit has paid it
        return redirect(back)
    return to_the_till(request, actions.pay_gift(gift_id=gift.pk, return_url=back, now=clock.now()))


@private
@require_http_methods(["GET", "HEAD", "POST"])
def thanks(request: HttpRequest, gift_id: int) -> HttpResponse:
    """Back from the till; a POST goes there once more."""
    if not request.user.is_authenticated:
        return sign_in_first(request)
    present = queries.gift_of(request.user.pk, gift_id)
    if present is None:
        raise Http404
    if request.method == "POST":
        try:
            url = actions.pay_gift(gift_id=gift_id, return_url=request.path, now=clock.now())
        except rules.RefusedError:
            return redirect("gift_thanks", gift_id=gift_id)
        return to_the_till(request, url)
    answer = actions.complete_gift(gift_id=gift_id, now=clock.now())
    link = links.gift_link(present.token) if answer == "paid" else ""
    shown = {"present": present, "send_on": longday(present.send_on), "answer": answer, "link": link}
    shown["now"] = present.send_on <= today()
    return render(request, "subscriptions/gift_thanks.html", shown)


WHY = {
    "already_subscribed": "You have a subscription that is running. The gift keeps: come back to this page when yours "
    "has ended, or give the link to somebody else.",
    "no_gift": "This gift has been taken already.",
}


@private
@require_http_methods(["GET", "HEAD", "POST"])
def redeem(request: HttpRequest, token: str) -> HttpResponse:
    """What was given, and one button to begin it. It is looked at without an account and begun with one."""
    present = queries.gift_named(token)
    if present is None:
        raise Http404
    why = ""
    if request.method == "POST":
        if not request.user.is_authenticated:
            return sign_in_first(request)
        try:
            actions.redeem_gift(reader_id=request.user.pk, token=token, now=clock.now())
        except rules.RefusedError as refusal:
            why = WHY.get(refusal.reason, WHY["no_gift"])
        else:
            return redirect("gift_redeem", token=token)
    row = queries.subscription(present.subscription_id) if present.subscription_id else None
    mine = row is not None and request.user.is_authenticated and row.reader_id == request.user.pk
    shown = {
        "present": present,
        "period": period_words(present.months, "en"),
        "why": why,
        "signed_in": request.user.is_authenticated,
        "email": request.user.email if request.user.is_authenticated else "",
        "taken": present.status == "redeemed",
        "mine": mine,
        "until": last_day(row.paid_until) if row and mine else "",
        "benefits": queries.benefits_of(present.plan_code),
    }
    return render(request, "subscriptions/gift_redeem.html", shown)

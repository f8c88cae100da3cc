"""The order: what is bought, by whom, for how much with every tax, and what is agreed to; then the till."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from broadsheet import clock
from broadsheet.money import format_money
from broadsheet.payments.actions import save_profile
from broadsheet.payments.queries import billing_profile
from broadsheet.subscriptions import actions, cooling_off, queries, rules, totals, views_form
from broadsheet.subscriptions.actions.consent import record_consent
from broadsheet.subscriptions.cards import PlanCard, longday
from broadsheet.subscriptions.policies import policies_of
from broadsheet.subscriptions.views import gone, is_subscribed
from broadsheet.subscriptions.views_form import Order
from broadsheet.subscriptions.views_road import language, paper, private, sign_in_first, to_the_till, today, wanted

COUPON = "This coupon does not hold for this order: it may be mistyped, over, or meant for another plan."
SEATS = "Choose a number of seats this plan is sold for: {}."
CHANGED = "The total has changed with what you wrote. Please look at it once more, then press the button again."


@private
@require_http_methods(["GET", "HEAD", "POST"])
def order(request: HttpRequest, code: str) -> HttpResponse:
    """A visitor signs in first and comes back here."""
    card = queries.plan_card(code, language(), day=today())
    if card is None:
        raise Http404
    if not request.user.is_authenticated:
        return sign_in_first(request)
    if is_subscribed(request):
        return redirect("account")
    if request.method == "POST":
        return _sent(request, card, views_form.sent(request.POST))
    asked = request.GET.get("quantity", "")
    quantity = int(asked) if asked.isdecimal() and len(asked) < len("10000") else queries.seats_sold(code)[0]
    profile = billing_profile(request.user.pk)
    return _show(request, card, views_form.known(profile, quantity=quantity, coupon=request.GET.get("coupon", "")))


def _sent(request: HttpRequest, card: PlanCard, form: Order) -> HttpResponse:
    """To the till when all is said and seen; else the page again, with what is missing."""
    if not form.rail:  # no button to pay was pressed: the total is asked for
        return _show(request, card, replace(form, errors={}))
    try:
        quote = _quote(request, card, form)
    except rules.RefusedError:
        return _show(request, card, form)
    seen = _digest(quote) == form.seen
    if form.errors or not seen or form.rail not in _ways(quote, form):
        return _show(request, card, form, notice="" if form.errors or seen else CHANGED)
    return _buy(request, form, quote)


def _quote(request: HttpRequest, card: PlanCard, form: Order) -> actions.CheckoutQuote:
    return actions.quote_checkout(
        reader_id=request.user.pk,
        plan_code=card.code,
        now=clock.now(),
        quantity=form.quantity,
        coupon=form.coupon,
        country=form.country,
        state=form.state,
    )


def _ways(quote: actions.CheckoutQuote, form: Order) -> tuple[str, ...]:
    """The buttons. `none` begins a trial that asks for nothing; money by hand has no other trial."""
    rails = actions.rails(quote.currency, form.country)
    if not quote.trial_days:
        return rails
    return ("none", *(rail for rail in rails if rail != "manual"))


def _digest(quote: actions.CheckoutQuote) -> str:
    return totals.digest(quote.total_minor, quote.credit_minor, quote.next_minor, quote.tax)


def _show(request: HttpRequest, card: PlanCard, form: Order, notice: str = "") -> HttpResponse:
    """The page. What is wrong with a coupon or a number of seats is said beside it, and the total is without it."""
    errors, asked = dict(form.errors), form
    quote = None
    for _ in range(3):
        try:
            quote = _quote(request, card, asked)
            break
        except rules.RefusedError as refusal:
            if refusal.reason == "bad_coupon":
                errors["coupon"], asked = COUPON, replace(asked, coupon="")
            elif refusal.reason == "bad_quantity":
                fewest, most = queries.seats_sold(card.code)
                errors["quantity"], asked = SEATS.format(f"{fewest} to {most}"), replace(asked, quantity=fewest)
            else:
                return gone(request)
    assert quote is not None
    shown = {
        "card": card,
        "form": form,
        "errors": errors,
        "notice": notice,
        "next": wanted(request),
        "email": request.user.email,
        "countries": views_form.countries(),
        "states": views_form.states(),
        "seats": queries.seats_sold(card.code),
        **_bill(quote, form),
    }
    return render(request, "subscriptions/order.html", shown)


def _bill(quote: actions.CheckoutQuote, form: Order) -> dict[str, object]:
    """The right-hand side: the bill to be, what is agreed to, and by what it can be paid."""
    rails = tuple(way for way in _ways(quote, form) if way != "none")
    whole = form.country == views_form.INDIA and not form.state
    bill = totals.lay_out(
        quote.lines, quote.tax, total_minor=quote.total_minor, credit_minor=quote.credit_minor, currency=quote.currency,
        whole_gst=whole,
    )  # fmt: skip
    by_hand = rails == ("manual",)
    return {
        "quote": quote,
        "bill": bill,
        "seen": _digest(quote),
        "rails": rails,
        "terms": _by_hand(quote) if by_hand else _renewal(quote, rails) if rails else "",
        "trial_terms": _trial(quote) if quote.trial_days else "",
        "next_day": longday(quote.next_on),
        "by_hand": by_hand,
        "by_link": _by_link(quote),
        "nothing": format_money(0, quote.currency) if quote.trial_days else "",
        "waiver": totals.waiver_words(paper()) if cooling_off.rule_of(form.country, today()) else "",
    }


def _renewal(quote: actions.CheckoutQuote, rails: tuple[str, ...]) -> str:
    agreed = totals.Agreed(
        plan=quote.plan_name,
        months=quote.months,
        currency=quote.currency,
        due_minor=quote.due_minor,
        next_on=quote.next_on,
        next_minor=quote.next_minor,
        later_minor=quote.later_minor,
        trial_days=quote.trial_days,
        reduced=quote.reduced,
        by_link=_by_link(quote),
    )  # fmt: skip
    return totals.renewal_words(agreed, paper=paper(), rails=rails)


def _by_link(quote: actions.CheckoutQuote) -> bool:
    """Whether a renewal is more than may be charged without the reader there."""
    how = policies_of(settings.BROADSHEET)
    return not rules.may_debit(
        quote.next_minor, quote.currency, mandate_max_minor=None, till_max_minor=None, policies=how
    )


def _trial(quote: actions.CheckoutQuote) -> str:
    return totals.trial_words(quote.plan_name, paper(), quote.trial_days, quote.next_on)


def _by_hand(quote: actions.CheckoutQuote) -> str:
    return totals.by_hand_words(quote.plan_name, paper(), quote.total_minor, quote.currency, quote.months)


def _buy(request: HttpRequest, form: Order, quote: actions.CheckoutQuote) -> HttpResponse:
    """Whom to bill, then the checkout, then the proof of what was agreed to; then the till, where there is one."""
    now, reader, path = clock.now(), request.user.pk, wanted(request)
    known = billing_profile(reader)
    moved = any(getattr(known, name) != value for name, value in form.billed.items())
    if moved:
        save_profile(reader_id=reader, now=now, **form.billed)
    if moved or _by_another_way(reader, form):
        actions.leave_checkout(reader_id=reader, now=now)
    # Without a payment method a trial ends by itself; and what is paid by hand is asked for by a bill each time.
    automatic = form.rail in ("card", "upi")
    try:
        made = actions.start_checkout(
            reader_id=reader,
            plan_code=quote.plan_code,
            next_path=path,
            quantity=quote.quantity,
            coupon=quote.coupon,
            rail=form.rail if automatic else "manual",
            collection="automatic" if automatic else "send_invoice",
            now=now,
        )
    except rules.RefusedError as refusal:
        return redirect("account") if refusal.reason == "already_subscribed" else gone(request)
    _keep_consent(request, form, quote, made.subscription_id)
    back = reverse("subscribe_thanks", args=[made.subscription_id])
    back = f"{back}?{urlencode({'next': path})}" if path else back
    url = made.url
    if form.rail == "manual":
        with suppress(rules.RefusedError):  # the reader's credit has paid it
            page = actions.start_payment(subscription_id=made.subscription_id, return_url=back, now=now, rail="manual")
            url = page.url
    return to_the_till(request, url or back)


def _by_another_way(reader_id: int, form: Order) -> bool:
    """Whether the last button they pressed was another one: the till's page that is open asks for that."""
    pressed = [row.facts.get("rail") for row in queries.consents_of(reader_id) if row.kind == "renewal"]
    return bool(pressed) and pressed[-1] != form.rail


def _keep_consent(request: HttpRequest, form: Order, quote: actions.CheckoutQuote, subscription_id: int) -> None:
    facts = {
        "plan": quote.plan_code,
        "due_minor": quote.due_minor,
        "next_minor": quote.next_minor,
        "next_on": quote.next_on.isoformat(),
        "currency": quote.currency,
        "rail": form.rail,
    }
    given: list[tuple[str, str]] = []
    if form.rail in ("card", "upi"):
        given.append(("renewal", _renewal(quote, actions.rails(quote.currency, form.country))))
    if form.waive and cooling_off.rule_of(form.country, today()):
        given.append((cooling_off.WAIVER, totals.waiver_words(paper())))
    for kind, text in given:
        record_consent(
            reader_id=request.user.pk,
            subscription_id=subscription_id,
            kind=kind,
            text=text,
            facts=facts,
            network=views_form.network(request),
            now=clock.now(),
        )

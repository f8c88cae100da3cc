"""What a reader does with a subscription: cancel in two clicks, undo, pause, go on, another plan, another card."""

from __future__ import annotations

from contextlib import suppress

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from broadsheet import clock
from broadsheet.account.standing import mandate_words, standing
from broadsheet.account.views import private
from broadsheet.money import format_money
from broadsheet.payments.queries import open_invoices_of
from broadsheet.subscriptions import actions, links, queries, rules, totals
from broadsheet.subscriptions.cards import longday
from broadsheet.subscriptions.views_form import network
from broadsheet.subscriptions.views_road import to_the_till, today

PAUSES = ((7, "1 week"), (14, "2 weeks"), (30, "30 days"), (61, "2 months"), (92, "3 months"))


def mine(request: HttpRequest) -> queries.SubscriptionRow | None:
    """The reader's own live subscription; all these pages are about it and none other."""
    row = queries.current_subscription(request.user.pk)
    return row if row is not None and row.live else None


def actor(request: HttpRequest) -> str:
    return f"reader:{request.user.pk}"


def home(did: str = "") -> HttpResponseRedirect:
    return redirect(reverse("account") + (f"?did={did}" if did else ""))


def refused(refusal: rules.RefusedError) -> HttpResponseRedirect:
    return home("busy" if refusal.reason == "charge_under_way" else "nothing")


@private
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest) -> HttpResponse:
    """The second of two clicks. A reason is welcome and never asked for twice."""
    row = mine(request)
    if row is None or "cancel" not in (may := standing(row, clock.now()).may):
        return redirect("account")
    if request.method == "POST":
        try:
            actions.cancel(
                subscription_id=row.id, actor=actor(request), reason=request.POST.get("reason", ""), now=clock.now()
            )
        except rules.RefusedError as refusal:  # it ended while the page was open: the account page says so
            return refused(refusal)
        return home("cancelled")
    until = standing(row, clock.now()).until if row.status in ("active", "trialing") else ""
    resumes = longday(row.pause_until) if row.pause_until else ""
    trial = row.status == "trialing"
    shown = {"plan": row.plan_name, "until": until, "trial": trial, "resumes": resumes, "pause": "pause" in may}
    return render(request, "account/cancel.html", shown)


@private
@login_required
@require_POST
def undo_cancel(request: HttpRequest) -> HttpResponse:
    """A mandate that was given back is asked for anew, at the till; who turns back there gets a bill instead."""
    row = mine(request)
    if row is None:
        return redirect("account")
    try:
        actions.uncancel(subscription_id=row.id, actor=actor(request), now=clock.now())
    except rules.RefusedError as refusal:  # too late: the account page says that it has ended
        return refused(refusal)
    if actions.needs_mandate(row.id) and actions.rails(row.currency) != ("manual",):
        return redirect(reverse("payment_method") + "?anew=1")
    return home("kept")


@private
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def pause(request: HttpRequest) -> HttpResponse:
    """Some days without the paper, given back at the end."""
    row = mine(request)
    if row is None or "pause" not in standing(row, clock.now()).may:
        return redirect("account")
    if request.method == "POST":
        days = request.POST.get("days", "")
        if days in {str(count) for count, _ in PAUSES}:
            try:
                actions.pause(subscription_id=row.id, days=int(days), actor=actor(request), now=clock.now())
            except rules.RefusedError as refusal:
                return refused(refusal)
            return home("paused")
    offered = [(days, words, longday(rules.paused_until(today(), days))) for days, words in PAUSES]
    return render(request, "account/pause.html", {"plan": row.plan_name, "pauses": offered})


@private
@login_required
@require_POST
def resume(request: HttpRequest) -> HttpResponse:
    row = mine(request)
    if row is None:
        return redirect("account")
    try:
        actions.resume(subscription_id=row.id, actor=actor(request), now=clock.now())
    except rules.RefusedError as refusal:
        return refused(refusal)
    return home("resumed")


@private
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def method(request: HttpRequest) -> HttpResponse:
    """By what later payments are charged, and another one."""
    row = mine(request)
    if row is None or "method" not in (now_is := standing(row, clock.now())).may:
        return redirect("account")
    rails = actions.rails(row.currency)
    terms = mandate_words(row, rails, clock.now())
    if request.method == "POST" and request.POST.get("rail") in rails:
        try:
            page = actions.start_mandate(
                subscription_id=row.id, rail=request.POST["rail"], max_minor=None, now=clock.now(),
                return_url=reverse("payment_method_done"),
            )  # fmt: skip
        except rules.RefusedError as refusal:
            return refused(refusal)
        actions.record_consent(
            reader_id=row.reader_id, subscription_id=row.id, kind="mandate", text=terms,
            facts={"rail": request.POST["rail"]}, network=network(request), now=clock.now(),
        )  # fmt: skip
        return to_the_till(request, page.url)
    shown = {"method": now_is.method, "rails": rails, "terms": terms, "plan": row.plan_name}
    return render(request, "account/method.html", {**shown, "anew": "anew" in request.GET})


@private
@login_required
@require_safe
def method_done(request: HttpRequest) -> HttpResponse:
    """Back from the till."""
    row = mine(request)
    if row is None or "method" not in standing(row, clock.now()).may:
        return redirect("account")
    given = actions.complete_new_mandate(subscription_id=row.id, actor=actor(request), now=clock.now())
    return home("method" if given else "no-method")


# Another plan


@private
@login_required
@require_safe
def plans(request: HttpRequest) -> HttpResponse:
    """The other plans, each with what changing to it would cost today."""
    row = mine(request)
    if row is None or "change" not in standing(row, clock.now()).may:
        return redirect("account")
    group = row.quantity > 1
    cards = queries.group_cards("en", day=today()) if group else queries.plan_cards("en", day=today())
    offered = []
    for card in cards:
        if card.code == row.plan_code:
            continue
        with suppress(rules.RefusedError):
            quote = actions.preview_change(subscription_id=row.id, plan_code=card.code, now=clock.now())
            offered.append({"card": card, "words": _in_short(quote)})
    shown = {"plan": row.plan_name, "offered": offered, "pending": row.pending_plan, "code": row.plan_code}
    return render(request, "account/plans.html", {**shown, "from_day": longday(row.paid_until)})


def _in_short(quote: actions.ChangeQuote) -> str:
    if quote.when == "period_end":
        return f"From {longday(quote.starts)}, when what you have paid for is over. Nothing to pay today."
    if not quote.lines:
        return f"From today; your trial goes on. First payment {format_money(quote.renewal_minor, quote.currency)}."
    due = format_money(quote.due_minor, quote.currency)
    return f"From today. You pay {due} now; what is left of your plan is counted."


@private
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, code: str) -> HttpResponse:
    """The very invoice first; the change when its total was seen."""
    row = mine(request)
    if row is None or "change" not in standing(row, clock.now()).may:
        return redirect("account")
    if code == row.plan_code:
        return _stay(request, row)
    card = queries.plan_card(code, "en", day=today())
    if card is None:
        raise Http404
    try:
        quote = actions.preview_change(subscription_id=row.id, plan_code=code, now=clock.now())
    except rules.RefusedError as refusal:
        return refused(refusal)
    seen = _seen(quote)
    why = ""
    if request.method == "POST" and request.POST.get("seen") == seen:
        try:
            actions.change_plan(subscription_id=row.id, plan_code=code, actor=actor(request), now=clock.now())
        except rules.RefusedError as refusal:
            if refusal.reason != "payment_declined":
                return refused(refusal)
            why = "Your bank declined the payment. Nothing was charged, and your plan is as before."
        else:
            return after_change(row.id, quote)
    held = standing(row, clock.now()).method
    bill = change_bill(quote)
    shown = {"plan": row.plan_name, "card": card, "quote": quote, "bill": bill, "seen": seen, "why": why}
    shown |= {"starts": longday(quote.starts), "renews": longday(quote.renews_on), "held": held}
    shown |= {
        "then": then_words(row, quote),
        "every": "every month" if card.period == "1 month" else f"every {card.period}",
    }
    shown |= {"carried": format_money(quote.carried_minor, quote.currency) if quote.carried_minor else ""}
    return render(request, "account/change.html", shown)


def _seen(quote: actions.ChangeQuote) -> str:
    return f"{quote.when}.{quote.total_minor}.{quote.credit_minor}.{quote.renewal_minor}.{quote.starts}"


def then_words(row: queries.SubscriptionRow, quote: actions.ChangeQuote) -> str:
    """What a renewal costs after a change, taxes included."""
    money = actions.quote_renewal(subscription_id=row.id, amount_minor=quote.renewal_minor, now=clock.now())
    return format_money(money.split.total_minor, quote.currency)


def change_bill(quote: actions.ChangeQuote) -> totals.Totals | None:
    """The invoice a change would bring; None where nothing is charged."""
    if not quote.lines:
        return None
    return totals.lay_out(
        quote.lines, quote.tax, total_minor=quote.total_minor, credit_minor=quote.credit_minor, currency=quote.currency
    )


def _stay(request: HttpRequest, row: queries.SubscriptionRow) -> HttpResponse:
    """Back to the plan they have: what was to come does not."""
    if request.method == "POST":
        with suppress(rules.RefusedError):
            actions.change_plan(subscription_id=row.id, plan_code=row.plan_code, actor=actor(request), now=clock.now())
            return home("stays")
    return redirect("change_plans")


def after_change(subscription_id: int, quote: actions.ChangeQuote, did: str = "changed") -> HttpResponse:
    """Done, noted for later, or open until it is paid by hand."""
    if quote.when == "period_end":
        return home("planned")
    if open_invoices_of(f"subscription:{subscription_id}"):
        return redirect("pay_link", token=links.pay_token(subscription_id))
    return home(did)

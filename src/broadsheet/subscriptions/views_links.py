"""Signed addresses from letters: paying what is owed without signing in, and taking a seat."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from broadsheet import clock
from broadsheet.money import format_money
from broadsheet.payments.queries import InvoiceRow, invoice, open_invoices_of
from broadsheet.payments.values import Line
from broadsheet.subscriptions import actions, links, queries, rules, totals
from broadsheet.subscriptions.actions.consent import record_consent
from broadsheet.subscriptions.actions.groups import claim_seat
from broadsheet.subscriptions.cards import span
from broadsheet.subscriptions.views_form import network
from broadsheet.subscriptions.views_road import paper, private, sign_in_first, to_the_till

REFUSED = {
    "charge_under_way": "A payment is on its way already; nothing more has been charged. Please look again tomorrow.",
    "nothing_to_pay": "Nothing is owed any more.",
}


@private
@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: HttpRequest, token: str) -> HttpResponse:
    """What is owed and nothing else: not whose it is. Whoever pays for somebody is welcome to."""
    subscription_id = links.read_pay_token(token)
    row = queries.subscription(subscription_id) if subscription_id else None
    if row is None:
        raise Http404
    answer, why = "", ""
    if request.method == "POST" and request.POST.get("rail") in actions.rails(row.currency):
        try:
            return to_the_till(request, start_paying(request, row, request.path + "?back=1"))
        except rules.RefusedError as refusal:
            why = REFUSED.get(refusal.reason, REFUSED["nothing_to_pay"])
    elif "back" in request.GET:
        answer = actions.complete_payment(subscription_id=row.id, now=clock.now())
    bills = open_invoices_of(f"subscription:{row.id}")
    shown = {"plan": row.plan_name, "answer": answer, "why": why, **owed(row, bills[0] if bills else None)}
    return render(request, "subscriptions/pay.html", shown)


def owed(row: queries.SubscriptionRow, bill: InvoiceRow | None) -> dict[str, object]:
    """The oldest open invoice as a page shows it, and the agreement that paying by a mandate's rail brings."""
    if bill is None:
        return {"bill": None}
    full = invoice(bill.id) or bill
    lines = [Line(line.text, line.amount_minor) for line in full.lines]
    rails = actions.rails(row.currency)
    return {
        "bill": totals.lay_out(
            lines, bill.tax, total_minor=bill.total_minor, credit_minor=bill.total_minor - bill.due_minor,
            currency=bill.currency,
        ),
        "number": bill.number,
        "period": span(bill.period_start, bill.period_end),
        "rails": rails,
        "terms": _terms(row, rails),
    }  # fmt: skip


def _terms(row: queries.SubscriptionRow, rails: tuple[str, ...]) -> str:
    if row.collection != "automatic" or rails == ("manual",):
        return ""
    money = actions.quote_renewal(subscription_id=row.id, amount_minor=row.amount_minor, now=clock.now())
    amount = format_money(money.split.total_minor, row.currency)
    return (
        f"Later renewals of the {row.plan_name} plan of {paper()} are charged to what you pay with now: {amount} "
        f"{totals.every_words(row.months)}, taxes included, until the subscription is cancelled."
    )


def start_paying(request: HttpRequest, row: queries.SubscriptionRow, return_url: str) -> str:
    """The till's page for what is owed, with the proof of what was agreed to. RefusedError as in start_payment."""
    rail, now = request.POST.get("rail", "card"), clock.now()
    page = actions.start_payment(subscription_id=row.id, return_url=return_url, now=now, rail=rail)
    terms = _terms(row, actions.rails(row.currency))
    if terms:
        record_consent(
            reader_id=row.reader_id, subscription_id=row.id, kind="mandate", text=terms,
            facts={"rail": rail, "by": "pay link" if not request.user.is_authenticated else "reader"},
            network=network(request), now=now,
        )  # fmt: skip
    return page.url


NO_SEAT = {
    "no_seat": "This invitation does not hold any more. Whoever invited you can send a new one.",
    "seat_taken": "This seat is taken already.",
    "no_seat_left": "All seats of this group are taken.",
    "not_active": "This group's subscription is not running at the moment.",
    "has_seat": "You read by this group already.",
}


@private
@require_http_methods(["GET", "HEAD", "POST"])
def seat(request: HttpRequest, token: str) -> HttpResponse:
    """An invitation to a group, and one button to take it."""
    invited = queries.seat_named(token)
    if invited is None:
        raise Http404
    row = queries.subscription(invited.subscription_id)
    if request.method == "POST":
        if not request.user.is_authenticated:
            return sign_in_first(request)
        try:
            claim_seat(reader_id=request.user.pk, token=token, now=clock.now())
        except rules.RefusedError as refusal:
            why = NO_SEAT.get(refusal.reason, NO_SEAT["no_seat"])
            return render(request, "subscriptions/seat.html", {"plan": row.plan_name if row else "", "why": why})
        return redirect("seat_claim", token=token)
    shown = {
        "plan": row.plan_name if row else "",
        "why": "",
        "email": request.user.email if request.user.is_authenticated else "",
        "signed_in": request.user.is_authenticated,
        "taken": invited.reader_id is not None,
        "mine": request.user.is_authenticated and invited.reader_id == request.user.pk,
    }
    return render(request, "subscriptions/seat.html", shown)

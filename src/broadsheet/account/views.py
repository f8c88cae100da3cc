"""The reader's account: one page that says what I have and what comes next, and the two clicks that end it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from broadsheet import clock
from broadsheet.dates import local_date
from broadsheet.money import format_money
from broadsheet.payments import queries as payments
from broadsheet.subscriptions import actions, queries, rules
from broadsheet.subscriptions.rules import last_day, longday, span

private = cache_control(private=True, no_store=True)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the account page says of a subscription: every text final, empty where there is nothing to say."""

    plan: str
    status: str
    until: str
    next_charge: str
    may_cancel: bool
    may_undo: bool


def _standing(row: queries.SubscriptionRow) -> Standing:
    money = format_money(row.amount_minor, row.currency)
    until = last_day(row.paid_until if row.status == "active" else row.access_until)
    status = {"active": "Active", "past_due": "Payment overdue"}.get(row.status, "Ended")
    if row.live and row.cancel_at_period_end:
        status = "Cancelled"
    charge = f"{money} on {longday(row.next_charge_on)}" if row.next_charge_on else ""
    today = local_date(clock.now(), settings.BROADSHEET.zone)
    return Standing(
        plan=row.plan_name,
        status=status,
        until=until,
        next_charge=charge,
        may_cancel=row.live and not row.cancel_at_period_end,
        may_undo=row.status == "active" and row.cancel_at_period_end and today < row.paid_until,
    )


@private
@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    row = queries.current_subscription(request.user.pk)
    bills = [
        {
            "number": bill.number,
            "paid_at": bill.paid_at,
            "period": span(bill.period_start, bill.period_end),
            "total": format_money(bill.total_minor, bill.currency),
        }
        for bill in payments.readers_invoices(request.user.pk)
    ]
    shown = {"email": request.user.email, "standing": _standing(row) if row else None, "bills": bills}
    shown["live"] = row is not None and row.live
    return render(request, "account/account.html", shown)


@private
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest) -> HttpResponse:
    """The second of two clicks. A reason is welcome and never asked for twice."""
    row = queries.current_subscription(request.user.pk)
    if row is None or not row.live or row.cancel_at_period_end:
        return redirect("account")
    if request.method == "POST":
        with suppress(rules.RefusedError):  # it ended while the page was open: the account page says so
            actions.cancel_at_period_end(
                subscription_id=row.id,
                actor=f"reader:{request.user.pk}",
                reason=request.POST.get("reason", ""),
                now=clock.now(),
            )
        return redirect("account")
    until = last_day(row.paid_until) if row.status == "active" else ""
    return render(request, "account/cancel.html", {"plan": row.plan_name, "until": until})


@private
@login_required
@require_POST
def undo_cancel(request: HttpRequest) -> HttpResponse:
    row = queries.current_subscription(request.user.pk)
    if row is not None:
        with suppress(rules.RefusedError):  # too late: the account page says that it has ended
            actions.undo_cancel(subscription_id=row.id, actor=f"reader:{request.user.pk}", now=clock.now())
    return redirect("account")


@private
@login_required
@require_safe
def invoice(request: HttpRequest, number: str) -> HttpResponse:
    """One paid invoice, to be read or printed. Somebody else's is not found."""
    bill = payments.readers_invoice(request.user.pk, number)
    if bill is None or bill.paid_at is None:
        raise Http404
    shown = {
        "bill": bill,
        "email": request.user.email,
        "paper": settings.BROADSHEET.name,
        "period": span(bill.period_start, bill.period_end),
        "lines": [(line.text, format_money(line.amount_minor, bill.currency)) for line in bill.lines],
        "total": format_money(bill.total_minor, bill.currency),
        "paid_on": longday(local_date(bill.paid_at, settings.BROADSHEET.zone)),
        "issued_on": longday(local_date(bill.issued_at, settings.BROADSHEET.zone)),
    }
    return render(request, "account/invoice.html", shown)

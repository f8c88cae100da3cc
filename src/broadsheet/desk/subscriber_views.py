"""The subscription desk: find a subscriber, see everything around a subscription, do what the reader asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from broadsheet import clock
from broadsheet.desk.subscriber_forms import DEEDS, Doing, words
from broadsheet.money import format_money
from broadsheet.payments import inbox, reconcile
from broadsheet.payments.desk_queries import (
    failed_webhooks,
    money_waiting,
    open_discrepancies,
    waiting_refunds,
)
from broadsheet.readers.queries import reader
from broadsheet.subscriptions import actions, desk_queries, queries
from broadsheet.subscriptions.actions.refunding import subscription_of
from broadsheet.subscriptions.links import pay_link
from broadsheet.subscriptions.rules import RefusedError

SEES: Final = "subscriptions.view_subscription"
DOES: Final = "subscriptions.change_subscription"
APPROVES: Final = "payments.change_refund"


def _may(request: HttpRequest, *permissions: str) -> None:
    if not any(request.user.has_perm(name) for name in permissions):
        raise PermissionDenied


def _page(request: HttpRequest, name: str, shown: dict[str, Any]) -> HttpResponse:
    shown |= {"does": request.user.has_perm(DOES), "approves": request.user.has_perm(APPROVES)}
    return TemplateResponse(request, f"desk/admin/{name}.html", shown, using="django")


@require_safe
def subscribers(request: HttpRequest) -> HttpResponse:
    """The search, and what waits for somebody."""
    _may(request, SEES, DOES)
    text = request.GET.get("q", "").strip()[:200]
    now = clock.now()
    shown: dict[str, Any] = {"q": text, "searched": bool(text), "found": desk_queries.find(text, 50) if text else []}
    if not text:
        shown |= {
            "due": [one for one in desk_queries.due_counts(now) if one.due],
            "waiting": money_waiting(),
            "last_run": desk_queries.last_run(),
        }
    return _page(request, "subscribers", shown)


@require_safe
def subscriber(request: HttpRequest, subscription_id: int) -> HttpResponse:
    """One subscription: how it stands, what may be done, and all that happened, newest first."""
    _may(request, SEES, DOES)
    row = queries.subscription(subscription_id)
    if row is None:
        raise Http404
    told = list(desk_queries.timeline(subscription_id))
    standing = [one for one in told if one["record"] in ("mandate", "seat", "gift")]
    shown = {
        "row": row,
        "reader": reader(row.reader_id),
        "others": [one for one in queries.subscriptions_of(row.reader_id) if one.id != row.id],
        "renewal": format_money(row.amount_minor, row.currency),
        "balance": format_money(queries.balance(row.id), row.currency),
        "standing": [_line(one) for one in standing],
        "planned": [_line(one) for one in told if _is_planned(one)],
        "timeline": [
            _line(one)
            for one in reversed(told)
            if one["record"] not in ("mandate", "seat", "gift") and not _is_planned(one)
        ],
        "deeds": list(_offered(row)),
    }
    return _page(request, "subscriber", shown)


def _offered(row: queries.SubscriptionRow) -> Iterator[tuple[str, str]]:
    for name, deed in DEEDS.items():
        if row.status not in deed.statuses or (row.cancel_at_period_end != (name == "uncancel") and "cancel" in name):
            continue
        yield name, deed.label


def _is_planned(told: dict[str, Any]) -> bool:
    return told["record"] == "notice" and told["sent_at"] is None and told["dropped_at"] is None


_UNTOLD = ("record", "at", "event", "facts", "id", "reader_id", "due_at", "sent_at", "paid_at", "created_at")


def _line(told: dict[str, Any]) -> dict[str, Any]:
    """A record of the timeline as it is shown: a name, an instant, and words."""
    values = {name: value for name, value in told.items() if name not in _UNTOLD}
    values |= told.get("facts") or {}
    currency = values.pop("currency", "INR")
    words_ = []
    for name, value in values.items():
        if value in (None, "", [], {}) or isinstance(value, list | dict):
            continue
        text = format_money(value, currency) if name.endswith("_minor") else value
        if isinstance(value, datetime):
            text = f"{value.astimezone(settings.BROADSHEET.zone):%d %b %Y, %H:%M}"
        words_.append(f"{name.removesuffix('_minor').replace('_', ' ')} {text}")
    name = told.get("event") or told["record"]
    return {"at": told.get("at"), "name": name.replace("_", " "), "words": ", ".join(words_)}


@require_http_methods(["GET", "HEAD", "POST"])
def subscriber_deed(request: HttpRequest, subscription_id: int, name: str) -> HttpResponse:
    """Say what will be done, show what it brings where that can be computed, then do it."""
    _may(request, DOES)
    row, deed = queries.subscription(subscription_id), DEEDS.get(name)
    if row is None or deed is None:
        raise Http404
    form = deed(request.POST if request.method == "POST" else None, row=row)
    shown: dict[str, Any] = {
        "row": row,
        "form": form,
        "label": deed.label,
        "told": deed.told,
        "name": name,
        "reader": reader(row.reader_id),
    }
    if request.method == "POST" and form.is_valid():
        doing = Doing(row, f"staff:{request.user.pk}", clock.now())
        try:
            lines = form.preview(doing)
            if lines and "sure" not in request.POST:
                return _page(request, "subscriber_deed", shown | {"preview": lines})
            form.run(doing)
        except RefusedError as refusal:
            form.add_error(None, words(refusal))
        else:
            messages.success(request, f"{deed.label}: done.")
            return redirect("subscriber", row.id)
    return _page(request, "subscriber_deed", shown)


@require_POST
def subscriber_paylink(request: HttpRequest, subscription_id: int) -> HttpResponse:
    """A link that opens what is owed, to be sent to the reader."""
    _may(request, DOES)
    row = queries.subscription(subscription_id)
    if row is None:
        raise Http404
    messages.info(request, f"Pay link: {pay_link(row.id)}")
    return redirect("subscriber", row.id)


@require_safe
def money_desk(request: HttpRequest) -> HttpResponse:
    """What waits for a person: refunds, messages nobody understood, books that do not agree."""
    _may(request, SEES, DOES, APPROVES)
    refunds = [
        {
            "row": row,
            "amount": format_money(row.amount_minor, row.currency),
            "subscription": subscription_of(row),
            "mine": row.asked_by == f"staff:{request.user.pk}",
        }
        for row in waiting_refunds()
    ]
    shown = {"refunds": refunds, "webhooks": failed_webhooks(), "discrepancies": open_discrepancies()}
    return _page(request, "subscriber_money", shown)


@require_POST
def decide_refund(request: HttpRequest, refund_id: int) -> HttpResponse:
    _may(request, APPROVES)
    yes = request.POST.get("decision") == "approve"
    who, now = f"staff:{request.user.pk}", clock.now()
    try:
        if yes:
            actions.approve_refund(refund_id=refund_id, actor=who, now=now)
        else:
            actions.refuse_refund(refund_id=refund_id, actor=who, reason=request.POST.get("reason", ""), now=now)
    except RefusedError as refusal:
        messages.error(request, words(refusal))
    else:
        messages.success(request, "The refund is on its way." if yes else "The refund was refused.")
    return redirect("subscriber_money")


@require_POST
def replay_webhook(request: HttpRequest, event_id: int) -> HttpResponse:
    _may(request, DOES)
    try:
        status = inbox.replay(event_pk=event_id, now=clock.now())
    except LookupError:
        raise Http404 from None
    messages.info(request, f"The message was read again: {status}.")
    return redirect("subscriber_money")


@require_POST
def close_discrepancy(request: HttpRequest, discrepancy_id: int) -> HttpResponse:
    _may(request, DOES)
    note = request.POST.get("note", "").strip()
    if not note:
        messages.error(request, "Say what was done about it.")
    else:
        reconcile.close_discrepancy(
            discrepancy_id=discrepancy_id, actor=f"staff:{request.user.pk}", note=note, now=clock.now()
        )
    return redirect("subscriber_money")

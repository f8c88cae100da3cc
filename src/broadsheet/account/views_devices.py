"""Where the reader is signed in: every browser, app and television, and the button that ends it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from broadsheet.readers.actions import end_device, end_devices
from broadsheet.readers.queries import devices_of
from broadsheet.subscriptions.cards import longday

private = cache_control(private=True, no_store=True)
DID = {"ended": "It is logged out.", "others": "Every other device is logged out."}


@private
@login_required
@require_safe
def devices(request: HttpRequest) -> HttpResponse:
    rows = devices_of(request.user.pk, here=request.session.session_key or "-")
    rows = sorted(rows, key=lambda row: not row.here)
    shown = [
        {
            "id": row.id,
            "name": row.name,
            "app": bool(row.client),
            "here": row.here,
            "first": longday(row.first_day),
            "last": longday(row.last_day),
        }
        for row in rows
    ]
    did = DID.get(request.GET.get("did", ""), "")
    values = {"devices": shown, "did": did, "limit": settings.BROADSHEET.device_limit}
    return render(request, "account/devices.html", values)


@private
@login_required
@require_POST
def end(request: HttpRequest, device_id: int) -> HttpResponse:
    """Somebody else's, or one that has ended already, is not found. Ending this very browser logs out here."""
    here = [row.id for row in devices_of(request.user.pk, here=request.session.session_key or "-") if row.here]
    if not end_device(reader_id=request.user.pk, device_id=device_id):
        raise Http404
    if device_id in here:
        logout(request)
        return redirect("/")
    return redirect("/account/devices/?did=ended")


@private
@login_required
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    end_devices(reader_id=request.user.pk, keep=request.session.session_key or "")
    return redirect("/account/devices/?did=others")

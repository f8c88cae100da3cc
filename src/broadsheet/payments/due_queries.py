"""When money has to be looked after next."""

from __future__ import annotations

from datetime import datetime, timedelta

from broadsheet.payments.conditions import PENDING_REFUND, UNRESOLVED
from broadsheet.payments.models import Payment, Refund


def next_check(now: datetime, *, lost_after: timedelta) -> datetime | None:
    """The first instant after `now` at which an attempt without an answer is asked after."""
    rows = Payment.objects.filter(UNRESOLVED)
    planned = rows.filter(check_at__gt=now).order_by("check_at").values_list("check_at", flat=True).first()
    begun = rows.filter(check_at=None, created_at__gt=now - lost_after).order_by("created_at")
    first = begun.values_list("created_at", flat=True).first()
    found = [instant for instant in (planned, first + lost_after if first else None) if instant and instant > now]
    return min(found) if found else None


def next_pending_refund(now: datetime, *, alone: timedelta) -> datetime | None:
    """The first instant after `now` at which a refund that did not go is sent again."""
    rows = Refund.objects.filter(PENDING_REFUND)
    again = rows.filter(check_at__gt=now).order_by("check_at").values_list("check_at", flat=True).first()
    begun = rows.filter(check_at=None, created_at__gt=now - alone).order_by("created_at")
    first = begun.values_list("created_at", flat=True).first()
    found = [instant for instant in (again, first + alone if first else None) if instant and instant > now]
    return min(found) if found else None

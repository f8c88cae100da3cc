"""`billing export subscribers`: the base, a line each, streamed; in the columns that `billing import` reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from broadsheet.payments.desk_queries import mandates_by_id, profiles_of
from broadsheet.payments.exports import plain
from broadsheet.readers.queries import readers_by_ids
from broadsheet.subscriptions.actions.history import today
from broadsheet.subscriptions.models import Subscription

BATCH = 1000
COLUMNS = (
    "subscription", "email", "name", "plan", "status", "origin", "collection", "started", "period_start", "paid_until",
    "ended", "cancels", "price_minor", "currency", "quantity", "country", "state", "pin", "gstin", "organisation",
    "address", "provider", "mandate_ref", "rail", "mandate_max_minor", "external_ref", "coupon", "coupon_left",
)  # fmt: skip


def subscribers(status: str = "") -> Iterator[dict[str, Any]]:
    """Every subscription that ever began (`status`: those alone), oldest first, in bounded memory. Dates are local
    days, `paid_until` exclusive; amounts are minor units, of one seat and one period before tax on top."""
    rows = (
        Subscription.objects.filter(started_at__isnull=False).select_related("plan", "price", "coupon").order_by("pk")
    )
    if status:
        rows = rows.filter(status=status)
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        last = batch[-1].pk
        readers = readers_by_ids([row.reader_id for row in batch])
        profiles = profiles_of([row.reader_id for row in batch])
        mandates = mandates_by_id([row.mandate_id for row in batch if row.mandate_id])
        for row in batch:
            said, held = profiles.get(row.reader_id, {}), mandates.get(row.mandate_id or 0)
            yield {
                "subscription": row.pk,
                "email": readers[row.reader_id].email,
                "name": readers[row.reader_id].name,
                "plan": row.plan.code,
                "status": row.status,
                "origin": row.origin,
                "collection": row.collection,
                "started": today(row.started_at) if row.started_at else None,
                "period_start": row.period_start,
                "paid_until": row.period_end,
                "ended": today(row.ended_at) if row.ended_at else None,
                "cancels": row.cancel_at_period_end,
                "price_minor": row.price.amount_minor if row.price else 0,
                "currency": row.price.currency if row.price else None,
                "quantity": row.quantity,
                **{
                    name: said.get(name, "") for name in ("country", "state", "pin", "gstin", "organisation", "address")
                },
                "provider": held.provider if held else "",
                "mandate_ref": held.ref if held else "",
                "rail": held.rail if held else "",
                "mandate_max_minor": held.max_minor if held else None,
                "external_ref": row.external_ref,
                "coupon": row.coupon.code if row.coupon else "",
                "coupon_left": row.coupon_left,
            }


def as_cells(values: dict[str, Any]) -> tuple[str, ...]:
    """A row of CSV: nothing a spreadsheet would take for a formula."""
    cells = []
    for name in COLUMNS:
        value = values[name]
        if isinstance(value, bool):
            cells.append("yes" if value else "no")
        else:
            cells.append("" if value is None else plain(value.isoformat() if isinstance(value, date) else value))
    return tuple(cells)

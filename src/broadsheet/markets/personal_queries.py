"""What belongs to one reader: watch lists, alerts, trades, the portfolio. Who asks is named by the caller, which has
asked access whether they may."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

from broadsheet.dates import local_date
from broadsheet.markets import holdings, sessions
from broadsheet.markets.models import Alert, CorporateAction, Trade, WatchItem, WatchList
from broadsheet.markets.queries import quotes_by_id
from broadsheet.markets.values import Action, AlertView, Deal, Portfolio, TradeView, WatchListView


def watch_lists(reader_id: int) -> Sequence[WatchListView]:
    """The reader's lists, the oldest first, each with its quotes in the reader's order. Three queries in all."""
    lists = list(WatchList.objects.filter(reader_id=reader_id).order_by("id"))
    items = list(WatchItem.objects.filter(watch_list__in=lists).order_by("position", "id"))
    quotes = quotes_by_id({item.instrument_id for item in items})
    return [
        WatchListView(
            row.pk, row.name, tuple(quotes[item.instrument_id] for item in items if item.watch_list_id == row.pk)
        )
        for row in lists
    ]


def alerts(reader_id: int) -> Sequence[AlertView]:
    """The reader's alerts, the newest first."""
    rows = list(Alert.objects.filter(reader_id=reader_id).order_by("-id"))
    quotes = quotes_by_id({row.instrument_id for row in rows})
    return [
        AlertView(row.pk, quotes[row.instrument_id], row.kind, row.level, row.status, row.last_fired_day)
        for row in rows
    ]


def trades(reader_id: int) -> Sequence[TradeView]:
    """All of the reader's trades, the latest day first."""
    rows = list(Trade.objects.filter(reader_id=reader_id).order_by("-day", "-id"))
    quotes = quotes_by_id({row.instrument_id for row in rows})
    return [
        TradeView(
            row.pk, quotes[row.instrument_id], row.kind, row.day, row.units, row.price, row.fee_minor, row.note,
            holdings.amount_minor(row.units, row.price),
        )
        for row in rows
    ]  # fmt: skip


def portfolio(reader_id: int, now: datetime) -> Portfolio:
    """What the reader's trades have come to on the latest prices, in the paper's currency. Three queries."""
    rows = list(Trade.objects.filter(reader_id=reader_id).order_by("day", "id"))
    ids = {row.instrument_id for row in rows}
    deals: dict[int, list[Deal]] = {}
    for row in rows:
        deals.setdefault(row.instrument_id, []).append(_deal(row))
    actions: dict[int, list[Action]] = {}
    for done in CorporateAction.objects.filter(instrument__in=ids, status="confirmed").order_by("ex_day", "id"):
        action = Action(done.ex_day, done.kind, done.new, done.old, done.amount, done.note)
        actions.setdefault(done.instrument_id, []).append(action)
    quotes = quotes_by_id(ids)
    return holdings.portfolio(
        [(quotes[number], tuple(deals[number]), tuple(actions.get(number, ()))) for number in deals],
        today=local_date(now, sessions.EXCHANGE_ZONE),
        currency=settings.BROADSHEET.currency,
    )


def _deal(row: Any) -> Deal:
    return Deal(row.kind, row.day, row.units, row.price, row.fee_minor)

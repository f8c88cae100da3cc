"""A small market: instruments that do not exist, with prices that anybody can add up."""

from __future__ import annotations

from datetime import date, timedelta

from django.test import Client
from tests import make

from broadsheet.access import actions as access
from broadsheet.markets.actions import history
from broadsheet.markets.actions.history import NewInstrument
from broadsheet.markets.values import SCALE, Action, Breadth

BACKEND = "django.contrib.auth.backends.ModelBackend"
FRIDAY = date(2027, 1, 8)  # the last trading day before make.NOW, a Sunday


def weekdays(count: int, last: date = FRIDAY) -> list[date]:
    days = (last - timedelta(days=n) for n in range(2 * count + 9))
    return [day for day in days if day.weekday() < 5][:count][::-1]


def closes(count: int, last: float, step: float = 1.0) -> list[float]:
    """Rising by `step` a day to `last`."""
    return [last - step * n for n in range(count)][::-1]


def instrument(
    symbol: str = "TIDEWATER",
    last: float = 1234.5,
    step: float = 1.0,
    *,
    count: int = 300,
    kind: str = "equity",
    exchange: str = "NSE",
    volume: int | None = 1000,
    actions: tuple[Action, ...] = (),
    **fields,
) -> str:
    """Put in; returns its code."""
    prices = [round(close * SCALE) for close in closes(count, last, step)]
    rows = [
        (day, price, price, price, price, before, volume, None if volume is None else volume * price // 100)
        for day, price, before in zip(weekdays(count), prices, [None, *prices], strict=False)
    ]
    code = f"{exchange}-{symbol}".lower()
    about = {"name": f"{symbol.title()} Limited", "sector": "Ports", **fields}
    made = NewInstrument(code=code, kind=kind, exchange=exchange, symbol=symbol, days=rows, actions=actions, **about)
    history.load_history(instruments=[made], breadths=[Breadth(exchange, FRIDAY, 12, 7, 1, 98_765_400_000_00)])
    return code


def signed_in(email: str = "asha@reader.example", *, product: str = "investor", days: int = 3) -> Client:
    """A browser of a reader whose plan has the product; "" for one that has none."""
    reader = make.reader(email)
    if product:
        start, end = make.NOW - timedelta(days=1), make.NOW + timedelta(days=days)
        access.grant(reader_id=reader.pk, product=product, starts_at=start, ends_at=end, source=email)
    client = Client()
    client.force_login(reader, backend=BACKEND)
    client.reader = reader
    return client

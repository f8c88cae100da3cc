"""Files of the National Stock Exchange: the daily list in its layouts, and the closing values of its indices.

The columns are those that public readers of these files agree on: UDiFF since 8 July 2024, `bhav` before it, and the
fuller list that also counts deliveries and puts a blank behind every comma.
"""

from __future__ import annotations

from broadsheet.markets.layouts import Layout

_OHLC = {"open": "OPEN", "high": "HIGH", "low": "LOW", "close": "CLOSE"}

BHAV = Layout(
    name="nse-bhav",
    exchange="NSE",
    signs=frozenset({"SYMBOL", "SERIES", "CLOSE", "PREVCLOSE", "TIMESTAMP"}),
    columns={
        **_OHLC, "symbol": "SYMBOL", "series": "SERIES", "prev_close": "PREVCLOSE", "volume": "TOTTRDQTY",
        "value": "TOTTRDVAL", "day": "TIMESTAMP", "trades": "TOTALTRADES", "isin": "ISIN",
    },
)  # fmt: skip

FULL = Layout(
    name="nse-full",
    exchange="NSE",
    signs=frozenset({"SYMBOL", "SERIES", "DATE1", "CLOSE_PRICE"}),
    columns={
        "symbol": "SYMBOL", "series": "SERIES", "day": "DATE1", "prev_close": "PREV_CLOSE", "open": "OPEN_PRICE",
        "high": "HIGH_PRICE", "low": "LOW_PRICE", "close": "CLOSE_PRICE", "volume": "TTL_TRD_QNTY",
        "value": "TURNOVER_LACS", "trades": "NO_OF_TRADES",
    },
    value_unit=100_000,
)  # fmt: skip

INDICES = Layout(
    name="nse-indices",
    exchange="NSE",
    signs=frozenset({"INDEX NAME", "INDEX DATE", "CLOSING INDEX VALUE"}),
    columns={
        "name": "INDEX NAME", "day": "INDEX DATE", "open": "OPEN INDEX VALUE", "high": "HIGH INDEX VALUE",
        "low": "LOW INDEX VALUE", "close": "CLOSING INDEX VALUE", "volume": "VOLUME", "value": "TURNOVER (RS. CR.)",
    },
    value_unit=10_000_000,
    kind="index",
)  # fmt: skip

LAYOUTS = (BHAV, FULL, INDICES)

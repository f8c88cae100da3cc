"""Files of the Bombay Stock Exchange before UDiFF: `EQDDMMYY.CSV`, keyed by scrip code. The older kind says neither the
day nor the ISIN in its rows; the newer ends in ISIN_CODE and TRADING_DATE."""

from __future__ import annotations

from broadsheet.markets.layouts import Layout

BHAV = Layout(
    name="bse-bhav",
    exchange="BSE",
    signs=frozenset({"SC_CODE", "SC_NAME", "CLOSE", "PREVCLOSE"}),
    columns={
        "exchange_code": "SC_CODE", "name": "SC_NAME", "series": "SC_GROUP", "type": "SC_TYPE", "open": "OPEN",
        "high": "HIGH", "low": "LOW", "close": "CLOSE", "prev_close": "PREVCLOSE", "trades": "NO_TRADES",
        "volume": "NO_OF_SHRS", "value": "NET_TURNOV", "isin": "ISIN_CODE", "day": "TRADING_DATE",
    },
    also={"ISIN": "ISIN_CODE", "TRADING DATE": "TRADING_DATE", "NO. OF SHRS": "NO_OF_SHRS"},
    has_day=False,
)  # fmt: skip

LAYOUTS = (BHAV,)

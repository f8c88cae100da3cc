"""The unified layout (UDiFF) of both exchanges since July 2024. Which exchange it is of stands in the column Src."""

from __future__ import annotations

from broadsheet.markets.layouts import Layout

CASH = Layout(
    name="udiff",
    exchange="",
    signs=frozenset({"TRADDT", "TCKRSYMB", "SCTYSRS", "CLSPRIC"}),
    columns={
        "day": "TRADDT", "segment": "SGMT", "exchange": "SRC", "type": "FININSTRMTP", "exchange_code": "FININSTRMID",
        "isin": "ISIN", "symbol": "TCKRSYMB", "series": "SCTYSRS", "name": "FININSTRMNM", "open": "OPNPRIC",
        "high": "HGHPRIC", "low": "LWPRIC", "close": "CLSPRIC", "prev_close": "PRVSCLSGPRIC",
        "volume": "TTLTRADGVOL", "value": "TTLTRFVAL", "trades": "TTLNBOFTXSEXCTD",
    },
)  # fmt: skip

LAYOUTS = (CASH,)

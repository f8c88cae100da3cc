"""Our own layout, for what has no file of an exchange: currencies, commodities, a publisher's own list; as CSV, or
as JSON with the same names. docs/markets.md has the columns."""

from __future__ import annotations

import json
from typing import Any

from broadsheet.markets.layouts import Layout

_NAMES = (
    "day", "code", "exchange", "symbol", "series", "isin", "exchange_code", "name", "kind", "sector", "currency",
    "unit", "open", "high", "low", "close", "prev_close", "volume", "value", "trades",
)  # fmt: skip

PLAIN = Layout(
    name="plain",
    exchange="",
    signs=frozenset({"DAY", "CLOSE"}),
    columns={name: name.upper() for name in _NAMES},
    also={"DATE": "DAY", "PREVIOUS CLOSE": "PREV_CLOSE", "PREVCLOSE": "PREV_CLOSE", "TURNOVER": "VALUE"},
    one_day=False,
)

LAYOUTS = (PLAIN,)


def from_json(text: str) -> list[dict[str, str]]:
    """The rows of `[{…}]` or `{"prices": [{…}]}`, figures as they are written. ValueError when it is neither."""
    found: Any = json.loads(text, parse_float=str, parse_int=str)
    if isinstance(found, dict):
        found = found.get("prices")
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise ValueError("neither a list of objects nor an object with one under `prices`")
    return [{str(key).strip().upper(): _cell(value) for key, value in row.items()} for row in found]


def _cell(value: Any) -> str:
    return "" if value is None or isinstance(value, (list, dict, bool)) else str(value)

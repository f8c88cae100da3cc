"""What a layout of price files is: which columns mean what. The layouts themselves lie in adapters/. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from broadsheet.markets.rows import BadValueError, Fault, Row, days_of, decimal, isin_of, judge

_PRICES = ("open", "high", "low", "close", "prev_close")
_WORDS = ("code", "exchange", "symbol", "series", "exchange_code", "name", "kind", "sector", "currency", "unit")
_LIMITS = {"code": 60, "exchange": 12, "symbol": 60, "series": 8, "exchange_code": 24, "name": 200, "sector": 60,
           "currency": 3, "unit": 40}  # fmt: skip
_UPPER = ("exchange", "series", "currency")


@dataclass(frozen=True, slots=True)
class Layout:
    """`signs`: columns a header must have to be of this layout. `columns`: our name -> theirs (upper case, no spaces at
    the ends); `also`: other spellings of theirs. `value_unit`: rupees in one unit of the turnover column.
    """

    name: str
    exchange: str
    signs: frozenset[str]
    columns: Mapping[str, str]
    also: Mapping[str, str] = field(default_factory=dict)
    value_unit: int = 1
    kind: str = ""
    one_day: bool = True
    has_day: bool = True


@dataclass(slots=True)
class Reader:
    """Turns cells into rows for one file. `expected`: the day the file should be of, to decide 07/08/2024 by."""

    layout: Layout
    expected: date | None = None
    rounded: int = 0

    def read(self, line: int, text: str, cells: Mapping[str, str], fallback: Mapping[str, str]) -> Row | Fault:
        """A row, or why there is none. `cells` by our names; `fallback` where a cell is empty."""
        filled = {name: cells.get(name, "").strip() or fallback.get(name, "") for name in {*cells, *fallback}}
        text = text[:1000]
        day: date | None = None
        try:
            days = days_of(filled.get("day", ""))
            day = self.expected if self.expected and self.expected in days else days[0]
            values = {name: self._price(filled.get(name, "")) for name in _PRICES}
            if values["close"] is None:
                return Fault(line, text, "no_close", "there is no closing price", filled, day)
            row = Row(
                line=line, text=text, day=day,
                volume=self._count(filled.get("volume", "")), trades=self._count(filled.get("trades", "")),
                value_minor=self._value(filled.get("value", "")), isin=isin_of(filled.get("isin", "")),
                **values, **self._words(filled),
            )  # fmt: skip
        except BadValueError as error:
            reason = "bad_date" if day is None else "bad_value"
            return Fault(line, text, reason, str(error), filled, day)
        wrong = judge(row)
        return Fault(line, text, *wrong, filled, row.day, row) if wrong else row

    def _price(self, text: str) -> int | None:
        number, rounded = decimal(text, 4)
        self.rounded += rounded
        return number

    def _count(self, text: str) -> int | None:
        number, rounded = decimal(text, 0)
        if rounded:
            raise BadValueError(f"{text!r} is no whole number")
        return number

    def _value(self, text: str) -> int | None:
        number, _ = decimal(text, 6)
        if number is None:
            return None
        return (number * self.layout.value_unit + 5_000) // 10_000

    def _words(self, cells: Mapping[str, str]) -> dict[str, str]:
        words = {name: " ".join(cells.get(name, "").split()) for name in _WORDS}
        for name, most in _LIMITS.items():
            if len(words[name]) > most:
                raise BadValueError(f"{name} is longer than {most} signs")
        for name in _UPPER:
            words[name] = words[name].upper()
        words["code"] = words["code"].lower()
        words["exchange"] = words["exchange"] or self.layout.exchange
        words["kind"] = words["kind"].lower() or self.layout.kind
        return words

"""A line of a price file as values, and what is wrong with it by itself. Pure.

Prices are read digit by digit into whole numbers of 1/10000: no float, no rounding unless a file has more places.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from broadsheet.markets.values import SCALE

_NUMBER = re.compile(r"(-?)(\d+|\d{1,3}(?:,\d{2,3})+)(?:\.(\d*))?|(-?)\.(\d+)", re.ASCII)
_NOTHING = frozenset({"", "-", "--", "na", "n.a.", "n/a", "nil", "null", "none", "nan"})
_MONTHS = {name: str(n) for n, name in enumerate(re.findall("...", "janfebmaraprmayjunjulaugsepoctnovdec"), 1)}
_BY_NAME = re.compile(r"(\d{1,2})[-/ .]?([a-z]{3})[a-z]*[-/ ,.]*(\d{4}|\d{2})", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})(?:[t ].*)?", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})(?:[t ].*)?", re.ASCII)
_CENTURY = 70
_LONGEST = 15  # digits: beyond, it is no price
ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}\d", re.ASCII)


class BadValueError(ValueError):
    """A cell that is no number or no date; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Row:
    """A believable line. `line` counts from 1; `text` is the line as it came."""

    line: int
    text: str
    day: date
    close: int
    open: int | None = None
    high: int | None = None
    low: int | None = None
    prev_close: int | None = None
    volume: int | None = None
    value_minor: int | None = None
    trades: int | None = None
    code: str = ""
    exchange: str = ""
    symbol: str = ""
    series: str = ""
    isin: str = ""
    exchange_code: str = ""
    name: str = ""
    kind: str = ""
    sector: str = ""
    currency: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that is not believed: `cells` as they were read, by our names; `row` where they are values after all."""

    line: int
    text: str
    reason: str
    detail: str
    cells: dict[str, str]
    day: date | None = None
    row: Row | None = None


@dataclass(slots=True)
class Sheet:
    """A file, read: every line that holds data is in `rows`, in `faults` or counted in `skipped`."""

    layout: str
    exchange: str
    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
    one_day: bool = True

    @property
    def lines(self) -> int:
        return len(self.rows) + len(self.faults) + self.skipped.total()


def _cleared(text: str) -> str:
    return text.replace("\xa0", " ").strip().lstrip("₹").removeprefix("Rs.").strip()


def decimal(text: str, places: int) -> tuple[int | None, bool]:
    """A number as a whole one of 1/10**places, and whether it had to be rounded for that. None: the cell is empty.

    Thousands may be separated, in the Indian way too. Raises BadValueError: 12,5 and 1.2E+05 might mean anything.
    """
    cleared = _cleared(text)
    if cleared.lower() in _NOTHING:
        return None, False
    found = _NUMBER.fullmatch(cleared)
    if not found:
        raise BadValueError(f"{text.strip()[:40]!r} is no number")
    sign = found[1] or found[4] or ""
    whole, part = (found[2] or "0").replace(",", ""), found[3] or found[5] or ""
    if len(whole.lstrip("0")) > _LONGEST:
        raise BadValueError(f"{text.strip()[:40]!r} is too large")
    kept, rest = part[:places].ljust(places, "0"), part[places:]
    number = int(whole + kept)
    if rest and rest[0] >= "5":
        number += 1
    return (-number if sign else number), bool(rest.strip("0"))


def days_of(text: str) -> tuple[date, ...]:
    """The days a cell may mean, the likeliest first: 07/08/2024 is 7 August here, and 8 July to some programs.

    Raises BadValueError when it can be none.
    """
    lowered = text.strip().strip("'").lower()
    if found := _BY_NAME.fullmatch(lowered):
        readings = [(found[3], _MONTHS.get(found[2], "0"), found[1])]
    elif found := _YEAR_FIRST.fullmatch(lowered):
        readings = [(found[1], found[2], found[3])]
    elif found := _DAY_FIRST.fullmatch(lowered):
        readings = [(found[3], found[2], found[1]), (found[3], found[1], found[2])]
    else:
        raise BadValueError(f"{text.strip()[:40]!r} is no date")
    days: list[date] = []
    for year, month, day in readings:
        try:
            read = date(_full_year(year), int(month), int(day))
        except ValueError:
            continue
        if read not in days:
            days.append(read)
    if not days:
        raise BadValueError(f"{text.strip()[:40]!r} is no day of the calendar")
    return tuple(days)


def _full_year(text: str) -> int:
    year = int(text)
    return year if len(text) > 2 else year + (2000 if year < _CENTURY else 1900)  # noqa: PLR2004


def isin_of(text: str) -> str:
    """An ISIN with its check digit right, in capitals; "" for an empty cell. Raises BadValueError."""
    isin = text.strip().upper()
    if isin.lower() in _NOTHING:
        return ""
    if not ISIN.fullmatch(isin):
        raise BadValueError(f"{text.strip()[:20]!r} is no ISIN")
    digits = "".join(str(int(sign, 36)) for sign in isin)
    total = sum(sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(reversed(digits)))
    if total % 10:
        raise BadValueError(f"the check digit of {isin} is wrong")
    return isin


def _shown(price: int | None) -> str:
    return "nothing" if price is None else f"{price / SCALE:,.2f}"


def judge(row: Row) -> tuple[str, str] | None:
    """(reason, detail) of what cannot be true of a day's prices; None when they can."""
    prices = {"open": row.open, "high": row.high, "low": row.low, "close": row.close}
    for name, price in {**prices, "previous close": row.prev_close}.items():
        if price is not None and price < 0:
            return "negative", f"{name} is {_shown(price)}"
    for name, price in prices.items():
        if price == 0:
            return "zero_price", f"{name} is zero"
    for name, count in (("volume", row.volume), ("value", row.value_minor), ("trades", row.trades)):
        if count is not None and count < 0:
            return "negative", f"{name} is {count}"
    if row.high is not None and row.low is not None and row.high < row.low:
        return "high_below_low", f"high {_shown(row.high)}, low {_shown(row.low)}"
    for name in ("close", "open"):
        price = prices[name]
        outside = price is not None and (
            (row.high is not None and price > row.high) or (row.low is not None and price < row.low)
        )
        if outside:
            return f"{name}_outside", f"{name} {_shown(price)}, between {_shown(row.low)} and {_shown(row.high)}"
    return None

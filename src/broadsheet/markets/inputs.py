"""What readers type: prices, percentages, days, and files of trades. Pure.

Every function takes text and raises ValueError with a sentence for the reader.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from broadsheet.markets.values import SCALE

MOST_ROWS = 1_000
MOST_BYTES = 1_000_000
COLUMNS = ("date", "kind", "instrument", "units", "price", "fee", "note")
_NAMES = {
    "date": ("date", "day", "trade date", "trade_date"),
    "kind": ("kind", "type", "trade type", "trade_type", "side", "action"),
    "instrument": ("instrument", "code", "symbol", "isin", "tradingsymbol"),
    "units": ("units", "quantity", "qty", "shares"),
    "price": ("price", "rate", "nav"),
    "fee": ("fee", "fees", "charges", "brokerage"),
    "note": ("note", "notes", "remark", "remarks"),
}
_KINDS = {"buy": "buy", "b": "buy", "bought": "buy", "purchase": "buy", "sell": "sell", "s": "sell", "sold": "sell",
          "sale": "sell", "dividend": "dividend", "div": "dividend"}  # fmt: skip
_NEEDED = COLUMNS[:5]
_FORMS = ("%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%b-%Y", "%d %b %Y")
_GROUPED = re.compile(r"[₹$\s\u00a0\u202f]|(?<=\d),(?=\d)")
_MOST = 10**15


def _number(text: str, what: str) -> Decimal:
    plain = _GROUPED.sub("", text.strip()).replace("\u2212", "-").removesuffix("%")
    try:
        number = Decimal(plain)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) > _MOST:
        raise ValueError(f"Write {what} as a number, such as 1,234.50.")
    return number


def scaled(text: str, what: str = "the price") -> int:
    """`1,234.5` -> 12345000. More than four places are a slip, not something to round away."""
    number = _number(text, what) * SCALE
    if number != number.to_integral_value():
        raise ValueError(f"Write {what} with at most four decimals.")
    return int(number)


def minor(text: str, what: str = "the amount") -> int:
    """`1,234.5` rupees -> 123450 paise; nothing is 0."""
    if not text.strip():
        return 0
    number = _number(text, what) * 100
    if number != number.to_integral_value():
        raise ValueError(f"Write {what} with at most two decimals.")
    return int(number)


def basis_points(text: str, what: str = "the change") -> int:
    """`2.5` or `2.5 %` -> 250."""
    number = _number(text, what) * 100
    if number != number.to_integral_value():
        raise ValueError(f"Write {what} with at most two decimals.")
    return int(number)


def day(text: str) -> date:
    """2026-11-20, 20-11-2026, 20/11/2026, 20-Nov-2026: the day before the month, as in India."""
    for form in _FORMS:
        try:
            return datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 - a calendar day has no zone
        except ValueError:
            continue
    raise ValueError("Write the day as 2026-11-20 or 20-11-2026.")


@dataclass(frozen=True, slots=True)
class TradeRow:
    """A line of a file of trades. `key`: the same line, in this file or one sent later, is the same trade; two equal
    lines in one file are two trades."""

    line: int
    day: date
    kind: str
    instrument: str
    units: int
    price: int
    fee_minor: int
    note: str
    key: str


@dataclass(frozen=True, slots=True)
class Problem:
    line: int
    text: str
    why: str


def trade_rows(content: bytes) -> tuple[list[TradeRow], list[Problem]]:
    """The trades of a CSV file, and the lines that are none, each with its reason. ValueError: it is no such file."""
    reader = csv.reader(io.StringIO(_decoded(content)), delimiter=_delimiter(content))
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise ValueError("The file is not a table of text.") from error
    if not lines:
        raise ValueError("The file is empty.")
    places = _places(lines[0][1])
    if len(lines) - 1 > MOST_ROWS:
        raise ValueError(f"A file may have {MOST_ROWS:,} trades; send the rest in another.")
    rows, problems, seen = [], [], Counter[tuple[object, ...]]()
    for number, cells in lines[1:]:
        try:
            rows.append(_row(number, cells, places, seen))
        except ValueError as error:
            problems.append(Problem(number, ", ".join(cells)[:120], str(error)))
    return rows, problems


def _decoded(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise ValueError("The file is larger than 1 MB.")
    if b"\0" in content:
        raise ValueError("The file is not text. Save the table as CSV.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _delimiter(content: bytes) -> str:
    head = content.split(b"\n", 1)[0]
    return max(",;\t", key=lambda sign: head.count(sign.encode()))


def _places(header: Sequence[str]) -> Mapping[str, int]:
    names = [name.strip().lower() for name in header]
    places = {}
    for column, known in _NAMES.items():
        found = next((names.index(name) for name in known if name in names), None)
        if found is not None:
            places[column] = found
    lacking = [column for column in _NEEDED if column not in places]
    if lacking:
        raise ValueError(f"The first line must name the columns {', '.join(_NEEDED)}; {', '.join(lacking)} is missing.")
    return places


def _row(line: int, cells: Sequence[str], places: Mapping[str, int], seen: Counter[tuple[object, ...]]) -> TradeRow:
    def cell(column: str) -> str:
        place = places.get(column, len(cells))
        return cells[place].strip() if place < len(cells) else ""

    kind = _KINDS.get(cell("kind").lower())
    if kind is None:
        raise ValueError("The kind must be buy, sell or dividend.")
    if not cell("instrument"):
        raise ValueError("The instrument is missing.")
    facts = (
        day(cell("date")), kind, cell("instrument").lower(), scaled(cell("units"), "the units"), scaled(cell("price")),
        minor(cell("fee"), "the fee"), cell("note")[:120],
    )  # fmt: skip
    seen[facts] += 1
    digest = hashlib.blake2b(repr((*facts, seen[facts])).encode(), digest_size=16).hexdigest()
    return TradeRow(line, *facts, key=f"file:{digest}")

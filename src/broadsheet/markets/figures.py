"""How markets writes numbers: Indian digit groups, a true minus, a sign and an arrow beside every colour. Pure.

Prices and units come as whole numbers of 1/10000 (values.SCALE), `_bp` as hundredths of a percent, `_minor` as paise.
Every function writes a dash for None: a figure that is not known.
"""

from __future__ import annotations

from datetime import date

from broadsheet.markets.values import SCALE
from broadsheet.money import format_money

MINUS, DASH, SPACE = "\u2212", "–", "\u00a0"
UP, DOWN, LEVEL = "▲", "▼", "◆"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CRORE, LAKH = 10_000_000, 100_000
_SIGNS = {"INR": "₹", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


def grouped(whole: int) -> str:
    """`1234567` -> `12,34,567`; what is below zero is the caller's to sign."""
    text = str(whole)
    head, tail = text[:-3], text[-3:]
    parts: list[str] = []
    while head:
        parts.insert(0, head[-2:])
        head = head[:-2]
    return ",".join([*parts, tail])


def _fixed(scaled: int, decimals: int) -> str:
    """The size of `scaled` with so many places, half up."""
    step = 10 ** (4 - decimals)
    whole, part = divmod((abs(scaled) + step // 2) // step, 10**decimals)
    return grouped(whole) + (f".{part:0{decimals}d}" if decimals else "")


def _is_nothing(text: str) -> bool:
    return not text.strip("0.,")


def price(scaled: int | None, decimals: int = 2) -> str:
    """`1234567000` -> `1,23,456.70`."""
    if scaled is None:
        return DASH
    text = _fixed(scaled, decimals)
    return MINUS + text if scaled < 0 and not _is_nothing(text) else text


def change(scaled: int | None, decimals: int = 2) -> str:
    """`+12.30`, `−0.45`, `0.00`."""
    if scaled is None:
        return DASH
    text = _fixed(scaled, decimals)
    return text if _is_nothing(text) else (MINUS if scaled < 0 else "+") + text


def percent(bp: int | None, *, signed: bool = True) -> str:
    """`+1.25 %` of 125; unsigned: a share of a whole."""
    if bp is None:
        return DASH
    text = _fixed(bp * (SCALE // 100), 2)
    sign = "" if _is_nothing(text) else MINUS if bp < 0 else "+" if signed else ""
    return f"{sign}{text}{SPACE}%"


def units(scaled: int | None) -> str:
    """`10`, `10.5`, `1,234.0625`: no more places than there are."""
    if scaled is None:
        return DASH
    text = _fixed(scaled, 4).rstrip("0").rstrip(".")
    return MINUS + text if scaled < 0 else text


def count(number: int | None) -> str:
    return DASH if number is None else grouped(number)


def money(minor: int | None, currency: str = "INR", *, signed: bool = False) -> str:
    """`₹1,23,456.70`, always with its decimals: for columns."""
    if minor is None:
        return DASH
    text = format_money(abs(minor), currency, exact=True)
    return (MINUS if minor < 0 else "+" if signed and minor else "") + text


def large(minor: int | None, currency: str = "INR") -> str:
    """A sum of which nobody reads the last rupee: `₹1,234.5 crore`, `₹12.3 lakh`."""
    if minor is None:
        return DASH
    whole, sign = abs(minor) // 100, MINUS if minor < 0 else ""
    mark = _SIGNS.get(currency, currency + SPACE)
    for size, name in ((CRORE, "crore"), (LAKH, "lakh")):
        if whole >= size:
            tenths = (whole * 10 + size // 2) // size
            return f"{sign}{mark}{grouped(tenths // 10)}.{tenths % 10}{SPACE}{name}"
    return f"{sign}{mark}{grouped(whole)}"


def many(number: int | None) -> str:
    """A quantity of which nobody reads the last unit: `1.2 crore`, `3.4 lakh`, `9,876`."""
    if number is None:
        return DASH
    for size, name in ((CRORE, "crore"), (LAKH, "lakh")):
        if number >= size:
            tenths = (number * 10 + size // 2) // size
            return f"{grouped(tenths // 10)}.{tenths % 10}{SPACE}{name}"
    return grouped(number)


def sign_of(currency: str, kind: str) -> str:
    """What stands before a price: nothing before the level of an index."""
    return "" if kind == "index" else _SIGNS.get(currency, currency + SPACE)


def arrow(number: int | None) -> str:
    return "" if number is None else UP if number > 0 else DOWN if number < 0 else LEVEL


def trend(number: int | None) -> str:
    """The class of a figure's colour, and of its words: up, down or level."""
    return "level" if not number else "up" if number > 0 else "down"


def spoken(bp: int | None) -> str:
    """For who listens: `up 1.25 percent`, `unchanged`."""
    if bp is None:
        return "no change known"
    if not bp:
        return "unchanged"
    return f"{'up' if bp > 0 else 'down'} {_fixed(bp * (SCALE // 100), 2)} percent"


def day(value: date | None) -> str:
    """`20 Nov 2026`."""
    return DASH if value is None else f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def long_day(value: date) -> str:
    """`Friday, 20 November 2026`."""
    return f"{_DAYS[value.weekday()]}, {value.day} {_LONG[value.month - 1]} {value.year}"


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LONG = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
         "December")  # fmt: skip

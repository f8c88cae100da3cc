"""Money is integer minor units and a currency code. Pure; formatting by Babel's CLDR data.

Source: CLDR patterns (Indian grouping, en_IN and hi_IN).
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from babel.core import Locale
from babel.numbers import format_currency, get_currency_precision

_LOCALES = {"en": "en_IN", "hi": "hi_IN"}
_INDIAN = "¤#,##,##0"
_WESTERN = "¤#,##0"


@lru_cache(maxsize=1024)
def format_money(minor: int, currency: str = "INR", language: str = "en", *, exact: bool = False) -> str:
    """`90000` paise -> `₹900`; `12500050` -> `₹1,25,000.50`. Whole amounts lose their decimals unless `exact`, which is
    for columns of figures."""
    digits = get_currency_precision(currency)
    amount = Decimal(minor).scaleb(-digits)
    locale = Locale.parse(_LOCALES.get(language, "en_IN" if currency == "INR" else language))
    grouping = _INDIAN if currency == "INR" else _WESTERN
    if amount == amount.to_integral_value() and not (exact and digits):
        return format_currency(amount, currency, grouping, locale=locale, currency_digits=False)
    fraction = "." + "0" * digits
    return format_currency(amount, currency, grouping + fraction, locale=locale, currency_digits=False)


def per_month_minor(total_minor: int, months: int, currency: str = "INR") -> int:
    """The price of a month, floored to whole currency units: never claim less than a reader would compute, nor more.

    `390000` over 24 months is `16200` (₹162). Rounding up would advertise a price nobody is charged.
    """
    if months < 1:
        raise ValueError(f"A plan runs for at least one month, not {months}.")
    unit = int(10 ** get_currency_precision(currency))
    return total_minor // months // unit * unit


def is_currency(code: str) -> bool:
    """Whether `code` is an ISO 4217 code that some territory uses today or has used."""
    return code in Locale("en").currencies

"""The right to withdraw from a contract within days of making it: where it holds, how long, what it gives back. Pure.

Source: Directive 2011/83/EU, articles 9 to 16, as the EEA has it and the United Kingdom kept it. A row holds for
contracts made on `valid_from` or later, until the country's next row; a country without a row has no such right here,
and its readers cancel. A new law is a new row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from broadsheet.dates import day_start

Terms = Literal["full", "pro_rata"]
# What a reader may have agreed to at the checkout, in so many words and by an act of their own.
WAIVER = "withdrawal_waiver"
EARLY_START = "early_start"


@dataclass(frozen=True, slots=True)
class Rule:
    """`days` from the day after the contract was made. A recorded WAIVER ends the right where it is `waivable`; a
    recorded EARLY_START lets the paper keep the share of the days used where `used_is_paid`. Without either of them
    everything goes back."""

    valid_from: date
    days: int = 14
    waivable: bool = True
    used_is_paid: bool = True


_DIRECTIVE = Rule(date(2014, 6, 13))
_EEA = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO"
RULES: dict[str, tuple[Rule, ...]] = {
    **dict.fromkeys(_EEA.split(), (_DIRECTIVE,)),
    "GB": (_DIRECTIVE,),
}
# Where a day of the EEA ends last: the reader's own day counts, and we do not know where they were.
_WESTERNMOST = ZoneInfo("Atlantic/Azores")


def rule_of(country: str, made_on: date) -> Rule | None:
    """The rule of a contract made on a day with a reader of a country (two letters); None without such a right."""
    rows = [rule for rule in RULES.get(country.upper(), ()) if rule.valid_from <= made_on]
    return max(rows, key=lambda rule: rule.valid_from, default=None)


def last_day(rule: Rule, made_on: date) -> date:
    """The last day on which a reader may withdraw; the day of the contract itself is not counted."""
    return made_on + timedelta(days=rule.days)


def in_time(rule: Rule, made_on: date, now: datetime, zone: ZoneInfo) -> bool:
    """Whether that last day is still running: at the publisher's, or where the reader may be."""
    over = last_day(rule, made_on) + timedelta(days=1)
    return now < max(day_start(over, zone), day_start(over, _WESTERNMOST))


def terms_of(rule: Rule, consents: set[str]) -> Terms | None:
    """What goes back, by what the reader agreed to; None when they gave the right up."""
    if rule.waivable and WAIVER in consents:
        return None
    return "pro_rata" if rule.used_is_paid and EARLY_START in consents else "full"

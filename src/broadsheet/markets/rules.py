"""Arithmetic of prices: adjusting them, what they returned, where they stood in a year. Pure, exact where it can be.

Prices are whole numbers of 1/10000; results are rounded half up at the very end, once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from broadsheet.dates import add_months
from broadsheet.markets.values import SCALE, SPANS, Action, Bar

_FINE = 10**18  # factors as whole numbers of this: exact to far below a price's last digit, and fast
SPARK = 60
_MONTHS = {"1m": 1, "3m": 3, "6m": 6, "1y": 12, "3y": 36, "5y": 60}


def half_up(value: Fraction) -> int:
    """The nearest whole number; halves away from zero."""
    down = (abs(value) * 2 + 1) // 2
    return int(down if value >= 0 else -down)


def factor(action: Action, close_before: int, *, total_return: bool = False) -> Fraction:
    """What prices before the ex-day are multiplied with; `close_before` is the last close before it, unadjusted.

    Dividends count in total return alone. An action that makes no sense (of nothing, above the price) gives 1.
    """
    new, old, amount = action.new, action.old, action.amount
    if action.kind == "split" and new > 0 and old > 0:
        return Fraction(old, new)
    if action.kind == "bonus" and new > 0 and old > 0:
        return Fraction(old, old + new)
    if action.kind == "rights" and new > 0 and old > 0 and 0 < amount < close_before:
        # The theoretical ex-rights price. Rights dearer than the share are worth nothing and change nothing.
        return Fraction(close_before * old + amount * new, (old + new) * close_before)
    if action.kind == "dividend" and total_return and 0 < amount < close_before:
        return 1 - Fraction(amount, close_before)
    return Fraction(1)


def units_factor(action: Action) -> Fraction:
    """How many units one unit becomes on the ex-day: of a split and a bonus; rights must be bought."""
    if action.kind == "split" and action.new > 0 and action.old > 0:
        return Fraction(action.new, action.old)
    if action.kind == "bonus" and action.new > 0 and action.old > 0:
        return Fraction(action.old + action.new, action.old)
    return Fraction(1)


def adjusted(bars: Sequence[Bar], actions: Sequence[Action], *, total_return: bool = False) -> tuple[Bar, ...]:
    """The bars (by day, oldest first) made comparable with the last of them. Actions may come in any order.

    Volumes go the other way, for splits and bonuses alone. prev_close is on the scale of its own day's close.
    """
    days = [bar.day for bar in bars]
    # (first index that stays as it is, factor of prices before it, factor of units before it)
    steps: list[tuple[int, Fraction, Fraction]] = []
    for action in actions:
        place = bisect_left(days, action.ex_day)
        if 0 < place < len(days):
            by = factor(action, bars[place - 1].close, total_return=total_return)
            steps.append((place, by, units_factor(action)))
    if not steps:
        return tuple(bars)
    steps.sort(key=lambda step: step[0], reverse=True)
    result = list(bars)
    prices = units = Fraction(1)
    for number, (place, price_step, unit_step) in enumerate(steps):
        prices, units = prices * price_step, units * unit_step
        first = steps[number + 1][0] if number + 1 < len(steps) else 0
        _scale(result, first, place, prices, units)
    return tuple(result)


def scaled(price: int, by: Fraction) -> int:
    """A price times a factor, rounded half up, and never nothing."""
    return price if by == 1 else max(1, (price * round(by * _FINE) + _FINE // 2) // _FINE)


def _scale(bars: list[Bar], start: int, end: int, prices: Fraction, units: Fraction) -> None:
    if start == end or (prices == 1 and units == 1):
        return
    by = round(prices * _FINE)

    def price(value: int | None) -> int | None:
        return None if value is None else max(1, (value * by + _FINE // 2) // _FINE)

    for index in range(start, end):
        bar = bars[index]
        bars[index] = Bar(
            bar.day,
            max(1, (bar.close * by + _FINE // 2) // _FINE),
            price(bar.open),
            price(bar.high),
            price(bar.low),
            None if bar.volume is None else half_up(bar.volume * units),
            price(bar.prev_close),
        )


def change_bp(new: int, old: int | None) -> int | None:
    """By how much `new` stands above `old`, in hundredths of a percent."""
    if not old:
        return None
    moved = (new - old) * SCALE
    nearest = (2 * abs(moved) + old) // (2 * old)
    return nearest if moved >= 0 else -nearest


def per_year_bp(whole_bp: int | None, years: int) -> int | None:
    """The yearly rate (CAGR) of a return over whole years. A loss of everything is -100 %."""
    if whole_bp is None:
        return None
    grown = 1 + whole_bp / SCALE
    return -SCALE if grown <= 0 else round((grown ** (1 / years) - 1) * SCALE)


def span_start(span: str, last: date) -> date:
    """The day whose close a span of SPANS is measured against, or the trading day before it where it has none."""
    if span == "1w":
        return last - timedelta(days=7)
    if span == "ytd":
        return date(last.year - 1, 12, 31)
    return add_months(last, -_MONTHS[span])


def returns_bp(bars: Sequence[Bar]) -> dict[str, int | None]:
    """Returns of adjusted bars over SPANS up to the last. None: not in trade that long.

    A span is measured from the last close on or before its first day: a Monday a month ago that was a holiday gives
    way to the Friday before it, but never by more than ten days, which no holiday explains.
    """
    if not bars:
        return dict.fromkeys(SPANS)
    days = [bar.day for bar in bars]
    last = bars[-1]
    result: dict[str, int | None] = {}
    for span in SPANS:
        if span == "1d":
            result[span] = change_bp(last.close, bars[-2].close) if len(bars) > 1 else None
            continue
        start = span_start(span, last.day)
        place = bisect_right(days, start) - 1
        known = place >= 0 and start - days[place] <= timedelta(days=10)
        result[span] = change_bp(last.close, bars[place].close) if known else None
    return result


@dataclass(frozen=True, slots=True)
class YearRange:
    high: int
    high_day: date
    low: int
    low_day: date


def year_range(bars: Sequence[Bar]) -> YearRange | None:
    """The highest and lowest price of the 52 weeks up to the last of the adjusted bars, by the day's high and low where
    they are known; of equals, the latest day."""
    if not bars:
        return None
    since = bars[-1].day - timedelta(weeks=52)
    year = [bar for bar in bars if bar.day > since]
    top = max(year, key=lambda bar: (bar.high or bar.close, bar.day))
    bottom = min(year, key=lambda bar: (bar.low or bar.close, -bar.day.toordinal()))
    return YearRange(top.high or top.close, top.day, bottom.low or bottom.close, bottom.day)


def cut_at(bars: Sequence[Bar], day: date | None) -> Sequence[Bar]:
    """The bars from `day` on: what came before an action that nobody has looked at is not comparable."""
    return bars if day is None else [bar for bar in bars if bar.day >= day]


def breaks_prices(kind: str) -> bool:
    """Whether an action of this kind, while it waits for an editor, makes earlier prices incomparable."""
    return kind != "dividend"


def figures(bars: Sequence[Bar], actions: Sequence[Action], pending_since: date | None) -> dict[str, object]:
    """The computed part of a snapshot, from the bars of the last five years and a fortnight, unadjusted."""
    whole = cut_at(adjusted(bars, actions), pending_since)
    last = bars[-1]
    spans = returns_bp(whole)
    year = year_range(whole)
    assert year is not None
    before = last.prev_close or (whole[-2].close if len(whole) > 1 else None)
    return {
        "prev_close": before,
        "change_bp": change_bp(last.close, before),
        **{f"return_{span}": spans[span] for span in SPANS[1:]},
        "high_52w": year.high, "high_52w_day": year.high_day, "low_52w": year.low, "low_52w_day": year.low_day,
        "from_high_bp": change_bp(last.close, year.high),
        "spark": [bar.close for bar in whole[-SPARK:]],
        "pending_since": pending_since,
    }  # fmt: skip

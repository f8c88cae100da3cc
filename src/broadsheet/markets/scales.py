"""Where an axis has its marks, and how many points a line needs. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from broadsheet.markets.figures import MINUS, MONTHS, grouped

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


class Tick(NamedTuple):
    """`at`: a value, or the index of a day."""

    at: float
    label: str


def value_ticks(low: float, high: float, most: int, suffix: str = "") -> list[Tick]:
    """Round values within [low, high], at most `most`, written with the places their step needs."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return []
    size = 10 ** math.floor(math.log10(span / most))
    step = next(size * one for one in _STEPS if span / (size * one) <= most)
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    if round(step, places) != round(step, places + 2):
        places += 1
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [Tick(n * step, _written(n * step, places) + suffix) for n in range(first, last + 1)]


def _written(value: float, places: int) -> str:
    whole, _, part = f"{abs(value):.{places}f}".partition(".")
    text = grouped(int(whole)) + (f".{part}" if part else "")
    return MINUS + text if value < 0 and text.strip("0.,") else text


# Months in a step, or weeks when negative.
_CALENDAR = (-1, -2, 1, 2, 3, 6, 12, 24, 60, 120)
_WEEK, _YEAR = 7, 12


def day_ticks(days: Sequence[date], most: int) -> list[Tick]:
    """The first day of each week, month or year, whichever makes at most `most` marks."""
    for step in _CALENDAR:
        if days and _period(days[-1], step) - _period(days[0], step) <= most:
            found = _firsts(days, step)[1:]
            return [Tick(index, _day_label(days[index], step)) for index in found]
    return []


def _period(day: date, step: int) -> int:
    """The number of the week, month or group of months a day lies in."""
    if step < 0:
        return (day.toordinal() - 1) // _WEEK // -step
    return (day.year * _YEAR + day.month - 1) // step


def _first_day(period: int, step: int) -> date:
    if step < 0:
        return date.fromordinal(period * _WEEK * -step + 1)
    year, month = divmod(period * step, _YEAR)
    return date(year, month + 1, 1)


def _firsts(days: Sequence[date], step: int) -> list[int]:
    """Where each period begins that has a day; 0 first."""
    periods = range(_period(days[0], step) + 1, _period(days[-1], step) + 1)
    return sorted({0, *(bisect_left(days, _first_day(period, step)) for period in periods)})


def _day_label(day: date, step: int) -> str:
    if step < 0:
        return f"{day.day} {MONTHS[day.month - 1]}"
    if step >= _YEAR:
        return str(day.year)
    return f"Jan {day.year}" if day.month == 1 else MONTHS[day.month - 1]


def thinned(values: Sequence[float], most: int) -> list[int]:
    """Indices of the points to draw: all, or of each stretch its lowest, its highest and its last. No peak is lost."""
    if len(values) <= most:
        return list(range(len(values)))
    stretches = max(1, most // 3)
    kept = {0, len(values) - 1}
    for number in range(stretches):
        start, end = number * len(values) // stretches, (number + 1) * len(values) // stretches
        if start < end:
            stretch = range(start, end)
            kept |= {min(stretch, key=values.__getitem__), max(stretch, key=values.__getitem__), end - 1}
    return sorted(kept)


class Heap(NamedTuple):
    """What was traded from the day at index `first` to the one at `last`, and whether the price rose over it."""

    first: int
    last: int
    volume: float
    rose: bool


def heaps(days: Sequence[date], values: Sequence[float], volumes: Sequence[float], most: int) -> tuple[str, list[Heap]]:
    """Volumes by day, week, month or quarter, whichever makes at most `most` bars: ("weekly", bars)."""
    for name, step in (("daily", 0), ("weekly", -1), ("monthly", 1), ("quarterly", 3)):
        bounds = _firsts(days, step) if step else list(range(len(days)))
        if len(bounds) <= most or name == "quarterly":
            break
    made = []
    for start, end in zip(bounds, [*bounds[1:], len(days)], strict=True):
        before = values[start - 1] if start else values[start]
        made.append(Heap(start, end - 1, sum(volumes[start:end]), values[end - 1] >= before))
    return name, made

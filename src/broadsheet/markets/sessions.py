"""The exchanges' calendar: which days they trade, what they do now. Pure; holidays are handed in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from broadsheet.dates import day_start, local_date
from broadsheet.markets.values import Session

EXCHANGE_ZONE = ZoneInfo("Asia/Kolkata")
OPENS, CLOSES = time(9, 15), time(15, 30)
_SATURDAY = 5
_LONGEST_BREAK = 30

Calendar = Mapping[date, tuple[str, bool]]
"""Day: (name, whether it is open): holidays, and sessions on days that are otherwise closed."""


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day, as UTC."""
    return day_start(day, zone)


def is_market_day(day: date, calendar: Calendar) -> bool:
    """Monday to Friday without a holiday, or a special session (Muhurat, a budget on a Saturday)."""
    if day in calendar:
        return calendar[day][1]
    return day.weekday() < _SATURDAY


def market_days(start: date, end: date, calendar: Calendar) -> list[date]:
    """The days of [start, end) on which the exchange trades."""
    days = (start + timedelta(days=n) for n in range((end - start).days))
    return [day for day in days if is_market_day(day, calendar)]


def previous_market_day(day: date, calendar: Calendar) -> date:
    """The last day before `day` on which the exchange traded."""
    before = day - timedelta(days=1)
    while not is_market_day(before, calendar) and (day - before).days < _LONGEST_BREAK:
        before -= timedelta(days=1)
    return before


def session(exchange: str, now: datetime, calendar: Calendar) -> Session:
    """The exchange at `now`. A special session's hours are its own, announced each time: it is `open` all that day."""
    local = now.astimezone(EXCHANGE_ZONE)
    today = local_date(now, EXCHANGE_ZONE)
    name, special = calendar.get(today, ("", False))
    trades = is_market_day(today, calendar)
    over = local.time() >= CLOSES and not special
    ahead = (today + timedelta(days=n) for n in range(_LONGEST_BREAK))
    next_day = next((d for d in ahead if is_market_day(d, calendar) and not (d == today and over)), None)
    state = "closed"
    if trades and (special or OPENS <= local.time() < CLOSES):
        state = "open"
    elif not trades and name:
        state = "holiday"
    return Session(exchange, today, state, name, next_day)

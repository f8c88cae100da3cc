"""Calendar arithmetic in the publisher's zone. Pure; periods are half-open `[start, end)` everywhere."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day of `instant` (aware) in `zone`."""
    return instant.astimezone(zone).date()


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of `day` in `zone`, as UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def add_months(anchor: date, months: int) -> date:
    """`anchor` plus whole months, clamped to the month's last day.

    Always count from the anchor, never from the last result: chaining drifts (31 Jan, 28 Feb, 28 Mar for ever).
    """
    index = anchor.year * 12 + anchor.month - 1 + months
    year, month = divmod(index, 12)
    month += 1
    return date(year, month, min(anchor.day, calendar.monthrange(year, month)[1]))


def month_window(instant: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The calendar month of `zone` that holds `instant`: `[start, end)` in UTC."""
    first = local_date(instant, zone).replace(day=1)
    return day_start(first, zone), day_start(add_months(first, 1), zone)


def week_window(instant: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The week from Monday of `zone` that holds `instant`: `[start, end)` in UTC."""
    day = local_date(instant, zone)
    monday = day - timedelta(days=day.weekday())
    return day_start(monday, zone), day_start(monday + timedelta(days=7), zone)


def rfc3339(instant: datetime) -> str:
    """An aware instant as RFC 3339 with offset, seconds resolution (milliseconds when it has them)."""
    if instant.tzinfo is None:
        raise ValueError("A naive instant has no RFC 3339 form.")
    spec = "milliseconds" if instant.microsecond else "seconds"
    return instant.isoformat(timespec=spec)


def parse_instant(text: str) -> datetime:
    """An RFC 3339 / ISO 8601 instant with offset. ValueError when it has none: a guess would bill the wrong day."""
    instant = datetime.fromisoformat(text.strip())
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no offset; write it as 2027-01-10T09:00:00+05:30.")
    return instant.astimezone(UTC)

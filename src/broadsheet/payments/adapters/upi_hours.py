"""When UPI AutoPay may be debited: India's payments corporation keeps the busy hours of the day for people."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

INDIA = ZoneInfo("Asia/Kolkata")
PEAKS = ((time(10), time(13)), (time(17), time(21, 30)))  # [from, until) in Indian time
# A debit that begins a minute before a peak may be carried out in it.
MARGIN = timedelta(minutes=15)


def off_peak(instant: datetime) -> datetime:
    """`instant`, or the first one after it at which a debit may be made."""
    local = instant.astimezone(INDIA)
    for begins, ends in PEAKS:
        start = datetime.combine(local.date(), begins, INDIA) - MARGIN
        end = datetime.combine(local.date(), ends, INDIA)
        if start <= local < end:
            return end.astimezone(instant.tzinfo)
    return instant

"""Which words are due to a subscriber ahead of time, and when. Pure.

One plan for every reader, wherever they are, because it satisfies the strictest of the laws: 30 days before a renewal
of a year or more and before a renewal at another price, 7 days before any renewal and before a trial's end, 72 hours
before each debit that comes by itself, a statement once a year, and a word before a term ends that does not renew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from broadsheet.dates import add_months, day_start, local_date

EARLY = timedelta(days=30)
SOON = timedelta(days=7)
BEFORE_DEBIT = timedelta(hours=72)
# "At once" is a minute later: by then whoever just bought or changed something has done.
AT_ONCE = timedelta(minutes=1)
LONG_MONTHS = 12
LONG_DAYS = 365
STATEMENT_HOUR = time(9)
STATEMENT_KEEPS = timedelta(days=30)

KINDS = (
    "renewal_early",
    "renewal_soon",
    "trial_ending",
    "price_change",
    "mandate_needed",
    "pre_debit",
    "term_ending",
    "yearly_statement",
)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known today of a subscription's days to come.

    `renews`: it goes on by itself when its period is over, charged or billed by us. `debited`: by a mandate that holds.
    `retry`: the day of the next try of an overdue debit of which the bank has to be told, and the number of that try.
    `new_price`: the first renewal at another price, and that price's id. `short`: the first renewal that comes to more
    than the mandate allows, and the mandate's id.
    """

    id: int
    status: str
    months: int
    renews: bool
    debited: bool
    fixed_term: bool
    started_on: date
    period_start: date
    period_end: date
    trial_end: datetime | None = None
    retry: tuple[date, int] | None = None
    new_price: tuple[date, int] | None = None
    short: tuple[date, int] | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """One word: `key` makes it once, `on` is the day it speaks of; from `until` on it is of no use to anybody."""

    key: str
    kind: str
    on: date
    due_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Ahead:
    """The next renewal: on which day, what it comes to with its tax, what is left of that after the reader's credit,
    and how it is paid: by `mandate`, by a `link`, or by `invoice`."""

    on: date
    total_minor: int
    due_minor: int
    currency: str
    by: str
    label: str = ""


def planned(outlook: Outlook, now: datetime, zone: ZoneInfo, *, sending: bool = False) -> dict[str, Planned]:
    """Everything that holds as things stand, by its key. What should have gone before `now` goes at once, as long as
    what it speaks of is still to come. `sending`: with the statement whose day has just come."""
    found = [*_of_status(outlook, zone), *_statement(outlook, now, zone, sending=sending)]
    return {
        one.key: Planned(one.key, one.kind, one.on, max(one.due_at, now + AT_ONCE), one.until)
        for one in found
        if one.until > now
    }


def _of_status(outlook: Outlook, zone: ZoneInfo) -> Iterator[Planned]:
    match outlook.status:
        case "trialing" if outlook.trial_end is not None and outlook.renews:
            yield from _trial(outlook, outlook.trial_end, zone)
        case "active" if outlook.fixed_term:
            ends = day_start(outlook.period_end, zone)
            long = (outlook.period_end - outlook.period_start).days >= LONG_DAYS
            yield _planned(
                outlook, "term_ending", outlook.period_end, (_before(ends, EARLY if long else SOON, zone), ends)
            )
        case "active" if outlook.renews:
            yield from _renewal(outlook, zone)
        case "past_due" | "suspended" if outlook.retry is not None:
            day, tries = outlook.retry
            debit = day_start(day, zone)
            yield _planned(outlook, "pre_debit", day, (debit - BEFORE_DEBIT, debit), f":{tries}")


def _planned(outlook: Outlook, kind: str, on: date, window: tuple[datetime, datetime], more: str = "") -> Planned:
    return Planned(f"{outlook.id}:{kind}:{on.isoformat()}{more}", kind, on, *window)


def _before(instant: datetime, lead: timedelta, zone: ZoneInfo) -> datetime:
    """The first instant of the local day that lies so many days before."""
    return day_start(local_date(instant, zone) - lead, zone)


def _trial(outlook: Outlook, ends: datetime, zone: ZoneInfo) -> Iterator[Planned]:
    day = local_date(ends, zone)
    yield _planned(outlook, "trial_ending", day, (_before(ends, SOON, zone), ends))
    if outlook.debited:
        yield _planned(outlook, "pre_debit", day, (ends - BEFORE_DEBIT, ends))


def _renewal(outlook: Outlook, zone: ZoneInfo) -> Iterator[Planned]:
    day = outlook.period_end
    renewal = day_start(day, zone)
    soon = _before(renewal, SOON, zone)
    priced = outlook.new_price is not None and outlook.new_price[0] == day
    short = outlook.short is not None and outlook.short[0] == day
    if outlook.months >= LONG_MONTHS and not priced and not short:
        # A letter about another price or a new mandate says all that this one would, on the same day.
        yield _planned(outlook, "renewal_early", day, (_before(renewal, EARLY, zone), soon))
    yield _planned(outlook, "renewal_soon", day, (soon, renewal))
    if outlook.debited and not short:
        yield _planned(outlook, "pre_debit", day, (renewal - BEFORE_DEBIT, renewal))
    if outlook.short is not None:
        on, mandate = outlook.short
        then = day_start(on, zone)
        yield _planned(outlook, "mandate_needed", on, (_before(then, EARLY, zone), then), f":{mandate}")
    if outlook.new_price is not None and (outlook.short is None or outlook.short[0] > outlook.new_price[0]):
        on, price = outlook.new_price
        then = day_start(on, zone)
        yield _planned(outlook, "price_change", on, (_before(then, EARLY, zone), then), f":{price}")


def _statement(outlook: Outlook, now: datetime, zone: ZoneInfo, *, sending: bool) -> Iterator[Planned]:
    """Once a year from the day it began, at a decent hour."""
    if not outlook.renews or outlook.status not in ("active", "past_due", "suspended"):
        return
    years = max(1, local_date(now, zone).year - outlook.started_on.year)
    for year in (years - 1, years, years + 1):
        day = add_months(outlook.started_on, LONG_MONTHS * year)
        due = datetime.combine(day, STATEMENT_HOUR, zone)
        if year < 1 or (due <= now and not sending):
            continue
        yield _planned(outlook, "yearly_statement", day, (due, due + STATEMENT_KEEPS))
        if due > now:
            return

"""What an import needs to know of what is here already: instruments, last prices, actions, calendar. Bulk reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from broadsheet.markets import sessions
from broadsheet.markets.judging import Last
from broadsheet.markets.matching import Directory, Known
from broadsheet.markets.models import CorporateAction, Holiday, Instrument, MarketDay, Price, Snapshot, SymbolChange
from broadsheet.markets.values import Action

CHUNK = 900  # below every database's limit of parameters
_LOOK_BACK = timedelta(days=60)
_COLUMNS = ("id", "code", "kind", "exchange", "symbol", "series", "isin", "exchange_code", "name", "sector",
            "currency", "unit")  # fmt: skip


def chunks(items: Iterable[int]) -> Iterator[list[int]]:
    """Ids in portions that one statement can name."""
    listed = list(items)
    for start in range(0, len(listed), CHUNK):
        yield listed[start : start + CHUNK]


def directory(exchanges: Collection[str], codes: Iterable[str]) -> Directory:
    """The instruments of these exchanges ("": all) and those of these codes: a few ten thousand at most."""
    wanted = Instrument.objects.all() if "" in exchanges else Instrument.objects.filter(exchange__in=exchanges)
    known = {row[0]: Known(*row) for row in wanted.values_list(*_COLUMNS)}
    for portion in _portions(codes):
        known.update(
            (row[0], Known(*row)) for row in Instrument.objects.filter(code__in=portion).values_list(*_COLUMNS)
        )
    old = SymbolChange.objects.filter(instrument__exchange__in=list(exchanges), what__in=("isin", "symbol"))
    found = Directory(known.values(), old.order_by("day").values_list("what", "old", "instrument__code"))
    taken = {row.code for row in known.values()}
    found.taken = lambda code: code in taken or Instrument.objects.filter(code=code).exists()
    return found


def _portions(codes: Iterable[str]) -> Iterator[list[str]]:
    listed = sorted(set(codes) - {""})
    for start in range(0, len(listed), CHUNK):
        yield listed[start : start + CHUNK]


def last_before(firsts: Mapping[int, date]) -> dict[int, Last]:
    """The latest price of each instrument before its day; from its snapshot where that is old enough."""
    result: dict[int, Last] = {}
    behind: list[int] = []
    for ids in chunks(firsts):
        rows = Snapshot.objects.filter(pk__in=ids).values_list("pk", "day", "close", "volume")
        for number, day, close, volume in rows:
            if day < firsts[number]:
                result[number] = Last(day, close, volume)
            else:
                behind.append(number)
    # Prices that come late: mostly the day before has them, and what traded rarely is looked up one by one.
    for day in {firsts[number] for number in behind}:
        wanted = [number for number in behind if firsts[number] == day]
        before = Price.objects.filter(instrument__in=wanted[:1], day__lt=day).order_by("-day")
        near = before.values_list("day", flat=True).first()
        for ids in chunks(wanted if near else ()):
            rows = Price.objects.filter(instrument__in=ids, day=near).values_list(
                "instrument", "day", "close", "volume"
            )
            result.update((number, Last(*row)) for number, *row in rows)
        for number in wanted:
            if number not in result or result[number].day != near:
                one = Price.objects.filter(instrument=number, day__lt=day).order_by("-day")
                row = one.values_list("day", "close", "volume").first()
                if row:
                    result[number] = Last(*row)
    return result


def actions_between(start: date, end: date) -> dict[int, list[tuple[str, Action]]]:
    """(status, action) by instrument, of all with an ex-day in (start, end]."""
    result: dict[int, list[tuple[str, Action]]] = defaultdict(list)
    rows = CorporateAction.objects.filter(
        status__in=("proposed", "confirmed", "rejected"), ex_day__gt=start, ex_day__lte=end
    )
    for row in rows:
        action = Action(row.ex_day, row.kind, row.new, row.old, row.amount)
        result[row.instrument_id].append((row.status, action))
    return result


def existing(days: Mapping[int, Sequence[date]]) -> dict[tuple[int, date], Price]:
    """The prices that are here for these instruments and days, by instrument and day."""
    by_day: dict[date, list[int]] = defaultdict(list)
    for number, each in days.items():
        for day in each:
            by_day[day].append(number)
    found: list[Price] = []
    if len(by_day) > len(days):
        for number, each in days.items():
            found += Price.objects.filter(instrument=number, day__gte=min(each), day__lte=max(each))
    else:
        for day, ids in by_day.items():
            for portion in chunks(ids):
                found += Price.objects.filter(instrument__in=portion, day=day)
    return {(price.instrument_id, price.day): price for price in found}


def calendar(exchange: str, year: int) -> sessions.Calendar:
    """The exchange's calendar of a year; empty when nobody has entered it."""
    rows = Holiday.objects.filter(exchange=exchange, day__gte=date(year, 1, 1), day__lt=date(year + 1, 1, 1))
    return {day: (name, is_open) for day, name, is_open in rows.values_list("day", "name", "is_open")}


def missing_days(exchange: str, day: date) -> list[date]:
    """Market days before `day` of which there are no prices, back to the last of which there are, 60 days at most."""
    rows = MarketDay.objects.filter(exchange=exchange, day__lt=day, day__gte=day - _LOOK_BACK)
    have = rows.order_by("-day").values_list("day", flat=True).first()
    if have is None:
        return []
    known = {**calendar(exchange, have.year), **calendar(exchange, day.year)}
    return sessions.market_days(have + timedelta(days=1), day, known)

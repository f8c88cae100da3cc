"""What a reader does with what is theirs. Every verb names the reader: an id of somebody else's is one nobody has."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.db.models import Max

from broadsheet.markets.models import Alert, Instrument, Trade, WatchItem, WatchList
from broadsheet.markets.values import ALERT_KINDS, SCALE, TRADE_KINDS
from broadsheet.readers.actions import lock_reader

MOST_LISTS = 20
MOST_ITEMS = 200
MOST_ALERTS = 100
MOST_TRADES = 5_000
_MOST = 10**15  # of 1/10000: a hundred thousand million; more is a slip of the hand
FIRST_LIST = "Watch list"


class RefusedError(Exception):
    """What the reader asked for cannot be; the message is for the reader."""


def _instrument(code: str) -> Instrument:
    found = Instrument.objects.filter(code=code).first()
    if found is None:
        raise RefusedError("There is no such instrument.")
    return found


def _list(reader_id: int, list_id: int) -> WatchList:
    found = WatchList.objects.filter(pk=list_id, reader_id=reader_id).first()
    if found is None:
        raise RefusedError("There is no such watch list.")
    return found


def _name(text: str) -> str:
    name = " ".join(text.split())[:60]
    if not name:
        raise RefusedError("Give the list a name.")
    return name


@transaction.atomic
def make_watch_list(*, reader_id: int, name: str, now: datetime) -> int:
    """A list of this name; the one that is there, if the reader has one. Returns its id."""
    lock_reader(reader_id=reader_id)
    name = _name(name)
    found = WatchList.objects.filter(reader_id=reader_id, name=name).first()
    if found:
        return found.pk
    if WatchList.objects.filter(reader_id=reader_id).count() >= MOST_LISTS:
        raise RefusedError(f"There is room for {MOST_LISTS} lists.")
    return WatchList.objects.create(reader_id=reader_id, name=name, created_at=now).pk


@transaction.atomic
def rename_watch_list(*, reader_id: int, list_id: int, name: str) -> None:
    lock_reader(reader_id=reader_id)
    row, name = _list(reader_id, list_id), _name(name)
    if WatchList.objects.filter(reader_id=reader_id, name=name).exclude(pk=row.pk).exists():
        raise RefusedError("You have a list of that name.")
    row.name = name
    row.save(update_fields=["name"])


@transaction.atomic
def delete_watch_list(*, reader_id: int, list_id: int) -> None:
    WatchList.objects.filter(pk=list_id, reader_id=reader_id).delete()


@transaction.atomic
def add_to_watch_list(*, reader_id: int, code: str, now: datetime, list_id: int | None = None) -> int:
    """Put an instrument on a list (None: the reader's first, made if there is none). Twice is once. Returns the list's
    id."""
    lock_reader(reader_id=reader_id)
    instrument = _instrument(code)
    if list_id is None:
        first = WatchList.objects.filter(reader_id=reader_id).order_by("id").values_list("pk", flat=True).first()
        list_id = first or make_watch_list(reader_id=reader_id, name=FIRST_LIST, now=now)
    row = _list(reader_id, list_id)
    if not row.items.filter(instrument=instrument).exists():
        if row.items.count() >= MOST_ITEMS:
            raise RefusedError(f"A list has room for {MOST_ITEMS}.")
        last = row.items.aggregate(last=Max("position"))["last"] or 0
        WatchItem.objects.create(watch_list=row, instrument=instrument, position=last + 1)
    return row.pk


@transaction.atomic
def remove_from_watch_list(*, reader_id: int, list_id: int, code: str) -> None:
    WatchItem.objects.filter(watch_list_id=list_id, watch_list__reader_id=reader_id, instrument__code=code).delete()


@transaction.atomic
def move_on_watch_list(*, reader_id: int, list_id: int, code: str, up: bool) -> None:
    """One place up or down; the first and the last stay where they are."""
    lock_reader(reader_id=reader_id)
    rows = list(_list(reader_id, list_id).items.order_by("position", "id").select_related("instrument"))
    here = next((place for place, row in enumerate(rows) if row.instrument.code == code), None)
    there = None if here is None else here + (-1 if up else 1)
    if here is None or there is None or not 0 <= there < len(rows):
        return
    rows[here], rows[there] = rows[there], rows[here]
    for place, row in enumerate(rows, start=1):
        if row.position != place:
            WatchItem.objects.filter(pk=row.pk).update(position=place)


@transaction.atomic
def set_alert(*, reader_id: int, code: str, kind: str, level: int, now: datetime) -> int:
    """An alert by mail; `level` in 1/10000, of a change in bp. The same one twice is armed again. Returns its id."""
    lock_reader(reader_id=reader_id)
    if kind not in dict(ALERT_KINDS):
        raise RefusedError("Choose what the alert waits for.")
    if not 0 < level < _MOST:
        raise RefusedError("The level must be above zero.")
    instrument = _instrument(code)
    found = Alert.objects.filter(reader_id=reader_id, instrument=instrument, kind=kind, level=level).first()
    if found:
        Alert.objects.filter(pk=found.pk).update(status="armed")
        return found.pk
    if Alert.objects.filter(reader_id=reader_id).count() >= MOST_ALERTS:
        raise RefusedError(f"There is room for {MOST_ALERTS} alerts.")
    row = Alert.objects.create(reader_id=reader_id, instrument=instrument, kind=kind, level=level, created_at=now)
    return row.pk


@transaction.atomic
def delete_alert(*, reader_id: int, alert_id: int) -> None:
    Alert.objects.filter(pk=alert_id, reader_id=reader_id).delete()


@transaction.atomic
def add_trade(
    *,
    reader_id: int,
    code: str,
    kind: str,
    day: date,
    units: int,
    price: int,
    now: datetime,
    today: date,
    key: str,
    fee_minor: int = 0,
    note: str = "",
) -> int:
    """Note a trade; `units` and `price` in 1/10000. `key` comes with the form: sent twice, it is one. Returns its id.

    A sale of more than is held is taken, and the portfolio says so: trades may be noted in any order.
    """
    lock_reader(reader_id=reader_id)
    found = Trade.objects.filter(reader_id=reader_id, key=key).first()
    if found:
        return found.pk
    if kind not in dict(TRADE_KINDS):
        raise RefusedError("Say whether you bought, sold or were paid a dividend.")
    if not key or len(key) > 40:  # noqa: PLR2004 - the column's length
        raise RefusedError("The form is out of date. Open it again.")
    if day > today:
        raise RefusedError("The day lies in the future.")
    if day.year < 1900:  # noqa: PLR2004
        raise RefusedError("The day lies too far back.")
    if not 0 < units < _MOST:
        raise RefusedError("The number of units must be above zero.")
    if not 0 < price < _MOST:
        raise RefusedError("The price must be above zero.")
    if not 0 <= fee_minor < _MOST or units * price > _MOST * SCALE:
        raise RefusedError("The amount is out of range.")
    if Trade.objects.filter(reader_id=reader_id).count() >= MOST_TRADES:
        raise RefusedError(f"There is room for {MOST_TRADES} trades.")
    row = Trade.objects.create(
        reader_id=reader_id, instrument=_instrument(code), kind=kind, day=day, units=units, price=price,
        fee_minor=fee_minor, note=note.strip()[:120], key=key, created_at=now,
    )  # fmt: skip
    return row.pk


@transaction.atomic
def delete_trade(*, reader_id: int, trade_id: int) -> None:
    Trade.objects.filter(pk=trade_id, reader_id=reader_id).delete()

"""A share whose last year of closes is the same in both twins, as everybody may see it; earlier years, volumes and the
highest prices are each twin's own, and so is what one reader keeps: a watch list, an alert, a trade."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random

from broadsheet.dates import local_date
from broadsheet.leakcheck.benefits import Address, Filled, hidden_words
from broadsheet.markets.actions import add_to_watch_list, add_trade, make_watch_list, set_alert
from broadsheet.markets.actions.history import NewInstrument, load_history
from broadsheet.markets.sessions import EXCHANGE_ZONE
from broadsheet.markets.values import SCALE
from broadsheet.readers.queries import reader_by_email

CODE = "xch-beacon"
OWNER = "no-archive@readers.example"
_DAYS = 700
_PUBLIC = timedelta(days=380)
_SATURDAY = 5
_OPENED = (
    f"{CODE}/",
    f"{CODE}/?range=3y",
    f"{CODE}/?range=max",
    f"{CODE}/?range=max&part=chart",
    f"{CODE}/?range=1m",
    f"chart/{CODE}.svg?range=3y",
    f"chart/{CODE}.svg?range=max",
    "screener/",
    "screener/?kind=equity&order=-volume",
)
_OWNERS = ("watch/", "portfolio/", "portfolio/?all", "portfolio/trades.csv", "portfolio/holdings.csv")


def fill(twin: str, now: datetime) -> Filled:
    """The share, and what its owner keeps of it."""
    today = local_date(now, EXCHANGE_ZONE)
    load_history(instruments=[_share(twin, today)])
    keeper = reader_by_email(OWNER)
    assert keeper is not None  # of scratch.HOLDINGS
    kept, noted = hidden_words("watch list", twin, 6)[:60], hidden_words("trade", twin, 8)[:120]
    number = make_watch_list(reader_id=keeper.id, name=kept, now=now)
    add_to_watch_list(reader_id=keeper.id, code=CODE, list_id=number, now=now)
    level = Random(f"level {twin}").randrange(200, 900) * SCALE  # noqa: S311 - to be repeated
    set_alert(reader_id=keeper.id, code=CODE, kind="above", level=level, now=now)
    add_trade(
        reader_id=keeper.id, code=CODE, kind="buy", day=today - timedelta(days=30), units=level, price=100 * SCALE,
        note=noted, key="leakcheck", now=now, today=today,
    )  # fmt: skip
    return Filled(
        {"watch list": kept, "trade": noted},
        [Address(f"/investor/{target}", "investor") for target in _OPENED]
        + [Address(f"/investor/{target}", "investor", owner=OWNER) for target in _OWNERS],
    )


def _share(twin: str, today: date) -> NewInstrument:
    same, own = Random("closes"), Random(f"closes {twin}")  # noqa: S311 - to be repeated
    days = [day for n in range(_DAYS, 0, -1) if (day := today - timedelta(days=n)).weekday() < _SATURDAY]
    rows, before = [], None
    for day in days:
        close = (same if day > today - _PUBLIC else own).randrange(90, 130) * SCALE
        high, low = close + own.randrange(1, 9) * SCALE, close - own.randrange(1, 9) * SCALE
        rows.append((day, close, high, low, close, before, own.randrange(1000, 9000), 1_000_000_00))
        before = close
    return NewInstrument(CODE, "equity", "Beacon Works", "XCH", "BEACON", rows, sector="Lights", featured=1)

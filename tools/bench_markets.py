"""Measures the markets on a scratch database: a day's list taken in, and what readers' pages ask, with a long past.

`python tools/bench_markets.py [--shares 2600] [--years 30] [--past 50]`: `past` shares get the whole past, the others a
year, since 75 million rows take longer to write than anybody wants to wait; the queries name one share or a snapshot,
so that is what their time depends on. `--all` gives every share the whole past.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from random import Random

sys.path.insert(0, "src")
LAST = date(2026, 11, 19)
NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)
TARGET_IMPORT = 2.0
SATURDAY = 5


def start() -> None:
    os.environ.setdefault("BROADSHEET_DATA", tempfile.mkdtemp(prefix="bench-markets-"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "broadsheet.server.settings"
    import django  # noqa: PLC0415 - once the folder is known

    django.setup()
    from broadsheet.server.database import make_ready  # noqa: PLC0415 - once the folder is known

    make_ready()


def days(years: float) -> list[date]:
    """Newest first."""
    every = (LAST - timedelta(days=n) for n in range(int(years * 365.25)))
    return [day for day in every if day.weekday() < SATURDAY]


def isin(number: int) -> str:
    body = f"INE{number:04d}01"[:9] + "01"
    digits = "".join(str(int(sign, 36)) for sign in body)
    total = sum(sum(divmod(int(d) * (2 - place % 2), 10)) for place, d in enumerate(reversed(digits)))
    return f"{body}{-total % 10}"


def fill(shares: int, years: float, past: int) -> dict[str, int]:
    """Last closes by symbol."""
    from broadsheet.markets.actions.history import NewInstrument, load_history  # noqa: PLC0415 - once the folder is known
    from broadsheet.markets.values import Breadth  # noqa: PLC0415 - once the folder is known

    walk = Random(1)  # noqa: S311 - figures to measure with
    whole, short = days(years), days(1.1)
    closes: dict[str, int] = {}
    for start_at in range(0, shares, 200):
        batch = []
        for n in range(start_at, min(shares, start_at + 200)):
            close, rows = 1_000_000, []
            mine = whole if n < past else short
            for place, day in enumerate(mine):
                before = max(5_000, int(close / (1 + walk.gauss(0.0002, 0.012))) // 500 * 500)
                last = place + 1 == len(mine)
                rows.append(
                    (day, close, close + 2_000, close - 2_000, close, None if last else before, 1000 + n, close)
                )
                close = before
            closes[f"S{n}"] = 1_000_000
            batch.append(
                NewInstrument(
                    f"nse-s{n}", "equity", f"Share {n}", "NSE", f"S{n}", rows, "EQ", isin(n), sector=f"Sector {n % 20}"
                )
            )
        load_history(instruments=batch)
    load_history(instruments=[], breadths=[Breadth("NSE", day, 1, 1, 1, 1) for day in whole])
    return closes


def one_list(day: date, closes: dict[str, int]) -> bytes:
    """A day in the unified layout; every share moves a little."""
    head = (
        "TradDt,BizDt,Sgmt,Src,FinInstrmTp,FinInstrmId,ISIN,TckrSymb,SctySrs,XpryDt,FininstrmActlXpryDt,StrkPric,OptnTp,"
        "FinInstrmNm,OpnPric,HghPric,LwPric,ClsPric,LastPric,PrvsClsgPric,UndrlygPric,SttlmPric,OpnIntrst,ChngInOpnIntrst,"
        "TtlTradgVol,TtlTrfVal,TtlNbOfTxsExctd,SsnId,NewBrdLotQty,Rmks,Rsvd1,Rsvd2,Rsvd3,Rsvd4"
    )
    walk = Random(day.toordinal())  # noqa: S311 - as above
    lines = [head]
    for n, (symbol, before) in enumerate(closes.items()):
        close = max(500, int(before * (1 + walk.gauss(0, 0.01))) // 500 * 500)
        price, was = f"{close / 10_000:.2f}", f"{before / 10_000:.2f}"
        lines.append(
            f"{day},{day},CM,NSE,STK,{n},{isin(n)},{symbol},EQ,,,,,Share {n},{price},{price},{price},{price},{price},"
            f"{was},,,,,{1000 + walk.randrange(9000)},123456.70,55,F1,1,,,,,"
        )
        closes[symbol] = close
    return ("\r\n".join(lines) + "\r\n").encode()


@contextmanager
def counted() -> Iterator[list[int]]:
    from django.db import connection  # noqa: PLC0415 - once the folder is known

    found = [0]

    def count(execute: Callable, *args: object) -> object:
        found[0] += 1
        return execute(*args)

    with connection.execute_wrapper(count):
        yield found


def measure(name: str, ask: Callable[[], object], times: int = 20) -> None:
    ask()
    took = []
    with counted() as queries:
        for _ in range(times):
            began = time.process_time()
            ask()
            took.append(time.process_time() - began)
    middle = sorted(took)[len(took) // 2]
    print(f"{name:<44} {middle * 1000:8.2f} ms of processor  {queries[0] // times:3} queries")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shares", type=int, default=2_600)
    parser.add_argument("--years", type=float, default=30)
    parser.add_argument("--past", type=int, default=50)
    parser.add_argument("--all", action="store_true")
    given = parser.parse_args()
    start()
    from broadsheet.markets import queries  # noqa: PLC0415 - once the folder is known
    from broadsheet.markets.actions import imports  # noqa: PLC0415 - once the folder is known
    from broadsheet.markets.models import Price  # noqa: PLC0415 - once the folder is known
    from broadsheet.markets.values import Screen  # noqa: PLC0415 - once the folder is known

    began = time.perf_counter()
    closes = fill(given.shares, given.years, given.shares if given.all else given.past)
    print(f"{Price.objects.count():,} prices of {given.shares:,} shares written in {time.perf_counter() - began:.1f} s")
    day = LAST + timedelta(days=1)
    data = one_list(day, closes)
    began, cpu = time.perf_counter(), time.process_time()
    with counted() as asked:
        [report] = imports.take_file(name="list.csv", data=data, now=NOW, came_by="command")
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(f"a day of {report.rows_read:,} rows: {took:.2f} s ({cpu:.2f} s of processor), {asked[0]} queries; "
          f"{report.rows_new} new, {report.rows_held} held, {report.actions_proposed} proposed")  # fmt: skip
    measure("a quote", lambda: queries.quote("nse-s1"))
    measure("ten quotes", lambda: queries.quotes([f"nse-s{n}" for n in range(10)]))
    measure("the market summary", queries.summary)
    measure("movers", lambda: queries.movers(10, exchange="NSE"))
    measure("screener, first page", lambda: queries.screen(Screen(change_from_bp=50, order="-1y")))
    measure("screener, by name with words", lambda: queries.screen(Screen(words="Share 12", order="name")))
    measure("find", lambda: queries.find("Share 25"))
    measure("a year of one share", lambda: queries.series("nse-s1", start=LAST - timedelta(days=365)))
    measure(f"{given.years:g} years of one share", lambda: queries.series("nse-s1"), times=5)
    measure("stories of one share", lambda: queries.related_stories("nse-s1"))
    return 0 if cpu < TARGET_IMPORT else 1


if __name__ == "__main__":
    sys.exit(main())

"""The snapshot that a day's import makes in a step is the one that the whole past would give."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest

from broadsheet.markets.actions import snapshots, writing
from broadsheet.markets.models import CorporateAction, Instrument, MarketDay, Price, Snapshot

pytestmark = pytest.mark.django_db
START = date(2025, 6, 2)
_WRITTEN = [field.attname for field in Snapshot._meta.concrete_fields]


def test_step_by_step_is_the_same_as_at_once():
    walk = Random(5)
    shares = Instrument.objects.bulk_create(
        [Instrument(code=f"s{n}", kind="equity", name=f"S{n}", exchange="NSE", symbol=f"S{n}") for n in range(6)]
    )
    days = [START + timedelta(days=n) for n in range(430) if (START + timedelta(days=n)).weekday() < 5]
    told = [(1, 290, "split", 2, 1, 0, "confirmed"), (2, 280, "rights", 1, 3, 300_000, "confirmed"),
            (3, 295, "bonus", 1, 1, 0, "proposed"), (0, 150, "bonus", 1, 1, 0, "confirmed")]  # fmt: skip
    for n, place, kind, new, old, amount, status in told:
        CorporateAction.objects.create(
            instrument=shares[n], ex_day=days[place], kind=kind, new=new, old=old, amount=amount, status=status
        )
    closes = {share.pk: 1_000_000 for share in shares}
    history: list[Price] = []
    for place, day in enumerate(days):
        prices = []
        for number, share in enumerate(shares):
            if (number == 4 and place % 3) or (number == 5 and place < 280):
                continue  # one that trades rarely, one that came later
            before = closes[share.pk]
            closes[share.pk] = close = max(500, int(before * (1 + walk.gauss(0, 0.02))))
            prices.append(
                Price(
                    instrument=share, day=day, close=close, high=close + 2_000, low=close - 300, open=close,
                    prev_close=before if place else None, volume=5,
                )
            )  # fmt: skip
        MarketDay.objects.create(exchange="NSE", day=day)
        if place < 275:
            history += prices
            continue
        if place == 275:
            Price.objects.bulk_create(history)
            snapshots.refresh([share.pk for share in shares])
        Price.objects.bulk_create(prices)
        writing.follow_up(prices)
        if place in (275, 280, 281, 290, 296, len(days) - 1):
            stepped = list(Snapshot.objects.order_by("pk").values(*_WRITTEN))
            assert len(stepped) == (6 if place >= 280 else 5)
            snapshots.refresh([share.pk for share in shares])
            assert list(Snapshot.objects.order_by("pk").values(*_WRITTEN)) == stepped


def test_older_prices_mark_and_the_next_look_computes():
    share = Instrument.objects.create(code="s", kind="equity", name="S", exchange="NSE", symbol="S")
    today = Price.objects.create(instrument=share, day=date(2026, 11, 20), close=200)
    writing.follow_up([today])
    assert Snapshot.objects.get().return_1w is None
    older = Price.objects.create(instrument=share, day=date(2026, 11, 13), close=100)
    writing.follow_up([older])
    assert Snapshot.objects.get().stale
    assert snapshots.refresh_stale() == 1
    snapshot = Snapshot.objects.get()
    assert (snapshot.return_1w, snapshot.stale, snapshot.change_bp) == (10_000, False, 10_000)

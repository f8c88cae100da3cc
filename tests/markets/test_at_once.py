"""Several processes find the same file: it is taken in once."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from tests.django_up import kept_database  # noqa: F401
from tests.markets.lists import udiff, udiff_name, udiff_row

from broadsheet.markets.actions import imports
from broadsheet.markets.models import Instrument, MarketDay, Price, PriceImport

NOW = datetime(2026, 10, 16, 14, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_one_file_in_several_hands_is_one_import():
    day = date(2026, 10, 12)
    rows = udiff(*(udiff_row(day, f"S{n}", "10", "10", number=n) for n in range(60)))
    found: list[str] = []
    ready = threading.Barrier(4)

    def take() -> None:
        ready.wait()
        try:
            found.extend(
                r.status for r in imports.take_file(name=udiff_name(day), data=rows, now=NOW, came_by="folder")
            )
        except Exception as error:  # noqa: BLE001 - to be seen below
            found.append(repr(error))
        finally:
            connection.close()

    hands = [threading.Thread(target=take) for _ in range(4)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert sorted(found) == ["done", "duplicate", "duplicate", "duplicate"]
    assert (Price.objects.count(), Instrument.objects.count(), PriceImport.objects.count()) == (60, 60, 1)
    assert MarketDay.objects.count() == 1

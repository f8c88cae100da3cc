"""The demo's prices: plenty, consistent, marked as generated, and put in quickly."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from broadsheet.demo import markets as demo
from broadsheet.markets import queries
from broadsheet.markets.models import Instrument, Price

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)


def test_the_demo_has_five_years_of_prices_that_say_what_they_are():
    demo.furnish(NOW)
    assert queries.works()
    assert not Instrument.objects.filter(generated=False).exists()
    aldex = queries.quote("alx-aldex-40")
    assert (aldex.close, aldex.change, aldex.day.isoformat()) == (248_160_000, 2_940_000, "2026-11-20")
    closes = [bar.close for bar in queries.series("alx-aldex-40").bars]
    assert max(closes) == closes[-1]  # the lead story's record
    crown = queries.quote("crninr")
    assert (crown.close, crown.change) == (713_200, -2_700)
    assert queries.quote("alx-sagarika").close == 13_880_000
    assert all(quote.returns_bp["5y"] is not None for quote in queries.movers(5).gainers)
    split = queries.series("alx-tidewater")
    jumps = [abs(b.close / a.close - 1) for a, b in zip(split.bars, split.bars[1:], strict=False)]
    assert max(jumps) < 0.2
    assert any(action.kind == "split" for action in split.actions)
    rows = Price.objects.count()
    demo.furnish(NOW)
    assert Price.objects.count() == rows
    assert not Price.objects.filter(high__lt=0).exists()
    for low, high, close in Price.objects.filter(low__isnull=False).values_list("low", "high", "close")[:5000]:
        assert low <= close <= high

"""Price files with the faults they really have: everything is in, or held with its reason, and the counts add up."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime

import pytest

from broadsheet.markets.actions import imports
from broadsheet.markets.models import CorporateAction, HeldRow, Holiday, Instrument, MarketDay, Price, PriceImport, SymbolChange
from broadsheet.markets.queries import quote
from tests.markets.lists import isin, old, old_row, udiff, udiff_name, udiff_row

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)
MON, TUE, WED, THU, FRI, SAT = (date(2026, 11, day) for day in range(16, 22))


def take(name: str, data: bytes, **said):
    [report] = imports.take_file(name=name, data=data, now=NOW, came_by="command", **said)
    counted = report.rows_new + report.rows_changed + report.rows_same + report.rows_held + report.rows_skipped
    assert counted == report.rows_read
    return report


def day_list(day: date, *rows: str, **said):
    return take(udiff_name(day), udiff(*rows), **said)


def test_a_list_is_taken_in_exactly():
    report = day_list(
        MON,
        udiff_row(MON, "TIDE", "1234.55", "1200.00", open_="1201.05", high="1250.00", low="1199.95", volume=54_321),
    )
    assert (report.status, report.layout, report.exchange, report.day) == ("done", "udiff", "NSE", MON)
    assert (report.rows_read, report.rows_new, report.rows_held) == (1, 1, 0)
    price = Price.objects.get(instrument__code="nse-tide")
    assert (price.open, price.high, price.low, price.close) == (12_010_500, 12_500_000, 11_999_500, 12_345_500)
    assert (price.prev_close, price.volume, price.value_minor, price.trades) == (12_000_000, 54_321, 543_210_050, 12)
    quoted = quote("nse-tide")
    assert (quoted.name, quoted.isin, quoted.change, quoted.change_bp) == ("TIDE LTD", isin(1), 345_500, 288)
    day = MarketDay.objects.get()
    assert (day.exchange, day.day, day.advances, day.declines) == ("NSE", MON, 1, 0)

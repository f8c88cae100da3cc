import itertools
from datetime import date

import pytest

from broadsheet.payments import rules

STATUSES = ("pending", "processing", "succeeded", "failed")
MOVES = {
    ("pending", "processing"),
    ("pending", "succeeded"),
    ("pending", "failed"),
    ("processing", "succeeded"),
    ("processing", "failed"),
    ("failed", "succeeded"),
}


@pytest.mark.parametrize(("old", "new"), list(itertools.product(STATUSES, STATUSES)))
def test_every_move_of_an_attempt(old, new):
    assert rules.may_move(old, new) is ((old, new) in MOVES)


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (date(2027, 3, 31), "26-27"),
        (date(2027, 4, 1), "27-28"),
        (date(2026, 12, 31), "26-27"),
        (date(2099, 4, 1), "99-00"),
    ],
)
def test_the_fiscal_year_begins_in_april(day, year):
    assert rules.fiscal_year(day) == year


def test_an_invoice_number_fits_the_law():
    assert rules.document_number("BS", "26-27", 123) == "BS/26-27/000123"
    assert len(rules.document_number("BS", "26-27", rules.SERIES_HOLDS)) == 16
    for ordinal in (0, rules.SERIES_HOLDS + 1):
        with pytest.raises(ValueError, match="from 1 to"):
            rules.document_number("BS", "26-27", ordinal)

"""XIRR against another library, and where there is no answer."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import pyxirr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from broadsheet.markets.xirr import xirr

START = date(2020, 1, 1)
payments = st.lists(st.tuples(st.integers(0, 3650), st.integers(1, 10**9)), min_size=1, max_size=12)


@given(bought=payments, worth=st.integers(1, 10**10), held=st.integers(1, 2000))
@settings(max_examples=80, deadline=None)
def test_agrees_with_another_library_on_what_is_bought_and_held(bought, worth, held):
    end = max(day for day, _ in bought) + held
    flows = [(START + timedelta(days=day), -amount) for day, amount in bought]
    flows.append((START + timedelta(days=end), worth))
    ours, theirs = xirr(flows), pyxirr.xirr(flows)
    if ours is None:
        # Beyond a loss of 99.99 % or a gain of 100,000,000 % a year no honest figure can be given.
        assert theirs is None or theirs < -0.999 or theirs > 1e5
        return
    if theirs is not None:  # it gives up now and then; that ours is a root is shown below
        assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-7)


@given(flows=st.lists(st.tuples(st.integers(0, 3650), st.integers(-(10**8), 10**8)), min_size=2, max_size=10))
@settings(max_examples=80, deadline=None)
def test_whatever_it_says_is_a_root(flows):
    dated = [(START + timedelta(days=day), amount) for day, amount in flows]
    rate = xirr(dated)
    assume(rate is not None)
    first = min(day for day, _ in dated)
    parts = [amount / (1 + rate) ** ((day - first).days / 365) for day, amount in dated]
    assert abs(sum(parts)) <= 1e-6 * max(abs(part) for part in parts)


def test_by_hand():
    year = START + timedelta(days=365)
    assert xirr([(START, -1000), (year, 1100)]) == pytest.approx(0.10)
    assert xirr([(START, -1000), (year, 1000)]) == pytest.approx(0.0, abs=1e-12)
    assert xirr([(START, -1000), (year, 10)]) == pytest.approx(-0.99)
    assert xirr([(START, -1000), (START + timedelta(days=1), 1010)]) == pytest.approx(1.01**365 - 1)


@pytest.mark.parametrize(
    "flows",
    [
        [],
        [(START, -1)],
        [(START, -5), (START, 6)],  # on one day there is no rate
        [(START, -5), (START + timedelta(days=9), -6)],
        [(START, 0), (START + timedelta(days=9), 0)],
        # Two rates explain it, 10 % and 20 %: neither is the answer.
        [(START, -1000), (START + timedelta(days=365), 2300), (START + timedelta(days=730), -1320)],
        [(START, -1), (START + timedelta(days=1), 10**15)],
    ],
)
def test_no_single_rate_is_said_to_be_none(flows):
    assert xirr(flows) is None

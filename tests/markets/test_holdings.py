"""Portfolios: lots first in, first out, through splits, with fees and dividends; to the paisa."""

from __future__ import annotations

from datetime import date

import pyxirr
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.markets import holdings
from broadsheet.markets.values import Action, Deal, Quote

TODAY = date(2026, 11, 20)


def a_quote(close: int | None = 120, change: int = 2, currency: str = "INR") -> Quote:
    scaled = None if close is None else close * 10_000
    return Quote(
        "tide", "Tidewater", "equity", "NSE", "TIDE", currency, 2, day=TODAY, close=scaled, change=change * 10_000
    )


def deal(kind: str, day: date, units: int, price: int, fee: int = 0) -> Deal:
    return Deal(kind, day, units * 10_000, price * 10_000, fee)


def held(deals, actions=(), quote=None):
    return holdings.portfolio([(quote or a_quote(), deals, actions)], today=TODAY, currency="INR")


def test_first_in_first_out_with_fees_to_the_paisa():
    found = held([
        deal("buy", date(2024, 1, 2), 10, 100, fee=1_000),
        deal("buy", date(2025, 1, 2), 10, 110, fee=500),
        deal("sell", date(2026, 1, 2), 15, 130, fee=700),
    ])  # fmt: skip
    [holding] = found.holdings
    assert holding.units == 50_000
    assert (holding.lots[0].day, holding.lots[0].cost_minor) == (date(2025, 1, 2), 55_250)
    # 15 x 130 - 7 received; 1,000 + 10 and half of 1,100 + 5 spent on what was sold.
    assert holding.realised_minor == 195_000 - 700 - 101_000 - 55_250
    assert (holding.value_minor, holding.unrealised_minor, holding.day_change_minor) == (60_000, 4_750, 1_000)
    assert (found.invested_minor, found.value_minor, found.realised_minor) == (55_250, 60_000, holding.realised_minor)
    flows = [
        (date(2024, 1, 2), -1010.0), (date(2025, 1, 2), -1105.0), (date(2026, 1, 2), 1943.0), (TODAY, 600.0),
    ]  # fmt: skip
    assert abs(found.xirr_bp - pyxirr.xirr(flows) * 10_000) <= 0.5


def test_splits_and_bonuses_change_units_and_not_cost():
    actions = (Action(date(2025, 6, 2), "split", 5, 1), Action(date(2025, 7, 2), "bonus", 1, 2))
    found = held([deal("buy", date(2025, 1, 2), 7, 500), deal("sell", date(2025, 8, 1), 3, 90)], actions)
    [holding] = found.holdings
    assert holding.units == 495_000  # 7 x 5 x 1.5 - 3
    assert holding.invested_minor == 350_000 - holdings.half_up(holdings.Fraction(350_000 * 3 * 2, 105))
    bought_on_the_day = held([deal("buy", date(2025, 6, 2), 5, 100)], actions[:1])
    assert bought_on_the_day.holdings[0].units == 50_000  # who buys on the ex-day buys split shares


def test_dividends_count_and_rights_are_only_what_the_reader_bought():
    actions = (Action(date(2025, 3, 2), "rights", 1, 4, 500_000),)
    found = held([deal("buy", date(2025, 1, 2), 8, 100), deal("dividend", date(2025, 5, 2), 8, 3)], actions)
    assert (found.holdings[0].units, found.dividends_minor) == (80_000, 2_400)


def test_what_cannot_be_is_named_and_left_out():
    found = held([deal("sell", date(2025, 1, 2), 5, 100), deal("buy", date(2025, 2, 2), 5, 100)])
    assert found.holdings[0].units == 50_000
    assert "more than was held" in found.problems[0]
    assert held([deal("buy", date(2025, 1, 2), 1, 1)], quote=a_quote(None)).problems == (
        "Tidewater has no price yet and is not part of the totals.",
    )
    dollars = held([deal("buy", date(2025, 1, 2), 1, 1)], quote=a_quote(currency="USD"))
    assert (dollars.value_minor, len(dollars.holdings), len(dollars.problems)) == (0, 1, 1)


def test_what_is_sold_is_closed_and_an_empty_portfolio_is_one():
    found = held([deal("buy", date(2025, 1, 2), 5, 100), deal("sell", date(2025, 7, 2), 5, 130)])
    assert (found.holdings, len(found.closed), found.realised_minor, found.value_minor) == ((), 1, 15_000, 0)
    empty = holdings.portfolio([], today=TODAY, currency="INR")
    assert (empty.value_minor, empty.xirr_bp, empty.day) == (0, None, None)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["buy", "sell"]), st.integers(0, 900), st.integers(1, 10**9), st.integers(1, 10**9),
            st.integers(0, 10**6),
        ),
        max_size=15,
    )
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_money_is_neither_made_nor_lost(rows):
    deals = [Deal(kind, date.fromordinal(738_000 + day), units, price, fee) for kind, day, units, price, fee in rows]
    found = holdings.portfolio([(a_quote(), deals, ())], today=TODAY, currency="INR")
    follower = holdings.follow((a_quote(), deals, ()), TODAY)
    assert found.invested_minor >= 0
    assert all(lot.units > 0 for each in found.holdings for lot in each.lots)
    # What was paid in is either still invested or came back with its profit or loss.
    assert sum(amount for _, amount in follower.flows) == follower.realised - found.invested_minor

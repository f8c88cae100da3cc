"""Adjusted prices, returns and the year's range, by hand and by property."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.markets import rules
from broadsheet.markets.values import Action, Bar

MON = date(2026, 11, 16)


def bars(*closes: int, start: date = MON) -> list[Bar]:
    return [Bar(start + timedelta(days=n), close * 10_000, volume=100) for n, close in enumerate(closes)]


def shown(*done, closes=(1000, 200, 210), total=False):
    return [bar.close / 10_000 for bar in rules.adjusted(bars(*closes), done, total_return=total)]


def test_each_kind_of_action_by_hand():
    day = MON + timedelta(days=1)
    assert shown(Action(day, "split", 5, 1)) == [200, 200, 210]
    assert shown(Action(day, "bonus", 1, 1), closes=(1000, 500, 510)) == [500, 500, 510]
    assert shown(Action(day, "bonus", 1, 2), closes=(900, 600, 610)) == [600, 600, 610]
    # One new for four held at 800 when the share stood at 1,000: (4 x 1,000 + 800) / 5 = 960.
    assert shown(Action(day, "rights", 1, 4, 800 * 10_000), closes=(1000, 960, 970)) == [960, 960, 970]
    assert shown(Action(day, "dividend", amount=50 * 10_000), closes=(1000, 950, 960)) == [1000, 950, 960]
    assert shown(Action(day, "dividend", amount=50 * 10_000), closes=(1000, 950, 960), total=True) == [950, 950, 960]
    assert shown(Action(day, "split", 1, 10), closes=(10, 100, 101)) == [100, 100, 101]


def test_actions_add_up_whatever_their_order_and_day():
    split, bonus = Action(MON + timedelta(days=1), "split", 5, 1), Action(MON + timedelta(days=2), "bonus", 1, 1)
    assert shown(split, bonus, closes=(1000, 200, 100)) == [100, 100, 100]
    assert shown(bonus, split, closes=(1000, 200, 100)) == [100, 100, 100]
    both = Action(MON + timedelta(days=1), "bonus", 1, 1)
    assert shown(split, both, closes=(1000, 100, 101)) == [100, 100, 101]
    # An ex-day on a holiday takes effect on the next day with a price; one before or after the bars does nothing.
    assert shown(Action(MON - timedelta(days=3), "split", 5, 1)) == [1000, 200, 210]
    assert shown(Action(MON + timedelta(days=9), "split", 5, 1)) == [1000, 200, 210]


def test_an_action_that_makes_no_sense_changes_nothing():
    day = MON + timedelta(days=1)
    for wrong in (Action(day, "split", 0, 1), Action(day, "rights", 1, 1, 5_000 * 10_000), Action(day, "unknown", 5, 1),
                  Action(day, "dividend", amount=2_000 * 10_000)):  # fmt: skip
        assert shown(wrong, total=True) == [1000, 200, 210]


def test_volume_goes_the_other_way():
    adjusted = rules.adjusted(bars(1000, 200), [Action(MON + timedelta(days=1), "split", 5, 1)])
    assert [bar.volume for bar in adjusted] == [500, 100]


@given(
    closes=st.lists(st.integers(1, 10**9), min_size=2, max_size=30),
    steps=st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["split", "bonus"]), st.integers(1, 20), st.integers(1, 20)), max_size=6),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_adjusted_prices_are_the_exact_product_to_a_digit(closes, steps):
    days = [Bar(MON + timedelta(days=n), close) for n, close in enumerate(closes)]
    actions = [Action(MON + timedelta(days=n), kind, new, old) for n, kind, new, old in steps]
    for before, after in zip(days, rules.adjusted(days, actions), strict=True):
        exact = Fraction(before.close)
        for action in actions:
            if before.day < action.ex_day <= days[-1].day:
                exact *= rules.factor(action, 1)
        assert after.close == max(1, rules.half_up(exact)) or abs(after.close - exact) < 1
    assert rules.adjusted(days, actions)[-1] == days[-1]


def test_returns_are_measured_from_the_last_close_before_the_span():
    last = date(2026, 11, 20)
    some = [
        Bar(date(2021, 11, 19), 500_000), Bar(date(2023, 11, 17), 800_000), Bar(date(2025, 11, 20), 1_000_000),
        Bar(date(2025, 12, 31), 1_100_000), Bar(date(2026, 5, 20), 1_050_000), Bar(date(2026, 8, 19), 1_200_000),
        Bar(date(2026, 10, 19), 1_250_000), Bar(date(2026, 11, 13), 1_240_000), Bar(date(2026, 11, 19), 1_230_000),
        Bar(last, 1_260_000),
    ]  # fmt: skip
    returns = rules.returns_bp(some)
    assert returns == {
        "1d": 244, "1w": 161, "1m": 80, "3m": 500, "6m": 2_000, "ytd": 1_455, "1y": 2_600, "3y": 5_750, "5y": 15_200,
    }  # fmt: skip
    assert rules.per_year_bp(15_200, 5) == 2_030  # 2.52 ** 0.2 = 1.2030


def test_a_share_too_young_or_away_too_long_has_no_return():
    young = rules.returns_bp(bars(10, 11))
    assert (young["1d"], young["1w"], young["1y"]) == (1_000, None, None)
    away = [Bar(date(2025, 10, 1), 10), Bar(date(2026, 11, 20), 20)]
    assert rules.returns_bp(away)["1y"] is None
    assert rules.returns_bp([]) == dict.fromkeys(rules.SPANS)


def test_the_year_reaches_52_weeks_and_no_further():
    last = date(2026, 11, 20)
    days = [Bar(last - timedelta(days=364), 999), Bar(last - timedelta(days=363), 50, high=60, low=40), Bar(last, 55)]
    found = rules.year_range(days)
    assert (found.high, found.high_day, found.low) == (60, days[1].day, 40)


def test_halves_go_away_from_zero():
    assert [rules.half_up(Fraction(n, 2)) for n in (-3, -1, 0, 1, 3)] == [-2, -1, 0, 1, 2]
    assert rules.change_bp(995, 1000) == -50
    assert rules.change_bp(5, 0) is None

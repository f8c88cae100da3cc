"""The words on a plan card."""

import pytest

from broadsheet.subscriptions import cards


def offer(code="q", months=3, amount=90_000, benefits=(("unlimited", "All the news"), ("epaper", "The e-paper"))):
    return cards.Offer(code, code.upper(), months, amount, "INR", benefits)


@pytest.mark.parametrize(
    ("amount", "months", "per_month"),
    [
        (90_000, 3, "₹300/month"),
        (270_000, 12, "₹225/month"),
        (390_000, 24, "₹162/month"),
        (129_900, 2, "₹649/month"),
        (199_900, 12, "₹166/month"),
    ],
)
def test_the_price_of_a_month_is_floored(amount, months, per_month):
    card = cards.plan_card(offer(months=months, amount=amount), language="en", products=(), best_value=False)
    assert card.per_month == per_month


def test_a_card_names_only_what_works_here():
    card = cards.plan_card(offer(), language="en", products=("unlimited", "premium"), best_value=True)
    assert card == cards.PlanCard("q", "Q", "₹900", "3 months", "₹300/month", "/subscribe/q/", True, ("All the news",))


def test_a_hindi_card():
    card = cards.plan_card(offer(months=12, amount=270_000), language="hi", products=(), best_value=False)
    assert (card.price, card.period, card.per_month) == ("₹2,700", "12 महीने", "₹225/माह")


def test_one_month_is_said_in_the_singular():
    assert cards.period_words(1, "en") == "1 month"
    assert cards.period_words(1, "ta") == "1 month"


def test_best_value_is_the_one_cheapest_by_the_month():
    three = [offer("q", 3, 90_000), offer("y", 12, 270_000), offer("b", 24, 390_000)]
    assert cards.best_value(three) == "b"
    assert cards.best_value(three[:1]) is None
    assert cards.best_value([]) is None
    # ₹162.50 and ₹162.50: the floored prices would not even show the tie
    assert cards.best_value([offer("b", 24, 390_000), offer("y", 12, 195_000)]) is None
    # floored to the same ₹162, yet one is cheaper
    assert cards.best_value([offer("b", 24, 390_000), offer("y", 12, 194_900)]) == "y"

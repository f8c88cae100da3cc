"""The pure rules: every pair of status and event, the calendar over any anchor, the words on a plan card."""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.dates import local_date
from broadsheet.subscriptions import rules

ALLOWED = {
    ("incomplete", "paid"): "active",
    ("incomplete", "checkout_expired"): "incomplete_expired",
    ("incomplete", "checkout_replaced"): "incomplete_expired",
    ("incomplete_expired", "paid"): "active",
    ("active", "paid"): "active",
    ("active", "charge_failed"): "past_due",
    ("active", "period_over"): "canceled",
    ("active", "term_over"): "expired",
    ("past_due", "paid"): "active",
    ("past_due", "charge_failed"): "past_due",
    ("past_due", "dunning_over"): "canceled",
    ("past_due", "cancel_now"): "canceled",
    ("past_due", "period_over"): "canceled",
}
EVERY_PAIR = list(itertools.product(get_args(rules.Status), get_args(rules.Event)))


@pytest.mark.parametrize(("status", "event"), EVERY_PAIR)
def test_every_pair_of_status_and_event(status, event):
    if (status, event) in ALLOWED:
        assert rules.next_status(status, event) == ALLOWED[status, event]
    else:
        with pytest.raises(rules.RefusedError) as refusal:
            rules.next_status(status, event)
        assert refusal.value.reason == f"{event}_from_{status}"


@pytest.mark.parametrize("status", ["canceled", "expired"])
def test_what_has_ended_is_never_opened_again(status):
    assert [pair for pair in rules.TRANSITIONS if pair[0] == status] == []


def walk(anchor: date, months: int, count: int) -> list[date]:
    """The renewal dates of a subscription whose every charge succeeds on its day."""
    schedule = rules.first_period(anchor, months, 1)
    dates = []
    for _ in range(count):
        dates.append(schedule.end)
        schedule = rules.following_period(schedule, months, schedule.end)
    return dates


def test_monthly_from_the_last_of_december():
    assert walk(date(2022, 12, 31), 1, 15) == [
        date(2023, 1, 31), date(2023, 2, 28), date(2023, 3, 31), date(2023, 4, 30), date(2023, 5, 31),
        date(2023, 6, 30), date(2023, 7, 31), date(2023, 8, 31), date(2023, 9, 30), date(2023, 10, 31),
        date(2023, 11, 30), date(2023, 12, 31), date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31),
    ]  # fmt: skip


def test_yearly_from_the_last_of_january_renews_once_a_year():
    assert walk(date(2024, 1, 31), 12, 2) == [date(2025, 1, 31), date(2026, 1, 31)]


def test_yearly_from_a_leap_day():
    assert walk(date(2024, 2, 29), 12, 4) == [
        date(2025, 2, 28),
        date(2026, 2, 28),
        date(2027, 2, 28),
        date(2028, 2, 29),
    ]


def test_quarterly_from_the_30th_of_november():
    assert walk(date(2026, 11, 30), 3, 5) == [
        date(2027, 2, 28), date(2027, 5, 30), date(2027, 8, 30), date(2027, 11, 30), date(2028, 2, 29),
    ]  # fmt: skip


def test_two_years_from_a_leap_day():
    assert walk(date(2024, 2, 29), 24, 2) == [date(2026, 2, 28), date(2028, 2, 29)]


def test_a_purchase_late_in_the_utc_day_is_anchored_on_the_local_day():
    anchor = local_date(datetime(2027, 1, 31, 20, 0, tzinfo=UTC), ZoneInfo("Asia/Kolkata"))
    assert anchor == date(2027, 2, 1)
    assert walk(anchor, 1, 1) == [date(2027, 3, 1)]


days = st.dates(min_value=date(2020, 1, 1), max_value=date(2080, 12, 31))
terms = st.sampled_from([1, 2, 3, 6, 12, 24])


@given(anchor=days, months=terms, late=st.lists(st.integers(0, rules.GRACE_DAYS - 1), min_size=1, max_size=30))
def test_periods_meet_and_never_drift_however_late_they_are_paid_within_grace(anchor, months, late):
    schedule = rules.first_period(anchor, months, 1)
    for delay in late:
        following = rules.following_period(schedule, months, schedule.end + timedelta(days=delay))
        assert following.start == schedule.end
        assert following.end > following.start
        assert following.end == rules.boundary(anchor, months, following.index)
        assert following.end.day == anchor.day or (following.end + timedelta(days=1)).day == 1
        assert following.anchor == anchor
        schedule = following


@given(anchor=days, months=terms, late=st.integers(rules.GRACE_DAYS, 400))
def test_paid_after_grace_the_period_begins_on_the_day_of_the_payment(anchor, months, late):
    schedule = rules.first_period(anchor, months, 1)
    paid_on = schedule.end + timedelta(days=late)
    following = rules.following_period(schedule, months, paid_on)
    assert (following.anchor, following.start, following.index) == (paid_on, paid_on, 2)
    assert following.end == rules.boundary(paid_on, months, 1)
    again = rules.following_period(following, months, following.end)
    assert (again.start, again.end) == (following.end, rules.boundary(paid_on, months, 2))


@given(anchor=days, months=terms)
def test_whoever_cancels_reads_to_the_end_of_the_period_and_no_longer(anchor, months):
    end = rules.boundary(anchor, months, 1)
    assert rules.access_until(end, cancelled=True) == end
    assert rules.access_until(end, cancelled=False) == end + timedelta(days=7)


def test_dunning_tries_on_days_0_3_7_14_and_ends_on_day_21():
    first = date(2027, 3, 1)
    assert [rules.next_attempt(first, failures) for failures in (1, 2, 3, 4)] == [
        date(2027, 3, 4), date(2027, 3, 8), date(2027, 3, 15), date(2027, 3, 22),
    ]  # fmt: skip
    assert rules.grace_end(first) == date(2027, 3, 8)
    assert not rules.is_dunning_over(first, date(2027, 3, 21))
    assert rules.is_dunning_over(first, date(2027, 3, 22))


def offer(code="q", months=3, amount=90_000, benefits=(("unlimited", "All the news"), ("epaper", "The e-paper"))):
    return rules.Offer(code, code.upper(), months, amount, "INR", benefits)


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
    card = rules.plan_card(offer(months=months, amount=amount), language="en", products=(), best_value=False)
    assert card.per_month == per_month


def test_a_card_names_only_what_works_here():
    card = rules.plan_card(offer(), language="en", products=("unlimited", "premium"), best_value=True)
    assert card == rules.PlanCard("q", "Q", "₹900", "3 months", "₹300/month", "/subscribe/q/", True, ("All the news",))


def test_a_hindi_card():
    card = rules.plan_card(offer(months=12, amount=270_000), language="hi", products=(), best_value=False)
    assert (card.price, card.period, card.per_month) == ("₹2,700", "12 महीने", "₹225/माह")


def test_one_month_is_said_in_the_singular():
    assert rules.period_words(1, "en") == "1 month"
    assert rules.period_words(1, "ta") == "1 month"


def test_best_value_is_the_one_cheapest_by_the_month():
    three = [offer("q", 3, 90_000), offer("y", 12, 270_000), offer("b", 24, 390_000)]
    assert rules.best_value(three) == "b"
    assert rules.best_value(three[:1]) is None
    assert rules.best_value([]) is None
    # ₹162.50 and ₹162.50: the floored prices would not even show the tie
    assert rules.best_value([offer("b", 24, 390_000), offer("y", 12, 195_000)]) is None
    # floored to the same ₹162, yet one is cheaper
    assert rules.best_value([offer("b", 24, 390_000), offer("y", 12, 194_900)]) == "y"


@pytest.mark.parametrize(
    "text", ["{{price}}", "Only {% price %}", "${price}", "[[benefit]]", "Price TBD", "Lorem ipsum dolor", "<% x %>"]
)
def test_an_unrendered_text_is_noticed(text):
    assert rules.looks_unrendered(text)


@pytest.mark.parametrize("text", ["Two-Year", "Every story {almost}", "Save 30%", "₹900 [3 months]", "Todos los días"])
def test_an_honest_text_passes(text):
    assert not rules.looks_unrendered(text)

"""The pure rules: every pair of status and event, the calendar over any anchor, what is late."""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.dates import local_date
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.policies import Policies

ALLOWED = {
    ("incomplete", "trial_started"): "trialing",
    ("incomplete", "given"): "active",
    ("incomplete", "paid"): "active",
    ("incomplete", "checkout_expired"): "incomplete_expired",
    ("incomplete", "checkout_replaced"): "incomplete_expired",
    ("incomplete_expired", "paid"): "active",
    ("trialing", "paid"): "active",
    ("trialing", "unpaid"): "past_due",
    ("trialing", "trial_over"): "canceled",
    ("trialing", "cancel_now"): "canceled",
    ("active", "paid"): "active",
    ("active", "unpaid"): "past_due",
    ("active", "grace_over"): "suspended",
    ("active", "period_over"): "canceled",
    ("active", "term_over"): "expired",
    ("active", "cancel_now"): "canceled",
    ("active", "paused"): "paused",
    ("active", "dispute_opened"): "suspended",
    ("active", "dispute_lost"): "canceled",
    ("past_due", "paid"): "active",
    ("past_due", "unpaid"): "past_due",
    ("past_due", "grace_over"): "suspended",
    ("past_due", "dunning_over"): "canceled",
    ("past_due", "cancel_now"): "canceled",
    ("past_due", "period_over"): "canceled",
    ("past_due", "dispute_opened"): "suspended",
    ("past_due", "dispute_lost"): "canceled",
    ("suspended", "paid"): "active",
    ("suspended", "unpaid"): "suspended",
    ("suspended", "dunning_over"): "canceled",
    ("suspended", "cancel_now"): "canceled",
    ("suspended", "period_over"): "canceled",
    ("suspended", "term_over"): "expired",
    ("suspended", "dispute_opened"): "suspended",
    ("suspended", "dispute_won"): "active",
    ("suspended", "dispute_lost"): "canceled",
    ("paused", "resumed"): "active",
    ("paused", "cancel_now"): "canceled",
    ("paused", "dispute_opened"): "suspended",
    ("paused", "dispute_lost"): "canceled",
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
        schedule = rules.following_period(schedule, months)
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


POLICIES = Policies()


def paid(schedule, months, paid_on, status):
    return rules.paid_period(schedule, months, paid_on=paid_on, status=status, first=False)


@given(anchor=days, months=terms, late=st.lists(st.integers(0, 6), min_size=1, max_size=30))
def test_periods_meet_and_never_drift_however_late_they_are_paid_within_grace(anchor, months, late):
    schedule = rules.first_period(anchor, months, 1)
    for delay in late:
        following = paid(schedule, months, schedule.end + timedelta(days=delay), "past_due")
        assert following.start == schedule.end
        assert following.end > following.start
        assert following.end == rules.boundary(anchor, months, following.index)
        assert following.end.day == anchor.day or (following.end + timedelta(days=1)).day == 1
        assert following.anchor == anchor
        schedule = following


@given(anchor=days, months=terms, late=st.integers(7, 400))
def test_paid_after_access_had_ended_the_period_begins_on_the_day_of_the_payment(anchor, months, late):
    schedule = rules.first_period(anchor, months, 1)
    paid_on = schedule.end + timedelta(days=late)
    following = paid(schedule, months, paid_on, "suspended")
    assert (following.anchor, following.start, following.index) == (paid_on, paid_on, 2)
    assert following.end == rules.boundary(paid_on, months, 1)
    again = rules.following_period(following, months)
    assert (again.start, again.end) == (following.end, rules.boundary(paid_on, months, 2))


@given(anchor=days, months=terms, days=st.integers(1, 366))
def test_days_of_a_pause_are_given_back_and_counted_from(anchor, months, days):
    schedule = rules.after_pause(rules.first_period(anchor, months, 1), days)
    assert schedule.end == rules.boundary(anchor, months, 1) + timedelta(days=days)
    assert (schedule.index, schedule.start) == (1, anchor)
    following = rules.following_period(schedule, months)
    assert (following.index, following.start) == (2, schedule.end)
    assert following.end == rules.boundary(schedule.end, months, 1)


def test_dunning_tries_on_days_0_3_7_14_and_ends_on_day_21():
    due = date(2027, 3, 1)
    walked, day = [due], due
    while (day := rules.next_attempt(due, day, POLICIES)) is not None:
        walked.append(day)
    assert walked == [date(2027, 3, 1), date(2027, 3, 4), date(2027, 3, 8), date(2027, 3, 15)]
    assert rules.access_ends(due, POLICIES) == date(2027, 3, 8)
    assert rules.dunning_ends(due, POLICIES) == date(2027, 3, 22)
    assert not rules.changes_blocked(due, date(2028, 1, 1), POLICIES)


def test_days_of_the_plan_that_nobody_worked_on_are_not_made_up_for():
    assert rules.next_attempt(date(2027, 3, 1), date(2027, 3, 9), POLICIES) == date(2027, 3, 15)
    assert rules.next_attempt(date(2027, 3, 1), date(2027, 3, 15), POLICIES) is None


def test_stages_of_an_unpaid_invoice_take_the_place_of_grace():
    due = date(2012, 5, 31)
    stages = Policies(dunning_days=(0, 8, 16, 24), overdue_stages=((30, "changes"), (40, "access"), (50, "cancel")))
    assert rules.next_attempt(due, due, stages) == date(2012, 6, 8)
    assert not rules.changes_blocked(due, date(2012, 6, 29), stages)
    assert rules.changes_blocked(due, date(2012, 6, 30), stages)
    assert rules.access_ends(due, stages) == date(2012, 7, 10)
    assert rules.dunning_ends(due, stages) == date(2012, 7, 20)
    assert rules.dunning_ends(due, Policies(overdue_stages=((30, "changes"), (40, "access")))) is None


@pytest.mark.parametrize(
    ("amount", "currency", "mandate", "till", "may"),
    [
        (1_500_000, "INR", None, None, True),
        (1_500_001, "INR", None, None, False),
        (1_500_001, "EUR", None, None, True),
        (300_000, "INR", 300_000, None, True),
        (330_000, "INR", 300_000, None, False),
        (330_000, "INR", 400_000, 300_000, False),
    ],
)
def test_nothing_is_debited_above_what_the_law_the_reader_and_the_till_allow(amount, currency, mandate, till, may):
    got = rules.may_debit(amount, currency, mandate_max_minor=mandate, till_max_minor=till, policies=POLICIES)
    assert got is may


@pytest.mark.parametrize(
    "text", ["{{price}}", "Only {% price %}", "${price}", "[[benefit]]", "Price TBD", "Lorem ipsum dolor", "<% x %>"]
)
def test_an_unrendered_text_is_noticed(text):
    assert rules.looks_unrendered(text)


@pytest.mark.parametrize("text", ["Two-Year", "Every story {almost}", "Save 30%", "₹900 [3 months]", "Todos los días"])
def test_an_honest_text_passes(text):
    assert not rules.looks_unrendered(text)

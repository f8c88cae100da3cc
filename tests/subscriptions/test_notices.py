"""Words ahead of time: to the day, once, never about what is not true any more, and before every debit."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from broadsheet.payments.adapters import ChargeResult, registry
from broadsheet.payments.adapters.manual import ManualTill
from broadsheet.payments.adapters.sandbox import SandboxTill
from broadsheet.payments.models import Invoice, Mandate, Payment
from broadsheet.subscriptions import actions
from broadsheet.subscriptions.actions import notices
from broadsheet.subscriptions.models import Coupon, Notice, Price, Subscription
from tests.subscriptions.make_subscriptions import ZONE, at, buy, card_declines, plan, press, reader

pytestmark = pytest.mark.django_db
DAY = at("2027-01-10 09:00")


def advance(now: datetime, to: str) -> tuple[list[actions.Happened], datetime]:
    """The clock moves on, and the jobs run at every instant at which something falls due."""
    happened, last = actions.run_due(now=now), at(to)
    while (due := actions.next_due(now)) is not None and due <= last:
        now = due
        happened += actions.run_due(now=now)
    return happened, last


def told(happened: list[actions.Happened]) -> list[tuple[str, str]]:
    """(kind, local instant) of each word that went."""
    return [
        (event.facts["kind"], f"{event.at.astimezone(ZONE):%Y-%m-%d %H:%M}")
        for event in happened
        if event.kind == "notice"
    ]


def walked(to: str, now: datetime = DAY) -> list[tuple[str, str]]:
    return told(advance(now, to)[0])


def bought(months: int = 1, amount: int = 30_000, **more: object) -> Subscription:
    plan("m", months=months, amount=amount, **more)
    return buy(reader(), DAY, "m")


def trial(days: int, **more: object) -> Subscription:
    plan("t", months=1, amount=30_000, trial_days=days)
    checkout = actions.start_checkout(reader_id=reader(), plan_code="t", now=DAY, **more)
    if checkout.url:
        press(checkout, DAY)
        actions.complete_checkout(subscription_id=checkout.subscription_id, now=DAY)
    return Subscription.objects.get(pk=checkout.subscription_id)


# When


def test_a_monthly_renewal_is_told_of_a_week_and_three_days_before():
    bought()
    assert walked("2027-03-11 00:00") == [
        ("renewal_soon", "2027-02-03 00:00"),
        ("pre_debit", "2027-02-07 00:00"),
        ("renewal_soon", "2027-03-03 00:00"),
        ("pre_debit", "2027-03-07 00:00"),
    ]


def test_a_year_of_a_monthly_plan():
    bought()
    happened = walked("2028-01-10 23:00")
    kinds = [kind for kind, _ in happened]
    assert (kinds.count("renewal_soon"), kinds.count("pre_debit"), len(kinds)) == (12, 12, 25)
    assert happened[-1] == ("yearly_statement", "2028-01-10 09:00")
    assert Payment.objects.filter(status="succeeded").count() == 13


def test_a_renewal_of_a_year_is_told_of_a_month_before_too():
    bought(months=12, amount=270_000)
    assert walked("2028-01-11 00:00") == [
        ("renewal_early", "2027-12-11 00:00"),
        ("renewal_soon", "2028-01-03 00:00"),
        ("pre_debit", "2028-01-07 00:00"),
        ("yearly_statement", "2028-01-10 09:00"),
    ]


def test_a_statement_comes_every_year_of_a_term_of_two():
    bought(months=24, amount=390_000)
    happened = walked("2030-01-12 00:00")
    assert [when for kind, when in happened if kind == "yearly_statement"] == [
        "2028-01-10 09:00",
        "2029-01-10 09:00",
        "2030-01-10 09:00",
    ]


def test_a_trials_end_is_told_of_a_week_before():
    trial(10)
    assert walked("2027-01-20 09:00") == [("trial_ending", "2027-01-13 00:00"), ("pre_debit", "2027-01-17 09:00")]


def test_the_end_of_a_short_trial_is_told_of_at_once():
    trial(5)
    assert walked("2027-01-15 09:00") == [("trial_ending", "2027-01-10 09:01"), ("pre_debit", "2027-01-12 09:00")]


def test_a_trial_without_a_method_ends_with_an_offer_to_go_on():
    row = trial(10, collection="send_invoice")
    happened, _ = advance(DAY, "2027-02-20 00:00")
    assert told(happened) == [("trial_ending", "2027-01-13 00:00"), ("resume_offer", "2027-01-20 09:00")]
    row.refresh_from_db()
    assert row.status == "canceled"
    assert Payment.objects.count() == 0


def test_a_gift_and_a_comp_tell_that_they_end():
    plan("y", months=12, amount=270_000)
    giver, given = reader("giver@example.org"), reader("given@example.org")
    gift, key, _ = actions.buy_gift(giver_id=giver, plan_code="y", to_email="given@example.org", now=DAY)
    actions.record_result(key=key, result=ChargeResult("succeeded", "x", at=DAY), now=DAY)
    actions.redeem_gift(reader_id=given, token=gift.token, now=DAY)
    actions.comp(
        reader_id=giver, plan_code="y", until=date(2027, 2, 10), actor="desk:1", reason="a friend", now=DAY
    )  # fmt: skip
    assert walked("2028-02-01 00:00") == [
        ("term_ending", "2027-02-03 00:00"),
        ("term_ending", "2027-12-11 00:00"),
    ]


# Another price, a mandate that is too small


def test_another_price_is_told_of_thirty_days_before_the_first_renewal_at_it():
    row = bought()
    actions.set_price(
        plan_code="m", amount_minor=35_000, new_from=date(2027, 2, 1), existing_from=date(2027, 4, 1)
    )  # fmt: skip
    assert actions.plan_again(plan_id=row.plan_id, after=0, now=DAY) is None
    happened, _ = advance(DAY, "2027-04-11 00:00")
    (change,) = [event for event in happened if event.facts.get("kind") == "price_change"]
    assert f"{change.at.astimezone(ZONE):%Y-%m-%d %H:%M}" == "2027-03-11 00:00"
    assert (change.facts["on"], change.facts["amount_minor"]) == ("2027-04-10", 35_000)
    assert Notice.objects.get(kind="price_change").facts["old_minor"] == 30_000
    assert [bill.total_minor for bill in Invoice.objects.order_by("id")] == [30_000, 30_000, 30_000, 35_000]


def test_a_new_price_of_a_year_takes_the_place_of_the_early_word():
    row = bought(months=12, amount=270_000)
    actions.set_price(
        plan_code="m", amount_minor=330_000, new_from=date(2027, 6, 1), existing_from=date(2027, 6, 1)
    )  # fmt: skip
    actions.plan_again(plan_id=row.plan_id, after=0, now=at("2027-05-01 09:00"))
    assert walked("2028-01-09 00:00", at("2027-05-01 09:00")) == [
        ("price_change", "2027-12-11 00:00"),
        ("renewal_soon", "2028-01-03 00:00"),
        ("pre_debit", "2028-01-07 00:00"),
    ]


def test_a_price_that_is_taken_back_is_not_told_of():
    row = bought()
    price = actions.set_price(
        plan_code="m", amount_minor=35_000, new_from=date(2027, 2, 1), existing_from=date(2027, 4, 1)
    )  # fmt: skip
    actions.plan_again(plan_id=row.plan_id, after=0, now=DAY)
    Price.objects.filter(pk=price.pk).delete()
    assert "price_change" not in [kind for kind, _ in walked("2027-04-11 00:00")]


def test_a_mandate_that_is_too_small_is_asked_for_anew_and_nothing_is_debited_by_the_old_one():
    row = bought(months=12, amount=270_000)
    Mandate.objects.update(max_minor=300_000)
    actions.set_price(
        plan_code="m", amount_minor=330_000, new_from=date(2027, 6, 1), existing_from=date(2027, 6, 1)
    )  # fmt: skip
    actions.plan_again(plan_id=row.plan_id, after=0, now=at("2027-05-01 09:00"))
    happened, _ = advance(at("2027-05-01 09:00"), "2028-01-10 00:00")
    assert told(happened) == [
        ("mandate_needed", "2027-12-11 00:00"),
        ("renewal_soon", "2028-01-03 00:00"),
        ("pay_link", "2028-01-10 00:00"),
    ]
    facts = Notice.objects.get(kind="mandate_needed").facts
    assert (facts["old_minor"], facts["total_minor"], facts["max_minor"]) == (270_000, 330_000, 300_000)
    assert Notice.objects.get(kind="renewal_soon", sent_at__isnull=False).facts["by"] == "link"
    assert Payment.objects.count() == 1


def test_a_new_mandate_answers_the_question():
    row = bought(months=12, amount=270_000)
    Mandate.objects.update(max_minor=200_000)
    actions.plan_again(plan_id=row.plan_id, after=0, now=DAY)
    assert Notice.objects.filter(kind="mandate_needed", dropped_at=None).count() == 1
    page = actions.start_mandate(subscription_id=row.pk, rail="upi", max_minor=400_000, now=DAY)
    assert page.mandate_id is not None
    press(actions.Checkout(row.pk, page.key, page.url), DAY)
    actions.complete_mandate(subscription_id=row.pk, mandate_id=page.mandate_id, actor="reader:1", now=DAY)
    assert [kind for kind, _ in walked("2028-01-10 01:00")] == ["renewal_early", "renewal_soon", "pre_debit"]
    assert Payment.objects.filter(status="succeeded").count() == 2


# What is not true any more is not told


def test_nothing_is_told_of_what_was_cancelled_and_all_of_it_when_that_is_taken_back():
    row = bought()
    actions.cancel(subscription_id=row.pk, actor="reader:1", now=at("2027-01-12 09:00"))
    assert walked("2027-02-01 00:00") == []
    assert not Notice.objects.filter(sent_at=None, dropped_at=None).exists()
    actions.uncancel(
        subscription_id=row.pk, actor="reader:1", now=at("2027-02-01 09:00"), mandate_id=row.mandate_id
    )  # fmt: skip
    assert walked("2027-02-09 00:00", at("2027-02-01 09:00")) == [
        ("renewal_soon", "2027-02-03 00:00"),
        ("pre_debit", "2027-02-07 00:00"),
    ]


def test_a_pause_moves_what_is_told():
    row = bought()
    actions.pause(subscription_id=row.pk, days=20, actor="reader:1", now=at("2027-01-15 09:00"))
    happened, _ = advance(at("2027-01-15 09:00"), "2027-03-02 01:00")
    assert told(happened) == [("renewal_soon", "2027-02-23 00:00"), ("pre_debit", "2027-02-27 00:00")]
    assert Payment.objects.filter(status="succeeded").count() == 2


def test_a_late_scheduler_sends_no_word_about_a_debit_that_has_passed():
    bought()
    happened, _ = advance(DAY, "2027-02-01 00:00")
    assert told(happened) == []
    # Nobody was there from 1 to 12 February: the renewal comes late, its words not at all.
    late = actions.run_due(now=at("2027-02-12 09:00"))
    assert told(late) == []
    assert [event.kind for event in late][:3] == ["invoice_finalised", "charge", "payment"]
    assert Notice.objects.filter(dropped_at__isnull=False).count() == 2
    assert walked("2027-03-08 00:00", at("2027-02-12 09:00")) == [
        ("renewal_soon", "2027-03-03 00:00"),
        ("pre_debit", "2027-03-07 00:00"),
    ]


def test_a_word_that_is_late_and_still_true_is_sent():
    bought()
    assert told(actions.run_due(now=at("2027-02-05 09:00"))) == [("renewal_soon", "2027-02-05 09:00")]


def test_the_amount_is_that_of_the_hour_it_is_sent():
    row = bought()
    actions.give_credit(
        reader_id=row.reader_id, subscription_id=row.pk, amount_minor=10_000, currency="INR", actor="desk:1", now=DAY
    )
    happened, _ = advance(DAY, "2027-02-11 00:00")
    soon = next(event.facts for event in happened if event.facts.get("kind") == "renewal_soon")
    assert (soon["amount_minor"], soon["on"]) == (20_000, "2027-02-10")
    assert Payment.objects.order_by("-id")[0].amount_minor == 20_000


def test_what_credit_will_pay_is_not_announced_as_a_debit():
    row = bought()
    actions.give_credit(
        reader_id=row.reader_id, subscription_id=row.pk, amount_minor=30_000, currency="INR", actor="desk:1", now=DAY
    )
    assert walked("2027-02-11 00:00") == [("renewal_soon", "2027-02-03 00:00")]


def test_above_the_limit_of_debits_no_debit_is_announced():
    bought(months=12, amount=2_700_000)
    assert walked("2028-01-10 01:00") == [
        ("renewal_early", "2027-12-11 00:00"),
        ("renewal_soon", "2028-01-03 00:00"),
        ("pay_link", "2028-01-10 00:00"),
    ]


def test_a_plan_chosen_for_the_next_period_is_what_is_told_of():
    plan("q", months=3, amount=20_000)
    row = bought()
    actions.change_plan(subscription_id=row.pk, plan_code="q", when="period_end", actor="reader:1", now=DAY)
    happened, _ = advance(DAY, "2027-02-08 00:00")
    debit = Notice.objects.get(kind="pre_debit", sent_at__isnull=False)
    assert (debit.facts["amount_minor"], debit.facts["plan"]) == (20_000, "Q")
    assert "price_change" not in [kind for kind, _ in told(happened)]


def test_a_discount_that_ends_is_told_of_with_the_whole_price():
    plan("m", months=1, amount=30_000)
    Coupon.objects.create(code="HALF", percent_bp=5000, duration="once")
    checkout = actions.start_checkout(reader_id=reader(), plan_code="m", coupon="HALF", now=DAY)
    press(checkout, DAY)
    actions.complete_checkout(subscription_id=checkout.subscription_id, now=DAY)
    happened, _ = advance(DAY, "2027-02-04 00:00")
    assert [event.facts["amount_minor"] for event in happened if event.kind == "notice"] == [30_000]
    assert Payment.objects.get().amount_minor == 15_000


def test_running_again_sends_nothing_again():
    bought()
    advance(DAY, "2027-02-02 00:00")
    now = at("2027-02-03 00:00")
    assert len(told(actions.run_due(now=now))) == 1
    assert actions.run_due(now=now) == []
    assert notices.send_due(now=now + timedelta(hours=5)) == []


def test_one_that_fails_waits_and_the_others_go(monkeypatch):
    row = bought()
    other = buy(reader("ravi@example.org"), DAY, "m")
    real = notices.facts_of

    def facts_of(subscription, wanted, now):
        if subscription.pk == row.pk and now < at("2027-02-03 00:10"):
            raise RuntimeError("the disk is full")
        return real(subscription, wanted, now)

    monkeypatch.setattr(notices, "facts_of", facts_of)
    first = actions.run_due(now=at("2027-02-03 00:00"))
    assert [event.subscription_id for event in first if event.kind == "notice"] == [other.pk]
    assert told(actions.run_due(now=at("2027-02-03 00:15"))) == [("renewal_soon", "2027-02-03 00:15")]


# What it costs


def test_nothing_due_is_one_look(django_assert_num_queries):
    bought()
    with django_assert_num_queries(1):
        notices.send_due(now=DAY)


def test_planning_costs_the_same_after_years(django_assert_max_num_queries):
    row = bought()
    advance(DAY, "2029-01-11 00:00")
    row = Subscription.objects.select_related("plan").get(pk=row.pk)
    with django_assert_max_num_queries(4):
        notices.plan(row, at("2029-01-12 00:00"))


# A bank that wants to be told


@pytest.fixture
def strict(monkeypatch):
    """A till that makes no debit of which its bank was not told 36 hours before."""
    till = SandboxTill(needs_notice=True)
    monkeypatch.setattr(registry, "providers", lambda: {"sandbox": till, "manual": ManualTill()})
    return till


def charges() -> list[tuple[str, str]]:
    rows = Payment.objects.filter(kind="renewal").order_by("id")
    return [(row.status, f"{row.created_at.astimezone(ZONE):%Y-%m-%d %H:%M}") for row in rows]


def test_a_debit_is_made_on_its_day_when_the_bank_was_told_in_time(strict):
    bought()
    walked("2027-02-11 00:00")
    assert charges() == [("succeeded", "2027-02-10 00:00")]
    sent = Notice.objects.get(kind="pre_debit", sent_at__isnull=False)
    assert sent.facts["notice_ref"].startswith("notice_")
    assert sent.facts["told_at"] == "2027-02-06T18:30:00+00:00"
    assert Payment.objects.get(kind="renewal").notice_sent_at == at("2027-02-07 00:00")


def test_a_debit_waits_when_nobody_was_there_to_tell_the_bank(strict):
    row = bought()
    late = at("2027-02-10 08:00")
    happened, _ = advance(late, "2027-02-15 00:00")
    told_at = at("2027-02-10 08:01")
    needed = strict.capabilities.min_notice
    assert told(happened) == [("pre_debit", "2027-02-10 08:01")]
    assert charges() == [("succeeded", f"{told_at + needed:%Y-%m-%d %H:%M}")]
    row.refresh_from_db()
    # The date of the renewal does not move for that.
    assert (row.period_start, row.period_end) == (date(2027, 2, 10), date(2027, 3, 10))
    assert Invoice.objects.count() == 2


def test_another_amount_is_announced_anew(strict):
    row = bought()
    _, now = advance(DAY, "2027-02-08 00:00")
    actions.give_credit(
        reader_id=row.reader_id, subscription_id=row.pk, amount_minor=10_000, currency="INR", actor="desk:1", now=now
    )
    advance(now, "2027-02-15 00:00")
    amounts = [sent.facts["amount_minor"] for sent in Notice.objects.filter(kind="pre_debit", sent_at__isnull=False)]
    assert amounts == [30_000, 20_000]
    (payment,) = Payment.objects.filter(kind="renewal")
    assert (payment.status, payment.amount_minor) == ("succeeded", 20_000)


def test_each_try_of_dunning_is_announced(strict):
    bought()
    _, now = advance(DAY, "2027-02-08 00:00")
    card_declines(yes=True)
    _, now = advance(now, "2027-02-12 00:00")
    card_declines(yes=False)
    advance(now, "2027-02-20 00:00")
    assert charges() == [("failed", "2027-02-10 00:00"), ("succeeded", "2027-02-13 00:00")]
    assert Notice.objects.filter(kind="pre_debit", sent_at__isnull=False, facts__has_key="told_at").count() == 2

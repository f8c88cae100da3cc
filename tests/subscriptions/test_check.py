"""`billing check`: silent over healthy lives, and loud about every rule that somebody broke in the tables."""

import random
from contextlib import suppress
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from broadsheet.access.models import Grant
from broadsheet.payments import actions as payments
from broadsheet.payments.adapters import registry, sandbox
from broadsheet.payments.adapters.sandbox import SandboxTill
from broadsheet.payments.models import Invoice, Mandate, Payment
from broadsheet.subscriptions import actions, check
from broadsheet.subscriptions.models import ConsentRecord, Segment, Subscription, SubscriptionEvent
from broadsheet.subscriptions.rules import RefusedError
from tests.subscriptions import make_subscriptions as make
from tests.subscriptions.desk_line import Line

START = make.at("2027-01-10 09:00")
NOW = make.at("2027-05-01 12:00")  # the second quarter runs


def found(now=NOW):
    return sorted({(v.invariant, v.subscription) for v in check.violations(now=now)}, key=str)


@pytest.fixture
def renewed(db):
    """A quarter, renewed once: healthy."""
    make.plan()
    sub = make.buy(make.reader(), START)
    make.walk(START, NOW)
    sub.refresh_from_db()
    assert found() == []
    return sub


def own(sub):
    return Subscription.objects.filter(pk=sub.pk)


def drop_constraint(name):
    """What no code of ours can write, somebody with the database's own tools can."""
    connection.check_constraints()  # PostgreSQL alters no table whose rows still wait to be checked
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {name}")


# --- plants: one broken rule each ---


def test_two_live_subscriptions_of_one_reader(renewed):
    drop_constraint("subscriptions_one_live_per_reader")
    actions.comp(
        reader_id=make.reader("b@example.org"), plan_code="q", until=date(2028, 1, 1), actor="x", reason="y", now=NOW
    )
    Subscription.objects.filter(origin="comp").update(reader_id=renewed.reader_id)
    Grant.objects.update(reader_id=renewed.reader_id)
    SubscriptionEvent.objects.update(reader_id=renewed.reader_id)
    assert found() == [("one_live_per_reader", None)]


def test_a_period_billed_twice(renewed):
    drop_constraint("payments_invoice_once_per_period")
    Invoice.objects.filter(period_index=2).update(period_index=1)
    assert ("one_invoice_a_period", renewed.pk) in found()


def test_two_debits_of_one_mandate(renewed):
    drop_constraint("payments_one_open_debit_per_mandate")
    drop_constraint("payments_one_open_attempt")
    Payment.objects.update(status="pending", mandate=renewed.mandate_id)
    assert ("one_open_debit_a_mandate", None) in found()


def test_a_gap_between_periods(renewed):
    segment = Segment.objects.order_by("start").last()
    Segment.objects.filter(pk=segment.pk).update(start=segment.start + timedelta(days=3))
    assert found() == [("periods_without_gaps", renewed.pk)]


def test_days_paid_twice(renewed):
    segment = Segment.objects.order_by("start").last()
    Segment.objects.filter(pk=segment.pk).update(start=segment.start - timedelta(days=3))
    assert found() == [("no_day_is_paid_twice", renewed.pk)]


def test_a_period_that_ends_later_than_what_was_paid(renewed):
    segment = Segment.objects.order_by("start").last()
    Segment.objects.filter(pk=segment.pk).update(end=segment.end - timedelta(days=3))
    assert found() == [("periods_without_gaps", renewed.pk)]


def test_a_period_that_drifted_from_its_anchor(renewed):
    own(renewed).update(anchor=renewed.anchor - timedelta(days=1))
    assert found() == [("periods_from_the_anchor", renewed.pk)]


def test_a_status_nobody_told_of(renewed):
    own(renewed).update(
        cancel_at_period_end=False, status="paused", pause_until=date(2027, 6, 1), due_at=make.at("2027-06-01 00:00")
    )
    Grant.objects.update(ends_at=START)
    assert found() == [("every_change_is_told", renewed.pk)]


def test_a_transition_that_is_not_in_the_table(renewed):
    SubscriptionEvent.objects.filter(kind="status_changed").update(facts={"from": "incomplete", "to": "paused"})
    assert found() == [("every_change_is_told", renewed.pk), ("legal_transitions", renewed.pk)]


def test_an_end_that_was_taken_back(renewed):
    for old, new in (("active", "canceled"), ("canceled", "active")):
        SubscriptionEvent.objects.create(
            subscription=renewed, reader_id=renewed.reader_id, at=NOW, kind="status_changed", actor="x", reason="y",
            facts={"from": old, "to": new},
        )  # fmt: skip
    assert found() == [("terminal_stays_terminal", renewed.pk)]


def test_something_due_after_the_end(renewed):
    actions.cancel(subscription_id=renewed.pk, when="now", actor="x", now=NOW)
    assert found() == []
    own(renewed).update(due_at=NOW)
    assert found() == [("terminal_stays_terminal", renewed.pk)]


@pytest.mark.parametrize("field", ["actor", "reason"])
def test_a_change_without_who_or_why(renewed, field):
    SubscriptionEvent.objects.filter(kind="status_changed").update(**{field: ""})
    assert found() == [("events_say_who_and_why", renewed.pk)]


def test_access_beyond_grace(renewed):
    Grant.objects.filter(product="premium").update(ends_at=make.at("2027-07-17 00:00:01"))
    assert found() == [("access_never_outlives", renewed.pk)]
    Grant.objects.filter(product="premium").update(ends_at=make.at("2027-07-17 00:00"))
    assert found() == []
    Grant.objects.filter(product="premium").update(ends_at=None)
    assert found() == [("access_never_outlives", renewed.pk)]


def test_access_after_the_end(renewed):
    actions.cancel(subscription_id=renewed.pk, when="now", actor="x", now=NOW)
    Grant.objects.filter(product="premium").update(ends_at=NOW + timedelta(hours=1))
    assert found() == [("access_never_outlives", renewed.pk)]


def test_who_paid_and_may_not_read(renewed):
    Grant.objects.filter(product="premium").update(ends_at=START)
    assert found() == [("who_paid_may_read", renewed.pk)]
    Grant.objects.filter(product="premium").delete()
    assert found() == [("who_paid_may_read", renewed.pk)]


def test_access_to_what_the_plan_lacks(renewed):
    Grant.objects.filter(product="premium").update(product="archive")
    assert found() == [("access_is_of_the_plan", renewed.pk), ("who_paid_may_read", renewed.pk)]


def test_access_of_somebody_else(renewed):
    Grant.objects.filter(product="premium").update(reader_id=make.reader("b@example.org"))
    assert found() == [("access_is_the_readers", renewed.pk)]


def test_access_by_no_subscription(renewed):
    Grant.objects.create(
        reader_id=renewed.reader_id, product="premium", starts_at=START, ends_at=None, source="subscription:999"
    )
    assert found() == [("access_is_by_a_subscription", None)]


def test_a_debit_by_another_readers_mandate(renewed):
    Mandate.objects.update(reader_id=make.reader("b@example.org"))
    assert found() == [("debits_have_a_mandate", renewed.pk)]


def test_a_debit_nobody_consented_to(renewed):
    Mandate.objects.update(created_at=START - timedelta(days=1))
    assert found() == [("debits_have_consent", renewed.pk)]
    ConsentRecord.objects.create(
        reader_id=renewed.reader_id, subscription=renewed, kind="renewal", text="Yes.", at=START
    )
    assert found() == []


def test_a_debit_above_the_mandates_limit(renewed):
    Mandate.objects.update(max_minor=89_999)
    assert found() == [("debits_within_their_limit", renewed.pk)]


def test_a_debit_the_bank_was_not_told_of(renewed, monkeypatch):
    strict = SandboxTill(needs_notice=True)
    monkeypatch.setattr(registry, "providers", lambda: {"sandbox": strict})
    assert found() == [("debits_have_a_notice", renewed.pk)]
    renewal = Payment.objects.get(kind="renewal")
    Payment.objects.filter(pk=renewal.pk).update(notice_sent_at=renewal.settled_at - timedelta(hours=23))
    assert found() == [("debits_have_a_notice", renewed.pk)]
    Payment.objects.filter(pk=renewal.pk).update(notice_sent_at=renewal.settled_at - timedelta(hours=24))
    assert found() == []


def test_money_that_bought_nothing(renewed):
    Segment.objects.order_by("start").last().delete()
    assert ("paid_has_its_effect", renewed.pk) in found()


def test_a_live_one_that_nobody_will_look_at_again(renewed):
    own(renewed).update(due_at=None)
    assert found() == [("live_ones_fall_due", renewed.pk)]
    own(renewed).update(due_at=make.at("2027-07-11 00:00"))
    assert found() == [("live_ones_fall_due", renewed.pk)]


def test_the_money_side_is_looked_at_too(renewed):
    Payment.objects.filter(kind="renewal").update(refunded_minor=5)
    assert found() == [("refunds_are_counted", None)]


def test_the_command_prints_each_and_says_so(renewed, capsys, monkeypatch):
    line = Line(capsys)
    from broadsheet import clock

    monkeypatch.setattr(clock, "now", lambda: NOW)
    assert line("check") == []
    assert line.status == 0
    own(renewed).update(due_at=None)
    assert line("check") == [
        {
            "invariant": "live_ones_fall_due", "subscription": renewed.pk,
            "facts": {"status": "active", "due_at": None, "expected": "2027-07-10T00:00:00+05:30"},
        }
    ]  # fmt: skip
    assert (line.status, "1 rules are broken" in line.err) == (1, True)


# --- healthy lives ---


def deed(luck, sub, reader, now):
    """Something somebody does to a subscription; what the rules refuse is refused."""
    who = {"actor": "reader", "now": now}
    on = {"subscription_id": sub.pk, **who}
    back, odd = luck.choice(["none", "unused", "credit"]), ["decline", "hard_decline", "opt_out", "timeout", "late_ok"]
    deeds = (
        lambda: actions.change_plan(plan_code=luck.choice("qym"), **on),
        lambda: actions.change_plan(plan_code=luck.choice("qym"), when="period_end", **on),
        lambda: actions.pause(days=luck.randint(1, 40), **on),
        lambda: actions.resume(**on),
        lambda: actions.cancel(**on),
        lambda: actions.cancel(when="now", refund=back, **on),
        lambda: actions.uncancel(**on),
        lambda: actions.extend(days=luck.randint(1, 20), reason="sorry", **on),
        lambda: actions.set_quantity(quantity=luck.randint(1, 4), **on),
        lambda: actions.refund_payment(amount_minor=luck.randint(1, 50_000), adjust=luck.random() < 0.7, **on),
        lambda: actions.give_credit(reader_id=reader, amount_minor=luck.randint(1, 20_000), currency="INR", **on),
        lambda: actions.chargeback(subscription_id=sub.pk, result=luck.choice(["opened", "won", "lost"]), now=now),
        lambda: actions.pay(amount_minor=luck.choice([None, 10_000, 200_000]), **on),
        lambda: sandbox.script([luck.choice(odd)]),
        lambda: sandbox.script([luck.choice(odd)] * 3),
        lambda: actions.retry(**on),
        lambda: make.buy(reader, now, luck.choice("qym")),
        lambda: make.buy(reader, now, luck.choice("qym")),
    )
    luck.choice(deeds)()


@pytest.mark.parametrize("seed", range(6))
def test_a_healthy_life_has_nothing_to_tell(db, seed):
    luck = random.Random(seed)
    make.plan("q", 3, 90_000, max_quantity=5)
    make.plan("y", 12, 270_000, trial_days=luck.choice([0, 14]), max_quantity=5)
    make.plan("m", 1, 30_000, max_quantity=5)
    reader, now = make.reader(), make.at("2027-01-31 09:00")
    sub, did = make.buy(reader, now, luck.choice("qym")), []
    for _ in range(14):
        then = now + timedelta(days=luck.randint(0, 45), hours=luck.randint(0, 12))
        make.walk(now, then)
        now = then
        actions.run_due(now=now)
        sub = Subscription.objects.filter(reader_id=reader).order_by("-id").first()
        with suppress(RefusedError):
            deed(luck, sub, reader, now)
        did = [(v.invariant, v.subscription, v.facts) for v in check.violations(now=now)]
        assert did == [], (seed, now)


def test_gifts_comps_and_dead_checkouts_are_healthy(db):
    make.plan()
    giver, friend = make.reader("g@example.org"), make.reader("f@example.org")
    _, key, _ = actions.buy_gift(giver_id=giver, plan_code="q", to_email="f@example.org", now=START)
    url = payments.open_checkout(key=key, return_url="/", now=START)
    sandbox.decide(token=url.removeprefix("/till/").removesuffix("/"), pay=True, now=START)
    actions.run_due(now=START + timedelta(hours=1))
    actions.redeem_gift(reader_id=friend, now=START + timedelta(hours=2))
    make.start(make.reader("late@example.org"), START)
    make.walk(START, START + timedelta(days=120))
    assert found(START + timedelta(days=120)) == []
    assert set(Subscription.objects.values_list("status", flat=True)) == {"expired", "incomplete_expired"}


def test_a_thousand_cost_the_same_statements_as_one(renewed):
    def statements():
        with CaptureQueriesContext(connection) as seen:
            assert found() == []
        return len(seen)

    alone = statements()
    for number in range(30):
        actions.comp(
            reader_id=make.reader(f"c{number}@example.org"), plan_code="q", until=date(2028, 1, 1), actor="x", reason="y",
            now=NOW,
        )  # fmt: skip
    assert statements() == alone

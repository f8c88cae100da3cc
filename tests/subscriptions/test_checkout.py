from datetime import date, timedelta

import pytest

from broadsheet.bus.actions import run_due_jobs
from broadsheet.payments.actions import apply_payment_result
from broadsheet.payments.adapters import ChargeResult, MandateSeen, sandbox
from broadsheet.payments.models import CreditNote, Invoice, Payment, Refund, SandboxCharge
from broadsheet.subscriptions import actions
from broadsheet.subscriptions.actions import checkout as checkout_actions
from broadsheet.subscriptions.models import Subscription, SubscriptionEvent
from broadsheet.subscriptions.rules import RefusedError
from tests.subscriptions import make_subscriptions as make

pytestmark = pytest.mark.django_db
MORNING = make.at("2027-01-10 09:00")


def test_paying_opens_the_subscription_and_the_stories_at_once():
    make.plan()
    asha = make.reader()
    checkout = make.start(asha, MORNING, next_path="/india/a-story-1")
    assert not make.may_read(asha, MORNING)
    make.press(checkout, MORNING)
    assert actions.complete_checkout(subscription_id=checkout.subscription_id, now=MORNING) == "paid"
    row = Subscription.objects.get()
    assert (row.status, row.anchor, row.period_index) == ("active", date(2027, 1, 10), 1)
    assert (row.period_start, row.period_end) == (date(2027, 1, 10), date(2027, 4, 10))
    assert row.mandate.status == "active"
    assert make.may_read(asha, MORNING)
    bill = Invoice.objects.get()
    assert (bill.number, bill.status, bill.total_minor) == ("BS/26-27/000001", "paid", 90_000)
    assert (bill.period_start, bill.period_end, bill.paid_at) == (date(2027, 1, 10), date(2027, 4, 10), MORNING)
    assert [line.amount_minor for line in bill.lines.all()] == [90_000]


def test_the_till_leads_back_with_the_story_to_read():
    make.plan()
    checkout = make.start(make.reader(), MORNING, next_path="/india/a-story-1")
    page = sandbox.till_page(make.token(checkout))
    assert page.return_url == f"/subscribe/thanks/{checkout.subscription_id}/?next=%2Findia%2Fa-story-1"


def test_pressing_twice_opens_one_of_everything():
    make.plan()
    asha = make.reader()
    first = make.start(asha, MORNING)
    assert make.start(asha, MORNING + timedelta(seconds=1)) == first
    counts = [model.objects.count() for model in (Subscription, Invoice, Payment, SandboxCharge)]
    assert counts == [1, 1, 1, 1]


def test_pay_pressed_twice_and_returning_twice_charges_once():
    make.plan()
    asha = make.reader()
    checkout = make.start(asha, MORNING)
    make.press(checkout, MORNING)
    make.press(checkout, MORNING, pay=False)
    for _ in range(3):
        assert actions.complete_checkout(subscription_id=checkout.subscription_id, now=MORNING) == "paid"
    run_due_jobs()
    assert SandboxCharge.objects.filter(status="succeeded").count() == 1
    assert Subscription.objects.get().period_index == 1
    assert SubscriptionEvent.objects.filter(kind="payment").count() == 1


def test_a_decline_gives_nothing_and_a_second_try_succeeds():
    make.plan()
    asha = make.reader()
    first = make.start(asha, MORNING)
    make.press(first, MORNING, pay=False)
    assert actions.complete_checkout(subscription_id=first.subscription_id, now=MORNING) == "declined"
    assert Subscription.objects.get().status == "incomplete"
    assert Invoice.objects.get().status == "open"
    assert not make.may_read(asha, MORNING)
    second = make.start(asha, MORNING)
    assert second.subscription_id == first.subscription_id
    assert (first.key, second.key) == (f"checkout:{first.subscription_id}:1", f"checkout:{first.subscription_id}:2")
    make.press(second, MORNING)
    assert actions.complete_checkout(subscription_id=second.subscription_id, now=MORNING) == "paid"
    assert list(Payment.objects.order_by("id").values_list("status", flat=True)) == ["failed", "succeeded"]
    assert Invoice.objects.get().status == "paid"
    assert make.may_read(asha, MORNING)


def test_nobody_has_decided_yet():
    make.plan()
    checkout = make.start(make.reader(), MORNING)
    assert actions.complete_checkout(subscription_id=checkout.subscription_id, now=MORNING) == "open"
    assert Subscription.objects.get().status == "incomplete"


def test_a_reader_who_pays_and_never_returns_is_found():
    make.plan()
    asha = make.reader()
    checkout = make.start(asha, MORNING)
    make.press(checkout, MORNING)
    assert checkout_actions.collect_checkouts(now=MORNING + timedelta(minutes=9)) == []
    kinds = [event.kind for event in checkout_actions.collect_checkouts(now=MORNING + timedelta(minutes=11))]
    assert kinds == ["charge", "payment", "status_changed", "grant", "grant"]
    assert make.may_read(asha, MORNING + timedelta(minutes=11))


def test_the_period_begins_on_the_day_of_the_payment():
    make.plan()
    checkout = make.start(make.reader(), make.at("2027-01-10 23:50"))
    make.press(checkout, make.at("2027-01-11 00:05"))
    actions.complete_checkout(subscription_id=checkout.subscription_id, now=make.at("2027-01-11 00:06"))
    row, bill = Subscription.objects.get(), Invoice.objects.get()
    assert (row.anchor, row.period_end) == (date(2027, 1, 11), date(2027, 4, 11))
    assert (bill.period_start, bill.period_end) == (date(2027, 1, 11), date(2027, 4, 11))


def test_another_plan_chosen_before_paying_closes_the_first_order():
    make.plan()
    make.plan("y", 12, 270_000)
    asha = make.reader()
    first = make.start(asha, MORNING)
    second = make.start(asha, MORNING, "y")
    assert not sandbox.till_page(make.token(first)).open
    assert sandbox.till_page(make.token(second)).open
    assert list(Subscription.objects.order_by("id").values_list("status", flat=True)) == [
        "incomplete_expired",
        "incomplete",
    ]
    assert list(Invoice.objects.order_by("id").values_list("status", flat=True)) == ["void", "open"]


def test_an_order_that_was_paid_meanwhile_is_not_replaced():
    make.plan()
    make.plan("y", 12, 270_000)
    asha = make.reader()
    first = make.start(asha, MORNING)
    make.press(first, MORNING)
    with pytest.raises(RefusedError) as refusal:
        make.start(asha, MORNING, "y")
    assert refusal.value.reason == "already_subscribed"
    assert Subscription.objects.get().status == "active"
    assert make.may_read(asha, MORNING)


def test_a_new_price_makes_a_new_order():
    make.plan()
    asha = make.reader()
    make.start(asha, MORNING)
    actions.set_price(plan_code="q", amount_minor=120_000, new_from=date(2027, 1, 10))
    checkout = make.start(asha, MORNING)
    assert sandbox.till_page(make.token(checkout)).amount_minor == 120_000


def _picture():
    return [list(model.objects.order_by("pk").values()) for model in (Subscription, Invoice, Payment, SandboxCharge)]


@pytest.mark.parametrize(
    ("code", "reason"), [("nothing", "unknown_plan"), ("old", "plan_retired"), ("q", "already_subscribed")]
)
def test_a_refused_order_changes_nothing(code, reason):
    make.plan()
    make.plan("old", retired=True)
    asha = make.reader()
    make.buy(asha, MORNING)
    before = _picture()
    with pytest.raises(RefusedError) as refusal:
        make.start(asha, MORNING, code)
    assert refusal.value.reason == reason
    assert _picture() == before


def test_after_23_hours_an_unpaid_order_is_over():
    make.plan()
    asha = make.reader()
    checkout = make.start(asha, MORNING)
    assert actions.run_due(now=MORNING + timedelta(hours=22, minutes=59)) == []
    events = actions.run_due(now=MORNING + timedelta(hours=23))
    assert [event.facts for event in events if event.kind == "status_changed"] == [
        {"from": "incomplete", "to": "incomplete_expired", "reason": "checkout_expired"}
    ]
    assert Invoice.objects.get().status == "void"
    assert not sandbox.till_page(make.token(checkout)).open
    assert actions.run_due(now=MORNING + timedelta(hours=24)) == []
    assert not make.may_read(asha, MORNING + timedelta(hours=24))


def test_money_that_lands_later_is_not_lost():
    make.plan()
    asha = make.reader()
    checkout = make.start(asha, MORNING)
    actions.run_due(now=MORNING + timedelta(hours=23))
    late = make.at("2027-01-13 12:00")
    actions.record_result(
        key=checkout.key, result=ChargeResult("succeeded", "bank_1", MandateSeen("mandate_1"), at=late), now=late
    )
    row = Subscription.objects.get()
    assert (row.status, row.anchor, row.ended_at) == ("active", date(2027, 1, 13), None)
    assert Invoice.objects.get().status == "paid"
    assert make.may_read(asha, late)


def test_late_money_of_a_reader_who_subscribed_anew_is_marked_to_be_given_back():
    make.plan()
    asha = make.reader()
    first = make.start(asha, MORNING)
    actions.run_due(now=MORNING + timedelta(hours=23))
    live = make.buy(asha, make.at("2027-01-12 09:00"))
    before = list(Subscription.objects.order_by("pk").values())
    late = make.at("2027-01-13 12:00")
    for _ in range(2):
        actions.record_result(key=first.key, result=ChargeResult("succeeded", at=late), now=late)
        run_due_jobs()
    assert list(Subscription.objects.order_by("pk").values()) == before
    refund = Refund.objects.get()
    assert (refund.payment.key, refund.amount_minor, refund.status) == (first.key, 90_000, "pending")
    assert CreditNote.objects.get().invoice == refund.payment.invoice
    assert Payment.objects.get(invoice__subject=f"subscription:{live.pk}").refunded_minor == 0
    assert SubscriptionEvent.objects.filter(kind="payment_unused").count() == 1


def test_a_payment_recorded_without_its_effect_has_it_by_the_queue():
    make.plan()
    asha = make.reader()
    checkout = make.start(asha, MORNING)
    apply_payment_result(key=checkout.key, result=ChargeResult("succeeded", at=MORNING), now=MORNING)
    assert Subscription.objects.get().status == "incomplete"
    run_due_jobs()
    assert Subscription.objects.get().status == "active"
    assert make.may_read(asha, MORNING)


def test_invoice_numbers_follow_each_other_and_begin_anew_in_april():
    make.plan()
    for number, day in enumerate(("2027-03-30 09:00", "2027-03-31 23:59", "2027-04-01 00:01", "2027-04-02 09:00")):
        make.buy(make.reader(f"r{number}@example.org"), make.at(day))
    assert list(Invoice.objects.order_by("id").values_list("number", flat=True)) == [
        "BS/26-27/000001", "BS/26-27/000002", "BS/27-28/000001", "BS/27-28/000002",
    ]  # fmt: skip


def test_every_change_of_status_is_in_the_history_with_actor_reason_and_instant():
    make.plan()
    row = make.buy(make.reader(), MORNING)
    events = SubscriptionEvent.objects.filter(subscription=row).order_by("id")
    assert [(event.kind, event.actor, event.reason, event.at) for event in events] == [
        ("subscription_created", f"reader:{row.reader_id}", "", MORNING),
        ("invoice_finalised", "system", "", MORNING),
        ("charge", "system", "", MORNING),
        ("payment", "system", "", MORNING),
        ("status_changed", "system", "paid", MORNING),
        ("grant", "system", "", MORNING),
        ("grant", "system", "", MORNING),
    ]
    with pytest.raises(TypeError, match="only added to"):
        events[0].save()
    with pytest.raises(TypeError, match="only added to"):
        events[0].delete()


def test_a_trial_whose_reader_never_comes_back_from_the_till_begins_all_the_same():
    make.plan(trial_days=10)
    asha = make.reader()
    checkout = make.start(asha, MORNING)
    make.press(checkout, MORNING)
    assert actions.run_due(now=MORNING + timedelta(minutes=9)) == []
    actions.run_due(now=MORNING + timedelta(minutes=11))
    row = Subscription.objects.get()
    assert (row.status, row.mandate.status) == ("trialing", "active")
    assert make.may_read(asha, MORNING + timedelta(minutes=11))


def test_a_trial_nobody_allowed_is_closed_after_23_hours():
    make.plan(trial_days=10)
    make.start(make.reader(), MORNING)
    for hours in (1, 5, 22):
        actions.run_due(now=MORNING + timedelta(hours=hours))
    assert Subscription.objects.get().status == "incomplete"
    actions.run_due(now=MORNING + timedelta(hours=23))
    assert Subscription.objects.get().status == "incomplete_expired"


def test_the_till_is_not_asked_every_second(monkeypatch):
    make.plan()
    make.start(make.reader(), MORNING)
    asked = []
    real = sandbox.SandboxTill.fetch
    monkeypatch.setattr(sandbox.SandboxTill, "fetch", lambda self, key, at: asked.append(at) or real(self, key, at))
    for seconds in range(700):
        actions.run_due(now=MORNING + timedelta(seconds=seconds))
    assert len(asked) == 1


def test_a_gift_nobody_paid_is_closed():
    make.plan()
    gift, key, _ = actions.buy_gift(giver_id=make.reader(), plan_code="q", to_email="ravi@example.org", now=MORNING)
    actions.run_due(now=MORNING + timedelta(hours=22))
    gift.refresh_from_db()
    assert gift.status == "open"
    actions.run_due(now=MORNING + timedelta(hours=23))
    gift.refresh_from_db()
    assert (gift.status, Invoice.objects.get().status, Payment.objects.get(key=key).status) == (
        "void",
        "void",
        "failed",
    )

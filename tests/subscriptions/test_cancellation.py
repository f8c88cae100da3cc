from datetime import date

import pytest

from broadsheet.bus.actions import run_due_jobs
from broadsheet.bus.models import Job
from broadsheet.payments.models import Invoice, Mandate, Payment, SandboxCharge, SandboxMandate
from broadsheet.subscriptions import actions
from broadsheet.subscriptions.actions.renewals import work_one
from broadsheet.subscriptions.models import Subscription, SubscriptionEvent
from broadsheet.subscriptions.rules import RefusedError
from tests.subscriptions import make_subscriptions as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def asha():
    return make.reader()


@pytest.fixture
def row(asha):
    make.plan()
    return make.buy(asha, make.at("2027-01-10 09:00"))


def cancel(row, now, reason=""):
    return actions.cancel(subscription_id=row.pk, actor=f"reader:{row.reader_id}", reason=reason, now=make.at(now))


def undo(row, now):
    return actions.uncancel(subscription_id=row.pk, actor=f"reader:{row.reader_id}", now=make.at(now))


def test_cancelled_it_is_readable_to_the_last_paid_day_and_never_charged(asha, row):
    cancel(row, "2027-02-01 10:00", "  moving abroad ")
    row.refresh_from_db()
    assert (row.status, row.cancel_at_period_end, row.cancel_reason) == ("active", True, "moving abroad")
    happened = make.walk(make.at("2027-02-02 00:10"), make.at("2027-05-02 00:10"))
    assert [(e.at.astimezone(make.ZONE).date(), e.kind, e.facts) for e in happened] == [
        (date(2027, 4, 10), "status_changed", {"from": "active", "to": "canceled", "reason": "cancelled"})
    ]
    assert make.may_read(asha, make.at("2027-04-09 23:59"))
    assert not make.may_read(asha, make.at("2027-04-10 00:00"))
    assert SandboxCharge.objects.count() == 1
    run_due_jobs()
    assert Mandate.objects.get().status == "revoked"
    assert SandboxMandate.objects.get().revoked


def test_access_ends_by_itself_even_if_no_job_runs(asha, row):
    cancel(row, "2027-02-01 10:00")
    assert make.may_read(asha, make.at("2027-04-09 23:59"))
    assert not make.may_read(asha, make.at("2027-04-10 00:00"))


def test_cancelling_twice_is_cancelling_once(row):
    cancel(row, "2027-02-01 10:00", "first")
    assert cancel(row, "2027-02-02 10:00", "second") == []
    row.refresh_from_db()
    assert (row.canceled_at, row.cancel_reason) == (make.at("2027-02-01 10:00"), "first")
    assert SubscriptionEvent.objects.filter(kind="cancellation_requested").count() == 1


def test_taken_back_it_renews_as_if_nothing_had_been_said(asha, row):
    cancel(row, "2027-02-01 10:00")
    undo(row, "2027-02-02 10:00")
    with pytest.raises(RefusedError, match="nothing_to_undo"):
        undo(row, "2027-02-02 10:01")
    make.walk(make.at("2027-04-09 00:10"), make.at("2027-04-11 00:10"))
    row.refresh_from_db()
    assert (row.status, row.period_end, row.anchor) == ("active", date(2027, 7, 10), date(2027, 1, 10))
    assert (row.canceled_at, row.cancel_reason) == (None, "")
    assert Invoice.objects.count() == 2
    assert make.may_read(asha, make.at("2027-07-10 00:00"))


def _picture():
    models = (Subscription, SubscriptionEvent, Invoice, Payment, Job)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_too_late_to_take_back(row):
    cancel(row, "2027-02-01 10:00")
    before = _picture()
    with pytest.raises(RefusedError, match="nothing_to_undo"):
        undo(row, "2027-04-10 00:00")
    assert _picture() == before


@pytest.mark.parametrize("status", ["incomplete", "incomplete_expired", "canceled", "expired"])
def test_there_is_nothing_to_cancel_or_to_take_back(row, status):
    Subscription.objects.update(status=status)
    before = _picture()
    with pytest.raises(RefusedError, match="nothing_to_cancel"):
        cancel(row, "2027-02-01 10:00")
    with pytest.raises(RefusedError, match="nothing_to_undo"):
        undo(row, "2027-02-01 10:00")
    assert _picture() == before


def test_cancelled_while_behind_with_the_payment_it_ends_at_once(asha, row):
    make.card_declines(yes=True)
    make.walk(make.at("2027-04-10 00:10"), make.at("2027-04-11 00:10"))
    assert make.may_read(asha, make.at("2027-04-11 09:00"))
    cancel(row, "2027-04-11 10:00")
    row.refresh_from_db()
    assert (row.status, row.ended_at) == ("canceled", make.at("2027-04-11 10:00"))
    assert not make.may_read(asha, make.at("2027-04-11 10:00"))
    assert Invoice.objects.get(period_index=2).status == "void"
    make.card_declines(yes=False)
    assert make.walk(make.at("2027-04-12 00:10"), make.at("2027-05-12 00:10")) == []
    assert SandboxCharge.objects.filter(status="succeeded").count() == 1


def test_cancelled_while_a_charge_is_under_way_the_charge_is_heard_of_first(asha, row, monkeypatch):
    now = make.at("2027-04-10 00:10")
    with monkeypatch.context() as patch:
        patch.setattr("broadsheet.subscriptions.actions.renewals.record_result", _die)
        with pytest.raises(SystemExit):
            work_one(subscription_id=row.pk, now=now)
    cancel(row, "2027-04-10 00:11")
    make.walk(make.at("2027-04-10 00:20"), make.at("2027-04-10 00:20"))
    row.refresh_from_db()
    assert (row.status, row.period_end, row.cancel_at_period_end) == ("active", date(2027, 7, 10), True)
    assert make.may_read(asha, make.at("2027-07-09 23:59"))
    assert not make.may_read(asha, make.at("2027-07-10 00:00"))
    make.walk(make.at("2027-07-10 00:10"), make.at("2027-07-10 00:10"))
    row.refresh_from_db()
    assert row.status == "canceled"
    assert SandboxCharge.objects.filter(key__startswith="renew:").count() == 1


def _die(**_):
    raise SystemExit


def test_coming_back_opens_a_new_subscription(asha, row):
    cancel(row, "2027-02-01 10:00")
    make.walk(make.at("2027-04-10 00:10"), make.at("2027-04-10 00:10"))
    again = make.buy(asha, make.at("2027-06-01 09:00"))
    assert again.pk != row.pk
    assert (again.status, again.anchor) == ("active", date(2027, 6, 1))
    row.refresh_from_db()
    assert row.status == "canceled"


def test_letters_tell_what_happened(asha, row, mailoutbox):
    run_due_jobs()
    cancel(row, "2027-02-01 10:00")
    run_due_jobs()
    make.walk(make.at("2027-04-10 00:10"), make.at("2027-04-10 00:10"))
    run_due_jobs()
    assert [letter.subject for letter in mailoutbox] == [
        "Welcome to The Daily Broadsheet",
        "Your subscription is cancelled",
        "Your subscription has ended",
    ]
    welcome, cancelled, _ = (letter.body for letter in mailoutbox)
    assert "We received ₹900 for 10 January 2027 to 9 April 2027." in welcome
    assert "BS/26-27/000001" in welcome
    assert "You can read on to the end of 9 April 2027." in cancelled


def test_a_failed_renewal_is_told_with_the_next_date(asha, row, mailoutbox):
    make.card_declines(yes=True)
    make.walk(make.at("2027-04-10 00:10"), make.at("2027-04-24 00:10"))
    run_due_jobs()
    failed = [letter.body for letter in mailoutbox if letter.subject == "Your payment did not go through"]
    assert len(failed) == 4
    assert "You can read to the end of 16 April 2027." in failed[0]
    assert "We will try again on 13 April 2027." in failed[0]
    assert "Your subscription ends on 1 May 2027 unless it is paid by then." in failed[3]

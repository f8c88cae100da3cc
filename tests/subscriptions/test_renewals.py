import itertools
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from broadsheet.bus.actions import run_due_jobs
from broadsheet.payments import actions as payments
from broadsheet.payments.adapters.sandbox import SandboxTill
from broadsheet.payments.models import Invoice, Mandate, Payment, SandboxCharge
from broadsheet.subscriptions import actions
from broadsheet.subscriptions.actions.renewals import work_one
from broadsheet.subscriptions.models import Plan, SubscriptionEvent
from broadsheet.subscriptions.rules import RefusedError
from tests.subscriptions import make_subscriptions as make

pytestmark = pytest.mark.django_db


def charges(happened):
    return [
        (event.at.astimezone(make.ZONE).date(), event.facts["result"]) for event in happened if event.kind == "charge"
    ]


def invoice_starts():
    return list(Invoice.objects.order_by("period_index").values_list("period_start", flat=True))


def test_each_period_is_charged_once_however_often_the_jobs_run():
    make.plan()
    asha = make.reader()
    make.buy(asha, make.at("2027-01-10 09:00"))
    happened, now = [], make.at("2027-01-10 10:00")
    while now < make.at("2028-01-20 00:00"):
        happened += actions.run_due(now=now)
        assert actions.run_due(now=now) == []
        assert make.may_read(asha, now)
        now += timedelta(hours=11)
    assert [day for day, _ in charges(happened)] == [
        date(2027, 4, 10), date(2027, 7, 10), date(2027, 10, 10), date(2028, 1, 10),
    ]  # fmt: skip
    assert invoice_starts() == [date(2027, 1, 10), *[day for day, _ in charges(happened)]]
    assert SandboxCharge.objects.filter(status="succeeded").count() == 5
    assert Payment.objects.filter(status="succeeded").count() == 5
    assert set(Invoice.objects.values_list("status", flat=True)) == {"paid"}


@pytest.mark.parametrize(
    ("months", "bought", "starts"),
    [
        (1, "2022-12-31 10:00", ["2022-12-31", "2023-01-31", "2023-02-28", "2023-03-31", "2023-04-30", "2023-05-31"]),
        (12, "2024-01-31 10:00", ["2024-01-31", "2025-01-31"]),
        (12, "2024-02-29 10:00", ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        (3, "2026-11-30 10:00", ["2026-11-30", "2027-02-28", "2027-05-30", "2027-08-30", "2027-11-30", "2028-02-29"]),
        (24, "2024-02-29 10:00", ["2024-02-29", "2026-02-28", "2028-02-29"]),
        (1, "2027-02-01 01:30", ["2027-02-01", "2027-03-01"]),
    ],
    ids=["monthly", "one a year", "leap day", "quarterly", "two years", "local day"],
)
def test_the_calendar_on_the_real_code(months, bought, starts):
    make.plan(months=months)
    bought_at = make.at(bought)
    make.buy(make.reader(), bought_at)
    last = make.at(f"{starts[-1]} 00:10")
    now = bought_at.replace(hour=0, minute=10) + timedelta(days=1)
    while now <= last:
        # Only days near a boundary can matter; walking every day of four years would only be slower.
        if any(abs((now.date() - date.fromisoformat(day)).days) <= 2 for day in starts) or now.day in (1, 15):
            actions.run_due(now=now)
        now += timedelta(days=1)
    assert [day.isoformat() for day in invoice_starts()] == starts
    periods = list(Invoice.objects.order_by("period_index").values_list("period_start", "period_end"))
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(periods))


def test_a_declined_renewal_is_tried_again_and_ends_after_three_weeks():
    make.plan(months=1)
    asha = make.reader()
    make.buy(asha, make.at("2027-02-01 09:00"), renewals_decline=True)
    happened = make.walk(make.at("2027-02-02 00:10"), make.at("2027-04-30 00:10"))
    assert charges(happened) == [
        (date(2027, 3, 1), "failed"),
        (date(2027, 3, 4), "failed"),
        (date(2027, 3, 8), "failed"),
        (date(2027, 3, 15), "failed"),
    ]
    moves = [(e.at.astimezone(make.ZONE).date(), e.facts) for e in happened if e.kind == "status_changed"]
    assert moves == [
        (date(2027, 3, 1), {"from": "active", "to": "past_due", "reason": "unpaid"}),
        (date(2027, 3, 8), {"from": "past_due", "to": "suspended", "reason": "grace_over"}),
        (date(2027, 3, 22), {"from": "suspended", "to": "canceled", "reason": "nonpayment"}),
    ]
    assert make.may_read(asha, make.at("2027-03-07 23:59"))
    assert not make.may_read(asha, make.at("2027-03-08 00:00"))
    assert Invoice.objects.get(period_index=2).status == "uncollectible"
    run_due_jobs()
    assert Mandate.objects.get().status == "revoked"


def test_paid_within_grace_the_calendar_stays():
    make.plan(months=1)
    asha = make.reader()
    row = make.buy(asha, make.at("2027-02-01 09:00"), renewals_decline=True)
    make.walk(make.at("2027-02-02 00:10"), make.at("2027-03-03 00:10"))
    make.card_declines(yes=False)
    make.walk(make.at("2027-03-04 00:10"), make.at("2027-03-05 00:10"))
    row.refresh_from_db()
    assert (row.status, row.failures, row.next_attempt_on) == ("active", 0, None)
    assert (row.period_start, row.period_end, row.anchor) == (date(2027, 3, 1), date(2027, 4, 1), date(2027, 2, 1))
    assert Invoice.objects.count() == 2
    assert make.may_read(asha, make.at("2027-04-07 23:59"))


def test_paid_after_grace_the_period_begins_on_the_day_of_the_payment():
    make.plan(months=1)
    asha = make.reader()
    row = make.buy(asha, make.at("2027-02-01 09:00"), renewals_decline=True)
    make.walk(make.at("2027-02-02 00:10"), make.at("2027-03-14 00:10"))
    assert not make.may_read(asha, make.at("2027-03-14 12:00"))
    make.card_declines(yes=False)
    make.walk(make.at("2027-03-15 00:10"), make.at("2027-03-15 00:10"))
    row.refresh_from_db()
    assert (row.status, row.anchor, row.period_end) == ("active", date(2027, 3, 15), date(2027, 4, 15))
    bill = Invoice.objects.get(period_index=2)
    assert (bill.period_start, bill.period_end, bill.status) == (date(2027, 3, 15), date(2027, 4, 15), "paid")
    assert make.may_read(asha, make.at("2027-03-15 12:00"))
    make.walk(make.at("2027-04-15 00:10"), make.at("2027-04-15 00:10"))
    row.refresh_from_db()
    assert row.period_end == date(2027, 5, 15)


def test_jobs_that_slept_three_days_charge_once_and_keep_the_anchor():
    make.plan(months=1)
    row = make.buy(make.reader(), make.at("2027-02-01 09:00"))
    happened = actions.run_due(now=make.at("2027-03-04 12:00"))
    row.refresh_from_db()
    assert len(charges(happened)) == 1
    assert (row.anchor, row.period_start, row.period_end) == (date(2027, 2, 1), date(2027, 3, 1), date(2027, 4, 1))


def test_jobs_that_slept_seventy_days_ask_nothing_for_the_months_nobody_could_read():
    make.plan(months=1)
    row = make.buy(make.reader(), make.at("2027-02-01 09:00"))
    happened = actions.run_due(now=make.at("2027-05-10 12:00"))
    row.refresh_from_db()
    assert len(charges(happened)) == 1
    assert (row.anchor, row.period_start, row.period_end) == (date(2027, 5, 10), date(2027, 5, 10), date(2027, 6, 10))
    assert actions.run_due(now=make.at("2027-05-10 12:00")) == []


def test_dying_after_the_charge_and_before_the_record_charges_once(monkeypatch):
    make.plan(months=1)
    row = make.buy(make.reader(), make.at("2027-02-01 09:00"))
    now = make.at("2027-03-01 00:10")
    with monkeypatch.context() as patch:
        patch.setattr("broadsheet.subscriptions.actions.renewals.record_result", _die)
        with pytest.raises(SystemExit):
            work_one(subscription_id=row.pk, now=now)
    assert SandboxCharge.objects.filter(key__startswith="renew:").count() == 1
    assert Payment.objects.get(kind="renewal").status == "pending"
    row.refresh_from_db()
    assert row.period_index == 1
    assert len(charges(actions.run_due(now=now + timedelta(days=2)))) == 1
    row.refresh_from_db()
    assert (row.period_index, row.period_end) == (2, date(2027, 4, 1))
    assert SandboxCharge.objects.filter(key__startswith="renew:").count() == 1
    assert Payment.objects.get(kind="renewal").settled_at == now


def _die(**_):
    raise SystemExit


@pytest.mark.parametrize("finish", [run_due_jobs, lambda: actions.run_due(now=make.at("2027-03-01 00:20"))])
def test_a_payment_that_was_written_without_its_effect_has_it_once(finish):
    make.plan(months=1)
    asha = make.reader()
    row = make.buy(asha, make.at("2027-02-01 09:00"))
    run_due_jobs()
    now = make.at("2027-03-01 00:10")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("broadsheet.subscriptions.actions.renewals.record_result", _die)
        with pytest.raises(SystemExit):
            work_one(subscription_id=row.pk, now=now)
    key = Payment.objects.get(kind="renewal").key
    payments.apply_payment_result(key=key, result=payments.fetch_result(key=key, now=now), now=now)
    finish()
    row.refresh_from_db()
    assert (row.period_index, row.period_end) == (2, date(2027, 4, 1))
    run_due_jobs()
    assert actions.run_due(now=now) == []
    assert Payment.objects.filter(kind="renewal").count() == 1
    assert SubscriptionEvent.objects.filter(kind="payment").count() == 2


def test_one_that_cannot_be_charged_does_not_hold_up_the_others(monkeypatch, caplog):
    make.plan(months=1)
    rows = [make.buy(make.reader(f"r{n}@example.org"), make.at("2027-02-01 09:00")) for n in range(3)]
    real = SandboxTill.charge

    def charge(self, request):
        if request.key.startswith(f"renew:{rows[1].pk}:"):
            raise ConnectionError("the till is away")
        return real(self, request)

    monkeypatch.setattr(SandboxTill, "charge", charge)
    now = make.at("2027-03-01 00:10")
    actions.run_due(now=now)
    for row in rows:
        row.refresh_from_db()
    assert [row.period_index for row in rows] == [2, 1, 2]
    assert "could not be done" in caplog.text
    monkeypatch.undo()
    actions.run_due(now=now + timedelta(hours=1))
    rows[1].refresh_from_db()
    assert (rows[1].period_index, rows[1].status) == (2, "active")
    assert Payment.objects.filter(kind="renewal").count() == 3


def test_a_retired_plan_goes_on_for_those_who_have_it():
    make.plan(months=1)
    row = make.buy(make.reader(), make.at("2027-02-01 09:00"))
    Plan.objects.update(retired=True)
    make.walk(make.at("2027-03-01 00:10"), make.at("2027-03-01 00:10"))
    row.refresh_from_db()
    assert row.period_index == 2


def test_without_a_mandate_nothing_is_charged_and_dunning_begins():
    make.plan(months=1)
    row = make.buy(make.reader(), make.at("2027-02-01 09:00"))
    payments.revoke_mandate(mandate_id=row.mandate_id, now=make.at("2027-02-10 09:00"))
    make.walk(make.at("2027-03-01 00:10"), make.at("2027-03-01 00:10"))
    row.refresh_from_db()
    assert row.status == "past_due"
    assert not Payment.objects.filter(kind="renewal").exists()
    assert SubscriptionEvent.objects.get(kind="notice").facts["kind"] == "pay_link"
    assert SandboxCharge.objects.filter(key__startswith="renew:").count() == 0


class AnyLife(TestCase):
    """Whatever a reader does and whenever the jobs run: periods meet, nothing is charged twice, access fits."""

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        months=st.sampled_from([1, 3]),
        start=st.dates(date(2027, 1, 1), date(2028, 12, 31)),
        steps=st.lists(
            st.tuples(
                st.integers(1, 40), st.sampled_from(["run", "run", "run", "decline", "accept", "cancel", "undo"])
            ),
            min_size=1,
            max_size=20,
        ),
    )
    def test_invariants(self, months, start, steps):
        make.plan(months=months)
        asha = make.reader()
        now = make.at(f"{start} 09:00")
        row = make.buy(asha, now)
        for days, step in steps:
            now += timedelta(days=days)
            if step in ("decline", "accept"):
                make.card_declines(yes=step == "decline")
            elif step in ("cancel", "undo"):
                _try(step, row.pk, now)
            actions.run_due(now=now)
            self._check(row, asha, now)

    def _check(self, row, asha, now):
        row.refresh_from_db()
        paid = list(Invoice.objects.filter(subject=f"subscription:{row.pk}", status="paid").order_by("period_index"))
        assert [bill.period_index for bill in paid] == list(range(1, row.period_index + 1))
        for earlier, later in itertools.pairwise(paid):
            assert later.period_start >= earlier.period_end
            assert later.period_start == earlier.period_end or later.period_start >= earlier.period_end + timedelta(
                days=7
            )
        for bill in paid:
            assert Payment.objects.filter(invoice=bill, status="succeeded").count() == 1
        assert SandboxCharge.objects.filter(
            key__regex=rf"^(checkout|renew):{row.pk}:", status="succeeded"
        ).count() == len(paid)
        today = now.date()
        if row.status == "active" and today < row.period_end:
            assert make.may_read(asha, now)
        if row.status == "canceled":
            assert not make.may_read(asha, now)


def _try(step, pk, now):
    try:
        if step == "cancel":
            actions.cancel(subscription_id=pk, actor="reader", now=now)
        else:
            actions.uncancel(subscription_id=pk, actor="reader", now=now)
    except RefusedError:
        pass

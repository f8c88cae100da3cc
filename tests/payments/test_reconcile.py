"""Both books side by side: what was lost on the way is found, what does not agree is said once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from broadsheet.payments import actions, crash, reconcile
from broadsheet.payments.adapters import NoAnswerError, RefundRequest, registry, sandbox
from broadsheet.payments.models import (
    Discrepancy,
    Invoice,
    JournalEntry,
    Mandate,
    Payment,
    Refund,
    SandboxCharge,
    SandboxMandate,
)
from tests.payments import make_payments as make

pytestmark = pytest.mark.django_db
NOW = make.NOW
LATER = NOW + timedelta(hours=1)
DAY = timedelta(days=1)
TILL = sandbox.SandboxTill()


@pytest.fixture(autouse=True)
def roads():
    undo = make.connect()
    yield
    undo()


def compare(now=LATER, **more):
    report = reconcile.reconcile(now=now, **more)
    return report.missed, report.found


def picture():
    models = (Invoice, Payment, Mandate, Refund, JournalEntry, Discrepancy)
    return [list(model.objects.order_by("pk").values()) for model in models]


def found():
    return [(d.kind, d.ref) for d in Discrepancy.objects.order_by("pk")]


def paid(key="k1", **bill):
    payment = make.attempt(key, **bill)
    make.press(payment)
    actions.apply_payment_result(key=key, result=TILL.fetch(key, NOW), now=NOW)
    return Payment.objects.get(key=key)


def renewal(key="r1", now=NOW):
    """An attempt by mandate; nobody has asked the till yet."""
    SandboxMandate.objects.create(ref="sm_1")
    mandate = make.mandate()
    actions.begin_payment(invoice_id=make.invoice().pk, key=key, kind="renewal", mandate_id=mandate.pk, now=now)
    return Payment.objects.get(key=key)


def test_two_books_that_agree():
    paid()
    before = picture()
    report = reconcile.reconcile(now=LATER)
    assert (report.compared, report.missed, report.found, report.clean) == (1, 0, {}, True)
    assert picture() == before


def test_a_message_that_was_lost_is_found_with_its_mandate():
    make.press(make.attempt())
    assert compare() == (1, {})
    payment = Payment.objects.get()
    assert (payment.status, payment.invoice.status) == ("succeeded", "paid")
    assert payment.mandate.provider_ref == SandboxMandate.objects.get().ref
    assert compare() == (0, {})


def test_a_decline_that_was_lost_is_found_too():
    make.press(make.attempt(), pay=False)
    assert compare() == (1, {})
    assert (Payment.objects.get().status, Invoice.objects.get().status) == ("failed", "open")


def test_what_nobody_has_decided_stays_open():
    payment = make.attempt()
    before = picture()
    assert compare() == (0, {})
    assert picture() == before
    assert payment.status == "pending"


def test_money_that_came_after_a_no_is_found():
    make.press(make.attempt())
    Payment.objects.update(status="failed", failure_code="declined", settled_at=NOW)
    assert compare() == (1, {})
    assert Invoice.objects.get().status == "paid"


def test_paid_there_and_unknown_here_with_its_mandate():
    make.press(make.attempt("gone"))
    Payment.objects.all().delete()
    charge, mandate = SandboxCharge.objects.get(), SandboxMandate.objects.get()
    assert compare() == (0, {"paid_unknown": 1, "orphan_mandate": 1})
    assert found() == [("paid_unknown", f"sandbox_{charge.pk}"), ("orphan_mandate", mandate.ref)]
    facts = Discrepancy.objects.first().facts
    assert (facts["key"], facts["amount_minor"], facts["currency"]) == ("gone", 90_000, "INR")
    assert compare() == (0, {})
    assert Discrepancy.objects.count() == 2


def test_what_was_given_back_there_is_nobodys_any_more():
    make.press(make.attempt("gone"))
    TILL.refund(RefundRequest("x", "gone", "", 90_000, "INR", "by their own desk", NOW))
    Payment.objects.all().delete()
    assert compare() == (0, {})


def test_declined_there_and_unknown_here_is_nothing():
    make.press(make.attempt("gone"), pay=False)
    Payment.objects.all().delete()
    assert compare() == (0, {})


def test_paid_here_and_unknown_there():
    payment = paid()
    SandboxCharge.objects.all().delete()
    assert compare() == (0, {"unpaid_known": 1})
    assert found() == [("unpaid_known", payment.key)]
    assert compare() == (0, {})


def test_paid_here_and_declined_there():
    paid()
    SandboxCharge.objects.update(status="declined")
    assert compare() == (0, {"unpaid_known": 1})


def test_what_was_paid_a_moment_ago_may_not_stand_there_yet():
    paid()
    SandboxCharge.objects.all().delete()
    assert compare(NOW + reconcile.SETTLING) == (0, {})


def test_another_amount_is_said_and_not_applied():
    payment = make.attempt()
    make.press(payment)
    SandboxCharge.objects.update(amount_minor=9_000)
    assert compare() == (0, {"amount": 1})
    assert Payment.objects.get().status == "pending"
    facts = Discrepancy.objects.get().facts
    assert (facts["amount_minor"], facts["our_amount_minor"]) == (9_000, 90_000)


def test_a_second_charge_under_one_key_is_money_taken_twice(monkeypatch):
    payment = paid()
    (listed,) = TILL.list_payments(NOW - DAY, LATER)
    tries = [listed, replace(listed, provider_ref="second"), replace(listed, provider_ref="no", status="failed")]
    monkeypatch.setattr(sandbox.SandboxTill, "list_payments", lambda *_: iter(tries))
    assert compare() == (0, {"paid_unknown": 1})
    assert found() == [("paid_unknown", "second")]
    assert Discrepancy.objects.get().facts["key"] == payment.key


def test_a_refund_of_their_own_desk():
    paid()
    TILL.refund(RefundRequest("x", "k1", "", 30_000, "INR", "by their own desk", NOW))
    assert compare() == (0, {"amount": 1})
    assert Discrepancy.objects.get().facts["refunded_minor"] == 30_000
    assert Discrepancy.objects.get().facts["our_refunded_minor"] == 0


def test_a_refund_both_know():
    payment = paid()
    asked = actions.ask_refund(
        payment_id=payment.pk, amount_minor=30_000, key="r", reason="asked", adjust=False, actor="staff:1", now=NOW
    )
    actions.submit_refund(refund_id=asked.id, now=NOW)
    assert compare() == (0, {})


def test_money_nobody_owed_that_is_still_here():
    payment = paid()
    Payment.objects.update(surplus=True)
    assert compare() == (0, {"surplus": 1})
    assert found() == [("surplus", payment.key)]


def test_a_page_that_registered_a_mandate_alone_is_completed():
    make.attempt()
    reader = Invoice.objects.get().reader_id
    asked = actions.begin_mandate(reader_id=reader, rail="card", max_minor=None, key="mandate:1", now=NOW)
    url = actions.open_mandate_page(mandate_id=asked.id, currency="INR", return_url="/back", now=NOW)
    sandbox.decide(token=url.removeprefix("/till/").removesuffix("/"), pay=True, now=NOW)
    assert compare() == (1, {})
    assert Mandate.objects.get().status == "active"
    assert compare() == (0, {})
    Mandate.objects.all().delete()
    assert compare() == (0, {"orphan_mandate": 1})


def test_only_the_last_days_are_compared():
    make.press(make.attempt(), now=NOW)
    assert compare(NOW + 8 * DAY) == (0, {})
    assert compare(NOW + 8 * DAY, days=9) == (1, {})


def test_by_pages(monkeypatch):
    monkeypatch.setattr(reconcile, "PAGE", 2)
    for number in range(5):
        make.press(make.attempt(f"k{number}", subject=f"subscription:{number}"))
    SandboxCharge.objects.filter(key="k4").delete()
    assert compare() == (4, {})
    actions.apply_payment_result(key="k4", result=TILL.fetch("k3", NOW), now=NOW)
    assert compare() == (0, {"unpaid_known": 1})
    assert found() == [("unpaid_known", "k4")]


def test_a_provider_that_does_not_answer_stops_no_other(monkeypatch):
    class Silent(sandbox.SandboxTill):
        code = "silent"

        def list_payments(self, since, until):
            raise NoAnswerError("away")

    make.press(make.attempt())
    monkeypatch.setattr(reconcile, "providers", lambda: {"silent": Silent(), **registry.providers()})
    report = reconcile.reconcile(now=LATER)
    assert (report.missed, report.unreachable, report.clean) == (1, ["silent"], False)


def test_a_list_that_breaks_off_says_nothing_of_what_is_missing(monkeypatch):
    paid()
    SandboxCharge.objects.all().delete()

    class Broken(sandbox.SandboxTill):
        def list_payments(self, since, until):
            yield from super().list_payments(since, until)
            raise NoAnswerError("cut")

    monkeypatch.setattr(reconcile, "providers", lambda: {"sandbox": Broken()})
    assert reconcile.reconcile(now=LATER).unreachable == ["sandbox"]
    assert found() == []


def test_a_discrepancy_is_closed_with_a_word():
    paid()
    SandboxCharge.objects.all().delete()
    compare()
    pk = Discrepancy.objects.get().pk
    with pytest.raises(ValueError, match="what was done"):
        reconcile.close_discrepancy(discrepancy_id=pk, actor="staff:1", note=" ", now=LATER)
    assert reconcile.close_discrepancy(discrepancy_id=pk, actor="staff:1", note="Refunded by bank.", now=LATER)
    assert not reconcile.close_discrepancy(discrepancy_id=pk, actor="staff:2", note="Again.", now=LATER)
    row = Discrepancy.objects.get()
    assert (row.closed_by, row.closing_note, row.closed_at) == ("staff:1", "Refunded by bank.", LATER)
    assert compare() == (0, {})


def test_an_attempt_nobody_heard_of_is_asked_after_when_its_time_comes():
    make.press(make.attempt())
    actions.check_later(key="k1", check_at=LATER)
    assert reconcile.poll_unresolved(now=LATER - timedelta(seconds=1)) == 0
    assert Payment.objects.get().status == "pending"
    assert reconcile.poll_unresolved(now=LATER) == 1
    assert Invoice.objects.get().status == "paid"
    assert reconcile.poll_unresolved(now=LATER) == 0


def test_late_money_is_asked_after_until_it_is_there():
    sandbox.script(["late_ok"])
    make.press(make.attempt())
    actions.check_later(key="k1", check_at=NOW)
    assert reconcile.poll_unresolved(now=NOW) == 0
    payment = Payment.objects.get()
    assert (payment.status, payment.check_at) == ("processing", NOW + reconcile.ASK_AGAIN)
    assert reconcile.poll_unresolved(now=NOW + DAY) == 1
    assert Payment.objects.get().status == "succeeded"


def test_a_charge_the_till_never_heard_of_is_asked_for_again_by_its_key():
    payment = renewal()
    sandbox.script(["timeout"])
    with pytest.raises(NoAnswerError):
        actions.request_charge(key=payment.key, now=NOW)
    actions.check_later(key=payment.key, check_at=NOW)
    assert reconcile.poll_unresolved(now=LATER) == 1
    assert [(c.key, c.status) for c in SandboxCharge.objects.all()] == [("r1", "succeeded")]
    assert Invoice.objects.get().status == "paid"


def test_a_charge_for_what_nobody_owes_any_more_is_not_asked_for():
    payment = renewal()
    Invoice.objects.update(status="void", voided_at=NOW)
    actions.check_later(key=payment.key, check_at=NOW)
    assert reconcile.poll_unresolved(now=LATER) == 1
    assert not SandboxCharge.objects.exists()
    assert (Payment.objects.get().status, Payment.objects.get().failure_code) == ("failed", "withdrawn")


def test_whoever_dies_asking_holds_up_nobody(monkeypatch):
    first = make.attempt("k1", subject="subscription:1")
    make.press(make.attempt("k2", subject="subscription:2"))
    Payment.objects.update(check_at=NOW)
    sandbox.script(["crash_after_charge"])
    Payment.objects.filter(pk=first.pk).update(mandate=make.mandate())
    SandboxMandate.objects.create(ref="sm_1")
    with pytest.raises(crash.CrashError):
        reconcile.poll_unresolved(now=LATER)
    assert reconcile.poll_unresolved(now=LATER) == 1
    assert Payment.objects.get(key="k2").status == "succeeded"
    assert reconcile.poll_unresolved(now=LATER + reconcile.ASK_AGAIN) == 1
    assert Payment.objects.get(key="k1").status == "succeeded"
    assert SandboxCharge.objects.filter(key="k1").count() == 1


def test_one_that_cannot_be_asked_after_waits_an_hour(settings):
    payment = make.attempt()
    Payment.objects.update(check_at=NOW, provider="stranger")
    assert reconcile.poll_unresolved(now=NOW) == 0
    payment.refresh_from_db()
    assert (payment.status, payment.check_at) == ("pending", NOW + reconcile.ASK_AGAIN)

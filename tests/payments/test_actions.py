"""The books alone: what a result may do to an attempt and an invoice, in any order, any number of times."""

import dataclasses
import itertools
from datetime import date

import pytest

from broadsheet.bus.models import Job
from broadsheet.payments import actions
from broadsheet.payments.adapters import ChargeResult, MandateSeen, RefundResult
from broadsheet.payments.models import CreditEntry, CreditNote, Invoice, JournalLine, Mandate, Payment, Refund
from broadsheet.payments.queries import credit_balance
from broadsheet.payments.values import Line, Taxed
from tests.subscriptions import make_subscriptions as make

pytestmark = pytest.mark.django_db
NOW = make.at("2027-01-10 09:00")
YES = ChargeResult("succeeded", "bank_1", MandateSeen("mandate_1"), at=NOW)
NO = ChargeResult("failed", "bank_1", failure_code="declined", at=NOW)
WAIT = ChargeResult("processing", "bank_1")


@pytest.fixture
def bill():
    return open_bill(make.reader(), Line("A quarter", 90_000), Line("A discount", -10_000, "discount"))


def open_bill(reader_id, *lines, subject="gift:1", currency="INR", now=NOW):
    return actions.open_invoice(
        reader_id=reader_id,
        subject=subject,
        kind="gift",
        period_index=1,
        period_start=date(2027, 1, 10),
        period_end=date(2027, 4, 10),
        currency=currency,
        lines=lines,
        taxed=Taxed(),
        now=now,
    )


def begin(bill, key="k1"):
    return actions.begin_payment(invoice_id=bill.id, key=key, kind="checkout", mandate_id=None, now=NOW)


def apply(result, key="k1"):
    return actions.apply_payment_result(key=key, result=result, now=NOW)


def _picture():
    return [list(model.objects.order_by("pk").values()) for model in (Invoice, Payment, Mandate, Job)]


def test_the_lines_make_the_total(bill):
    assert bill.total_minor == 80_000


def test_one_invoice_a_period(bill):
    again = open_bill(bill.reader_id, Line("Something else", 1), currency="EUR")
    assert again == bill
    assert Invoice.objects.count() == 1


@pytest.mark.parametrize("results", list(itertools.permutations([YES, NO, WAIT])))
def test_in_any_order_money_that_came_is_there(bill, results):
    begin(bill)
    for result in results:
        apply(result)
    payment, invoice = Payment.objects.get(), Invoice.objects.get()
    assert (payment.status, invoice.status, invoice.paid_at) == ("succeeded", "paid", NOW)
    assert Job.objects.filter(event="PaymentSettled").count() == 1


@pytest.mark.parametrize("result", [YES, NO, WAIT])
def test_a_repeat_changes_nothing(bill, result):
    begin(bill)
    assert apply(result).changed
    before = _picture()
    for _ in range(3):
        assert not apply(result).changed
    assert _picture() == before


def test_an_attempt_that_is_under_way_is_continued_not_doubled(bill):
    first = begin(bill, "k1")
    assert begin(bill, "k2") == first
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("status", ["paid", "void"])
def test_there_is_nothing_to_collect(bill, status):
    if status == "paid":
        begin(bill)
        apply(YES)
    else:
        actions.void_invoice(invoice_id=bill.id, now=NOW)
    before = _picture()
    with pytest.raises(actions.InvoiceStateError, match="nothing to collect"):
        begin(bill, "k2")
    assert _picture() == before


def test_what_is_paid_is_not_voided(bill):
    begin(bill)
    apply(YES)
    before = _picture()
    with pytest.raises(actions.InvoiceStateError, match="is paid"):
        actions.void_invoice(invoice_id=bill.id, now=NOW)
    assert _picture() == before


def test_money_for_a_void_invoice_pays_it_after_all(bill):
    begin(bill)
    apply(NO)
    actions.void_invoice(invoice_id=bill.id, now=NOW)
    apply(YES)
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.paid_at, invoice.voided_at) == ("paid", NOW, None)


def test_a_second_success_on_one_invoice_is_money_to_give_back(bill):
    begin(bill, "k1")
    apply(NO, "k1")
    begin(bill, "k2")
    apply(YES, "k2")
    apply(YES, "k1")
    assert list(Payment.objects.order_by("key").values_list("key", "status", "surplus")) == [
        ("k1", "succeeded", True),
        ("k2", "succeeded", False),
    ]
    assert Job.objects.filter(event="PaymentSettled").count() == 1


def test_the_mandate_is_kept_once_and_no_card(bill):
    begin(bill)
    apply(YES)
    mandate = Mandate.objects.get()
    assert (mandate.provider, mandate.provider_ref, mandate.reader_id) == ("sandbox", "mandate_1", bill.reader_id)


def test_credit_is_used_by_the_next_invoice_and_comes_back_with_a_void_one(bill):
    reader_id = bill.reader_id
    for _ in range(2):  # the same gesture twice is one
        actions.give_credit(
            key="c1",
            reader_id=reader_id,
            currency="INR",
            amount_minor=30_000,
            reason="sorry",
            source="goodwill",
            now=NOW,
        )
    second = open_bill(reader_id, Line("A month", 50_000), subject="gift:2")
    assert (second.credit_minor, second.due_minor, credit_balance(reader_id, "INR")) == (30_000, 20_000, 0)
    actions.void_invoice(invoice_id=second.id, now=NOW)
    assert credit_balance(reader_id, "INR") == 30_000
    third = open_bill(reader_id, Line("A week", 10_000), subject="gift:3")
    assert (third.status, third.due_minor, credit_balance(reader_id, "INR")) == ("paid", 0, 20_000)
    assert sum(CreditEntry.objects.values_list("amount_minor", flat=True)) == 20_000


def test_credit_of_another_currency_is_left_alone(bill):
    actions.give_credit(
        key="c1", reader_id=bill.reader_id, currency="EUR", amount_minor=100, reason="x", source="goodwill", now=NOW
    )
    assert open_bill(bill.reader_id, Line("A month", 50), subject="gift:2").credit_minor == 0


def pay(invoice_id, amount, key="cheque 1"):
    return actions.pay_by_hand(invoice_id=invoice_id, key=key, amount_minor=amount, reference="cheque", now=NOW)


def test_parts_by_hand_leave_the_rest_owed_and_too_much_is_credit(bill):
    pay(bill.id, 30_000)
    pay(bill.id, 30_000)  # the same cheque, typed in twice
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.due_minor) == ("open", 50_000)
    pay(bill.id, 70_000, "cheque 2")
    invoice.refresh_from_db()
    assert (invoice.status, invoice.due_minor, credit_balance(bill.reader_id, "INR")) == ("paid", 0, 20_000)


def test_money_by_hand_waits_for_the_answer_of_a_charge(bill):
    begin(bill)
    before = _picture()
    with pytest.raises(actions.InvoiceStateError, match="under way"):
        pay(bill.id, 80_000)
    assert _picture() == before


def ask(payment_id, amount, key="r1", *, adjust=True, approved=False, actor="staff:1"):
    return actions.ask_refund(
        payment_id=payment_id, amount_minor=amount, key=key, reason="late", adjust=adjust, actor=actor, now=NOW,
        approved=approved,
    )  # fmt: skip


@pytest.fixture
def paid(bill):
    begin(bill)
    apply(YES)
    return Payment.objects.get()


def test_refunds_never_exceed_what_was_paid(paid):
    first = ask(paid.pk, 60_000)
    assert ask(paid.pk, 60_000) == first  # asked for twice under one name
    for amount in (20_001, 0, -5):
        with pytest.raises(actions.RefundRefusedError) as refusal:
            ask(paid.pk, amount, "r2")
        assert refusal.value.reason == "too_much"
    ask(paid.pk, 20_000, "r3")
    assert sum(note.total_minor for note in CreditNote.objects.all()) == 80_000
    paid.refresh_from_db()
    assert paid.refunded_minor == 80_000


def test_a_refund_is_settled_once_and_one_that_fails_becomes_credit(paid):
    good, bad = ask(paid.pk, 10_000, "good"), ask(paid.pk, 20_000, "bad")
    for _ in range(3):
        actions.apply_refund_result(key="good", result=RefundResult("succeeded", "b1", at=NOW), now=NOW)
        actions.apply_refund_result(key="bad", result=RefundResult("failed", failure_code="closed"), now=NOW)
    states = dict(Refund.objects.values_list("key", "status"))
    assert states == {good.key: "succeeded", bad.key: "failed"}
    assert credit_balance(Invoice.objects.get().reader_id, "INR") == 20_000
    assert Invoice.objects.get().due_minor == 0
    assert sum(JournalLine.objects.values_list("amount_minor", flat=True)) == 0


def test_a_large_refund_waits_for_another_member_of_staff(paid, settings):
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, refund_limit=500)
    row = ask(paid.pk, 50_001)
    assert (row.status, CreditNote.objects.count()) == ("waiting", 0)
    with pytest.raises(actions.RefundRefusedError) as refusal:
        actions.approve_refund(refund_id=row.id, actor="staff:1", now=NOW)
    assert refusal.value.reason == "same_person"
    assert actions.submit_refund(refund_id=row.id, now=NOW).status == "waiting"
    assert actions.approve_refund(refund_id=row.id, actor="staff:2", now=NOW).status == "pending"
    assert CreditNote.objects.get().total_minor == 50_001
    assert ask(paid.pk, 50_000 - 21_000, "r2").status == "pending"


def test_a_refused_refund_frees_its_amount(paid, settings):
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, refund_limit=500)
    row = ask(paid.pk, 80_000)
    actions.refuse_refund(refund_id=row.id, actor="staff:2", now=NOW)
    paid.refresh_from_db()
    assert (paid.refunded_minor, CreditNote.objects.count()) == (0, 0)
    assert ask(paid.pk, 80_000, "r2", approved=True).status == "pending"


def test_a_dispute_is_opened_and_closed_once(paid):
    for _ in range(2):
        actions.open_dispute(payment_id=paid.pk, provider_ref="d1", amount_minor=80_000, now=NOW)
    assert actions.close_dispute(provider_ref="d1", won=False, now=NOW).status == "lost"
    assert actions.close_dispute(provider_ref="d1", won=True, now=NOW) is None
    assert sum(JournalLine.objects.values_list("amount_minor", flat=True)) == 0

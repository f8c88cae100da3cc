"""The books alone: what a result may do to an attempt and an invoice, in any order, any number of times."""

import itertools
from datetime import date

import pytest

from broadsheet.bus.models import Job
from broadsheet.payments import actions
from broadsheet.payments.adapters import ChargeResult
from broadsheet.payments.models import Invoice, Mandate, Payment
from tests.subscriptions import make_subscriptions as make

pytestmark = pytest.mark.django_db
NOW = make.at("2027-01-10 09:00")
YES = ChargeResult("succeeded", "bank_1", "mandate_1", at=NOW)
NO = ChargeResult("failed", "bank_1", failure_code="declined", at=NOW)
WAIT = ChargeResult("processing", "bank_1")


@pytest.fixture
def bill():
    return actions.open_invoice(
        reader_id=make.reader(),
        subject="gift:1",
        period_index=1,
        period_start=date(2027, 1, 10),
        period_end=date(2027, 4, 10),
        currency="INR",
        lines=[("A quarter", 90_000), ("A discount", -10_000)],
        now=NOW,
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
    again = actions.open_invoice(
        reader_id=bill.reader_id,
        subject="gift:1",
        period_index=1,
        period_start=date(2030, 1, 1),
        period_end=date(2030, 2, 1),
        currency="EUR",
        lines=[("Something else", 1)],
        now=NOW,
    )
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

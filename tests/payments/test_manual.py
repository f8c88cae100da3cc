"""Payments that staff take: a page with the bank details, money written down when it comes, nothing charged."""

from dataclasses import replace

import pytest
from django.core import signing

from broadsheet.payments import actions
from broadsheet.payments.adapters import (
    ChargeRequest,
    CheckoutRequest,
    RefundRequest,
    SignatureError,
    manual,
)
from broadsheet.payments.models import Invoice, Payment, Refund
from tests.payments import make_payments as make

NOW = make.NOW
TILL = manual.ManualTill()


def page(key="k1"):
    return TILL.open_checkout(CheckoutRequest(key, 90_000, "INR", "A quarter", "/thanks/1/", NOW))


@pytest.fixture
def bank(settings):
    settings.BROADSHEET = replace(settings.BROADSHEET, bank_details="The Daily\nAccount 123 456\nIFSC ABCD0123456")


@pytest.mark.django_db
def test_the_page_says_where_to_send_what_and_what_to_write_on_it(bank, client):
    make.attempt(provider="manual")
    invoice = Invoice.objects.get()
    answer = client.get(page())
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    for words in ("Account 123 456", "IFSC ABCD0123456", "₹900", invoice.number, "A quarter", "/thanks/1/"):
        assert words in text, words


@pytest.mark.django_db
def test_when_it_is_paid_nothing_is_asked_for_any_more(bank, client):
    invoice = make.invoice()
    Payment.objects.create(
        invoice=invoice, key="k1", kind="checkout", provider="manual", status="failed", amount_minor=90_000,
        currency="INR", created_at=NOW,
    )  # fmt: skip
    actions.pay_by_hand(invoice_id=invoice.pk, key="hand:1", amount_minor=90_000, reference="UTR 1", now=NOW)
    text = client.get(page()).content.decode()
    assert "Nothing is owed here any more" in text
    assert "Account 123 456" not in text


@pytest.mark.django_db
def test_an_address_nobody_gave_out(bank, client):
    make.attempt(provider="manual")
    good = page()
    for bad in (
        "/transfer/nonsense/",
        good.replace(":", ";"),
        f"/transfer/{signing.dumps(['k1', 1, 'INR', 'x', '/'], salt='another')}/",
        f"/transfer/{signing.dumps(['k1'], salt='broadsheet.payments.manual')}/",
        page("never"),
    ):
        assert client.get(bad).status_code == 404, bad


def test_nobody_is_charged_and_no_mandate_kept():
    assert not TILL.capabilities.mandates
    result = TILL.charge(ChargeRequest("r1", 90_000, "INR", "A quarter", "m", NOW))
    assert (result.status, result.failure_code) == ("failed", "no_mandate")
    assert TILL.fetch("k1", NOW).status == "pending"
    assert TILL.withdraw("k1", NOW).failure_code == "withdrawn"
    assert list(TILL.list_payments(NOW, NOW)) == []
    with pytest.raises(SignatureError):
        TILL.parse_webhook({}, b"{}", NOW)


@pytest.mark.django_db
def test_money_taken_by_hand_goes_back_by_hand_and_stands_in_the_books():
    invoice = make.invoice()
    paid = actions.pay_by_hand(invoice_id=invoice.pk, key="hand:1", amount_minor=90_000, reference="UTR 1", now=NOW)
    assert (Payment.objects.get().provider_ref, Invoice.objects.get().status) == ("UTR 1", "paid")
    asked = actions.ask_refund(
        payment_id=paid.id, amount_minor=30_000, key="r1", reason="asked", adjust=True, actor="staff:1", now=NOW
    )
    actions.submit_refund(refund_id=asked.id, now=NOW)
    assert [(r.status, r.provider_ref) for r in Refund.objects.all()] == [("succeeded", "by hand")]
    assert TILL.refund(RefundRequest("r1", "hand:1", "", 30_000, "INR", "asked", NOW)).status == "succeeded"

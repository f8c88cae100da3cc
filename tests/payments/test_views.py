"""The sandbox's page as a reader meets it."""

import pytest

from broadsheet.payments.adapters import CheckoutRequest, MandateWish, sandbox
from broadsheet.payments.models import SandboxCharge, SandboxMandate
from tests.payments import make_payments as make

pytestmark = pytest.mark.django_db
NOW = make.NOW


def page(amount=90_000, mandate=MandateWish("card", 300_000)):  # noqa: B008 - frozen
    return sandbox.SandboxTill().open_checkout(
        CheckoutRequest("k1", amount, "INR", "A quarter", "/thanks/1/", NOW, mandate=mandate)
    )


def text(client, url):
    answer = client.get(url)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    return answer.content.decode()


def press(client, url, answer="pay", **more):
    return client.post(url, {"answer": answer, **more})


def test_the_page_says_the_amount_and_what_is_allowed(client):
    shown = text(client, page())
    for words in ("No money moves here", "Pay ₹900", "may charge this card", "₹3,000 each time", "A quarter"):
        assert words in shown, words


def test_without_a_mandate_nothing_more_is_asked_for(client):
    shown = text(client, page(mandate=None))
    assert "What you allow" not in shown
    assert "renewals_decline" not in shown


def test_upi_without_a_maximum(client):
    shown = text(client, page(mandate=MandateWish("upi", None)))
    assert "this UPI account" in shown
    assert "what your plan costs" in shown


def test_a_page_of_nothing_asks_for_a_mandate_alone(client):
    url = page(amount=0)
    shown = text(client, url)
    assert "Allow later payments" in shown
    assert "nothing is charged" in shown
    assert "₹0" not in shown
    assert press(client, url).headers["Location"] == "/thanks/1/"
    assert SandboxMandate.objects.get().max_minor == 300_000


@pytest.mark.parametrize(("answer", "status"), [("pay", "succeeded"), ("decline", "declined")])
def test_a_press_leads_back_and_counts_once(client, answer, status):
    url = page()
    for pressed in (answer, "pay", "decline"):
        assert press(client, url, pressed).headers["Location"] == "/thanks/1/"
    assert SandboxCharge.objects.get().status == status
    assert client.get(url).headers["Location"] == "/thanks/1/"


def test_later_renewals_may_be_made_to_fail(client):
    press(client, page(), renewals_decline="1")
    assert SandboxMandate.objects.get().declines


@pytest.mark.parametrize(("script", "status"), [("timeout", "open"), ("crash_after_charge", "succeeded")])
def test_a_till_that_does_not_answer_says_so_and_leads_back(client, script, status):
    sandbox.script([script])
    answer = press(client, page())
    assert answer.status_code == 504
    assert "gave no answer" in answer.content.decode()
    assert 'href="/thanks/1/"' in answer.content.decode()
    assert SandboxCharge.objects.get().status == status


def test_a_page_nobody_opened(client):
    assert client.get("/till/nothing/").status_code == 404
    assert press(client, "/till/nothing/").status_code == 404


def test_a_press_without_an_answer_decides_nothing(client):
    url = page()
    assert client.post(url, {}).status_code == 200
    assert SandboxCharge.objects.get().status == "open"

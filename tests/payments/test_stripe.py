"""The Stripe adapter: by Stripe's own library, against a fake of its API and its library's own check of signatures."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from broadsheet.payments import inbox, reconcile
from broadsheet.payments.adapters import (
    ChargeRequest,
    ChargeResult,
    CheckoutRequest,
    MandateSeen,
    MandateWish,
    NoAnswerError,
    RefundRequest,
    SignatureError,
    registry,
)
from broadsheet.payments.adapters import stripe_words as words
from broadsheet.payments.adapters.stripe import StripeTill
from broadsheet.payments.models import Discrepancy, Invoice, Payment, WebhookEvent
from tests.payments import make_payments as make
from tests.payments.fake_stripe import KEY, SECRET, FakeStripe, event


@pytest.fixture
def api():
    made = FakeStripe()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def till(api, settings, monkeypatch):
    settings.BROADSHEET = replace(
        settings.BROADSHEET, stripe_key=KEY, stripe_webhook_secret=SECRET, public_url="https://paper.example"
    )
    made = StripeTill(api.url, timeout=(2, 5))
    monkeypatch.setattr(registry, "providers", lambda: {"stripe": made})
    monkeypatch.setattr(reconcile, "providers", lambda: {"stripe": made})
    return made


def now():
    return datetime.now(UTC)


WISH = MandateWish("card", 300_000)


def page(till, key="c1", amount=90_000, wish=WISH, email="asha@example.org"):
    return till.open_checkout(
        CheckoutRequest(key, amount, "INR", "A quarter", "/thanks/1/", now(), "reader:7", email, wish)
    )


def charge(till, key, ref, amount=90_000):
    return till.charge(ChargeRequest(key, amount, "INR", "A quarter", ref, now(), "reader:7"))


def mandate(till, api, key="c1"):
    api.pay(page(till, key))
    return till.fetch(key, now()).mandate.ref


def posts(api, path):
    return [params for method, asked, params in api.calls if (method, asked) == ("POST", path)]


def test_the_page_asks_for_the_amount_and_for_later_charges(till, api):
    url = page(till)
    assert url.startswith("https://checkout.stripe.com/")
    (asked,) = posts(api, "/v1/checkout/sessions")
    assert (asked["mode"], asked["client_reference_id"]) == ("payment", "c1")
    assert asked["success_url"] == asked["cancel_url"] == "https://paper.example/thanks/1/"
    assert asked["payment_intent_data"]["setup_future_usage"] == "off_session"
    assert asked["line_items"]["0"]["price_data"]["unit_amount"] == "90000"
    assert asked["line_items"]["0"]["price_data"]["currency"] == "inr"
    assert asked["payment_intent_data"]["metadata"] == {
        "broadsheet_key": "c1", "broadsheet_kind": "page", "broadsheet_max_minor": "300000",
    }  # fmt: skip


def test_asking_again_gives_the_same_page_and_customer(till, api):
    assert page(till) == page(till)
    page(till, "c2")
    assert (len(api.sessions), len(api.customers)) == (2, 1)


def test_without_a_mandate_nothing_is_kept_for_later(till, api):
    api.pay(page(till, wish=None))
    result = till.fetch("c1", now())
    assert (result.status, result.mandate) == ("succeeded", None)


def test_a_reader_who_paid(till, api):
    assert till.fetch("c1", now()) is None
    url = page(till)
    assert till.fetch("c1", now()) is None
    intent = api.pay(url, "mastercard", "4444")
    result = till.fetch("c1", now())
    assert (result.status, result.provider_ref) == ("succeeded", intent["id"])
    assert result.mandate == MandateSeen(intent["payment_method"], "card", 300_000, "Mastercard ending 4444")
    assert abs(result.at - now()) < timedelta(minutes=1)


def test_a_declined_card_leaves_the_page_open(till, api):
    url = page(till)
    api.pay(url, decline="insufficient_funds")
    assert till.fetch("c1", now()).status == "pending"
    api.pay(url)
    assert till.fetch("c1", now()).status == "succeeded"


@pytest.mark.parametrize("search", [True, False])
def test_a_key_is_found_with_and_without_their_search(till, api, search):
    api.search_works = search
    for number in range(3):
        api.pay(page(till, f"c{number}"))
    assert till.fetch("c1", now()).status == "succeeded"
    assert till.fetch("c9", now()) is None


def test_upi_asks_for_its_own_mandate_up_to_its_limit(till, api):
    api.pay(page(till, wish=MandateWish("upi", 9_900_000)))
    (asked,) = posts(api, "/v1/checkout/sessions")
    assert asked["payment_method_types"] == {"0": "upi"}
    options = asked["payment_method_options"]["upi"]["mandate_options"]
    assert (options["amount"], options["amount_type"]) == ("1500000", "maximum")
    seen = till.fetch("c1", now()).mandate
    assert (seen.rail, seen.label) == ("upi", "asha@upi")


def test_a_page_of_nothing_registers_a_mandate_alone(till, api):
    api.pay(page(till, "m1", amount=0))
    (asked,) = posts(api, "/v1/checkout/sessions")
    assert asked["mode"] == "setup"
    assert "line_items" not in asked
    result = till.fetch("m1", now())
    assert (result.status, result.mandate.max_minor) == ("succeeded", 300_000)
    assert charge(till, "r1", result.mandate.ref).status == "succeeded"


def test_a_renewal_is_charged_once_a_key_even_when_they_forget_keys(till, api):
    ref = mandate(till, api)
    first = charge(till, "r1", ref)
    assert first.status == "succeeded"
    (asked,) = posts(api, "/v1/payment_intents")
    assert (asked["amount"], asked["off_session"], asked["confirm"]) == ("90000", "true", "true")
    assert asked["metadata"] == {"broadsheet_key": "r1", "broadsheet_kind": "debit"}
    assert charge(till, "r1", ref).provider_ref == first.provider_ref
    api.remembered.clear()
    assert charge(till, "r1", ref).provider_ref == first.provider_ref
    assert len(posts(api, "/v1/payment_intents")) == 1


@pytest.mark.parametrize("when", ["silent_before", "silent_after"])
def test_a_line_that_goes_dead_is_no_answer_and_no_second_charge(till, api, when):
    ref = mandate(till, api)
    setattr(api, when, 1)
    with pytest.raises(NoAnswerError):
        charge(till, "r1", ref)
    known = till.fetch("r1", now())
    assert (known is None) is (when == "silent_before")
    assert charge(till, "r1", ref).status == "succeeded"
    assert sum(i["metadata"]["broadsheet_key"] == "r1" for i in api.intents.values()) == 1


def test_a_wrong_key_of_ours_is_no_answer(till, settings):
    settings.BROADSHEET = replace(settings.BROADSHEET, stripe_key="sk_test_wrong")
    with pytest.raises(NoAnswerError, match="Authentication"):
        till.fetch("c1", now())


@pytest.mark.parametrize(
    ("card", "failure"),
    [
        ("insufficient_funds", "declined"),
        ("generic_decline", "declined"),
        ("authentication_required", "declined"),
        ("lost_card", "hard_declined"),
        ("stolen_card", "hard_declined"),
        ("expired_card", "hard_declined"),
        ("stop_payment_order", "opted_out"),
        ("revocation_of_authorization", "opted_out"),
        ("india_recurring_payment_mandate_canceled", "no_mandate"),
        ("payment_intent_mandate_invalid", "no_mandate"),
    ],
)
def test_their_words_for_no(till, api, card, failure):
    ref = mandate(till, api)
    api.cards[ref] = card
    first = charge(till, "r1", ref)
    assert (first.status, first.failure_code, first.provider_ref) == ("failed", failure, list(api.intents)[-1])
    again = charge(till, "r1", ref)
    assert (again.status, again.failure_code) == ("failed", failure)
    assert len(posts(api, "/v1/payment_intents")) == 1


def test_a_bank_that_is_told_a_day_ahead_is_waited_for(till, api):
    ref = mandate(till, api)
    api.cards[ref] = "processing"
    assert charge(till, "r1", ref).status == "processing"
    api._charge(list(api.intents.values())[-1])
    assert till.fetch("r1", now()).status == "succeeded"


def test_a_revoked_mandate_charges_nothing(till, api):
    ref = mandate(till, api)
    till.revoke_mandate(ref, now())
    till.revoke_mandate(ref, now())
    till.revoke_mandate("pm_0never", now())
    assert charge(till, "r1", ref).failure_code == "no_mandate"
    assert charge(till, "r2", "pm_0never").failure_code == "no_mandate"
    assert posts(api, "/v1/payment_intents") == []


def test_withdrawing_closes_the_page_unless_the_reader_was_faster(till, api):
    url = page(till)
    assert till.withdraw("c1", now()).failure_code == "withdrawn"
    assert api.sessions[url.rpartition("/")[2]]["status"] == "expired"
    api.pay(page(till, "c2"))
    assert till.withdraw("c2", now()).status == "succeeded"
    assert till.withdraw("never", now()).failure_code == "withdrawn"


def test_refunds_come_once_a_key(till, api):
    ref = mandate(till, api)
    paid = charge(till, "r1", ref)

    def back(key, amount, charge_ref=paid.provider_ref):
        return till.refund(RefundRequest(key, "r1", charge_ref, amount, "INR", "asked", now()))

    first = back("f1", 60_000)
    assert (first.status, first.provider_ref) == ("succeeded", next(iter(api.refunds)))
    api.remembered.clear()
    assert back("f1", 60_000) == first
    assert back("f2", 30_001).failure_code == "charge_already_refunded"
    assert back("f3", 30_000, charge_ref="").status == "succeeded"
    assert [int(r["amount"]) for r in api.refunds.values()] == [60_000, 30_000]
    assert till.refund(RefundRequest("f4", "never", "", 1, "INR", "", now())).failure_code == "unknown_charge"


def test_the_list_is_whole_and_by_pages(till, api):
    ref = mandate(till, api)
    charge(till, "r3", ref)
    for number in range(104):
        api._keep(
            api.intents, "pi", "payment_intent", amount=90_000, currency="inr", status="succeeded", latest_charge=None,
            metadata={"broadsheet_key": f"x{number}"},
        )  # fmt: skip
    api._keep(api.intents, "pi", "payment_intent", amount=5, currency="eur", status="succeeded", latest_charge=None)
    api.pay(page(till, "m1", amount=0))
    till.refund(RefundRequest("f1", "r3", till.fetch("r3", now()).provider_ref, 1_000, "INR", "", now()))
    seen = list(till.list_payments(now() - timedelta(days=7), now() + timedelta(seconds=2)))
    assert len({p.provider_ref for p in seen}) == 108
    by_key = {p.key: p for p in seen}
    assert (by_key["r3"].refunded_minor, by_key["r3"].currency, by_key["r3"].amount_minor) == (1_000, "INR", 90_000)
    assert (by_key[""].amount_minor, by_key["m1"].amount_minor) == (5, 0)
    assert list(till.list_payments(now() - timedelta(days=7), now() - timedelta(days=1))) == []


def test_their_signature_is_checked_by_their_library(till):
    headers, body = event("payment_intent.succeeded", {"id": "pi_1", "status": "succeeded"})
    official = stripe.WebhookSignature.generate_signature_header(body.decode(), SECRET, int(time.time()))
    assert till.parse_webhook({"stripe-signature": official}, body, now()).event_id == "evt_000001"
    assert till.parse_webhook(headers, body, now()).event_id == "evt_000001"
    for bad_headers, bad_body, at in (
        (headers, body + b" ", now()),
        ({}, body, now()),
        ({"stripe-signature": "t=1,v1=00"}, body, now()),
        ({"stripe-signature": "t=x"}, body, now()),
        (headers, body, now() + timedelta(minutes=6)),
        (headers, b"\xff" + body, now()),
    ):
        with pytest.raises(SignatureError):
            till.parse_webhook(bad_headers, bad_body, at)


def test_a_secret_nobody_wrote_down_believes_nobody(till, settings):
    settings.BROADSHEET = replace(settings.BROADSHEET, stripe_webhook_secret="")
    with pytest.raises(SignatureError):
        till.parse_webhook(*event("payment_intent.succeeded", {"id": "pi_1", "status": "succeeded"}), now())


def test_what_their_events_say():
    def told(kind, **thing):
        return words.note({"id": "evt_1", "type": kind, "created": 1, "data": {"object": {"id": "x_1", **thing}}})

    metadata = {"broadsheet_key": "k1", "broadsheet_kind": "debit"}
    paid = told("payment_intent.succeeded", status="succeeded", metadata=metadata, amount=5, created=2)
    assert (paid.kind, paid.key, paid.charge_ref, paid.result.status) == ("charge", "k1", "x_1", "succeeded")
    error = {"code": "card_declined", "decline_code": "lost_card"}
    no = told(
        "payment_intent.payment_failed", status="requires_payment_method", metadata=metadata, last_payment_error=error
    )
    assert no.result == ChargeResult("failed", "x_1", failure_code="hard_declined")
    page_no = told(
        "payment_intent.payment_failed", status="requires_payment_method", last_payment_error=error,
        metadata={"broadsheet_key": "k1", "broadsheet_kind": "page"},
    )  # fmt: skip
    assert page_no.kind == "other"
    assert told("payment_intent.succeeded", status="succeeded", metadata={}).kind == "other"
    back = told(
        "refund.updated", status="succeeded", payment_intent="pi_1", amount=7, metadata={"broadsheet_key": "f1"}
    )
    assert (back.kind, back.key, back.result.status, back.amount_minor) == ("refund", "f1", "succeeded", 7)
    for status, word in (("needs_response", "opened"), ("won", "won"), ("lost", "lost")):
        kind = "charge.dispute.created" if word == "opened" else "charge.dispute.closed"
        dispute = told(kind, status=status, payment_intent="pi_1", amount=9)
        assert (dispute.kind, dispute.dispute, dispute.charge_ref, dispute.dispute_ref) == (
            "dispute", word, "pi_1", "x_1",
        )  # fmt: skip
    assert told("charge.dispute.created", status="warning_needs_response", payment_intent="pi_1").kind == "other"
    assert told("mandate.updated", status="inactive", payment_method="pm_1").mandate_ref == "pm_1"
    assert told("mandate.updated", status="active", payment_method="pm_1").kind == "other"
    assert told("payment_method.detached").mandate_ref == "x_1"
    assert told("customer.created").kind == "other"


@pytest.mark.django_db
def test_the_whole_road_from_the_page_to_the_books(till, api):
    undo = make.connect()
    try:
        make.attempt("k1", provider="stripe")
        intent = api.pay(page(till, "k1"))
        headers, body = event("payment_intent.succeeded", intent)
        assert [inbox.receive(provider="stripe", headers=headers, body=body, now=now()) for _ in range(2)] == [200, 200]
        assert inbox.receive(provider="stripe", headers=headers, body=body + b" ", now=now()) == 400
        inbox.process_received(now=now())
        payment = Payment.objects.get()
        assert (payment.status, payment.provider_ref, payment.mandate.provider_ref) == (
            "succeeded", intent["id"], intent["payment_method"],
        )  # fmt: skip
        assert (WebhookEvent.objects.count(), Invoice.objects.get().paid_minor) == (1, 90_000)
    finally:
        undo()


@pytest.mark.django_db
def test_a_lost_event_is_found_by_the_comparison(till, api):
    undo = make.connect()
    try:
        make.attempt("k1", provider="stripe", now=now())
        api.pay(page(till, "k1"))
        soon = now() + timedelta(seconds=2)
        assert reconcile.reconcile(now=soon).missed == 1
        assert Payment.objects.get().mandate is not None
        assert reconcile.reconcile(now=soon).clean
        assert not Discrepancy.objects.exists()
    finally:
        undo()

"""The Razorpay adapter: by Razorpay's own library, against a fake of its API and its library's own check of signatures."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from broadsheet.payments import inbox, reconcile
from broadsheet.payments.adapters import (
    ChargeRequest,
    CheckoutRequest,
    MandateSeen,
    MandateWish,
    NoAnswerError,
    RefundRequest,
    SignatureError,
    registry,
)
from broadsheet.payments.adapters import razorpay_words as words
from broadsheet.payments.adapters.razorpay import RazorpayTill
from broadsheet.payments.adapters.upi_hours import INDIA, off_peak
from broadsheet.payments.models import Discrepancy, Invoice, Mandate, Payment, WebhookEvent
from tests.payments import make_payments as make
from tests.payments.fake_razorpay import KEY_ID, KEY_SECRET, SECRET, FakeRazorpay, event

WISH = MandateWish("card", 300_000)


@pytest.fixture
def api():
    made = FakeRazorpay()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def till(api, settings, monkeypatch):
    settings.BROADSHEET = replace(
        settings.BROADSHEET, razorpay_key_id=KEY_ID, razorpay_key_secret=KEY_SECRET, razorpay_webhook_secret=SECRET,
        public_url="https://paper.example",
    )  # fmt: skip
    made = RazorpayTill(api.url, timeout=(2, 5))
    monkeypatch.setattr(registry, "providers", lambda: {"razorpay": made})
    monkeypatch.setattr(reconcile, "providers", lambda: {"razorpay": made})
    return made


def now():
    return datetime.now(UTC)


def page(till, key="checkout:1:1", amount=90_000, wish=WISH):
    return till.open_checkout(
        CheckoutRequest(key, amount, "INR", "A quarter", "/thanks/1/", now(), "reader:7", "asha@example.org", wish)
    )


def request(key, ref, amount=90_000, at=None, **more):
    return ChargeRequest(key, amount, "INR", "A quarter", ref, at or now(), "reader:7", **more)


def charge(till, key, ref, amount=90_000, at=None):
    return till.charge(request(key, ref, amount, at))


def mandate(till, api, wish=WISH):
    api.pay(page(till, wish=wish))
    return till.fetch("checkout:1:1", now()).mandate.ref


def posts(api, path):
    return [params for method, asked, params in api.calls if (method, asked) == ("POST", path)]


def token_of(ref):
    return ref.rpartition("/")[2]


def test_the_page_registers_a_mandate_up_to_what_the_reader_allows(till, api):
    assert page(till) == "https://rzp.io/i/checkout:1:1"
    (asked,) = posts(api, "/v1/subscription_registration/auth_links")
    registration = asked["subscription_registration"]
    assert (registration["method"], registration["max_amount"]) == ("card", 300_000)
    assert registration["expire_at"] > now().timestamp() + 9 * 365 * 86_400
    assert (asked["amount"], asked["currency"], asked["receipt"]) == (90_000, "INR", "checkout:1:1")
    assert asked["notes"]["broadsheet_key"] == "checkout:1:1"


def test_upi_is_registered_for_any_interval(till, api):
    page(till, wish=MandateWish("upi", None))
    registration = posts(api, "/v1/subscription_registration/auth_links")[0]["subscription_registration"]
    assert (registration["method"], registration["frequency"]) == ("upi", "as_presented")
    assert registration["max_amount"] == 1_500_000


def test_without_a_mandate_it_is_a_payment_link_that_leads_back(till, api):
    url = page(till, wish=None)
    (asked,) = posts(api, "/v1/payment_links")
    assert (asked["callback_url"], asked["callback_method"]) == ("https://paper.example/thanks/1/", "get")
    api.pay(url)
    result = till.fetch("checkout:1:1", now())
    assert (result.status, result.mandate) == ("succeeded", None)


@pytest.mark.parametrize("wish", [WISH, None])
def test_asking_again_gives_the_same_page(till, api, wish):
    assert page(till, wish=wish) == page(till, wish=wish)
    assert len(api.links) + len(api.plinks) == 1


def test_a_reader_who_paid(till, api):
    assert till.fetch("checkout:1:1", now()) is None
    url = page(till)
    assert till.fetch("checkout:1:1", now()).status == "pending"
    api.pay(url, fail="card_declined")
    assert till.fetch("checkout:1:1", now()).status == "pending"
    paid = api.pay(url)
    result = till.fetch("checkout:1:1", now())
    assert (result.status, result.provider_ref) == ("succeeded", paid["id"])
    assert result.mandate == MandateSeen(
        f"card:{paid['customer_id']}/{paid['token_id']}", "card", 300_000, "Visa ending 4366"
    )


def test_a_mandate_alone_costs_a_rupee_that_goes_back(till, api):
    paid = api.pay(page(till, "mandate:1", amount=0, wish=MandateWish("upi", 90_000)))
    assert paid["amount"] == 100
    for _ in range(2):
        result = till.fetch("mandate:1", now())
        assert (result.status, result.mandate.rail, result.mandate.label) == ("succeeded", "upi", "asha@upi")
    assert [refund["amount"] for refund in api.refunds.values()] == [100]


def test_a_renewal_is_one_order_and_one_debit_a_key(till, api):
    ref = mandate(till, api)
    first = charge(till, "renew:1:2:1", ref)
    assert first.status == "succeeded"
    (order,) = posts(api, "/v1/orders")
    assert (order["receipt"], order["amount"], order["payment_capture"]) == ("renew:1:2:1", 90_000, True)
    (debit,) = posts(api, "/v1/payments/create/recurring")
    assert (debit["recurring"], debit["token"], debit["contact"]) == (True, token_of(ref), "+919000000000")
    assert charge(till, "renew:1:2:1", ref).provider_ref == first.provider_ref
    assert till.fetch("renew:1:2:1", now()).provider_ref == first.provider_ref
    assert len(posts(api, "/v1/payments/create/recurring")) == 1


def test_a_key_longer_than_a_receipt(till, api):
    ref, key = mandate(till, api), "renew:" + "9" * 70
    assert charge(till, key, ref).status == "succeeded"
    assert len(posts(api, "/v1/orders")[0]["receipt"]) == 40
    assert till.fetch(key, now()).status == "succeeded"
    assert charge(till, key, ref).status == "succeeded"
    assert len(posts(api, "/v1/payments/create/recurring")) == 1


@pytest.mark.parametrize(("silent", "charged"), [("silent_before", False), ("silent_after", True)])
@pytest.mark.parametrize("post", ["order", "debit"])
def test_a_line_that_goes_dead_is_no_answer_and_no_second_debit(till, api, silent, charged, post):
    ref = mandate(till, api)
    if post == "debit":  # the order is there already: the next POST is the debit
        till.notify_debit(request("renew:1:2:1", ref), now() + timedelta(hours=40))
    setattr(api, silent, 1)
    with pytest.raises(NoAnswerError):
        charge(till, "renew:1:2:1", ref)
    known = till.fetch("renew:1:2:1", now())
    assert (known is not None and known.status == "succeeded") is (charged and post == "debit")
    assert charge(till, "renew:1:2:1", ref).status == "succeeded"
    debits = [p for p in api.pays.values() if words.notes_of(p).get("broadsheet_kind") == "debit"]
    assert [p["status"] for p in debits] == ["captured"]
    assert len([o for o in api.orders.values() if o["receipt"] == "renew:1:2:1"]) == 1


def test_a_debit_they_do_not_show_yet_is_waited_for(till, api):
    ref = mandate(till, api)
    api.silent_after = 0
    api.behaviour[token_of(ref)] = "slow"
    assert charge(till, "renew:1:2:1", ref).status == "processing"
    api.hidden = True
    assert charge(till, "renew:1:2:1", ref).status == "processing"
    assert till.fetch("renew:1:2:1", now()).status == "processing"
    assert len(posts(api, "/v1/payments/create/recurring")) == 1


def test_the_bank_decides_a_day_later(till, api):
    ref = mandate(till, api)
    api.behaviour[token_of(ref)] = "slow"
    first = charge(till, "renew:1:2:1", ref)
    assert first.status == "processing"
    api.capture(api.pays[first.provider_ref])
    assert till.fetch("renew:1:2:1", now()).status == "succeeded"


@pytest.mark.parametrize(
    ("reason", "failure"),
    [
        ("insufficient_funds", "declined"),
        ("bank_technical_error", "declined"),
        ("card_expired", "hard_declined"),
        ("debit_instrument_blocked", "hard_declined"),
        ("payment_cancelled", "opted_out"),
        ("mandate_revoked", "no_mandate"),
    ],
)
def test_their_words_for_no(till, api, reason, failure):
    ref = mandate(till, api)
    api.behaviour[token_of(ref)] = reason
    for _ in range(2):
        result = charge(till, "renew:1:2:1", ref)
        assert (result.status, result.failure_code) == ("failed", failure)
    assert len(posts(api, "/v1/payments/create/recurring")) == 1


def test_what_they_refused_may_still_be_paid_late(till, api):
    ref = mandate(till, api)
    api.behaviour[token_of(ref)] = "bank_technical_error"
    assert charge(till, "renew:1:2:1", ref).status == "failed"
    api.capture(list(api.pays.values())[-1])
    assert till.fetch("renew:1:2:1", now()).status == "succeeded"


def test_a_revoked_mandate_charges_nothing(till, api):
    ref = mandate(till, api)
    till.revoke_mandate(ref, now())
    till.revoke_mandate(ref, now())
    assert charge(till, "renew:1:2:1", ref).failure_code == "no_mandate"
    assert not [p for p in api.pays.values() if words.notes_of(p).get("broadsheet_kind") == "debit"]


def test_the_bank_is_told_ahead_by_the_order_of_the_debit(till, api):
    capabilities = till.capabilities
    assert (capabilities.needs_notice, capabilities.min_notice) == (True, timedelta(hours=37))
    ref = mandate(till, api)
    debit_at = datetime(2027, 4, 10, 0, 0, tzinfo=INDIA)
    notice = till.notify_debit(request("renew:1:2:1", ref), debit_at)
    assert till.notify_debit(request("renew:1:2:1", ref), debit_at) == notice
    (order,) = posts(api, "/v1/orders")
    assert order["notification"] == {"token_id": token_of(ref), "payment_after": int(debit_at.timestamp())}
    assert till.fetch("renew:1:2:1", now()) is None
    assert charge(till, "renew:1:2:1", ref).status == "succeeded"
    assert [debit["order_id"] for debit in posts(api, "/v1/payments/create/recurring")] == [notice]


def test_another_amount_is_announced_anew_and_debited_once(till, api):
    ref = mandate(till, api)
    debit_at = now() + timedelta(hours=40)
    old = till.notify_debit(request("renew:1:2:1", ref, 90_000), debit_at)
    new = till.notify_debit(request("renew:1:2:1", ref, 80_000), debit_at)
    assert old != new
    assert charge(till, "renew:1:2:1", ref, 80_000).status == "succeeded"
    assert charge(till, "renew:1:2:1", ref, 90_000).status == "succeeded"
    assert [(d["order_id"], d["amount"]) for d in posts(api, "/v1/payments/create/recurring")] == [(new, 80_000)]


def test_upi_debits_keep_out_of_the_busy_hours(till, api):
    ref = mandate(till, api, MandateWish("upi", 300_000))
    busy = datetime(2027, 4, 10, 11, 0, tzinfo=INDIA)
    till.notify_debit(request("renew:1:2:1", ref), busy)
    assert posts(api, "/v1/orders")[0]["notification"]["payment_after"] == int(busy.replace(hour=13).timestamp())
    with pytest.raises(NoAnswerError, match="busy hours"):
        charge(till, "renew:1:2:1", ref, at=busy)
    assert posts(api, "/v1/payments/create/recurring") == []
    assert charge(till, "renew:1:2:1", ref, at=busy.replace(hour=13)).status == "succeeded"


@pytest.mark.parametrize(
    ("asked", "moved"),
    [
        ("00:00", "00:00"), ("09:44", "09:44"), ("09:45", "13:00"), ("12:59", "13:00"), ("13:00", "13:00"),
        ("16:44", "16:44"), ("16:45", "21:30"), ("21:29", "21:30"), ("21:30", "21:30"), ("23:59", "23:59"),
    ],
)  # fmt: skip
def test_the_busy_hours(asked, moved):
    def at(text):
        return datetime.fromisoformat(f"2027-04-10T{text}:00").replace(tzinfo=INDIA).astimezone(UTC)

    assert off_peak(at(asked)) == at(moved)


@pytest.mark.parametrize("wish", [WISH, None])
def test_withdrawing_closes_the_page_unless_the_reader_was_faster(till, api, wish):
    page(till, "c1", wish=wish)
    assert till.withdraw("c1", now()).failure_code == "withdrawn"
    assert [link["status"] for link in (*api.links.values(), *api.plinks.values())] == ["cancelled"]
    assert till.fetch("c1", now()).failure_code == "withdrawn"
    api.pay(page(till, "c2", wish=wish))
    assert till.withdraw("c2", now()).status == "succeeded"
    assert till.withdraw("never", now()).failure_code == "withdrawn"


def test_refunds_come_once_a_key(till, api):
    paid = charge(till, "renew:1:2:1", mandate(till, api))

    def back(key, amount, charge_ref=paid.provider_ref):
        return till.refund(RefundRequest(key, "renew:1:2:1", charge_ref, amount, "INR", "asked", now()))

    first = back("f1", 60_000)
    assert first.status == "succeeded"
    api.remembered.clear()
    assert back("f1", 60_000) == first
    assert back("f2", 30_001).failure_code == "invalid_amount"
    assert back("f3", 30_000, charge_ref="").status == "succeeded"
    assert [r["amount"] for r in api.refunds.values()] == [60_000, 30_000]
    assert till.refund(RefundRequest("f4", "never", "", 1, "INR", "", now())).failure_code == "unknown_charge"


def test_a_refund_whose_answer_was_lost_is_not_sent_twice(till, api):
    paid = charge(till, "renew:1:2:1", mandate(till, api))
    api.silent_after = 1
    asked = RefundRequest("f1", "renew:1:2:1", paid.provider_ref, 60_000, "INR", "asked", now())
    with pytest.raises(NoAnswerError):
        till.refund(asked)
    assert till.refund(asked).status == "succeeded"
    assert [r["amount"] for r in api.refunds.values()] == [60_000]


def test_the_list_is_whole_and_by_pages(till, api):
    api.pay(page(till))
    order = next(iter(api.orders.values()))
    for number in range(250):
        api._pay(order, "card", None, None, {"broadsheet_key": f"k{number}"}, "captured")
    api._pay(order, "card", None, None, [], "failed")
    seen = list(till.list_payments(now() - timedelta(days=7), now() + timedelta(seconds=2)))
    assert len({p.provider_ref for p in seen}) == len(seen) == 252
    assert sum(p.status == "succeeded" for p in seen) == 251
    assert {p.key for p in seen} == {"", "checkout:1:1", *(f"k{number}" for number in range(250))}


@pytest.mark.parametrize("trouble", ["key", "away"])
def test_trouble_with_the_line_is_no_answer(till, api, settings, trouble, capsys):
    if trouble == "key":
        settings.BROADSHEET = replace(settings.BROADSHEET, razorpay_key_secret="wrong")
        lost = RazorpayTill(api.url)
    else:
        lost = RazorpayTill("http://127.0.0.1:9", timeout=(1, 1))
    with pytest.raises(NoAnswerError):
        lost.fetch("k", now())
    assert capsys.readouterr().out == ""


def test_their_signature_is_checked_by_their_library(till):
    headers, body = event("payment.captured", payment={"id": "pay_1", "status": "captured", "amount": 5, "notes": []})
    assert till.parse_webhook(headers, body, now()).event_id == "ev_000001"
    for bad_headers, bad_body in (
        (headers, body + b" "),
        ({**headers, "x-razorpay-signature": "00"}, body),
        ({**headers, "x-razorpay-signature": "é"}, body),
        ({**headers, "x-razorpay-event-id": ""}, body),
        ({}, body),
        (headers, b"\xff" + body),
    ):
        with pytest.raises(SignatureError):
            till.parse_webhook(bad_headers, bad_body, now())


def test_a_secret_nobody_wrote_down_believes_nobody(till, settings):
    settings.BROADSHEET = replace(settings.BROADSHEET, razorpay_webhook_secret="")
    with pytest.raises(SignatureError):
        till.parse_webhook(*event("payment.captured", payment={"id": "pay_1", "status": "captured"}), now())


def test_what_their_events_say():
    def told(kind, **entities):
        payload = {name: {"entity": {"id": "x_1", **entity}} for name, entity in entities.items()}
        return words.note("ev_1", {"event": kind, "created_at": 1, "payload": payload})

    debit = {"broadsheet_key": "k1", "broadsheet_kind": "debit"}
    page_notes = {"broadsheet_key": "k1", "broadsheet_kind": "page"}
    paid = told("payment.captured", payment={"status": "captured", "amount": 5, "notes": debit, "created_at": 2})
    assert (paid.kind, paid.key, paid.charge_ref, paid.result.status) == ("charge", "k1", "x_1", "succeeded")
    by_order = told("order.paid", payment={"status": "captured", "amount": 5, "notes": []}, order={"notes": page_notes})
    assert (by_order.key, by_order.result.status) == ("k1", "succeeded")
    nameless = told("payment.captured", payment={"status": "captured", "amount": 5, "notes": []})
    assert (nameless.kind, nameless.key, nameless.charge_ref) == ("charge", "", "x_1")
    no = told(
        "payment.failed", payment={"status": "failed", "amount": 5, "notes": debit, "error_reason": "card_expired"}
    )
    assert (no.result.status, no.result.failure_code) == ("failed", "hard_declined")
    assert told("payment.failed", payment={"status": "failed", "amount": 5, "notes": page_notes}).kind == "other"
    waits = told("payment.authorized", payment={"status": "authorized", "amount": 5, "notes": debit})
    assert waits.result.status == "processing"
    back = told(
        "refund.processed",
        refund={"status": "processed", "amount": 7, "payment_id": "pay_1", "notes": {"broadsheet_key": "f1"}},
    )
    assert (back.kind, back.key, back.result.status) == ("refund", "f1", "succeeded")
    for name, word in (("created", "opened"), ("won", "won"), ("lost", "lost")):
        dispute = told(f"payment.dispute.{name}", dispute={"payment_id": "pay_1", "amount": 9, "phase": "chargeback"})
        assert (dispute.dispute, dispute.charge_ref, dispute.dispute_ref) == (word, "pay_1", "x_1")
    assert told("payment.dispute.created", dispute={"payment_id": "pay_1", "phase": "retrieval"}).kind == "other"
    assert told("payment.dispute.closed", dispute={"payment_id": "pay_1", "phase": "chargeback"}).kind == "other"
    token = {"method": "card", "customer_id": "cust_1"}
    assert told("token.cancelled", token=token).mandate_ref == "card:cust_1/x_1"
    assert told("token.cancelled", token={"method": "card"}).mandate_ref == "x_1"
    assert told("token.confirmed", token=token).kind == "other"


@pytest.mark.django_db
def test_the_whole_road_with_a_no_that_became_a_yes(till, api):
    undo = make.connect()
    try:
        payment = make.attempt("k1", provider="razorpay")
        paid = api.pay(page(till, "k1"))
        captured = event("payment.captured", 1, payment=paid)
        Payment.objects.filter(pk=payment.pk).update(status="failed", failure_code="declined")
        for headers, body in (captured, captured, event("order.paid", 2, payment=paid, order={"notes": []})):
            assert inbox.receive(provider="razorpay", headers=headers, body=body, now=now()) == 200
        inbox.process_received(now=now())
        payment.refresh_from_db()
        assert (payment.status, payment.provider_ref, payment.mandate.rail) == ("succeeded", paid["id"], "card")
        assert (WebhookEvent.objects.count(), Invoice.objects.get().paid_minor) == (2, 90_000)
        ended = event("token.cancelled", 3, token={"id": paid["token_id"], "method": "card"})
        assert inbox.receive(provider="razorpay", headers=ended[0], body=ended[1], now=now()) == 200
        inbox.process_received(now=now())
        assert Mandate.objects.get().status == "revoked"
    finally:
        undo()


@pytest.mark.django_db
def test_a_lost_event_is_found_by_the_comparison(till, api):
    undo = make.connect()
    try:
        make.attempt("k1", provider="razorpay", now=now())
        url = page(till, "k1")
        api.pay(url, fail="card_declined")
        api.pay(url)
        soon = now() + timedelta(seconds=2)
        assert reconcile.reconcile(now=soon).missed == 1
        assert Payment.objects.get().mandate is not None
        assert reconcile.reconcile(now=soon).clean
        assert not Discrepancy.objects.exists()
    finally:
        undo()

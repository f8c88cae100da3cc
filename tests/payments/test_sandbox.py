"""The built-in till: answers once per key, in the instant it is asked at, as it was told to."""

from datetime import UTC, datetime, timedelta

import pytest

from broadsheet.payments import crash
from broadsheet.payments.adapters import (
    ChargeRequest,
    CheckoutRequest,
    MandateSeen,
    MandateWish,
    NoAnswerError,
    RefundRequest,
    RefundResult,
    sandbox,
)
from broadsheet.payments.models import SandboxCharge, SandboxMandate, SandboxRefund, SandboxScript

pytestmark = pytest.mark.django_db
NOW = datetime(2027, 1, 10, 3, 30, tzinfo=UTC)
DAY = timedelta(days=1)
TILL = sandbox.SandboxTill()


@pytest.fixture
def mandate():
    return SandboxMandate.objects.create(ref="sm_1", customer="reader:1").ref


def charge(key="k1", at=NOW, amount=90_000, till=TILL, **more):
    fields = {"mandate_ref": "sm_1", "currency": "INR", "description": "A quarter", **more}
    return till.charge(ChargeRequest(key=key, amount_minor=amount, at=at, **fields))


def checkout(key="c1", amount=90_000, **more):
    wish = more.pop("mandate", MandateWish("card", 300_000))
    url = TILL.open_checkout(CheckoutRequest(key, amount, "INR", "A quarter", "/back", NOW, mandate=wish, **more))
    return url.removeprefix("/till/").removesuffix("/")


def refund(key="r1", amount=30_000, charge_key="k1", at=NOW):
    return TILL.refund(RefundRequest(key, charge_key, "", amount, "INR", "asked", at))


def told(result):
    return result.status, result.failure_code


def test_a_key_is_charged_once(mandate):
    first = charge()
    assert told(first) == ("succeeded", "")
    assert charge(amount=1) == first
    assert [(row.key, row.amount_minor) for row in SandboxCharge.objects.all()] == [("k1", 90_000)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("ok", ("succeeded", "")),
        ("decline", ("failed", "declined")),
        ("hard_decline", ("failed", "hard_declined")),
        ("opt_out", ("failed", "opted_out")),
        ("late_ok", ("processing", "")),
    ],
)
def test_each_new_key_uses_one_answer_up(mandate, answer, expected):
    sandbox.script([answer])
    assert told(charge("k1")) == expected
    assert told(charge("k1")) == expected
    assert told(charge("k2")) == ("succeeded", "")
    assert list(SandboxScript.objects.values_list("answer", "used_by")) == [(answer, "k1")]


def test_a_customers_answers_go_before_everybodys(mandate):
    sandbox.script(["hard_decline"])
    sandbox.script(["decline"], customer="reader:1")
    assert told(charge("k1")) == ("failed", "declined")  # the mandate says whose it is
    assert told(charge("k2", customer="reader:1")) == ("failed", "hard_declined")
    sandbox.script(["decline"], customer="reader:2")
    assert told(charge("k3")) == ("succeeded", "")


def test_a_word_that_is_no_answer_leaves_no_script():
    with pytest.raises(ValueError, match="'maybe' is no answer of the till; it knows ok, decline"):
        sandbox.script(["ok", "maybe"])
    assert not SandboxScript.objects.exists()


def test_late_money_is_known_a_day_later_and_not_before(mandate):
    sandbox.script(["late_ok"])
    assert told(charge()) == ("processing", "")
    assert told(TILL.fetch("k1", NOW + DAY - timedelta(seconds=1))) == ("processing", "")
    late = TILL.fetch("k1", NOW + DAY)
    assert (late.status, late.at) == ("succeeded", NOW + DAY)
    assert charge(at=NOW + DAY) == late


def test_no_answer_is_no_charge_and_the_same_key_is_answered(mandate):
    sandbox.script(["timeout", "decline"])
    with pytest.raises(NoAnswerError):
        charge("k1")
    assert TILL.fetch("k1", NOW) is None
    assert not SandboxCharge.objects.exists()
    assert told(charge("k1")) == ("succeeded", "")
    assert told(charge("k2")) == ("failed", "declined")


def test_the_till_that_takes_money_and_dies_has_taken_it_once(mandate):
    sandbox.script(["crash_after_charge"])
    with pytest.raises(crash.CrashError):
        charge("k1")
    assert told(TILL.fetch("k1", NOW)) == ("succeeded", "")
    assert told(charge("k1")) == ("succeeded", "")
    assert SandboxCharge.objects.count() == 1


@pytest.mark.parametrize("revoked", [False, True])
def test_without_a_mandate_nothing_is_charged_and_no_answer_used_up(mandate, revoked):
    sandbox.script(["ok"])
    if revoked:
        TILL.revoke_mandate("sm_1", NOW)
    else:
        SandboxMandate.objects.all().delete()
    assert told(charge()) == ("failed", "no_mandate")
    assert SandboxScript.objects.get().used_by == ""


def test_a_debit_stays_below_the_readers_maximum(mandate):
    SandboxMandate.objects.update(max_minor=100_000)
    assert told(charge("k1", amount=100_000)) == ("succeeded", "")
    assert told(charge("k2", amount=100_001)) == ("failed", "declined")
    assert told(charge("k3", amount=100_001, present=True)) == ("succeeded", "")


def test_an_indian_bank_asks_its_customer_above_fifteen_thousand_rupees(mandate):
    assert TILL.capabilities.max_auto_minor == {"INR": 1_500_000}
    assert told(charge("k1", amount=1_500_000)) == ("succeeded", "")
    assert told(charge("k2", amount=1_500_001)) == ("failed", "declined")
    assert told(charge("k3", amount=1_500_001, currency="EUR")) == ("succeeded", "")


def test_a_strict_till_wants_the_notice_a_day_ahead(mandate):
    strict = sandbox.SandboxTill(needs_notice=True)
    assert (strict.capabilities.needs_notice, TILL.capabilities.needs_notice) == (True, False)
    assert told(charge("k1", till=strict)) == ("failed", "declined")
    for key in ("k2", "k3", "k4"):
        ahead = ChargeRequest(key, 90_000, "INR", "A quarter", "sm_1", NOW)
        assert strict.notify_debit(ahead, NOW + DAY) == strict.notify_debit(ahead, NOW + DAY)
        assert told(strict.fetch(key, NOW)) == ("pending", "")
    assert told(charge("k2", NOW + DAY - timedelta(seconds=1), till=strict)) == ("failed", "declined")
    assert told(charge("k3", NOW + DAY, amount=90_001, till=strict)) == ("failed", "declined")
    sandbox.script(["timeout"])
    with pytest.raises(NoAnswerError):
        charge("k4", NOW + DAY, till=strict)
    assert told(strict.fetch("k4", NOW + DAY)) == ("pending", "")
    assert told(charge("k4", NOW + DAY, till=strict)) == ("succeeded", "")
    assert strict.fetch("k4", NOW + DAY).at == NOW + DAY
    assert told(charge("k5", till=strict, present=True)) == ("succeeded", "")


def test_paying_at_the_till_registers_what_was_allowed():
    token = checkout(customer="reader:7")
    page = sandbox.till_page(token)
    assert (page.open, page.amount_minor, page.rail, page.max_minor) == (True, 90_000, "card", 300_000)
    assert TILL.fetch("c1", NOW).status == "pending"
    result = sandbox.decide(token=token, pay=True, now=NOW)
    assert result == TILL.fetch("c1", NOW)
    seen = result.mandate
    assert seen == MandateSeen(seen.ref, "card", 300_000, "Sandbox card ending 4242")
    assert SandboxMandate.objects.get().customer == "reader:7"
    assert told(charge(mandate_ref=seen.ref)) == ("succeeded", "")
    assert not sandbox.till_page(token).open


def test_without_a_wish_no_mandate_is_registered():
    result = sandbox.decide(token=checkout(mandate=None), pay=True, now=NOW)
    assert (result.status, result.mandate) == ("succeeded", None)
    assert not SandboxMandate.objects.exists()


def test_a_page_of_nothing_registers_a_mandate_alone():
    sandbox.script(["decline"])
    result = sandbox.decide(token=checkout(amount=0, mandate=MandateWish("upi", 90_000)), pay=True, now=NOW)
    assert (result.status, result.mandate.rail, result.mandate.max_minor) == ("succeeded", "upi", 90_000)
    assert SandboxScript.objects.get().used_by == ""  # it is no charge


def test_later_renewals_may_be_declined():
    result = sandbox.decide(token=checkout(), pay=True, renewals_decline=True, now=NOW)
    assert told(charge(mandate_ref=result.mandate.ref)) == ("failed", "declined")


@pytest.mark.parametrize("first", [True, False])
def test_only_the_first_press_counts(first):
    token = checkout()
    before = sandbox.decide(token=token, pay=first, now=NOW)
    assert told(before) == (("succeeded", "") if first else ("failed", "declined"))
    assert sandbox.decide(token=token, pay=not first, now=NOW + DAY) == before
    assert SandboxMandate.objects.count() == first


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("decline", ("failed", "declined")), ("late_ok", ("processing", "")), ("timeout", ("pending", ""))],
)
def test_a_press_of_pay_takes_an_answer_too(answer, expected):
    sandbox.script([answer])
    token = checkout()
    assert told(sandbox.decide(token=token, pay=True, now=NOW)) == expected
    if answer == "timeout":  # the press was lost: the page is still there
        assert told(sandbox.decide(token=token, pay=True, now=NOW)) == ("succeeded", "")


def test_a_press_over_which_the_till_dies_has_paid():
    sandbox.script(["crash_after_charge"])
    token = checkout()
    with pytest.raises(crash.CrashError):
        sandbox.decide(token=token, pay=True, now=NOW)
    assert TILL.fetch("c1", NOW).status == "succeeded"
    assert TILL.fetch("c1", NOW).mandate is not None


def test_declining_uses_no_answer_up():
    sandbox.script(["ok"])
    sandbox.decide(token=checkout(), pay=False, now=NOW)
    assert SandboxScript.objects.get().used_by == ""


def test_a_page_nobody_opened():
    assert sandbox.till_page("nothing") is None
    assert sandbox.decide(token="nothing", pay=True, now=NOW) is None


def test_withdrawing_closes_the_page_unless_somebody_paid():
    token = checkout("c1")
    assert told(TILL.withdraw("c1", NOW)) == ("failed", "withdrawn")
    assert told(sandbox.decide(token=token, pay=True, now=NOW)) == ("failed", "withdrawn")
    paid = sandbox.decide(token=checkout("c2"), pay=True, now=NOW)
    assert TILL.withdraw("c2", NOW) == paid
    assert told(TILL.withdraw("never", NOW)) == ("failed", "withdrawn")


def test_refunds_come_once_a_key_and_never_to_more_than_was_paid(mandate):
    charge("k1", amount=90_000)
    first = refund("r1", 60_000)
    assert first.status == "succeeded"
    assert refund("r1", 60_000) == first
    assert refund("r2", 30_001) == RefundResult("failed", failure_code="too_much", at=NOW)
    assert refund("r3", 30_000).status == "succeeded"
    assert sorted(SandboxRefund.objects.values_list("key", "amount_minor")) == [("r1", 60_000), ("r3", 30_000)]
    assert refund("r4", 1, charge_key="never").failure_code == "unknown_charge"


def test_what_was_declined_is_not_given_back(mandate):
    sandbox.script(["decline"])
    charge("k1")
    assert refund().failure_code == "too_much"
    assert not SandboxRefund.objects.exists()


def test_the_list_is_whole_in_order_and_half_open(mandate, monkeypatch):
    monkeypatch.setattr(sandbox, "_PAGE", 2)
    sandbox.script(["ok", "ok", "decline", "late_ok"])
    for number, day in enumerate((0, 1, 1, 2, 3)):
        charge(f"k{number}", NOW + day * DAY)
    refund("r1", 1_000, "k1", NOW + 3 * DAY)
    seen = list(TILL.list_payments(NOW + DAY, NOW + 3 * DAY))
    assert [(p.key, p.status, p.refunded_minor, p.at) for p in seen] == [
        ("k1", "succeeded", 1_000, NOW + DAY),
        ("k2", "failed", 0, NOW + DAY),
        ("k3", "succeeded", 0, NOW + 2 * DAY),
    ]
    assert [p.status for p in TILL.list_payments(NOW + 2 * DAY, NOW + 3 * DAY - timedelta(microseconds=1))] == [
        "processing"
    ]
    assert seen[0].provider_ref == TILL.fetch("k1", NOW + DAY).provider_ref

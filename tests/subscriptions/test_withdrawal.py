"""The right to withdraw: where it holds, until when, and what goes back."""

from __future__ import annotations

from datetime import date

import pytest

from broadsheet.payments.actions import give_credit, save_profile
from broadsheet.payments.check import violations
from broadsheet.payments.ledger import check_journal
from broadsheet.payments.models import CreditNote, Payment, Refund
from broadsheet.payments.queries import credit_balance, mandate
from broadsheet.subscriptions import actions, cooling_off
from broadsheet.subscriptions.models import Subscription, SubscriptionEvent
from broadsheet.subscriptions.rules import RefusedError
from tests.subscriptions.make_subscriptions import at, buy, may_read, plan, reader, walk

pytestmark = pytest.mark.django_db
DAY = at("2027-03-01 09:00")
WAIVED = "I want to read at once and know that I lose the right to withdraw."
AT_ONCE = "I want to read at once and pay for the days used if I withdraw."


def subscriber(country: str = "DE", email: str = "asha@example.org") -> int:
    pk = reader(email)
    save_profile(reader_id=pk, country=country, now=DAY)
    return pk


def bought(country: str = "DE", **more: object) -> Subscription:
    plan("m", months=1, amount=31_000, **more)
    return buy(subscriber(country), DAY, "m")


def agreed(subscription: Subscription, kind: str, text: str) -> None:
    actions.record_consent(
        reader_id=subscription.reader_id, subscription_id=subscription.pk, kind=kind, text=text, now=DAY
    )


def withdraw(subscription: Subscription, when: str) -> list[actions.Happened]:
    return actions.withdraw(subscription_id=subscription.pk, actor=f"reader:{subscription.reader_id}", now=at(when))


def sums(subscription: Subscription) -> tuple[int, int]:
    refunds = sum(row.amount_minor for row in Refund.objects.filter(status="succeeded"))
    return refunds, sum(note.total_minor for note in CreditNote.objects.all())


def books_agree() -> None:
    assert list(check_journal()) == []
    assert list(violations()) == []


def test_all_of_it_goes_back_and_access_ends():
    one = bought()
    said = actions.may_withdraw(subscription_id=one.pk, now=at("2027-03-11 12:00"))
    assert said == actions.Withdrawal(date(2027, 3, 15), "full", 31_000, 0, "INR")
    happened = withdraw(one, "2027-03-11 12:00")
    assert [event.kind for event in happened] == ["withdrawn", "credit_note", "status_changed", "refund"]
    assert happened[0].facts == {"terms": "full", "refund_minor": 31_000, "credit_minor": 0, "currency": "INR"}
    assert sums(one) == (31_000, 31_000)
    one.refresh_from_db()
    assert (one.status, one.due_at) == ("canceled", None)
    assert not may_read(one.reader_id, at("2027-03-11 12:01"))
    walk(at("2027-03-12 00:10"), at("2027-04-03 00:10"))
    assert Payment.objects.count() == 1
    books_agree()


def test_twice_is_once():
    one = bought()
    withdraw(one, "2027-03-11 12:00")
    assert withdraw(one, "2027-03-11 12:01") == []
    assert sums(one) == (31_000, 31_000)
    assert actions.may_withdraw(subscription_id=one.pk, now=at("2027-03-11 12:01")) is None


@pytest.mark.parametrize(
    ("when", "may"),
    [
        ("2027-03-15 23:59", True),
        ("2027-03-16 05:29", True),  # where the reader may be, the 15th is not over
        ("2027-03-16 06:31", False),
        ("2027-03-20 09:00", False),
    ],
)
def test_fourteen_days_after_the_day_of_the_contract(when, may):
    one = bought()
    assert (actions.may_withdraw(subscription_id=one.pk, now=at(when)) is not None) is may
    if not may:
        events = SubscriptionEvent.objects.count()
        with pytest.raises(RefusedError, match="no_withdrawal"):
            withdraw(one, when)
        assert SubscriptionEvent.objects.count() == events
        one.refresh_from_db()
        assert one.status == "active"
        assert sums(one) == (0, 0)


@pytest.mark.parametrize(
    ("country", "may"), [("IN", False), ("US", False), ("DE", True), ("NO", True), ("GB", True), ("", False)]
)
def test_only_where_the_law_gives_the_right(country, may):
    one = bought(country)
    assert (actions.may_withdraw(subscription_id=one.pk, now=at("2027-03-02 09:00")) is not None) is may


def test_who_asked_to_begin_at_once_pays_for_the_days_used():
    one = bought()
    agreed(one, cooling_off.EARLY_START, AT_ONCE)
    # 31 days in the period; the 11th day counts as used: 20 days go back.
    said = actions.may_withdraw(subscription_id=one.pk, now=at("2027-03-11 12:00"))
    assert said == actions.Withdrawal(date(2027, 3, 15), "pro_rata", 20_000, 0, "INR")
    withdraw(one, "2027-03-11 12:00")
    assert sums(one) == (20_000, 20_000)
    books_agree()


def test_who_gave_the_right_up_has_it_no_more_and_may_cancel():
    one = bought()
    agreed(one, cooling_off.WAIVER, WAIVED)
    assert actions.may_withdraw(subscription_id=one.pk, now=at("2027-03-02 09:00")) is None
    with pytest.raises(RefusedError, match="no_withdrawal"):
        withdraw(one, "2027-03-02 09:00")
    assert sums(one) == (0, 0)


def test_a_trial_is_withdrawn_from_and_nothing_is_ever_charged():
    plan("t", months=1, amount=30_000, trial_days=30)
    pk = subscriber()
    checkout = actions.start_checkout(reader_id=pk, plan_code="t", collection="send_invoice", now=DAY)
    one = Subscription.objects.get(pk=checkout.subscription_id)
    assert one.status == "trialing"
    withdraw(one, "2027-03-10 09:00")
    one.refresh_from_db()
    assert one.status == "canceled"
    assert not may_read(pk, at("2027-03-10 09:01"))
    walk(at("2027-03-11 00:10"), at("2027-04-05 00:10"))
    assert Payment.objects.count() == 0


def test_what_credit_had_paid_is_credit_again():
    plan("m", months=1, amount=31_000)
    pk = subscriber()
    give_credit(key="k", reader_id=pk, currency="INR", amount_minor=10_000, reason="x", source="goodwill", now=DAY)
    one = buy(pk, DAY, "m")
    said = actions.may_withdraw(subscription_id=one.pk, now=at("2027-03-05 09:00"))
    assert said is not None
    assert (said.refund_minor, said.credit_minor) == (21_000, 10_000)
    withdraw(one, "2027-03-05 09:00")
    assert sums(one) == (21_000, 31_000)
    assert credit_balance(pk, "INR") == 10_000
    books_agree()


def test_a_change_of_plan_in_between_goes_back_too():
    one = bought()
    plan("y", months=12, amount=270_000)
    actions.change_plan(subscription_id=one.pk, plan_code="y", actor="reader:1", now=at("2027-03-06 09:00"))
    paid = sum(row.amount_minor for row in Payment.objects.filter(status="succeeded"))
    assert paid == 31_000 + 270_000 - 26_000
    withdraw(one, "2027-03-10 09:00")
    assert sums(one) == (paid, paid)
    one.refresh_from_db()
    assert one.status == "canceled"
    books_agree()


def test_a_cancellation_or_an_earlier_refund_is_no_obstacle_and_counts():
    one = bought()
    actions.refund_payment(subscription_id=one.pk, amount_minor=5_000, actor="desk:1", now=at("2027-03-02 09:00"))
    actions.cancel(subscription_id=one.pk, when="period_end", actor="reader:1", now=at("2027-03-03 09:00"))
    withdraw(one, "2027-03-04 09:00")
    assert sums(one) == (31_000, 31_000)
    books_agree()


def test_who_cancelled_at_once_may_still_have_the_rest_back():
    one = bought()
    actions.cancel(subscription_id=one.pk, when="now", actor="reader:1", now=at("2027-03-03 09:00"))
    assert sums(one) == (0, 0)
    withdraw(one, "2027-03-04 09:00")
    assert sums(one) == (31_000, 31_000)
    books_agree()


def test_what_the_bank_took_back_is_not_paid_twice():
    one = bought()
    actions.chargeback(subscription_id=one.pk, result="opened", now=at("2027-03-03 09:00"))
    withdraw(one, "2027-03-04 09:00")
    assert sums(one) == (0, 0)
    one.refresh_from_db()
    assert one.status == "canceled"


def test_tax_on_top_goes_back_with_the_price():
    from broadsheet.payments.models import TaxRate

    TaxRate.objects.create(code="vat", kind="vat", rate_bp=1900, country="DE", valid_from=date(2020, 1, 1))
    one = bought(tax="vat", tax_inclusive=False)
    agreed(one, cooling_off.EARLY_START, AT_ONCE)
    withdraw(one, "2027-03-11 12:00")
    assert sums(one) == (23_800, 23_800)  # 20,000 and 19 % of it
    books_agree()


def test_the_mandate_is_given_back(django_capture_on_commit_callbacks):
    from broadsheet.subscriptions import jobs
    from broadsheet.subscriptions.events import SubscriptionEnded

    one = bought()
    withdraw(one, "2027-03-04 09:00")
    jobs.finish_subscription(SubscriptionEnded(one.pk, "withdrawn", "2027-03-04T09:00:00+05:30"))
    held = mandate(one.mandate_id)
    assert held is not None
    assert not held.usable


def test_countries_and_their_rules():
    assert cooling_off.rule_of("de", date(2027, 1, 1)) == cooling_off.Rule(date(2014, 6, 13))
    assert cooling_off.rule_of("DE", date(2014, 6, 12)) is None
    assert cooling_off.rule_of("IN", date(2027, 1, 1)) is None
    strict = cooling_off.Rule(date(2020, 1, 1), waivable=False, used_is_paid=False)
    assert cooling_off.terms_of(strict, {cooling_off.WAIVER, cooling_off.EARLY_START}) == "full"
    assert cooling_off.terms_of(strict, set()) == "full"

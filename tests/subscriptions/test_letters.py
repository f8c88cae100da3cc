"""What readers are written, word for word."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import resolve

from broadsheet.bus.actions import run_due_jobs
from broadsheet.payments.actions import save_profile
from broadsheet.payments.adapters import ChargeResult
from broadsheet.payments.adapters.sandbox import script
from broadsheet.payments.models import Mandate, TaxRate
from broadsheet.readers.models import Reader
from broadsheet.subscriptions import actions, cooling_off, jobs_letters, links
from broadsheet.subscriptions.events import SubscriptionStarted
from broadsheet.subscriptions.models import Gift, Seat, Subscription
from tests.subscriptions.make_subscriptions import at, buy, card_declines, plan, press, reader

pytestmark = pytest.mark.django_db
DAY = at("2027-01-10 09:00")
SITE = "http://localhost:8000"
CANCEL = f"{SITE}/account/subscription/cancel/"
METHOD = f"{SITE}/account/payment-method/"


@pytest.fixture(autouse=True)
def _site(settings):
    assert settings.BROADSHEET.public_url == SITE
    assert settings.BROADSHEET.name == "The Daily Broadsheet"


class Box:
    """The letters that came since it was last looked at."""

    def __init__(self, mailoutbox: list) -> None:
        self._box = mailoutbox

    def new(self) -> list:
        run_due_jobs()
        came = list(self._box)
        self._box.clear()
        return came

    def one(self) -> object:
        (letter,) = self.new()
        return letter

    def subjects(self) -> list[str]:
        return [letter.subject for letter in self.new()]


@pytest.fixture
def box(mailoutbox) -> Box:
    return Box(mailoutbox)


def body(letter) -> list[str]:
    """Its paragraphs, without greeting, foot and name."""
    parts = letter.body.rstrip("\n").split("\n\n")
    assert parts[0].startswith("Dear ")
    assert parts[-1] == "The Daily Broadsheet"
    return [part for part in parts[1:-1] if not part.startswith("Your account: ")]


def bought(box: Box, months: int = 1, amount: int = 30_000, **more: object) -> Subscription:
    plan("m", months=months, amount=amount, **more)
    row = buy(reader(), DAY, "m")
    box.new()
    return row


def run(when: str) -> None:
    actions.run_due(now=at(when))


def pay(row: Subscription) -> str:
    return f"You can pay here, without signing in: {links.pay_link(row.pk)}"


# Receipts


def test_a_receipt_says_all_a_reader_has_to_know(box):
    TaxRate.objects.create(code="news", kind="gst", rate_bp=1800, valid_from=date(2020, 1, 1))
    plan("q", months=3, amount=90_000, tax="news")
    pk = reader()
    Reader.objects.filter(pk=pk).update(name="Asha")
    buy(pk, DAY, "q")
    letter = box.one()
    assert letter.to == ["asha@example.org"]
    assert letter.subject == "Welcome to The Daily Broadsheet"
    assert letter.body == (
        "Dear Asha,\n\n"
        "Welcome to The Daily Broadsheet. Your Q subscription is open.\n\n"
        "We received ₹900 for 10 January 2027 to 9 April 2027, ₹137.28 of it tax.\n\n"
        f"Your invoice BS/26-27/000001: {SITE}/account/invoices/BS/26-27/000001/\n\n"
        "It renews on 10 April 2027 for ₹900, tax included. We will debit it from Sandbox card ending 4242.\n\n"
        f"You can cancel at any time in your account, in two clicks: {CANCEL} You then read on until the end of what "
        "you have paid for.\n\n"
        f"Your account: {SITE}/account/\n\n"
        "The Daily Broadsheet\n"
    )


def test_the_same_letter_twice_is_the_same_letter(box):
    row = bought(box)
    event = SubscriptionStarted(row.pk, 1, "2027-01-10T09:00:00+05:30")
    jobs_letters.send_receipt(event)
    jobs_letters.send_receipt(event)
    first, second = box.new()
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]


def test_a_renewal_has_its_receipt(box):
    bought(box)
    run("2027-02-10 00:00")
    letter = next(one for one in box.new() if "renewed" in one.subject)
    assert letter.subject == "Your subscription to The Daily Broadsheet is renewed"
    assert body(letter)[:2] == [
        "Your M subscription has been renewed.",
        "We received ₹300 for 10 February 2027 to 9 March 2027.",
    ]


def test_readers_in_the_eu_are_told_of_their_right_to_withdraw_and_what_they_agreed_to(box):
    plan("m", months=1, amount=30_000)
    pk = reader()
    save_profile(reader_id=pk, country="DE", now=DAY)
    checkout = actions.start_checkout(reader_id=pk, plan_code="m", now=DAY)
    actions.record_consent(
        reader_id=pk, subscription_id=checkout.subscription_id, kind=cooling_off.EARLY_START, text="Begin.", now=DAY
    )
    press(checkout, DAY)
    actions.complete_checkout(subscription_id=checkout.subscription_id, now=DAY)
    told = body(box.one())
    assert told[-2:] == [
        (
            "You may withdraw from this contract until the end of 24 January 2027, without giving a reason: "
            f"{SITE}/withdraw/{links.withdraw_token(checkout.subscription_id)}/"
        ),
        "You agreed to this: “Begin.”",
    ]


def test_another_plan_and_more_seats_have_their_receipts(box):
    row = bought(box, max_quantity=5)
    actions.set_quantity(subscription_id=row.pk, quantity=3, actor="reader:1", now=DAY)
    seats = box.one()
    assert seats.subject == "Your subscription to The Daily Broadsheet has changed"
    assert body(seats)[0] == "Your M subscription now has 3 seats."
    plan("y", months=12, amount=270_000, max_quantity=5)
    actions.change_plan(subscription_id=row.pk, plan_code="y", actor="reader:1", now=DAY)
    assert body(box.one())[0] == "You now have the Y subscription."


def test_what_credit_paid_is_said(box):
    plan("m", months=1, amount=30_000)
    pk = reader()
    actions.give_credit(
        reader_id=pk, subscription_id=None, amount_minor=10_000, currency="INR", actor="desk:1", now=DAY
    )  # fmt: skip
    credit = box.one()
    assert credit.subject == "You have a credit with The Daily Broadsheet"
    assert body(credit) == ["₹100 is yours as credit. Your next invoice uses it up by itself."]
    buy(pk, DAY, "m")
    assert body(box.one())[1] == (
        "We received ₹300 for 10 January 2027 to 9 February 2027. ₹100 of it was paid from your credit."
    )


def test_a_trial_is_welcomed_with_what_follows_it(box):
    plan("t", months=1, amount=30_000, trial_days=10)
    checkout = actions.start_checkout(reader_id=reader(), plan_code="t", now=DAY)
    press(checkout, DAY)
    actions.complete_checkout(subscription_id=checkout.subscription_id, now=DAY)
    letter = box.one()
    assert letter.subject == "Your trial of The Daily Broadsheet has begun"
    assert body(letter) == [
        "Welcome to The Daily Broadsheet. Your trial of the T subscription has begun.",
        (
            "Nothing has been charged. On 20 January 2027 at 09:00 your trial ends and your subscription goes on: we will "
            "then debit ₹300, tax included, from Sandbox card ending 4242."
        ),
        f"If you cancel before then, nothing is ever charged: {CANCEL}",
    ]


def test_a_refund_names_its_credit_note(box):
    row = bought(box)
    actions.refund_payment(subscription_id=row.pk, amount_minor=10_000, actor="desk:1", now=DAY)
    letter = box.one()
    assert letter.subject == "₹100 is on its way back to you"
    assert body(letter) == [
        "We have sent ₹100 back to you, by the way you paid. Your bank may take some working days to show it.",
        f"Your credit note CN/26-27/000001: {SITE}/account/credit-notes/CN/26-27/000001/",
    ]


def test_unused_time_kept_as_credit_names_its_credit_note(box):
    row = bought(box)
    actions.cancel(subscription_id=row.pk, when="now", refund="credit", actor="desk:1", now=DAY)
    credit, ended = box.new()
    assert body(credit)[1].startswith("Your credit note CN/26-27/000001: ")
    assert ended.subject == "Your subscription has ended"


def test_a_withdrawal_is_acknowledged_to_the_second(box):
    plan("m", months=1, amount=31_000)
    pk = reader()
    save_profile(reader_id=pk, country="FR", now=DAY)
    row = buy(pk, DAY, "m")
    box.new()
    actions.withdraw(subscription_id=row.pk, actor=f"reader:{pk}", now=at("2027-01-12 10:20:30"))
    letters = {letter.subject: body(letter) for letter in box.new()}
    assert set(letters) == {"We have received your withdrawal", "₹310 is on its way back to you"}
    assert letters["We have received your withdrawal"] == [
        (
            "On 12 January 2027 at 10:20:30 (Asia/Kolkata) you withdrew from the contract about your M subscription to "
            "The Daily Broadsheet. It has ended, and nothing will be charged any more."
        ),
        "₹310 goes back to you by the way you paid, within 14 days. That is all you paid.",
        "Please keep this letter as your receipt.",
    ]


# Ahead of time


def test_a_renewal_and_its_debit_are_announced(box):
    row = bought(box)
    run("2027-02-03 00:00")
    letter = box.one()
    assert letter.subject == "Your subscription renews on 10 February 2027"
    assert body(letter) == [
        (
            "This is about your M subscription to The Daily Broadsheet. It renews on 10 February 2027 for ₹300, tax "
            "included. We will debit it from Sandbox card ending 4242."
        ),
        f"If you would rather stop, cancel by the end of 9 February 2027 and nothing will be charged: {CANCEL}",
    ]
    Mandate.objects.update(label="Visa ending 4242")
    run("2027-02-07 00:00")
    letter = box.one()
    assert letter.subject == "We will debit ₹300 on 10 February 2027"
    assert body(letter) == [
        "This debit will be made by the permission you gave us:",
        (
            "Merchant: The Daily Broadsheet\nAmount: ₹300, tax included\nDate: 10 February 2027\nFrom: Visa ending 4242\n"
            f"For: M subscription, 1 month\nReference: renew:{row.pk}:2:1"
        ),
        (
            f"If you do not want this debit, cancel by the end of 9 February 2027 and nothing will be charged: {CANCEL} "
            "You can also decline it with your bank."
        ),
    ]


@pytest.mark.parametrize(
    ("collection", "lines"),
    [
        (
            "automatic",
            [
                (
                    "Your trial of the T subscription to The Daily Broadsheet ends on 20 January 2027 at 09:00. Your "
                    "subscription then goes on for ₹300, tax included, for 1 month. We will debit it from "
                    "Sandbox card ending 4242."
                ),
                f"If you would rather stop, cancel before then and nothing will be charged: {CANCEL}",
            ],
        ),
        (
            "send_invoice",
            [
                "Your trial of the T subscription to The Daily Broadsheet ends on 20 January 2027 at 09:00.",
                (
                    "Nothing will be charged, and you need do nothing. If you would like to read on, tell us how you want "
                    f"to pay: {METHOD}"
                ),
            ],
        ),
    ],
)
def test_a_trials_end_is_announced(box, collection, lines):
    plan("t", months=1, amount=30_000, trial_days=10)
    checkout = actions.start_checkout(reader_id=reader(), plan_code="t", collection=collection, now=DAY)
    if checkout.url:
        press(checkout, DAY)
        actions.complete_checkout(subscription_id=checkout.subscription_id, now=DAY)
    box.new()
    run("2027-01-13 00:00")
    letter = box.one()
    assert letter.subject == "Your trial ends on 20 January 2027"
    assert body(letter) == lines


def dearer(box: Box) -> Subscription:
    row = bought(box, months=12, amount=270_000)
    actions.set_price(
        plan_code="m", amount_minor=330_000, new_from=date(2027, 6, 1), existing_from=date(2027, 6, 1)
    )  # fmt: skip
    run_due_jobs()  # who has the plan is looked at again
    return row


def test_another_price_says_both(box):
    dearer(box)
    run("2027-12-11 00:00")
    letter = box.one()
    assert letter.subject == "The price of your subscription changes on 10 January 2028"
    assert body(letter) == [
        (
            "From 10 January 2028 your M subscription to The Daily Broadsheet costs ₹3,300 instead of ₹2,700 for 12 months, "
            "tax included. We will debit it from Sandbox card ending 4242. You need do nothing to go on."
        ),
        f"If you would rather stop, cancel by the end of 9 January 2028 and nothing will be charged: {CANCEL}",
    ]


def test_a_mandate_that_is_too_small_is_asked_for_anew(box):
    row = bought(box, months=12, amount=270_000)
    Mandate.objects.update(max_minor=300_000)
    actions.set_price(
        plan_code="m", amount_minor=330_000, new_from=date(2027, 6, 1), existing_from=date(2027, 6, 1)
    )  # fmt: skip
    run_due_jobs()
    run("2027-12-11 00:00")
    letter = box.one()
    assert letter.subject == "Please allow the debit of 10 January 2028"
    assert body(letter)[:3] == [
        (
            "From 10 January 2028 your M subscription to The Daily Broadsheet costs ₹3,300 instead of ₹2,700 for 12 months, "
            "tax included."
        ),
        (
            "You allowed us to debit up to ₹3,000 at a time, which is less. Please allow the new amount before then: "
            f"{METHOD}"
        ),
        (
            "Without that we will not debit anything, neither the new price nor the old one. On that day we will send you a "
            "link to pay instead."
        ),
    ]
    run("2028-01-10 00:00")
    wanted = box.one()
    assert wanted.subject == "Please pay ₹3,300 for your subscription"
    assert body(wanted) == [
        (
            "Your M subscription to The Daily Broadsheet has fallen due: ₹3,300, tax included, for 10 January 2028 to "
            "9 January 2029 (invoice BS/27-28/000001)."
        ),
        "It is more than you allowed us to debit at a time (₹3,000), so we have not debited anything.",
        pay(row),
        "You can read to the end of 16 January 2028.",
        "Your subscription ends on 31 January 2028 unless it is paid by then.",
    ]


def test_a_years_statement_lists_what_was_paid(box):
    bought(box, months=12, amount=270_000)
    run("2028-01-10 00:00")
    box.new()
    run("2028-01-10 09:00")
    letter = box.one()
    assert letter.subject == "Your year with The Daily Broadsheet"
    assert body(letter) == [
        "You have the M subscription to The Daily Broadsheet.",
        "In the year up to 9 January 2028 you paid ₹2,700 for it:",
        "10 January 2027: ₹2,700, invoice BS/26-27/000001",
        "It renews on 10 January 2029 for ₹2,700, tax included. We will debit it from Sandbox card ending 4242.",
        (
            f"You can cancel at any time in your account, in two clicks: {CANCEL} You then read on until the end of what "
            "you have paid for."
        ),
    ]


# Unpaid


@pytest.mark.parametrize(
    ("answer", "subject", "first", "retried"),
    [
        (
            "decline",
            "Your payment did not go through",
            "We could not collect ₹300 for your M subscription. Nothing has been charged.",
            True,
        ),
        (
            "hard_decline",
            "Please give us another way to pay",
            (
                "Your bank refused ₹300 for your M subscription for good: the card or account may be closed, lost or expired. "
                f"Nothing has been charged, and we will not try it again. Please give us another one: {METHOD}"
            ),
            False,
        ),
        (
            "opt_out",
            "Your subscription is not paid",
            (
                "You declined the debit of ₹300 for your M subscription. Nothing has been charged, and we will not try again. "
                "If you would like to read on, you can pay yourself."
            ),
            False,
        ),
    ],
)
def test_a_failed_renewal_tells_what_really_follows(box, answer, subject, first, retried):
    row = bought(box)
    script([answer])
    run("2027-02-10 00:00")
    letter = box.one()
    assert letter.subject == subject
    last = (
        f"We will try again on 13 February 2027. If you would rather stop, you can cancel in your account: {CANCEL}"
        if retried
        else "Your subscription ends on 3 March 2027 unless it is paid by then."
    )
    assert body(letter) == [first, "You can read to the end of 16 February 2027.", pay(row), last]


def test_suspended_and_ended_for_nonpayment(box):
    row = bought(box)
    card_declines(yes=True)
    for when in ("2027-02-10 00:00", "2027-02-13 00:00"):
        run(when)
    box.new()
    run("2027-02-17 00:00")
    failed, suspended = box.new()
    assert failed.subject == "Your payment did not go through"
    assert suspended.subject == "Your subscription is suspended"
    assert body(suspended) == [
        (
            "Your M subscription to The Daily Broadsheet has not been paid: ₹300 is open. You cannot read with it for the "
            "time being."
        ),
        f"As soon as it is paid you read again, from that day for a whole period: {links.pay_link(row.pk)}",
        "Your subscription ends on 3 March 2027 unless it is paid by then.",
    ]
    run("2027-02-24 00:00")
    box.new()
    run("2027-03-03 00:00")
    assert body(box.one()) == [
        "Your M subscription has ended, because its renewal was not paid. Thank you for reading The Daily Broadsheet.",
        f"You are welcome back at any time: {SITE}/subscribe/",
    ]


def test_above_the_limit_the_reader_is_asked_to_pay(box):
    row = bought(box, months=12, amount=2_700_000)
    run("2028-01-10 00:00")
    assert body(box.one())[1:3] == [
        "It is more than may be debited without you (₹15,000), so we ask you to pay it yourself.",
        pay(row),
    ]


def test_a_lost_mandate_is_told(box):
    row = bought(box)
    held = Mandate.objects.get()
    actions.mandate_revoked(provider=held.provider, mandate_ref=held.provider_ref, now=DAY)
    letter = box.one()
    assert letter.subject == "We can no longer debit your subscription"
    run("2027-02-10 00:00")
    assert body(box.one())[1] == "We have no card or account that we may debit, so we ask you to pay it yourself."
    row.refresh_from_db()
    assert row.status == "past_due"


def test_a_chargeback_is_told_to_those_who_run_the_paper(box):
    row = bought(box)
    Reader.objects.create(email="editor@example.org", is_superuser=True, is_staff=True, created_at=DAY)
    actions.chargeback(subscription_id=row.pk, result="opened", now=DAY)
    letter = box.one()
    assert letter.to == ["editor@example.org"]
    assert letter.subject == "Chargeback opened: ₹300"
    assert body(letter) == [
        "asha@example.org disputes ₹300: the bank took it back. The subscription is suspended until it decides.",
        f"Subscription {row.pk}, M.",
    ]


# The agreement


def test_cancelled_undone_paused_and_resumed(box):
    row = bought(box)
    actions.cancel(subscription_id=row.pk, actor="reader:1", now=DAY)
    letter = box.one()
    assert letter.subject == "Your subscription is cancelled"
    assert body(letter) == [
        "Your M subscription is cancelled. You will not be charged again.",
        (
            "You can read on to the end of 9 February 2027. Until then you can take the cancellation back in your account: "
            f"{SITE}/account/"
        ),
    ]
    actions.uncancel(subscription_id=row.pk, actor="reader:1", now=DAY)
    letter = box.one()
    assert letter.subject == "Your subscription goes on"
    assert body(letter)[0] == (
        "You have taken your cancellation back: your M subscription to The Daily Broadsheet goes on."
    )
    assert body(letter)[2].startswith("Your permission to debit it ended with the cancellation.")
    actions.pause(subscription_id=row.pk, days=10, actor="reader:1", now=DAY)
    assert body(box.one())[0] == (
        "Your M subscription to The Daily Broadsheet is paused. It goes on by itself on 20 January 2027; the days of the "
        "pause are added to its end."
    )
    run("2027-01-20 00:00")
    assert body(box.one())[0] == (
        "Your pause is over: you can read again, and what you have paid for now lasts to the end of 19 February 2027."
    )


def test_a_change_for_later_is_confirmed(box):
    plan("q", months=3, amount=20_000)
    row = bought(box)
    actions.change_plan(subscription_id=row.pk, plan_code="q", when="period_end", actor="reader:1", now=DAY)
    assert body(box.one()) == [
        "From 10 February 2027 you will have the Q subscription. Until then everything stays as it is.",
        "It renews on 10 February 2027 for ₹200, tax included. We will debit it from Sandbox card ending 4242.",
        f"You can take this back until then, in your account: {SITE}/account/",
    ]


def test_the_end_of_a_trial_without_a_method_offers_to_go_on(box):
    plan("t", months=1, amount=30_000, trial_days=3)
    actions.start_checkout(reader_id=reader(), plan_code="t", collection="send_invoice", now=DAY)
    box.new()
    run("2027-01-13 09:00")
    letter = box.one()
    assert letter.subject == "Your trial has ended"
    assert body(letter) == [
        "Your trial of the T subscription to The Daily Broadsheet has ended. Nothing was charged.",
        f"If you liked it, you can go on reading: {SITE}/subscribe/t/",
    ]


def test_a_comp_begins_and_ends(box):
    plan("m", months=1, amount=30_000)
    actions.comp(
        reader_id=reader(), plan_code="m", until=date(2027, 2, 10), actor="desk:1", reason="a friend", now=DAY
    )  # fmt: skip
    given = box.one()
    assert given.subject == "The Daily Broadsheet for you"
    assert body(given) == [
        (
            "You have been given the M subscription to The Daily Broadsheet: you can read to the end of 9 February 2027. It "
            "costs you nothing, and it ends by itself."
        )
    ]
    run("2027-02-03 00:00")
    ending = box.one()
    assert ending.subject == "Your subscription ends on 10 February 2027"
    assert body(ending)[0] == (
        "Your complimentary M subscription to The Daily Broadsheet ends on 10 February 2027: you can read to the end of "
        "9 February 2027. It does not renew by itself, and nothing will be charged."
    )
    run("2027-02-10 00:00")
    assert body(box.one())[0].startswith("Your complimentary M subscription to The Daily Broadsheet has ended.")


# Gifts and seats


def test_a_gift_is_thanked_for_and_delivered_on_its_day(box):
    plan("y", months=12, amount=270_000)
    giver = reader("giver@example.org")
    Reader.objects.filter(pk=giver).update(name="Meera")
    _, key, _ = actions.buy_gift(
        giver_id=giver, plan_code="y", to_email="Given@example.org", send_on=date(2027, 1, 26), message="Read well.",
        now=DAY,
    )  # fmt: skip
    assert box.new() == []
    actions.record_result(key=key, result=ChargeResult("succeeded", "x", at=DAY), now=DAY)
    thanks = box.one()
    assert (thanks.to, thanks.subject) == (["giver@example.org"], "Your gift is paid")
    assert body(thanks) == [
        (
            "Thank you for giving 12 months of The Daily Broadsheet (Y) to given@example.org. They will hear of it on "
            "26 January 2027. It begins when they accept it, and it never renews by itself."
        ),
        f"We received ₹2,700. Your invoice BS/26-27/000001: {SITE}/account/invoices/BS/26-27/000001/",
    ]
    run("2027-01-26 00:00")
    given, told = box.new()
    assert (given.to, given.subject) == (["given@example.org"], "Meera gives you The Daily Broadsheet")
    assert body(given) == [
        "Meera gives you 12 months of The Daily Broadsheet: the Y subscription.",
        "“Read well.”",
        f"It begins on the day you accept it: {SITE}/gift/{Gift.objects.get().token}/",
        "You will not be asked for a card, and it ends by itself.",
    ]
    assert (told.to, body(told)) == (["giver@example.org"], ["We have told given@example.org of your gift today."])


def test_a_gift_for_today_is_delivered_at_once_and_the_giver_hears_once(box):
    plan("y", months=12, amount=270_000)
    _, key, _ = actions.buy_gift(
        giver_id=reader("giver@example.org"), plan_code="y", to_email="g@example.org", now=DAY
    )  # fmt: skip
    actions.record_result(key=key, result=ChargeResult("succeeded", "x", at=DAY), now=DAY)
    run("2027-01-10 09:01")
    assert box.subjects() == ["Your gift is paid", "giver@example.org gives you The Daily Broadsheet"]


def test_seats_are_offered_taken_back_and_cut(box):
    row = bought(box, months=12, amount=100_000, max_quantity=10)
    actions.set_quantity(subscription_id=row.pk, quantity=4, actor="reader:1", now=DAY)
    box.new()
    for name in ("ravi", "noor", "tara"):
        actions.invite_seat(subscription_id=row.pk, email=f"{name}@example.org", actor="reader:1", now=DAY)
    invited = box.new()
    assert [letter.to for letter in invited] == [["ravi@example.org"], ["noor@example.org"], ["tara@example.org"]]
    assert invited[0].subject == "asha@example.org invites you to read The Daily Broadsheet"
    seat = Seat.objects.get(email="ravi@example.org")
    assert body(invited[0]) == [
        "asha@example.org has a seat for you in their M subscription to The Daily Broadsheet. It costs you nothing.",
        f"Take it here: {SITE}/seat/{seat.token}/",
    ]
    actions.claim_seat(reader_id=reader("ravi@example.org"), token=seat.token, now=DAY)
    actions.remove_seat(subscription_id=row.pk, seat_id=seat.pk, actor="reader:1", now=DAY)
    gone = box.one()
    assert (gone.to, gone.subject) == (["ravi@example.org"], "Your seat at The Daily Broadsheet has ended")
    actions.set_quantity(subscription_id=row.pk, quantity=2, actor="reader:1", now=DAY)
    assert box.subjects() == ["Your change is noted"]
    run("2028-01-10 00:00")
    cut = next(letter for letter in box.new() if letter.subject == "Some seats of your subscription have ended")
    assert cut.to == ["asha@example.org"]
    assert body(cut)[:2] == [
        (
            "Your M subscription to The Daily Broadsheet now has 2 seats, yours among them. These had a seat beyond that and "
            "cannot read with it any more:"
        ),
        "tara@example.org",
    ]


# Links


def test_links_are_whole_and_cannot_be_made_up():
    token = links.pay_token(12)
    assert links.read_pay_token(token) == 12
    assert links.read_withdraw_token(token) is None
    assert links.read_pay_token("13" + token[2:]) is None
    assert links.read_pay_token("") is None
    assert links.read_withdraw_token(links.withdraw_token(7)) == 7


def test_every_address_in_a_letter_is_a_page_of_the_paper():
    for link in (
        links.account_link(), links.cancel_link(), links.mandate_link(), links.plans_link(), links.plan_link("q"),
        links.seats_link(), links.pay_link(1), links.withdraw_link(1), links.gift_link("x"), links.seat_link("x"),
        links.invoice_link("BS/26-27/000001"), links.note_link("CN/26-27/000001"),
    ):  # fmt: skip
        assert resolve(link.removeprefix(SITE)).url_name


def test_no_letter_goes_to_a_closed_account(box):
    row = bought(box)
    Reader.objects.filter(pk=row.reader_id).update(is_active=False)
    actions.cancel(subscription_id=row.pk, actor="desk:1", now=DAY)
    assert box.new() == []

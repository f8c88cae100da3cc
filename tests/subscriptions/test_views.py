"""The road in a browser, without the browser: plans, order, till, thanks."""

import dataclasses
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from broadsheet import clock
from broadsheet.dates import add_months, local_date
from broadsheet.payments.models import BillingProfile, Invoice, Payment, SandboxCharge, SandboxMandate
from broadsheet.readers.models import Reader
from broadsheet.subscriptions.cards import longday
from broadsheet.subscriptions.models import ConsentRecord, Coupon, Subscription
from tests.readers import make_readers
from tests.subscriptions import make_orders
from tests.subscriptions import make_subscriptions as make
from tests.subscriptions.make_orders import hrefs, main, text

pytestmark = pytest.mark.django_db
STORY = "/india/a-story-12"
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def plans(settings):
    cache.clear()
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, publisher_state="Delhi")
    tax = make_orders.gst()
    make.plan("quarterly", tax=tax)
    make.plan("annual", 12, 270_000, tax=tax)


@pytest.fixture
def asha(client):
    reader = Reader.objects.get(pk=make.reader())
    client.force_login(reader, backend=BACKEND)
    return reader


def day(months=0, days=0):
    return longday(add_months(local_date(clock.now(), make.ZONE) + timedelta(days=days), months))


def test_the_whole_road_of_a_visitor(client, mailoutbox):
    page = client.get("/subscribe/", {"next": STORY})
    order = "/subscribe/annual/?next=%2Findia%2Fa-story-12"
    assert order in hrefs(page)
    sign_in = client.get(order)
    assert sign_in.url == "/account/sign-in/?next=%2Fsubscribe%2Fannual%2F%3Fnext%3D%252Findia%252Fa-story-12"
    assert make_readers.sign_in(client, mailoutbox, wanted=order).url == order
    page = client.get(order)
    assert "You pay today ₹2,700" in text(page)
    assert f"₹2,700 on {day(12)} and ₹2,700 every 12 months from then, taxes included" in text(page)
    till = make_orders.till(client, "annual", path=STORY)
    assert "No money moves here" in text(client.get(till))
    back = client.post(till, {"answer": "pay"}).url
    thanks = client.get(back)
    assert "Thank you" in text(thanks)
    assert f"Next payment: ₹2,700 on {day(12)}" in text(thanks)
    assert STORY in hrefs(thanks)
    assert make.may_read(Reader.objects.get().pk, clock.now())


def test_the_wall_need_not_name_its_story(client):
    """A printed wall links to the plan alone; the browser says which story it stood under."""
    page = client.get("/subscribe/", headers={"referer": f"http://testserver{STORY}"})
    assert "/subscribe/annual/?next=%2Findia%2Fa-story-12" in hrefs(page)
    for elsewhere in (f"https://evil.example{STORY}", "http://testserver/account/", "http://testserver//evil.example/"):
        assert "/subscribe/annual/" in hrefs(client.get("/subscribe/", headers={"referer": elsewhere}))


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_no_other_site_is_ever_the_way_back(client, asha, target):
    assert "evil" not in make_orders.buy(client, "annual", path=target).content.decode()


def test_declined_then_paid(client, asha):
    till = make_orders.till(client, "annual", path=STORY)
    page = client.get(client.post(till, {"answer": "decline"}).url)
    assert "The payment was declined" in text(page)
    assert "Nothing has been charged" in text(page)
    assert "/subscribe/annual/?next=%2Findia%2Fa-story-12" in hrefs(page)
    assert not make.may_read(asha.pk, clock.now())
    second = make_orders.till(client, "annual", path=STORY)
    assert second != till
    assert "Thank you" in text(client.get(client.post(second, {"answer": "pay"}).url))
    assert make.may_read(asha.pk, clock.now())


def test_the_order_sent_twice_leads_to_one_till(client, asha):
    assert make_orders.till(client, "annual") == make_orders.till(client, "annual")
    counted = (Subscription, Invoice, Payment, SandboxCharge, ConsentRecord)
    assert [m.objects.count() for m in counted] == [1, 1, 1, 1, 1]


def test_the_till_asks_once(client, asha):
    till = make_orders.till(client, "annual")
    back = client.post(till, {"answer": "pay"}).url
    assert client.post(till, {"answer": "decline"}).url == back
    assert client.get(till).url == back
    for _ in range(2):
        assert "Thank you" in text(client.get(back))
    assert SandboxCharge.objects.get().status == "succeeded"


def test_the_till_without_an_answer_asks_again(client, asha):
    till = make_orders.till(client, "annual")
    assert client.post(till, {}).status_code == 200
    assert SandboxCharge.objects.get().status == "open"


def test_a_card_whose_renewals_will_be_declined(client, asha):
    client.post(make_orders.till(client, "annual"), {"answer": "pay", "renewals_decline": "1"})
    assert SandboxMandate.objects.get().declines


def test_coming_back_before_deciding_says_so_and_leads_on(client, asha):
    make_orders.till(client, "annual")
    page = client.get(f"/subscribe/thanks/{Subscription.objects.get().pk}/", {"next": STORY})
    assert "We have no word from the till yet" in text(page)
    assert "/subscribe/annual/?next=%2Findia%2Fa-story-12" in hrefs(page)
    assert Subscription.objects.get().status == "incomplete"


def test_a_bank_that_takes_its_time_is_waited_for(client, asha):
    from broadsheet.payments.adapters import sandbox

    sandbox.script(["late_ok"])
    client.post(make_orders.till(client, "annual"), {"answer": "pay"})
    page = text(client.get(f"/subscribe/thanks/{Subscription.objects.get().pk}/"))
    assert "Your payment is on its way" in page
    assert "Go on with the order" not in page


def test_somebody_elses_thanks_are_not_found(client, asha):
    back = client.post(make_orders.till(client, "annual"), {"answer": "pay"}).url
    stranger = Client()
    assert stranger.get(back).url.startswith("/account/sign-in/")
    stranger.force_login(Reader.objects.get(pk=make.reader("ravi@example.org")), backend=BACKEND)
    assert stranger.get(back).status_code == 404
    assert Subscription.objects.get().status == "incomplete"


def test_a_subscriber_is_sent_to_the_account(client, asha):
    make.buy(asha.pk, clock.now(), "annual")
    assert client.get("/subscribe/quarterly/").url == "/account/"
    assert client.post("/subscribe/quarterly/").url == "/account/"
    assert "You subscribe already" in text(client.get("/subscribe/"))
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize(
    "path",
    ["/subscribe/nothing/", "/subscribe/old/", "/till/nothing/", "/subscribe/thanks/999/", "/gift/no/", "/pay/no/",
     "/seat/no/", "/withdraw/no/"],
)  # fmt: skip
def test_what_does_not_exist_is_not_found(client, asha, path):
    make.plan("old", retired=True)
    assert client.get(path).status_code == 404


def test_no_cache_keeps_a_page_of_the_road(client, asha):
    till = make_orders.till(client, "annual")
    back = f"/subscribe/thanks/{Subscription.objects.get().pk}/"
    for path in ("/subscribe/", "/subscribe/annual/", till, back, "/gift/", "/withdraw/"):
        assert client.get(path).headers["Cache-Control"] == "private, no-store"


def test_forms_need_the_token(asha):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(asha, backend=BACKEND)
    assert strict.post("/subscribe/annual/").status_code == 403
    assert strict.post("/till/x/", {"answer": "pay"}).status_code == 403
    assert strict.post("/gift/").status_code == 403
    assert Subscription.objects.count() == 0


def test_the_plans_page_names_stories_to_give_only_while_they_can_be_given(client, settings):
    assert "Give 10 stories a month to friends" in text(client.get("/subscribe/"))
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, gift_quota=0)
    assert "stories a month to friends" not in text(client.get("/subscribe/"))


# Whom to bill


def test_india_is_asked_for_state_and_pin_and_nothing_happens_without(client, asha):
    page = make_orders.order(client, "annual", state="", pin="12")
    assert "Choose your State" in text(page)
    assert "A PIN code has six digits" in text(page)
    assert Subscription.objects.count() == BillingProfile.objects.count() == 0


def test_the_tax_is_broken_down_for_the_readers_state_before_paying(client, asha):
    here = client.post("/subscribe/quarterly/", {**make_orders.INDIAN, "state": "Delhi"})
    assert "Total, taxes included ₹900.00 of which taxable value ₹762.72" in text(here)
    assert "of which CGST 9% ₹68.64 of which SGST 9% ₹68.64" in text(here)
    there = client.post("/subscribe/quarterly/", make_orders.INDIAN)
    assert "of which taxable value ₹762.71 of which IGST 18% ₹137.29" in text(there)
    assert "Place of supply: Karnataka" in text(there)
    # As long as nobody has said where they live, no place is claimed.
    assert "of which GST 18% ₹137.28" in text(client.get("/subscribe/quarterly/"))


def test_what_was_broken_down_is_what_is_billed(client, asha):
    make_orders.buy(client, "quarterly")
    bill = Invoice.objects.get()
    assert (bill.total_minor, bill.tax["igst_minor"], bill.tax["place_of_supply"]) == (90_000, 13_729, "Karnataka")
    assert (bill.buyer["state"], bill.buyer["pin"]) == ("Karnataka", "560001")


def test_a_total_that_was_not_seen_is_shown_before_it_is_paid(client, asha):
    form = {**make_orders.INDIAN, "rail": "card", "seen": make_orders.seen(client.get("/subscribe/annual/"))}
    page = client.post("/subscribe/annual/", form)
    assert "The total has changed" in text(page)
    assert Subscription.objects.count() == 0
    assert client.post("/subscribe/annual/", {**form, "seen": make_orders.seen(page)}).status_code == 302


def test_a_firm_gets_its_gstin_on_the_invoice(client, asha):
    firm = {"organisation": "Alder Mills", "gstin": "29AAGCB7383J1Z4"}
    wrong = make_orders.order(client, "annual", organisation="Alder Mills", gstin="29AAGCB7383J1Z5")
    assert "This is no GSTIN" in text(wrong)
    elsewhere = make_orders.order(client, "annual", state="Delhi", pin="110001", **firm)
    assert "one of Delhi begins with 07" in text(elsewhere)
    assert Subscription.objects.count() == 0
    make_orders.buy(client, "annual", **firm)
    buyer = Invoice.objects.get().buyer
    assert (buyer["organisation"], buyer["gstin"]) == ("Alder Mills", "29AAGCB7383J1Z4")


def test_a_reader_abroad_needs_neither_state_nor_gst(client, asha):
    page = client.post("/subscribe/annual/", {"country": "US"})
    assert "GST" not in re.sub(r"<fieldset.*?</fieldset>", "", main(page), flags=re.DOTALL)
    assert "with UPI" not in text(page)
    make_orders.buy(client, "annual", country="US", state="", pin="")
    assert Invoice.objects.get().tax_minor == 0


def test_another_state_makes_another_invoice(client, asha):
    first = make_orders.till(client, "annual")
    second = make_orders.till(client, "annual", state="Delhi", pin="110001")
    assert first != second
    client.get(client.post(second, {"answer": "pay"}).url)
    paid = Invoice.objects.get(status="paid")
    assert paid.tax["place_of_supply"] == "Delhi"
    assert Invoice.objects.exclude(pk=paid.pk).get().status == "void"


def test_who_turns_from_card_to_upi_meets_a_page_that_asks_for_upi(client, asha):
    card = make_orders.till(client, "annual")
    upi = make_orders.till(client, "annual", rail="upi")
    assert "this UPI account" in text(client.get(upi))
    assert SandboxCharge.objects.get(token=card.split("/")[2]).status == "withdrawn"
    client.get(client.post(upi, {"answer": "pay"}).url)
    assert Subscription.objects.get(status="active").mandate.rail == "upi"


# Coupons, trials, groups


@pytest.fixture
def half():
    return Coupon.objects.create(code="HALF", percent_bp=5000)


def test_a_coupon_is_applied_before_paying(client, asha, half):
    page = client.post("/subscribe/quarterly/", {**make_orders.INDIAN, "coupon": "half"})
    assert "Coupon HALF is applied" in text(page)
    assert "Discount −₹450.00 Total, taxes included ₹450.00" in text(page)
    assert f"₹900 on {day(3)} and ₹900 every 3 months from then" in text(page)
    make_orders.buy(client, "quarterly", coupon="HALF")
    assert Invoice.objects.get().total_minor == 45_000


def test_a_coupon_that_does_not_hold_is_refused_in_words_and_never_ignored(client, asha, half):
    page = client.post("/subscribe/quarterly/", {**make_orders.INDIAN, "coupon": "HAFL"})
    assert "This coupon does not hold for this order" in text(page)
    assert "Total, taxes included ₹900.00" in text(page)
    # Pressing the button all the same buys nothing at another price than the reader hoped for.
    again = make_orders.order(client, "quarterly", coupon="HAFL")
    assert again.status_code == 200
    assert Subscription.objects.count() == 0


def test_a_coupon_for_some_periods_says_when_it_is_used_up(client, asha):
    Coupon.objects.create(code="THREE", percent_bp=5000, duration="repeating", periods=3)
    page = text(client.post("/subscribe/quarterly/", {**make_orders.INDIAN, "coupon": "THREE"}))
    assert f"₹450 on {day(3)} and every 3 months from then, ₹900 each once your coupon has been used 3 times" in page


@pytest.fixture
def trial():
    return make.plan("trial", 3, 90_000, trial_days=14, tax=make_orders.gst())


def test_a_trial_asks_for_no_payment_method(client, asha, trial):
    assert "Free for 14 days, then ₹900 for 3 months" in text(client.get("/subscribe/"))
    page = client.get("/subscribe/trial/")
    assert "You pay today, for the trial ₹0" in text(page)
    assert f"ends by itself on {day(days=14)}" in text(page)
    answer = make_orders.order(client, "trial", rail="none")
    assert answer.url == f"/subscribe/thanks/{Subscription.objects.get().pk}/"
    thanks = text(client.get(answer.url))
    assert "Your trial has begun" in thanks
    assert "nothing is charged, and there is nothing to cancel" in thanks
    row = Subscription.objects.get()
    assert (row.status, row.mandate_id, row.collection) == ("trialing", None, "send_invoice")
    assert make.may_read(asha.pk, clock.now())
    assert [m.objects.count() for m in (Invoice, SandboxCharge, ConsentRecord)] == [0, 0, 0]


def test_a_trial_that_goes_on_by_itself_says_what_it_costs_and_when(client, asha, trial):
    till = make_orders.till(client, "trial", rail="upi")
    assert "nothing is charged" in text(client.get(till))
    thanks = text(client.get(client.post(till, {"answer": "pay"}).url))
    assert f"if you do not cancel before, you pay ₹900 on {day(days=14)}" in thanks
    assert Subscription.objects.get().mandate.rail == "upi"
    assert "if you do not cancel before" in ConsentRecord.objects.get().text


def test_no_second_trial(client, asha, trial):
    from broadsheet.subscriptions import actions

    row = make.buy(asha.pk, clock.now(), "quarterly")
    actions.cancel(subscription_id=row.pk, when="now", actor="reader", now=clock.now())
    page = client.get("/subscribe/trial/")
    assert "You pay today ₹900" in text(page)
    assert 'value="none"' not in main(page)
    assert make_orders.order(client, "trial", rail="none").status_code == 200
    assert Subscription.objects.count() == 1


def test_a_group_chooses_its_seats_and_sees_what_they_come_to(client, asha):
    make.plan("group", 12, 100_000, tax=make_orders.gst(), min_quantity=5, max_quantity=50)
    plans = text(client.get("/subscribe/"))
    assert "For groups and firms" in plans
    assert "₹1,000 a seat, for 12 months" in plans
    assert "5 to 50 seats, from ₹5,000" in plans
    few = client.post("/subscribe/group/", {**make_orders.INDIAN, "quantity": "2"})
    assert "Choose a number of seats this plan is sold for: 5 to 50" in text(few)
    assert "Total, taxes included ₹12,000.00" in text(
        client.post("/subscribe/group/", {**make_orders.INDIAN, "quantity": "12"})
    )
    thanks = make_orders.buy(client, "group", quantity="12")
    assert "Invite people to your 12 seats" in text(thanks)
    assert Subscription.objects.get().quantity == 12


# What the law asks for


def test_the_card_and_the_order_say_the_whole_price(client, asha):
    """A price without its tax would be found out at the till: 900 net are 1,062."""
    make.plan("net", 3, 90_000, tax=make_orders.gst(), tax_inclusive=False)
    assert "₹1,062 for 3 months" in text(client.get("/subscribe/"))
    page = text(client.post("/subscribe/net/", make_orders.INDIAN))
    assert "IGST 18% ₹162.00 Total ₹1,062.00 You pay today ₹1,062.00" in page
    till = client.get(make_orders.till(client, "net"))
    assert "₹1,062" in text(till)


def test_nothing_is_ticked_beforehand(client, asha, trial):
    for path in ("/subscribe/", "/subscribe/annual/", "/subscribe/trial/", "/gift/"):
        assert "checked" not in main(client.get(path)), path
    abroad = client.post("/subscribe/annual/", {"country": "DE"})
    assert 'name="waive"' in main(abroad)
    assert "checked" not in main(abroad)


def test_the_agreement_is_kept_as_it_was_shown(client, asha):
    shown = text(client.post("/subscribe/annual/", make_orders.INDIAN))
    make_orders.till(client, "annual")
    kept = ConsentRecord.objects.get()
    assert kept.text in shown
    assert f"₹2,700 on {day(12)} and ₹2,700 every 12 months from then, taxes included" in kept.text
    assert "until you cancel" in kept.text
    assert (kept.kind, kept.network, kept.reader_id) == ("renewal", "127.0.0.1", asha.pk)
    assert kept.subscription_id == Subscription.objects.get().pk
    assert kept.facts["due_minor"] == 270_000


def test_only_where_there_is_a_right_to_withdraw_is_it_offered_to_give_it_up(client, asha):
    assert 'name="waive"' not in main(client.post("/subscribe/annual/", make_orders.INDIAN))
    make_orders.buy(client, "annual", country="DE", state="", pin="", waive="1")
    waiver = ConsentRecord.objects.get(kind="withdrawal_waiver")
    assert "I know that I lose this right" in waiver.text


@pytest.mark.parametrize("path", ["/subscribe/", "/subscribe/annual/", "/subscribe/trial/", "/gift/"])
def test_no_page_holds_a_placeholder(client, asha, trial, path):
    from broadsheet.subscriptions.rules import looks_unrendered

    assert not looks_unrendered(main(client.get(path)))


def test_what_is_too_much_for_a_mandate_is_said_before_it_is_bought(client, asha):
    make.plan("big", 12, 2_700_000)
    page = text(client.post("/subscribe/big/", make_orders.INDIAN))
    assert "That is more than may be charged by itself" in page
    assert "by your card" not in page
    assert "That is more than may be charged" in ConsentRecord.objects.get(pk=_bought(client, "big")).text


def _bought(client, code):
    make_orders.till(client, code)
    return ConsentRecord.objects.latest("id").pk


# Other tills


def test_by_transfer_nothing_is_charged_by_itself(client, asha, settings):
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, payment_provider="manual")
    page = client.post("/subscribe/annual/", make_orders.INDIAN)
    assert "Nothing is charged by itself later" in text(page)
    assert "UPI" not in main(page)
    transfer = make_orders.till(client, "annual", rail="manual")
    assert transfer.startswith("/transfer/")
    assert "Pay ₹2,700 by transfer" in text(client.get(transfer))
    row = Subscription.objects.get()
    assert (row.collection, row.status) == ("send_invoice", "incomplete")
    assert "The payment is not finished" in text(client.get(f"/subscribe/thanks/{row.pk}/"))


def test_another_sites_till_is_left_for_by_a_page_and_not_by_a_forms_answer(rf):
    """The paper's own policy lets no form lead elsewhere: a redirect after the button would be stopped by browsers."""
    from broadsheet.subscriptions.views_road import to_the_till

    page = to_the_till(rf.post("/subscribe/annual/"), "https://till.example/pay?a=1&b=2")
    assert page.status_code == 200
    assert "https://till.example/pay?a=1&amp;b=2" in hrefs(page)
    assert 'content="0;url=https://till.example/pay?a=1&amp;b=2"' in page.content.decode()
    assert to_the_till(rf.post("/subscribe/annual/"), "/till/abc/").url == "/till/abc/"

"""Giving a term of a plan, opening it, and withdrawing: the pages, without the browser."""

import dataclasses
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client

from broadsheet import clock
from broadsheet.dates import local_date
from broadsheet.payments.models import Invoice, Payment, Refund
from broadsheet.readers.models import Reader
from broadsheet.subscriptions import links
from broadsheet.subscriptions.cards import last_day
from broadsheet.subscriptions.models import Gift, Subscription
from tests.subscriptions import make_orders
from tests.subscriptions import make_subscriptions as make
from tests.subscriptions.make_orders import hrefs, main, seen, text

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


def enter(client, email):
    reader = Reader.objects.get(pk=make.reader(email))
    client.force_login(reader, backend=BACKEND)
    return reader


@pytest.fixture(autouse=True)
def _plans(settings):
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, publisher_state="Delhi")
    make.plan("annual", 12, 270_000, tax=make_orders.gst())


@pytest.fixture
def asha(client):
    return enter(client, "asha@example.org")


@pytest.fixture
def present():
    return {**make_orders.INDIAN, "plan": "annual", "to": "Ravi@Example.org", "message": "Happy birthday"}


def today(days=0):
    return local_date(clock.now(), make.ZONE) + timedelta(days=days)


def bought(client, present):
    review = client.post("/gift/", present)
    return client.post("/gift/", {**present, "pay": "1", "seen": seen(review)}).url


def give(client, present):
    return client.get(client.post(bought(client, present), {"answer": "pay"}).url)


def test_the_whole_price_stands_before_the_till(client, asha, present):
    review = client.post("/gift/", present)
    assert "Total, taxes included ₹2,700.00 of which taxable value ₹2,288.14 of which IGST 18% ₹411.86" in text(review)
    assert "Paid once. Nothing renews, for you or for them" in text(review)
    assert Gift.objects.count() == Invoice.objects.count() == 0
    # A press with a total nobody saw buys nothing.
    assert "Your gift" in text(client.post("/gift/", {**present, "pay": "1", "seen": "1"}))
    assert Gift.objects.count() == 0


def test_bought_and_opened(client, asha, present):
    page = give(client, present)
    assert "We write to ravi@example.org today" in text(page)
    gift = Gift.objects.get()
    assert (gift.status, gift.message, gift.giver_id) == ("paid", "Happy birthday", asha.pk)
    assert Invoice.objects.get().total_minor == 270_000
    link = urlsplit(links.gift_link(gift.token)).path
    ravi = Client()
    look = ravi.get(link)
    assert "asha@example.org gives you 12 months" in text(look)
    assert "Happy birthday" in text(look)
    assert ravi.post(link).url.startswith("/account/sign-in/?next=%2Fgift%2F")
    reader = enter(ravi, "ravi@example.org")
    assert "A gift waits for you" in text(ravi.get("/account/"))
    opened = ravi.post(link, follow=True)
    row = Subscription.objects.get()
    assert f"to the end of {last_day(row.period_end)}" in text(opened)
    assert make.may_read(reader.pk, clock.now())
    assert (row.origin, row.mandate_id) == ("gift", None)
    page = text(ravi.get("/account/"))
    assert "A gift to you" in page
    assert "A gift waits for you" not in page
    assert "This gift has been opened" in text(client.get(link))
    assert "For ravi@example.org. Opened" in text(client.get("/account/"))


def test_a_gift_keeps_while_its_reader_has_a_subscription(client, asha, present):
    give(client, present)
    link = urlsplit(links.gift_link(Gift.objects.get().token)).path
    ravi = Client()
    make.buy(enter(ravi, "ravi@example.org").pk, clock.now(), "annual")
    assert "The gift keeps" in text(ravi.post(link))
    assert Gift.objects.get().status == "paid"


def test_declined_and_tried_again_is_one_gift(client, asha, present):
    back = client.post(bought(client, present), {"answer": "decline"}).url
    assert "The payment was declined" in text(client.get(back))
    assert Gift.objects.get().status == "open"
    again = client.post(back).url
    assert "Your gift is ready" in text(client.get(client.post(again, {"answer": "pay"}).url))
    assert (Gift.objects.count(), Invoice.objects.count(), Payment.objects.count()) == (1, 1, 2)


def test_not_finished_leads_to_the_same_page_of_the_till(client, asha, present):
    till = bought(client, present)
    gift = Gift.objects.get()
    assert "The payment is not finished" in text(client.get(f"/gift/thanks/{gift.pk}/"))
    assert client.post(f"/gift/thanks/{gift.pk}/").url == till
    assert client.get(f"/gift/{gift.token}/").status_code == 404  # nobody has paid for it


def test_a_day_in_the_future(client, asha, present):
    give(client, {**present, "send_on": today(30).isoformat()})
    assert Gift.objects.get().send_on == today(30)
    ravi = Client()
    enter(ravi, "ravi@example.org")
    assert "A gift waits" not in text(ravi.get("/account/"))  # it is still a surprise


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"plan": ""}, "Choose what to give"),
        ({"plan": "nothing"}, "Choose what to give"),
        ({"to": "ravi"}, "Write the address of whoever it is for"),
        ({"send_on": "2001-01-01"}, "Choose a day from today on"),
        ({"send_on": "someday"}, "Choose a day from today on"),
        ({"state": ""}, "Choose your State"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_bought(client, asha, present, wrong, words):
    page = client.post("/gift/", {**present, **wrong, "pay": "1", "seen": "x"})
    assert words in text(page)
    assert Gift.objects.count() == 0


def test_somebody_elses_gift_is_not_found(client, asha, present):
    give(client, present)
    stranger = Client()
    enter(stranger, "other@example.org")
    assert stranger.get(f"/gift/thanks/{Gift.objects.get().pk}/").status_code == 404


def test_a_visitor_signs_in_first(client):
    assert client.get("/gift/?plan=annual").url == "/account/sign-in/?next=%2Fgift%2F%3Fplan%3Dannual"


# Withdrawing


@pytest.fixture
def contract(client, asha):
    make_orders.buy(client, "annual", country="DE", state="", pin="")
    return Subscription.objects.get()


def link_of(row):
    return urlsplit(links.withdraw_link(row.pk)).path


def test_two_steps_by_the_link_and_without_an_account(client, contract):
    anybody, link = Client(), link_of(contract)
    page = anybody.get(link)
    assert "You need no reason. You get back ₹2,700, by the way you paid" in text(page)
    confirm = anybody.post(link, {"step": "declare"})
    assert "Confirmation goes to a…@example.org" in text(confirm)
    assert Subscription.objects.get().status == "active"
    done = anybody.post(link, {"step": "confirm"})
    assert "You have withdrawn" in text(done)
    local = clock.now().astimezone(make.ZONE)
    assert f"{local:%H:%M}" in text(done)
    assert Subscription.objects.get().status == "canceled"
    assert Refund.objects.get().amount_minor == 270_000
    # Once more changes nothing.
    assert "no right of withdrawal" in text(anybody.post(link, {"step": "confirm"}))
    assert Refund.objects.count() == 1


def test_signed_in_it_is_found_in_the_account(client, contract):
    assert "/withdraw/" in hrefs(client.get("/account/"))
    assert "Withdraw from the contract here" in text(client.get("/withdraw/"))


def test_where_there_is_no_such_right_the_page_says_so(client, asha):
    make_orders.buy(client, "annual")
    row = Subscription.objects.get()
    assert "/withdraw/" not in hrefs(client.get("/account/"))
    for path in ("/withdraw/", link_of(row)):
        assert "no right of withdrawal" in text(client.post(path, {"step": "confirm"}))
    row.refresh_from_db()
    assert row.status == "active"


def test_who_gave_the_right_up_has_none(client, asha):
    make_orders.buy(client, "annual", country="DE", state="", pin="", waive="1")
    assert "no right of withdrawal" in text(client.get(link_of(Subscription.objects.get())))


def test_a_page_of_withdrawal_tells_a_stranger_no_address(client, contract):
    assert "asha@" not in main(Client().get(link_of(contract)))

"""The road in a browser, without the browser: plans, order, till, thanks."""

import re

import pytest
from django.core.cache import cache
from django.test import Client

from broadsheet import clock
from broadsheet.payments.models import Invoice, Payment, SandboxCharge, SandboxMandate
from broadsheet.readers.models import Reader
from broadsheet.subscriptions.models import Subscription
from tests.readers import make_readers
from tests.subscriptions import make_subscriptions as make

pytestmark = pytest.mark.django_db
STORY = "/india/a-story-12"
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def plans():
    cache.clear()
    make.plan("quarterly")
    make.plan("annual", 12, 270_000)


@pytest.fixture
def asha(client):
    reader = Reader.objects.get(pk=make.reader())
    client.force_login(reader, backend=BACKEND)
    return reader


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def hrefs(answer):
    return re.findall(r'href="([^"]*)"', answer.content.decode())


def test_the_whole_road_of_a_visitor(client, mailoutbox):
    page = client.get("/subscribe/", {"next": STORY})
    order = "/subscribe/annual/?next=%2Findia%2Fa-story-12"
    assert order in hrefs(page)
    sign_in = client.get(order)
    assert sign_in.url == "/account/sign-in/?next=%2Fsubscribe%2Fannual%2F%3Fnext%3D%252Findia%252Fa-story-12"
    assert make_readers.sign_in(client, mailoutbox, wanted=order).url == order
    page = client.get(order)
    assert "You pay now ₹2,700" in text(page)
    assert "Renews automatically, cancel anytime" in text(page)
    till = client.post("/subscribe/annual/", {"next": STORY}).url
    assert "No money moves here" in text(client.get(till))
    back = client.post(till, {"answer": "pay"}).url
    thanks = client.get(back)
    assert "Thank you" in text(thanks)
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
    till = client.post("/subscribe/annual/", {"next": target}).url
    thanks = client.get(client.post(till, {"answer": "pay"}).url)
    assert "evil" not in thanks.content.decode()


def test_declined_then_paid(client, asha):
    till = client.post("/subscribe/annual/", {"next": STORY}).url
    page = client.get(client.post(till, {"answer": "decline"}).url)
    assert "The payment was declined" in text(page)
    assert "Nothing has been charged" in text(page)
    assert "/subscribe/annual/?next=%2Findia%2Fa-story-12" in hrefs(page)
    assert not make.may_read(asha.pk, clock.now())
    second = client.post("/subscribe/annual/", {"next": STORY}).url
    assert second != till
    assert "Thank you" in text(client.get(client.post(second, {"answer": "pay"}).url))
    assert make.may_read(asha.pk, clock.now())


def test_the_order_sent_twice_leads_to_one_till(client, asha):
    assert client.post("/subscribe/annual/").url == client.post("/subscribe/annual/").url
    assert [m.objects.count() for m in (Subscription, Invoice, Payment, SandboxCharge)] == [1, 1, 1, 1]


def test_the_till_asks_once(client, asha):
    till = client.post("/subscribe/annual/").url
    back = client.post(till, {"answer": "pay"}).url
    assert client.post(till, {"answer": "decline"}).url == back
    assert client.get(till).url == back
    for _ in range(2):
        assert "Thank you" in text(client.get(back))
    assert SandboxCharge.objects.get().status == "succeeded"


def test_the_till_without_an_answer_asks_again(client, asha):
    till = client.post("/subscribe/annual/").url
    assert client.post(till, {}).status_code == 200
    assert SandboxCharge.objects.get().status == "open"


def test_a_card_whose_renewals_will_be_declined(client, asha):
    till = client.post("/subscribe/annual/").url
    client.post(till, {"answer": "pay", "renewals_decline": "1"})
    assert SandboxMandate.objects.get().declines


def test_coming_back_before_deciding_leads_to_the_order_again(client, asha):
    client.post("/subscribe/annual/")
    subscription = Subscription.objects.get()
    answer = client.get(f"/subscribe/thanks/{subscription.pk}/", {"next": STORY})
    assert answer.url == "/subscribe/annual/?next=%2Findia%2Fa-story-12"


def test_somebody_elses_thanks_are_not_found(client, asha):
    till = client.post("/subscribe/annual/").url
    back = client.post(till, {"answer": "pay"}).url
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


@pytest.mark.parametrize("path", ["/subscribe/nothing/", "/subscribe/old/", "/till/nothing/", "/subscribe/thanks/999/"])
def test_what_does_not_exist_is_not_found(client, asha, path):
    make.plan("old", retired=True)
    assert client.get(path).status_code == 404


def test_no_cache_keeps_a_page_of_the_road(client, asha):
    till = client.post("/subscribe/annual/").url
    back = f"/subscribe/thanks/{Subscription.objects.get().pk}/"
    for path in ("/subscribe/", "/subscribe/annual/", till, back):
        assert client.get(path).headers["Cache-Control"] == "private, no-store"


def test_forms_need_the_token(asha):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(asha, backend=BACKEND)
    assert strict.post("/subscribe/annual/").status_code == 403
    assert strict.post("/till/x/", {"answer": "pay"}).status_code == 403
    assert Subscription.objects.count() == 0


def test_the_plans_page_names_gifts_only_while_they_can_be_given(client, settings):
    import dataclasses

    assert "Give 10 stories a month to friends" in text(client.get("/subscribe/"))
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, gift_quota=0)
    assert "Give" not in text(client.get("/subscribe/"))

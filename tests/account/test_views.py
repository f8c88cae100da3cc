import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client

from broadsheet import clock
from broadsheet.access import actions as access
from broadsheet.access import products
from broadsheet.payments.models import Invoice, Mandate, Payment
from broadsheet.readers.models import Reader
from broadsheet.subscriptions import actions, links
from broadsheet.subscriptions.cards import last_day, longday
from broadsheet.subscriptions.models import ConsentRecord, Subscription
from tests.subscriptions import make_orders
from tests.subscriptions import make_subscriptions as make
from tests.subscriptions.make_orders import hrefs, main, text

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def asha(client):
    make.plan(tax=make_orders.gst())
    reader = Reader.objects.get(pk=make.reader())
    client.force_login(reader, backend=BACKEND)
    return reader


@pytest.fixture
def row(asha):
    return make.buy(asha.pk, clock.now())


@pytest.fixture
def others(row):
    """Dearer, and cheaper by the amount."""
    make.plan("y", 12, 270_000, tax="gst18")
    make.plan("m", 1, 32_000, tax="gst18")


def path_of(link):
    return urlsplit(link).path


def press(client, till_url, answer="pay"):
    """At the till, and back at the paper."""
    return client.get(client.post(till_url, {"answer": answer}).url, follow=True)


def test_a_reader_without_a_subscription(client, asha):
    page = text(client.get("/account/"))
    assert "You are logged in as asha@example.org" in page
    assert "You have no subscription. See the plans" in page


def test_what_i_have_besides_stories_is_named_while_it_works_here(client, asha, monkeypatch):
    now = clock.now()
    monkeypatch.setattr(products, "_works", {"epaper": lambda: True, "archive": lambda: False})
    for product, begins in (("epaper", now - HOUR), ("archive", now - HOUR), ("unlimited", now + HOUR)):
        access.grant(reader_id=asha.pk, product=product, starts_at=begins, ends_at=None, source=f"test {product}")
    page = client.get("/account/")
    assert "What you have The e-paper: read it, save it, share from it" in text(page)
    assert "/epaper/" in hrefs(page)
    assert "archive, searchable" not in text(page)
    assert "Every news story" not in text(page)


def test_what_i_have_and_the_next_payment(client, row):
    page = text(client.get("/account/"))
    assert "Your subscription Q Status Active" in page
    assert f"You can read to the end of {last_day(row.period_end)}" in page
    assert f"Next payment ₹900 on {longday(row.period_end)}" in page
    assert "Payment method Sandbox card ending 4242" in page
    assert "Cancel subscription" in page


def test_the_next_payment_holds_tax_on_top(client, asha):
    make.plan("net", 3, 90_000, tax="gst18", tax_inclusive=False)
    row = make.buy(asha.pk, clock.now(), "net")
    assert f"Next payment ₹1,062 on {longday(row.period_end)}" in text(client.get("/account/"))


def test_credit_is_shown_and_counted(client, row):
    actions.give_credit(
        reader_id=row.reader_id, subscription_id=row.pk, amount_minor=10_000, currency="INR", actor="staff",
        now=clock.now(),
    )  # fmt: skip
    page = text(client.get("/account/"))
    assert "Credit ₹100, used for your next invoice" in page
    assert f"Next payment ₹900 on {longday(row.period_end)}, ₹100 of it from your credit" in page


def test_more_than_may_be_charged_by_itself_is_said(client, asha):
    make.plan("big", 12, 2_700_000)
    row = make.buy(asha.pk, clock.now(), "big")
    words = f"₹27,000 on {longday(row.period_end)}. That is more than may be charged by itself"
    assert words in text(client.get("/account/"))


def test_what_a_shop_charges_is_not_ours_to_change(client, row):
    Subscription.objects.update(collection="external")
    page = text(client.get("/account/"))
    assert f"Next payment ₹900 on {longday(row.period_end)}, charged by the shop you bought it in" in page
    assert "Payment method By the shop you bought it in" in page
    assert "/account/payment-method/" not in hrefs(client.get("/account/"))


# Cancelling


def test_cancelling_takes_two_clicks_and_can_be_taken_back(client, row):
    first = client.get("/account/")
    assert "/account/subscription/cancel/" in hrefs(first)
    confirm = text(client.get("/account/subscription/cancel/"))
    assert f"runs to the end of {last_day(row.period_end)}, and you will not be charged again" in confirm
    row.refresh_from_db()
    assert not row.cancel_at_period_end
    assert client.post("/account/subscription/cancel/", {"reason": "moving"}).url == "/account/?did=cancelled"
    row.refresh_from_db()
    assert (row.cancel_at_period_end, row.cancel_reason) == (True, "moving")
    page = text(client.get("/account/?did=cancelled"))
    assert "Your subscription is cancelled" in page
    assert "Status Cancelled" in page
    assert "Next payment None: you have cancelled" in page
    assert make.may_read(row.reader_id, clock.now())
    client.post("/account/subscription/undo/")
    row.refresh_from_db()
    assert not row.cancel_at_period_end
    assert "Status Active" in text(client.get("/account/"))


def test_the_offer_to_stay_is_one_comes_after_and_blames_nobody(client, row):
    page = main(client.get("/account/subscription/cancel/"))
    assert page.count('class="stay"') == 1
    assert page.index("Cancel my subscription</button>") < page.index('class="stay"')
    words = re.sub(r"<[^>]+>", " ", page).casefold()
    for pressure in ("sure", "sorry", "lose", "miss ", "really", "no thanks", "regret", "instead of saving", "wait"):
        assert pressure not in words.replace("you lose nothing", ""), pressure
    # The way out is the plain button; the way back is the quiet one.
    assert re.search(r'<button class="button" type="submit">Cancel my subscription', page)
    assert re.search(r'<a class="button button-quiet" href="/account/">Keep my subscription', page)
    assert "required" not in page


def test_without_a_reason_it_is_cancelled_all_the_same(client, row):
    client.post("/account/subscription/cancel/")
    row.refresh_from_db()
    assert row.cancel_at_period_end


def test_nothing_to_cancel_leads_back_and_changes_nothing(client, asha):
    for call in (client.get, client.post):
        assert call("/account/subscription/cancel/").url == "/account/"
    assert client.post("/account/subscription/undo/").url == "/account/"
    assert Subscription.objects.count() == 0


def test_undoing_takes_a_post(client, row):
    actions.cancel(subscription_id=row.pk, actor="reader", now=clock.now())
    assert client.get("/account/subscription/undo/").status_code == 405
    row.refresh_from_db()
    assert row.cancel_at_period_end


def test_undoing_asks_for_the_mandate_that_was_given_back(client, row):
    actions.cancel(subscription_id=row.pk, actor="reader", now=clock.now())
    actions.give_back_mandate(mandate_id=row.mandate_id, now=clock.now())
    answer = client.post("/account/subscription/undo/")
    assert answer.url == "/account/payment-method/?anew=1"
    page = text(client.get(answer.url))
    assert "it has to hear from you once again" in page
    assert f"₹900, taxes included, on {longday(row.period_end)} and every 3 months from then" in page
    till = client.post("/account/payment-method/", {"rail": "upi"}).url
    assert "Your new payment method is in use" in text(press(client, till))
    row.refresh_from_db()
    assert (row.mandate.rail, row.mandate.status, row.cancel_at_period_end) == ("upi", "active", False)
    assert f"Next payment ₹900 on {longday(row.period_end)}" in text(client.get("/account/"))


def test_undone_without_a_mandate_a_bill_will_come(client, row):
    actions.cancel(subscription_id=row.pk, actor="reader", now=clock.now())
    actions.give_back_mandate(mandate_id=row.mandate_id, now=clock.now())
    client.post("/account/subscription/undo/")
    page = text(client.get("/account/"))
    assert f"Next payment ₹900 on {longday(row.period_end)}. We write to you with a link to pay" in page
    assert "Payment method None" in page


def test_behind_with_the_payment(client, row):
    make.card_declines(yes=True)
    actions.run_due(now=make.at(f"{row.period_end} 00:10"))
    page = text(client.get("/account/"))
    assert "Status Payment overdue" in page
    assert "₹900 is to be paid. Pay now" in page
    assert f"You can read to the end of {last_day(row.period_end + timedelta(days=7))}" in page
    assert f"Next payment ₹900 on {longday(row.period_end + timedelta(days=3))}" in page
    assert "ends now" in text(client.get("/account/subscription/cancel/"))


def test_after_the_end(client, row):
    actions.cancel(subscription_id=row.pk, actor="reader", now=clock.now())
    actions.run_due(now=make.at(f"{row.period_end} 00:10"))
    page = text(client.get("/account/"))
    assert f"Status Ended Its last day was {last_day(row.period_end)}" in page
    assert "See the plans" in page
    assert "Cancel subscription" not in page


# Pausing


def test_a_break_and_back(client, row):
    page = client.get("/account/subscription/pause/")
    today = make.at(f"{row.period_start} 12:00").date()
    assert f"2 weeks , it goes on by itself on {longday(today + timedelta(days=14))}" in text(page)
    assert "checked" not in main(page)
    assert client.post("/account/subscription/pause/", {"days": "14"}).url == "/account/?did=paused"
    row.refresh_from_db()
    assert (row.status, (row.pause_until - row.paused_on).days) == ("paused", 14)
    page = text(client.get("/account/"))
    assert "Status Paused" in page
    assert f"It goes on by itself on {longday(row.pause_until)}" in page
    assert "Next payment None while it is paused" in page
    assert not make.may_read(row.reader_id, clock.now())
    assert client.post("/account/subscription/resume/").url == "/account/?did=resumed"
    row.refresh_from_db()
    assert row.status == "active"


def test_cancelling_during_a_break_keeps_the_days_that_are_paid(client, row):
    client.post("/account/subscription/pause/", {"days": "14"})
    row.refresh_from_db()
    page = text(client.get("/account/subscription/cancel/"))
    assert f"stays paused until {longday(row.pause_until)}. After that you can read for the days you have paid" in page
    client.post("/account/subscription/cancel/")
    page = text(client.get("/account/"))
    assert f"Your pause runs until {longday(row.pause_until)}. The days you have paid for are still yours" in page
    row.refresh_from_db()
    assert (row.status, row.cancel_at_period_end) == ("paused", True)


@pytest.mark.parametrize("days", ["", "0", "-7", "15", "4000", "week"])
def test_only_breaks_that_are_offered_are_taken(client, row, days):
    assert client.post("/account/subscription/pause/", {"days": days}).status_code == 200
    row.refresh_from_db()
    assert row.status == "active"


# Another plan


def test_a_dearer_plan_shows_its_invoice_first(client, row, others):
    listed = text(client.get("/account/subscription/change/"))
    assert "Y , ₹2,700 for 12 months From today. You pay ₹1,800 now" in listed
    page = client.get("/account/subscription/change/y/")
    assert "Unused" in text(page)
    assert "Total, taxes included ₹1,800.00" in text(page)
    assert "Charged to Sandbox card ending 4242" in text(page)
    row.refresh_from_db()
    assert row.plan.code == "q"
    answer = client.post("/account/subscription/change/y/", {"seen": make_orders.seen(page)})
    assert answer.url == "/account/?did=changed"
    row.refresh_from_db()
    assert row.plan.code == "y"
    assert Invoice.objects.latest("id").total_minor == 180_000


def test_a_total_that_was_not_seen_changes_nothing(client, row, others):
    for seen in ("", "now.1.0.1.2020-01-01"):
        assert client.post("/account/subscription/change/y/", {"seen": seen}).status_code == 200
    row.refresh_from_db()
    assert row.plan.code == "q"
    assert Payment.objects.count() == 1


def test_a_declined_change_leaves_everything_as_it_was(client, row, others):
    seen = make_orders.seen(client.get("/account/subscription/change/y/"))
    make.card_declines(yes=True)
    page = client.post("/account/subscription/change/y/", {"seen": seen})
    assert "Your bank declined the payment. Nothing was charged, and your plan is as before" in text(page)
    row.refresh_from_db()
    assert row.plan.code == "q"
    assert "is to be paid" not in text(client.get("/account/"))


def test_a_cheaper_plan_waits_for_the_periods_end_and_can_be_taken_back(client, row, others):
    page = client.get("/account/subscription/change/m/")
    assert f"M begins on {longday(row.period_end)}" in text(page)
    client.post("/account/subscription/change/m/", {"seen": make_orders.seen(page)})
    assert f"Coming M from {longday(row.period_end)}" in text(client.get("/account/"))
    assert f"M from {longday(row.period_end)}" in text(client.get("/account/subscription/change/"))
    assert client.post("/account/subscription/change/q/").url == "/account/?did=stays"
    row.refresh_from_db()
    assert row.pending_plan is None


def test_without_a_mandate_a_change_is_paid_by_a_link(client, row, others):
    Mandate.objects.update(status="revoked")
    page = client.get("/account/subscription/change/y/")
    answer = client.post("/account/subscription/change/y/", {"seen": make_orders.seen(page)})
    assert answer.url.startswith("/pay/")
    assert "Left to pay ₹1,800.00" in text(client.get(answer.url))


@pytest.mark.parametrize("path", ["/account/subscription/change/nothing/", "/account/subscription/change/old/"])
def test_what_is_not_sold_cannot_be_changed_to(client, row, path):
    make.plan("old", retired=True)
    assert client.get(path).status_code == 404


# Payment method, and what is owed


def test_another_card(client, row):
    old = row.mandate_id
    page = text(client.get("/account/payment-method/"))
    assert "Now Sandbox card ending 4242" in page
    till = client.post("/account/payment-method/", {"rail": "upi"}).url
    assert "nothing is charged" in text(client.get(till))
    press(client, till)
    row.refresh_from_db()
    assert row.mandate_id != old
    assert "Payment method asha@sandbox" in text(client.get("/account/"))
    assert ConsentRecord.objects.get(kind="mandate").text in page


def test_turning_back_at_the_till_keeps_the_old_card(client, row):
    till = client.post("/account/payment-method/", {"rail": "card"}).url
    assert "No new payment method was given; everything is as before" in text(press(client, till, "decline"))
    before = row.mandate_id
    row.refresh_from_db()
    assert row.mandate_id == before
    assert f"Next payment ₹900 on {longday(row.period_end)}" in text(client.get("/account/"))


def test_paying_what_is_owed_needs_no_account(client, row):
    make.card_declines(yes=True)
    actions.run_due(now=make.at(f"{row.period_end} 00:10"))
    link = path_of(links.pay_link(row.pk))
    assert link in hrefs(client.get("/account/"))
    anybody = Client()
    page = anybody.get(link)
    assert "Left to pay ₹900.00" in text(page)
    assert "asha" not in text(page)
    till = anybody.post(link, {"rail": "card"}).url
    thanks = press(anybody, till)
    assert "The payment has arrived" in text(thanks)
    row.refresh_from_db()
    assert row.status == "active"
    assert "Nothing is owed" in text(anybody.get(link))


def test_a_pay_link_that_is_declined_can_be_tried_again(client, row):
    make.card_declines(yes=True)
    actions.run_due(now=make.at(f"{row.period_end} 00:10"))
    link = path_of(links.pay_link(row.pk))
    page = press(client, client.post(link, {"rail": "card"}).url, "decline")
    assert "The payment was declined; nothing has been charged" in text(page)
    assert "The payment has arrived" in text(press(client, client.post(link, {"rail": "upi"}).url))
    assert Payment.objects.filter(status="succeeded").count() == 2


def test_a_pay_link_is_not_made_elsewhere(client, row):
    link = path_of(links.pay_link(row.pk))
    for forged in (link.replace("/pay/", "/withdraw/"), link[:-3] + "x/", "/pay/1/"):
        assert client.get(forged).status_code == 404


# Invoices, presents, seats


def test_invoices_are_linked_as_pages_and_as_pdfs(client, row):
    bill = Invoice.objects.get()
    page = client.get("/account/")
    for link in (f"/account/invoices/{bill.number}/", f"/account/invoices/{bill.number}.pdf"):
        assert link in hrefs(page)
        assert client.get(link).status_code == 200


def test_a_seat_holder_is_told_whose_it_is_not(client, asha):
    make.plan("g", 12, 100_000, min_quantity=2, max_quantity=20)
    payer = make.reader("payer@example.org")
    checkout = actions.start_checkout(reader_id=payer, plan_code="g", quantity=5, now=clock.now())
    make.press(checkout, clock.now())
    actions.complete_checkout(subscription_id=checkout.subscription_id, now=clock.now())
    boss = Client()
    boss.force_login(Reader.objects.get(pk=payer), backend=BACKEND)
    assert "Your G plan has 5 seats; 4 are free" in text(boss.get("/account/seats/"))
    assert boss.post("/account/seats/", {"invite": "1", "email": "asha@example.org"}).url == "/account/seats/"
    assert "has a seat already" in text(boss.post("/account/seats/", {"invite": "1", "email": "asha@example.org"}))
    seat = Subscription.objects.get().seats.get()
    link = path_of(links.seat_link(seat.token))
    assert "A group has a seat for you" in text(Client().get(link))
    assert "Your seat is yours" in text(client.post(link, follow=True))
    assert make.may_read(asha.pk, clock.now())
    assert "You read by a group’s G plan" in text(client.get("/account/"))
    page = boss.get("/account/seats/number/", {"quantity": "8"})
    assert "Total ₹3,000.00" in text(page)
    assert Subscription.objects.get().quantity == 5
    answer = boss.post("/account/seats/number/", {"quantity": "8", "seen": make_orders.seen(page)})
    assert answer.url == "/account/?did=seats"
    assert Subscription.objects.get().quantity == 8
    boss.post("/account/seats/", {"free": str(seat.pk)})
    assert not make.may_read(asha.pk, clock.now())
    assert "Anybody can have an address" in text(boss.post("/account/seats/", {"domain": "gmail.com"}))
    assert "sold for 2 to 20 seats" in text(boss.get("/account/seats/number/", {"quantity": "99"}))


def test_seats_are_for_groups(client, row):
    assert client.get("/account/seats/").url == "/account/"
    assert "Seats" not in text(client.get("/account/"))


# Who may, and how


PAGES = [
    "/account/",
    "/account/subscription/cancel/",
    "/account/subscription/pause/",
    "/account/subscription/change/",
    "/account/subscription/change/y/",
    "/account/payment-method/",
    "/account/payment-method/done/",
    "/account/seats/",
    "/account/seats/number/",
]
POSTS = ["cancel", "undo", "pause", "resume", "change/y"]


@pytest.mark.parametrize("path", PAGES)
def test_a_visitor_logs_in_first_and_comes_back(client, path):
    assert client.get(path).url == f"/account/sign-in/?next={path}"


def test_no_cache_keeps_an_account_page(client, row, others):
    for path in PAGES:
        assert client.get(path).headers["Cache-Control"] == "private, no-store", path


@pytest.mark.parametrize("name", POSTS)
def test_forms_need_the_token(row, name):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(Reader.objects.get(), backend=BACKEND)
    assert strict.post(f"/account/subscription/{name}/").status_code == 403
    row.refresh_from_db()
    assert (row.status, row.cancel_at_period_end) == ("active", False)


@pytest.mark.parametrize("path", PAGES)
def test_a_reader_with_nothing_is_led_home(client, asha, path):
    answer = client.get(path)
    assert answer.status_code == 200 if path == "/account/" else answer.url == "/account/"


def test_a_subscription_that_was_given_is_not_cancelled_changed_or_charged(client, asha):
    actions.comp(
        reader_id=asha.pk, plan_code="q", until=make.at("2099-01-01 00:00").date(), actor="staff", reason="",
        now=clock.now(),
    )  # fmt: skip
    page = text(client.get("/account/"))
    assert "Status Given to you" in page
    assert "Next payment None: it ends by itself" in page
    for name in ("Cancel subscription", "Change plan", "Pause", "Payment method"):
        assert name not in page
    for path in PAGES[1:]:
        assert client.get(path).url == "/account/"


def test_two_windows_resume_once(client, row):
    client.post("/account/subscription/pause/", {"days": "7"})
    client.post("/account/subscription/resume/")
    assert client.post("/account/subscription/resume/").url == "/account/?did=nothing"

import re
from datetime import timedelta

import pytest
from django.test import Client

from broadsheet import clock
from broadsheet.payments.models import Invoice
from broadsheet.readers.models import Reader
from broadsheet.subscriptions import actions
from broadsheet.subscriptions.models import Subscription
from broadsheet.subscriptions.rules import last_day, longday
from tests.subscriptions import make_subscriptions as make

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def asha(client):
    make.plan()
    reader = Reader.objects.get(pk=make.reader())
    client.force_login(reader, backend=BACKEND)
    return reader


@pytest.fixture
def row(asha):
    return make.buy(asha.pk, clock.now())


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_a_reader_without_a_subscription(client, asha):
    page = text(client.get("/account/"))
    assert "You are logged in as asha@example.org" in page
    assert "You have no subscription. See the plans" in page


def test_what_i_have_and_the_next_payment(client, row):
    page = text(client.get("/account/"))
    assert "Plan Q Status Active" in page
    assert f"Next payment ₹900 on {longday(row.period_end)}" in page
    assert "Cancel subscription" in page


def test_cancelling_takes_two_clicks_and_can_be_taken_back(client, row):
    assert 'href="/account/subscription/cancel/"' in client.get("/account/").content.decode()
    confirm = text(client.get("/account/subscription/cancel/"))
    assert f"runs to the end of {last_day(row.period_end)}, and you will not be charged again" in confirm
    row.refresh_from_db()
    assert not row.cancel_at_period_end
    assert client.post("/account/subscription/cancel/", {"reason": "moving"}).url == "/account/"
    row.refresh_from_db()
    assert (row.cancel_at_period_end, row.cancel_reason) == (True, "moving")
    page = text(client.get("/account/"))
    assert "Status Cancelled" in page
    assert "Next payment None" in page
    assert make.may_read(row.reader_id, clock.now())
    client.post("/account/subscription/undo/")
    row.refresh_from_db()
    assert not row.cancel_at_period_end
    assert "Status Active" in text(client.get("/account/"))


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
    actions.cancel_at_period_end(subscription_id=row.pk, actor="reader", reason="", now=clock.now())
    assert client.get("/account/subscription/undo/").status_code == 405
    row.refresh_from_db()
    assert row.cancel_at_period_end


def test_behind_with_the_payment(client, row):
    make.card_declines(yes=True)
    actions.run_due(now=make.at(f"{row.period_end} 00:10"))
    page = text(client.get("/account/"))
    assert "Status Payment overdue" in page
    assert f"You can read to the end of {last_day(row.period_end + timedelta(days=7))}" in page
    assert f"Next payment ₹900 on {longday(row.period_end + timedelta(days=3))}" in page


def test_after_the_end(client, row):
    actions.cancel_at_period_end(subscription_id=row.pk, actor="reader", reason="", now=clock.now())
    actions.run_due(now=make.at(f"{row.period_end} 00:10"))
    page = text(client.get("/account/"))
    assert f"Status Ended Its last day was {last_day(row.period_end)}" in page
    assert "See the plans" in page
    assert "Cancel subscription" not in page


def test_an_invoice_to_print(client, row):
    bill = Invoice.objects.get()
    assert f"/account/invoices/{bill.number}/" in client.get("/account/").content.decode()
    page = text(client.get(f"/account/invoices/{bill.number}/"))
    assert f"Invoice {bill.number}" in page
    assert "Q subscription, 3 months ₹900" in page
    assert "Total, taxes included ₹900" in page


def test_somebody_elses_invoice_is_not_found(row):
    stranger = Client()
    stranger.force_login(Reader.objects.get(pk=make.reader("ravi@example.org")), backend=BACKEND)
    assert stranger.get(f"/account/invoices/{Invoice.objects.get().number}/").status_code == 404
    assert stranger.get("/account/invoices/BS/26-27/999999/").status_code == 404


def test_an_unpaid_invoice_is_not_shown(client, asha):
    make.start(asha.pk, clock.now())
    assert client.get(f"/account/invoices/{Invoice.objects.get().number}/").status_code == 404


@pytest.mark.parametrize("path", ["/account/", "/account/subscription/cancel/", "/account/invoices/BS/26-27/000001/"])
def test_a_visitor_logs_in_first_and_comes_back(client, path):
    assert client.get(path).url == f"/account/sign-in/?next={path}"


def test_no_cache_keeps_an_account_page(client, row):
    for path in ("/account/", "/account/subscription/cancel/", f"/account/invoices/{Invoice.objects.get().number}/"):
        assert client.get(path).headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", ["/account/subscription/cancel/", "/account/subscription/undo/"])
def test_forms_need_the_token(row, path):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(Reader.objects.get(), backend=BACKEND)
    assert strict.post(path).status_code == 403
    row.refresh_from_db()
    assert not row.cancel_at_period_end

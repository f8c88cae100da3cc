"""The subscription desk in the admin: found, seen, done, and refused to whoever may not."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from tests import make as people
from tests.subscriptions import make_subscriptions as make

from broadsheet import clock
from broadsheet.payments.models import CreditNote, Refund
from broadsheet.readers.models import Reader
from broadsheet.subscriptions.models import Subscription, SubscriptionEvent

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
DESK = ("access_admin", "view_subscription", "change_subscription", "change_refund")


@pytest.fixture(autouse=True)
def data(settings, tmp_path):
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, data=tmp_path)


def staff(client, email="desk@paper.example", permissions=DESK):
    person = Reader.objects.create(email=email, is_staff=True, created_at=people.NOW, verified_at=people.NOW)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(person, backend=BACKEND)
    return person


@pytest.fixture
def row():
    make.plan("q", 3, 90_000)
    make.plan("y", 12, 1_200_000)
    return make.buy(make.reader(), clock.now() - timedelta(days=3))


def do(client, row, name, **said):
    """Open the form, fill it in as a person does, and press its button."""
    url = reverse("subscriber_deed", args=[row.pk, name])
    key = re.search(r'name="key" value="([^"]+)"', client.get(url).content.decode())[1]
    return client.post(url, {"key": key, **said})


def test_a_subscriber_is_found_and_seen(client, row):
    staff(client)
    page = client.get(reverse("subscribers"), {"q": "asha@"}).content.decode()
    assert reverse("subscriber", args=[row.pk]) in page
    page = client.get(reverse("subscriber", args=[row.pk])).content.decode()
    for words in ("asha@example.org", "Active", "₹900", "Invoice", "Subscription created", "Sandbox card ending 4242"):
        assert words in page
    page = client.get(reverse("subscribers"), {"q": "nobody@"}).content.decode()
    assert "Nothing begins with that." in page


def test_days_are_given_with_a_reason_and_a_name(client, row):
    person = staff(client)
    assert do(client, row, "extend", days="7", reason="a late paper").status_code == 302
    was = row.period_end
    row.refresh_from_db()
    assert row.period_end == was + timedelta(days=7)
    event = SubscriptionEvent.objects.get(kind="extended")
    assert (event.actor, event.reason) == (f"staff:{person.pk}", "a late paper")


def test_a_change_shows_its_invoice_before_it_is_made(client, row):
    staff(client)
    shown = do(client, row, "change-plan", plan="y", when="auto")
    assert shown.status_code == 200
    assert "Total with tax: ₹11,1" in shown.content.decode()
    row.refresh_from_db()
    assert row.plan.code == "q"
    assert do(client, row, "change-plan", plan="y", when="auto", sure="1").status_code == 302
    row.refresh_from_db()
    assert row.plan.code == "y"


def test_a_large_refund_waits_for_somebody_else(client, row):
    staff(client)
    do(client, row, "change-plan", plan="y", when="now", sure="1")
    assert do(client, row, "refund", amount="6000", adjust="on", reason="a mistake").status_code == 302
    waiting = Refund.objects.get()
    assert (waiting.status, CreditNote.objects.count()) == ("waiting", 0)
    client.post(reverse("decide_refund", args=[waiting.pk]), {"decision": "approve"})
    waiting.refresh_from_db()
    assert waiting.status == "waiting", "whoever asked cannot approve"
    staff(client, "second@paper.example")
    client.post(reverse("decide_refund", args=[waiting.pk]), {"decision": "approve"})
    waiting.refresh_from_db()
    assert (waiting.status, CreditNote.objects.get().total_minor) == ("succeeded", 600_000)


def test_pressed_twice_it_is_done_once(client, row):
    staff(client)
    url = reverse("subscriber_deed", args=[row.pk, "refund"])
    key = re.search(r'name="key" value="([^"]+)"', client.get(url).content.decode())[1]
    for _ in range(2):
        client.post(url, {"key": key, "amount": "100", "adjust": "on", "reason": "twice"})
    assert [refund.amount_minor for refund in Refund.objects.all()] == [10_000]


@pytest.mark.parametrize(
    ("name", "said", "words"),
    [
        ("refund", {"amount": "901", "reason": "too much"}, "more than is left of the payment"),
        ("pay", {"reference": "cheque 1"}, "Nothing is owed."),
        ("change-plan", {"plan": "q", "when": "auto"}, "That is the plan they have."),
        ("extend", {"days": "0", "reason": "none"}, "greater than or equal to 1"),
        ("cancel", {"when": "period_end", "refund": "unused", "reason": "x"}, "Only what ends at once"),
    ],
)
def test_a_refusal_says_why_and_changes_nothing(client, row, name, said, words):
    staff(client)
    before = list(Subscription.objects.values()), SubscriptionEvent.objects.count(), Refund.objects.count()
    page = do(client, row, name, **said)
    assert page.status_code == 200
    assert words in page.content.decode()
    assert before == (list(Subscription.objects.values()), SubscriptionEvent.objects.count(), Refund.objects.count())


def test_whoever_may_only_look_does_nothing(client, row):
    staff(client, permissions=("access_admin", "view_subscription"))
    assert client.get(reverse("subscriber", args=[row.pk])).status_code == 200
    url = reverse("subscriber_deed", args=[row.pk, "cancel"])
    assert client.get(url).status_code in (302, 403)
    client.post(url, {"key": "k", "when": "now", "refund": "none", "reason": "x"})
    row.refresh_from_db()
    assert row.status == "active"


def test_an_editor_without_the_desk_sees_nothing(client, row):
    staff(client, permissions=("access_admin",))
    for url in (reverse("subscribers"), reverse("subscriber", args=[row.pk]), reverse("subscriber_money")):
        answer = client.get(url)
        assert answer.status_code in (302, 403)
        assert "asha@example.org" not in answer.content.decode()

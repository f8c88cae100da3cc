"""What readers agreed to is kept, in their words, and never changed."""

from __future__ import annotations

import pytest

from broadsheet.subscriptions import actions, queries
from broadsheet.subscriptions.models import ConsentRecord
from tests.subscriptions.make_subscriptions import at, buy, plan, reader

pytestmark = pytest.mark.django_db
DAY = at("2027-01-10 09:00")
WORDS = "₹300 every month until I cancel."


def keep(reader_id: int, **more: object) -> int:
    values = {"kind": "renewal", "text": WORDS, "now": DAY} | more
    return actions.record_consent(reader_id=reader_id, **values)


def test_a_consent_is_kept_with_its_words_its_hour_and_where_it_came_from():
    plan("m", months=1, amount=30_000)
    pk = reader()
    row = buy(pk, DAY, "m")
    made = keep(pk, subscription_id=row.pk, network="203.0.113.7", facts={"amount_minor": 30_000})
    (kept,) = queries.consents_of(pk)
    assert (kept.id, kept.reader_id, kept.subscription_id) == (made, pk, row.pk)
    assert (kept.kind, kept.text, kept.network, kept.at) == ("renewal", WORDS, "203.0.113.7", DAY)
    assert kept.facts == {"amount_minor": 30_000}
    assert queries.consents_of(reader("ravi@example.org")) == ()


def test_the_same_words_for_the_same_subscription_are_kept_once_and_others_beside_them():
    plan("m", months=1, amount=30_000)
    pk = reader()
    row = buy(pk, DAY, "m")
    first = keep(pk, subscription_id=row.pk)
    assert keep(pk, subscription_id=row.pk, now=at("2027-01-11 09:00")) == first
    assert keep(pk, subscription_id=row.pk, facts={"amount_minor": 35_000}) != first
    assert keep(pk, subscription_id=row.pk, text="₹350 every month until I cancel.") != first
    assert keep(pk, subscription_id=row.pk, kind="mandate") != first
    assert [one.at for one in queries.consents_of(pk)] == [DAY] * 4


def test_a_consent_without_words_is_none():
    pk = reader()
    with pytest.raises(ValueError, match="words"):
        keep(pk, text="  ")
    assert ConsentRecord.objects.count() == 0

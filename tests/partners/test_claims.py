"""Claiming, refusing with a reason, ending with the subscription."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from tests.partners import make_partners as make
from tests.subscriptions import make_subscriptions as sold

from broadsheet import clock
from broadsheet.bus import actions as bus
from broadsheet.partners import actions, queries, stocking
from broadsheet.partners.actions import ClaimRefusedError
from broadsheet.partners.models import Claim, Code, Offer
from broadsheet.subscriptions import actions as subscriptions
from broadsheet.subscriptions import queries as sold_queries

pytestmark = pytest.mark.django_db
NOW = make.NOW


@pytest.fixture
def post():
    make.plan()
    return make.partner()


@contextmanager
def at(now):
    clock.stand_at(now)
    try:
        yield
    finally:
        clock.stand_at(None)


def claim(reader, now=NOW, offer="all"):
    return actions.claim(reader_id=reader, partner="post", offer=offer, now=now)


def refused(reader, now=NOW, offer="all"):
    before = (*make.books(), list(Claim.objects.values_list("pk", "ended_at")))
    with pytest.raises(ClaimRefusedError) as error:
        claim(reader, now, offer)
    assert (*make.books(), list(Claim.objects.values_list("pk", "ended_at"))) == before
    return error.value.reason


def test_a_subscriber_gets_one_code_and_the_same_again(post):
    make.codes(make.offer(post))
    reader = make.subscriber()
    first = claim(reader)
    assert make.code_of(first) == "CODE-0000"
    assert claim(reader, NOW + timedelta(days=3)) == first
    assert make.books() == (1, 1)
    other = claim(make.subscriber("ravi@reader.example"))
    assert make.code_of(other) == "CODE-0001"


def test_the_code_stands_nowhere_in_the_clear(post):
    make.codes(make.offer(post))
    claim(make.subscriber())
    assert "CODE" not in repr(list(Code.objects.values()))


def test_who_is_not_entitled_gets_nothing(post):
    make.codes(make.offer(post))
    assert refused(sold.reader("kiran@reader.example")) == "not_entitled"
    sold.plan("plain")
    other = sold.reader("meera@reader.example")
    sold.buy(other, NOW, "plain")
    assert refused(other) == "not_entitled"


@pytest.mark.parametrize(
    ("terms", "days", "reason"),
    [
        ({"plans": ["annual"]}, 0, "plan"),
        ({"from_day": 15}, 13, "too_soon"),
        ({"from_day": 15}, 14, None),
        ({"from_day": 3, "within_days": 5}, 6, None),
        ({"from_day": 3, "within_days": 5}, 7, "too_late"),
        ({"opens_at": NOW + timedelta(days=2)}, 1, "not_open"),
        ({"opens_at": NOW + timedelta(days=2)}, 2, None),
        ({"closes_at": NOW + timedelta(days=2)}, 2, "closed"),
        ({"active": False}, 0, "absent"),
    ],
)
def test_terms_are_kept_to_the_day(post, terms, days, reason):
    make.codes(make.offer(post, **terms))
    reader = make.subscriber()
    now = NOW + timedelta(days=days)
    if reason is None:
        assert claim(reader, now)
    else:
        assert refused(reader, now) == reason


def test_an_empty_pool_says_so_and_leaves_no_claim(post):
    row = make.offer(post)
    make.codes(row, 1)
    claim(make.subscriber())
    assert refused(make.subscriber("ravi@reader.example")) == "no_code"


def test_an_expired_code_is_never_given_and_the_next_to_expire_goes_first(post):
    row = make.offer(post)
    lines = ["code,expires", "LATE,2027-12-31", "SOON,2027-02-01", "GONE,2027-01-09", "TODAY,2027-01-10"]
    batch = stocking.add_codes(offer_id=row.pk, name="f.csv", lines=lines, by="", now=NOW)
    assert batch.counts["added"] == 3
    assert batch.problems == [{"line": 4, "reason": "expired", "words": "Has expired"}]
    assert make.code_of(claim(make.subscriber(), NOW + timedelta(days=1))) == "SOON"


def test_a_household_has_it_once(post):
    row = make.plan("group", max_quantity=5)
    make.codes(make.offer(post, per="household"))
    payer = sold.reader("payer@reader.example")
    checkout = subscriptions.start_checkout(reader_id=payer, plan_code=row.code, next_path="", now=NOW, quantity=3)
    sold.press(checkout, NOW)
    subscriptions.complete_checkout(subscription_id=checkout.subscription_id, now=NOW)
    seat = sold.reader("seat@reader.example")
    subscriptions.invite_seat(
        subscription_id=checkout.subscription_id, email="seat@reader.example", actor="payer", now=NOW
    )
    token = sold_queries.seats_of(checkout.subscription_id)[0].token
    subscriptions.claim_seat(token=token, reader_id=seat, now=NOW)
    assert claim(seat)
    assert refused(payer) == "household"
    assert make.books() == (1, 1)
    with at(NOW):
        subscriptions.remove_seat(
            subscription_id=checkout.subscription_id,
            seat_id=sold_queries.seats_of(checkout.subscription_id)[0].id,
            actor="payer",
            now=NOW,
        )
        bus.run_due_jobs()
    assert make.books() == (0, 1)
    assert refused(payer) == "household"
    Offer.objects.update(per="reader")
    assert claim(payer)


def end(reader, when):
    """What follows from the end does so by itself."""
    row = sold.Subscription.objects.get(reader_id=reader)
    with at(when):
        subscriptions.cancel(subscription_id=row.pk, when="now", refund="none", actor="reader", now=when)
        bus.run_due_jobs()


def test_the_end_of_the_subscription_ends_it_and_is_to_be_reported(post):
    make.codes(make.offer(post))
    reader = make.subscriber()
    made = claim(reader)
    assert [one.offer for one in queries.entitlements_for("post", reader, NOW)] == ["all"]
    when = NOW + timedelta(days=9)
    end(reader, when)
    row = Claim.objects.get(pk=made)
    assert (row.end_reason, row.report) == ("subscription_ended", "due")
    assert queries.entitlements_for("post", reader, when + timedelta(minutes=1)) == ()
    assert [one["code"] for one in queries.revocations("post")] == ["CODE-0000"]
    assert queries.standing(reader, "post", "all", when).claim.code == ""
    assert actions.mark_reported(claim_ids=[made], now=when) == 1
    assert list(queries.revocations("post")) == []


def test_at_the_last_instant_it_runs_and_at_the_next_it_does_not(post):
    """Without any event: the date alone ends it."""
    make.codes(make.offer(post))
    reader = make.subscriber()
    made = claim(reader)
    row = sold.Subscription.objects.get(reader_id=reader)
    subscriptions.cancel(subscription_id=row.pk, when="period_end", refund="none", actor="reader", now=NOW)
    last = sold.at("2027-04-10 00:00")
    actions.review(claim_id=made, now=last - timedelta(seconds=1))
    assert Claim.objects.get(pk=made).check_at == last
    assert queries.entitlements_for("post", reader, last - timedelta(microseconds=1)) != ()
    assert queries.entitlements_for("post", reader, last) == ()
    assert actions.review_due(now=last) == 1
    assert Claim.objects.get(pk=made).ended_at == last


def test_who_comes_back_gets_the_same_code(post):
    row = make.offer(post)
    make.codes(row)
    reader = make.subscriber()
    made = claim(reader)
    end(reader, NOW)
    assert Claim.objects.get(pk=made).ended_at is not None
    later = NOW + timedelta(days=40)
    assert refused(reader, later) == "not_entitled"
    sold.buy(reader, later)
    assert claim(reader, later) == made
    assert make.books() == (1, 1)
    assert Claim.objects.get(pk=made).report == ""


@pytest.mark.parametrize(("again", "most", "reason"), [("never", 9, "never_again"), ("new", 1, "used_up")])
def test_who_may_not_come_back_is_told(post, again, most, reason):
    make.codes(make.offer(post, again=again, most=most))
    reader = make.subscriber()
    claim(reader)
    end(reader, NOW)
    sold.buy(reader, NOW)
    assert refused(reader) == reason


def test_a_term_of_days_ends_by_itself_and_a_new_one_takes_a_new_code(post):
    make.codes(make.offer(post, lasts_days=30, again="new", most=2))
    reader = make.subscriber()
    first = claim(reader)
    over = sold.at("2027-02-09 00:00")
    assert Claim.objects.get(pk=first).ends_at == over
    actions.review_due(now=over - timedelta(seconds=1))
    assert Claim.objects.get(pk=first).ended_at is None
    actions.review_due(now=over)
    assert Claim.objects.get(pk=first).end_reason == "term_over"
    second = claim(reader, over)
    assert make.code_of(second) == "CODE-0001"
    actions.review_due(now=over + timedelta(days=30))
    assert refused(reader, over + timedelta(days=31)) == "used_up"


def test_days_of_grace_are_given(post):
    make.codes(make.offer(post, grace_days=3))
    reader = make.subscriber()
    made = claim(reader)
    end(reader, NOW)
    assert Claim.objects.get(pk=made).ended_at is None
    assert queries.entitlements_for("post", reader, NOW + timedelta(days=2)) != ()
    assert queries.entitlements_for("post", reader, NOW + timedelta(days=3)) == ()
    actions.review_due(now=NOW + timedelta(days=3))
    assert Claim.objects.get(pk=made).ended_at == NOW + timedelta(days=3)


def test_what_staff_revoke_stays_revoked(post):
    make.codes(make.offer(post))
    reader = make.subscriber()
    made = claim(reader)
    assert actions.revoke(claim_id=made, now=NOW)
    assert not actions.revoke(claim_id=made, now=NOW)
    assert refused(reader) == "revoked"


def test_codes_are_added_once_and_every_line_is_accounted_for(post):
    row = make.offer(post)
    make.codes(row, 2)
    lines = ["\ufeffcode;expires", "CODE-0000;", "NEW-1;", "", "NEW-1;", "NEW-2;31.12.2027", " ;", "X" * 201 + ";"]
    batch = stocking.add_codes(offer_id=row.pk, name="again.csv", lines=lines, by="", now=NOW)
    assert batch.counts == {
        "added": 1, "blank": 2, "twice": 1, "known": 1, "expired": 0, "bad_date": 1, "bad_code": 1,
    }  # fmt: skip
    assert [(one["line"], one["reason"]) for one in batch.problems] == [
        (5, "twice"), (6, "bad_date"), (8, "bad_code"), (2, "known"),
    ]  # fmt: skip
    assert Code.objects.count() == 3


def test_a_low_pool_raises_one_alarm_until_it_is_filled(post, settings):
    row = make.offer(post, low_stock=3)
    make.codes(row, 3)
    actions.watch_stock(offer_id=row.pk, now=NOW)
    assert queries.low_stocks(NOW) == ()
    claim(make.subscriber())
    for _ in range(3):
        actions.watch_stock(offer_id=row.pk, now=NOW)
    assert bus.Job.objects.filter(event="StockLow").count() == 1
    assert bus.Job.objects.get(event="StockLow").payload["left"] == 2
    assert [(one.left, one.low) for one in queries.low_stocks(NOW)] == [(2, True)]
    make.codes(row, 5, prefix="MORE")
    actions.watch_stock(offer_id=row.pk, now=NOW)
    assert queries.low_stocks(NOW) == ()


def test_the_product_works_exactly_while_there_is_something_to_claim(post, monkeypatch):
    monkeypatch.setattr("broadsheet.clock.now", lambda: NOW)
    assert not queries.works()
    row = make.offer(post)
    assert not queries.works()
    make.codes(row, 1)
    assert queries.works()
    claim(make.subscriber())
    assert not queries.works()
    make.offer(post, "link", "link")
    assert queries.works()
    post.active = False
    stocking.keep_partner(partner=post)
    assert not queries.works()


def test_an_old_secret_can_be_dropped_after_the_seals_were_renewed(post, settings):
    make.codes(make.offer(post))
    made = claim(make.subscriber())
    old = settings.BROADSHEET_SECRETS
    settings.BROADSHEET_SECRETS = (b"n" * 32, *old)
    assert stocking.reseal() == 1
    assert stocking.reseal() == 0
    settings.BROADSHEET_SECRETS = (b"n" * 32,)
    assert make.code_of(made) == "CODE-0000"
    post.refresh_from_db()
    assert stocking.secret_of(post) == make.SECRET.encode()

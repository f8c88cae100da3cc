"""Seats of a group: never more than were paid for, and access goes with the seat."""

from __future__ import annotations

import threading

import pytest
from django.db import connections

from broadsheet.readers.models import Reader
from broadsheet.subscriptions import actions, queries
from broadsheet.subscriptions.models import Plan, Seat, Subscription, SubscriptionEvent
from broadsheet.subscriptions.rules import RefusedError
from tests.django_up import kept_database  # noqa: F401 - its tests commit
from tests.subscriptions.make_subscriptions import at, buy, may_read, plan, press, reader, walk

pytestmark = pytest.mark.django_db
DAY = at("2027-01-10 09:00")
LATER = at("2027-01-12 09:00")


def group(quantity: int = 3, email: str = "payer@firm.example", code: str = "group") -> Subscription:
    if not Plan.objects.filter(code=code).exists():
        plan(code, months=12, amount=270_000, min_quantity=2, max_quantity=100)
    checkout = actions.start_checkout(reader_id=reader(email), plan_code=code, quantity=quantity, now=DAY)
    press(checkout, DAY)
    actions.complete_checkout(subscription_id=checkout.subscription_id, now=DAY)
    return Subscription.objects.get(pk=checkout.subscription_id)


def invite(subscription: Subscription, email: str) -> Seat:
    actions.invite_seat(subscription_id=subscription.pk, email=email, actor="reader:1", now=LATER)
    return Seat.objects.get(subscription=subscription, email=email.strip().lower(), removed_at=None)


def refused(call, **arguments: object) -> str:
    before = (Seat.objects.count(), SubscriptionEvent.objects.count())
    with pytest.raises(RefusedError) as refusal:
        call(**arguments)
    assert (Seat.objects.count(), SubscriptionEvent.objects.count()) == before
    return refusal.value.reason


def verified(email: str) -> int:
    pk = reader(email)
    Reader.objects.filter(pk=pk).update(verified_at=DAY)
    return pk


def test_the_payer_has_the_first_seat_and_the_others_are_invited():
    firm = group(quantity=3)
    assert queries.seats_left(firm.pk) == 2
    invite(firm, " Asha@Firm.example ")
    invite(firm, "ravi@other.example")
    assert [seat.email for seat in queries.seats_of(firm.pk)] == ["asha@firm.example", "ravi@other.example"]
    assert queries.seats_left(firm.pk) == 0
    why = refused(actions.invite_seat, subscription_id=firm.pk, email="third@x.example", actor="a", now=LATER)
    assert why == "no_seat_left"


@pytest.mark.parametrize(
    ("email", "why"),
    [("asha@firm.example", "has_seat"), ("PAYER@firm.example", "has_seat"), ("nonsense", "bad_email")],
)
def test_an_address_is_invited_once(email, why):
    firm = group()
    invite(firm, "asha@firm.example")
    assert refused(actions.invite_seat, subscription_id=firm.pk, email=email, actor="a", now=LATER) == why


def test_a_single_subscription_has_no_seat_to_give():
    plan("q")
    single = buy(reader("asha@example.org"), DAY)
    assert queries.seats_left(single.pk) == 0
    why = refused(actions.invite_seat, subscription_id=single.pk, email="x@y.example", actor="a", now=LATER)
    assert why == "no_seat_left"


def test_whoever_has_the_invitation_takes_the_seat_and_reads():
    firm = group()
    seat, guest = invite(firm, "asha@firm.example"), reader("asha.private@example.org")
    assert not may_read(guest, LATER)
    (told,) = actions.claim_seat(reader_id=guest, token=seat.token, now=LATER)
    assert (told.kind, told.subscription_id, told.facts["email"]) == ("seat_claimed", firm.pk, "asha@firm.example")
    assert may_read(guest, LATER)
    assert may_read(guest, at("2028-01-09 23:59"))
    assert actions.claim_seat(reader_id=guest, token=seat.token, now=LATER) == []
    assert [held.id for held in queries.seats_held(guest)] == [seat.pk]
    other = reader("other@example.org")
    assert refused(actions.claim_seat, reader_id=other, token=seat.token, now=LATER) == "seat_taken"
    assert not may_read(other, LATER)


def test_nobody_sits_twice_and_the_payer_not_at_all():
    firm = group(quantity=4)
    one, two, guest = invite(firm, "a@x.example"), invite(firm, "b@x.example"), reader("asha@example.org")
    actions.claim_seat(reader_id=guest, token=one.token, now=LATER)
    assert refused(actions.claim_seat, reader_id=guest, token=two.token, now=LATER) == "has_seat"
    assert refused(actions.claim_seat, reader_id=firm.reader_id, token=two.token, now=LATER) == "has_seat"
    assert refused(actions.claim_seat, reader_id=guest, token="made-up", now=LATER) == "no_seat"


def test_an_invited_address_takes_its_seat_once_it_is_verified():
    firm = group()
    invite(firm, "asha@firm.example")
    guest = reader("asha@firm.example")
    assert refused(actions.claim_seat, reader_id=guest, now=LATER) == "no_seat"
    Reader.objects.filter(pk=guest).update(verified_at=LATER)
    actions.claim_seat(reader_id=guest, now=LATER)
    assert may_read(guest, LATER)


def test_readers_of_the_domain_take_what_is_free_and_no_more():
    firm = group(quantity=3)
    invite(firm, "invited@elsewhere.example")
    actions.set_seat_domain(subscription_id=firm.pk, domain="@Firm.Example", actor="a", now=LATER)
    first, second = verified("asha@firm.example"), verified("ravi@firm.example")
    unproved, stranger = reader("mallory@firm.example"), verified("eve@firm.example.org")
    assert refused(actions.claim_seat, reader_id=unproved, now=LATER) == "no_seat"
    assert refused(actions.claim_seat, reader_id=stranger, now=LATER) == "no_seat"
    actions.claim_seat(reader_id=first, now=LATER)
    assert may_read(first, LATER)
    assert refused(actions.claim_seat, reader_id=second, now=LATER) == "no_seat_left"
    assert not may_read(second, LATER)
    # Nobody new once the domain is taken away; who sits, stays.
    actions.set_seat_domain(subscription_id=firm.pk, domain="", actor="a", now=LATER)
    assert refused(actions.claim_seat, reader_id=second, now=LATER) == "no_seat"
    assert may_read(first, LATER)


@pytest.mark.parametrize(
    ("domain", "why"),
    [("gmail.com", "public_domain"), ("firm", "bad_domain"), ("a b.example", "bad_domain"), ("x@y.z", "bad_domain")],
)
def test_a_domain_is_the_groups_own(domain, why):
    firm = group()
    assert refused(actions.set_seat_domain, subscription_id=firm.pk, domain=domain, actor="a", now=LATER) == why
    assert Subscription.objects.get(pk=firm.pk).seat_domain == ""


def test_a_removed_seat_ends_at_once_and_is_free_again():
    firm = group(quantity=2)
    seat, guest = invite(firm, "asha@firm.example"), reader("asha@firm.example")
    actions.claim_seat(reader_id=guest, token=seat.token, now=LATER)
    (told,) = actions.remove_seat(subscription_id=firm.pk, seat_id=seat.pk, actor="reader:1", now=LATER)
    assert (told.kind, told.facts["email"]) == ("seat_removed", "asha@firm.example")
    assert not may_read(guest, LATER)
    assert queries.seats_left(firm.pk) == 1
    assert actions.remove_seat(subscription_id=firm.pk, seat_id=seat.pk, actor="reader:1", now=LATER) == []
    assert refused(actions.claim_seat, reader_id=guest, token=seat.token, now=LATER) == "no_seat"
    invite(firm, "asha@firm.example")  # they may be asked anew
    other = group(email="other@firm.example")
    why = refused(actions.remove_seat, subscription_id=other.pk, seat_id=seat.pk, actor="a", now=LATER)
    assert why == "no_seat"


def test_seats_follow_the_subscription_through_renewal_and_end():
    firm = group(quantity=2)
    seat, guest = invite(firm, "asha@firm.example"), reader("asha@firm.example")
    actions.claim_seat(reader_id=guest, token=seat.token, now=LATER)
    walk(at("2028-01-09 00:10"), at("2028-01-11 00:10"))
    assert may_read(guest, at("2028-06-01 09:00"))
    actions.cancel(subscription_id=firm.pk, when="now", actor="reader:1", now=at("2028-06-02 09:00"))
    assert not may_read(guest, at("2028-06-02 09:01"))
    assert refused(actions.claim_seat, reader_id=reader("b@x.example"), token=seat.token, now=LATER) == "not_active"


def test_fewer_seats_at_renewal_free_the_newest_and_tell_the_payer():
    firm = group(quantity=4)
    guests = []
    for name in ("asha", "ravi", "noor"):
        seat = invite(firm, f"{name}@firm.example")
        guests.append(reader(f"{name}@firm.example"))
        actions.claim_seat(reader_id=guests[-1], token=seat.token, now=LATER)
    actions.set_quantity(subscription_id=firm.pk, quantity=2, actor="reader:1", now=LATER)
    assert [may_read(guest, LATER) for guest in guests] == [True, True, True]
    happened = walk(at("2028-01-09 00:10"), at("2028-01-10 00:10"))
    assert [may_read(guest, at("2028-01-10 00:20")) for guest in guests] == [True, False, False]
    assert [seat.email for seat in queries.seats_of(firm.pk)] == ["asha@firm.example"]
    gone = [event.facts["email"] for event in happened if event.kind == "seat_removed"]
    assert gone == ["ravi@firm.example", "noor@firm.example"]
    told = [event.facts for event in happened if event.kind == "notice" and event.facts["kind"] == "seats_cut"]
    assert told == [{"kind": "seats_cut", "channel": "email", "seats": 2}]


@pytest.mark.django_db(transaction=True)
def test_two_who_ask_at_once_do_not_both_get_the_last_seat():
    firm, answers = group(quantity=2), []
    start = threading.Barrier(6)

    def ask(number: int) -> None:
        start.wait()
        try:
            actions.invite_seat(subscription_id=firm.pk, email=f"r{number}@x.example", actor="a", now=LATER)
            answers.append("invited")
        except RefusedError as refusal:
            answers.append(refusal.reason)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["invited"] + ["no_seat_left"] * 5
    assert queries.seats_left(firm.pk) == 0

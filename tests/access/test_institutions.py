"""Institutions: exact networks, seats that are browsers, and a standing value that every gate follows."""

import tests.django_up  # noqa: F401, I001 - the other tests of this folder need no Django

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from broadsheet import clock
from broadsheet.access import actions, queries
from broadsheet.access.models import Institution, SeatLease
from broadsheet.bus import queries as bus
from broadsheet.bus.models import Notice
from broadsheet.readers.actions import create_editor
from broadsheet.readers.models import Reader
from tests import make

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
LEASE = timedelta(minutes=30)


def institution(name="Alder College", prefixes="203.0.113.0/24", now=make.NOW, **fields):
    row = Institution(
        **{
            "name": name,
            "prefixes": prefixes,
            "products": ["unlimited", "premium"],
            "seats": 2,
            "starts_at": make.NOW,
            **fields,
        }
    )
    actions.keep_institution(institution=row, now=now)
    return row


def seat(row, holder, now=make.NOW):
    return actions.take_seat(institution_id=row.pk, holder=holder, now=now)


def standing():
    return bus.standing("institutions")


# --- what every gate is told ------------------------------------------------------------------------------------
def test_every_gate_is_told_with_the_change_itself():
    row = institution(prefixes="203.0.113.0/24\n2001:db8:7::/48", ends_at=make.NOW + timedelta(days=30))
    told = {
        "id": row.pk,
        "name": "Alder College",
        "prefixes": ["203.0.113.0/24", "2001:db8:7::/48"],
        "products": ["unlimited", "premium"],
        "seats": 2,
        "start": int(make.NOW.timestamp()),
        "end": int((make.NOW + timedelta(days=30)).timestamp()),
    }
    assert standing() == [told]
    row.seats, row.ends_at = 9, None
    actions.keep_institution(institution=row, now=make.NOW)
    assert standing() == [{**told, "seats": 9, "end": None}]
    actions.drop_institution(institution=row, now=make.NOW)
    assert standing() == []
    assert Notice.objects.filter(kind="standing", key="institutions").count() == 3


def test_one_that_ended_is_told_no_more():
    institution(name="Old", ends_at=make.NOW + timedelta(days=1))
    institution(name="New", prefixes="198.51.100.0/24", now=make.NOW + timedelta(days=1))
    assert [told["name"] for told in standing()] == ["New"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prefixes", "0.0.0.0/0"),
        ("prefixes", "198.51.100.9/24"),
        ("prefixes", "203.0.113.128/25"),
        ("prefixes", "203.0.0.0/16"),
        ("prefixes", "198.51.100.0/24\n203.0.113.7"),
        ("seats", 0),
        ("ends_at", make.NOW),
        ("ends_at", make.NOW - timedelta(days=1)),
        ("lease_minutes", 0),
        ("name", "Alder College"),
        ("name", ""),
    ],
)
def test_what_is_refused_changes_nothing(field, value):
    institution()
    before, told = list(Institution.objects.values()), standing()
    notices = Notice.objects.count()
    with pytest.raises(ValidationError) as refused:
        institution(**{"name": "Other", "prefixes": "198.51.100.0/24", field: value})
    assert field in refused.value.message_dict
    assert (list(Institution.objects.values()), standing(), Notice.objects.count()) == (before, told, notices)


def test_a_network_may_pass_from_one_to_the_next_when_the_first_has_ended():
    end = make.NOW + timedelta(days=10)
    institution(ends_at=end)
    with pytest.raises(ValidationError, match=r"overlaps 203\.0\.113\.0/24 of Alder College"):
        institution(name="Next", starts_at=end - timedelta(seconds=1))
    institution(name="Next", starts_at=end)
    institution(name="Before", starts_at=make.NOW - timedelta(days=9), ends_at=make.NOW)
    assert Institution.objects.count() == 3


# --- seats ------------------------------------------------------------------------------------------------------
def test_a_seat_is_a_browser_for_half_an_hour():
    row = institution()
    until = int((make.NOW + LEASE).timestamp())
    assert [seat(row, holder) for holder in ("a", "b", "c")] == [until, until, 0]
    assert SeatLease.objects.count() == 2
    assert queries.seats_in_use(make.NOW) == {row.pk: 2}
    assert queries.seats_in_use(make.NOW + LEASE) == {}


def test_a_live_seat_is_renewed_and_a_lapsed_one_competes_again():
    row = institution(seats=1)
    seat(row, "a")
    later = make.NOW + LEASE - timedelta(seconds=1)
    assert seat(row, "b", later) == 0
    assert seat(row, "a", later) == int((later + LEASE).timestamp())
    lapsed = later + LEASE
    assert seat(row, "b", lapsed) == int((lapsed + LEASE).timestamp())
    assert seat(row, "a", lapsed) == 0


def test_fewer_seats_evict_nobody_and_let_nobody_in():
    row = institution(seats=2)
    seat(row, "a"), seat(row, "b")
    row.seats = 1
    actions.keep_institution(institution=row, now=make.NOW)
    minute = make.NOW + timedelta(minutes=1)
    assert seat(row, "a", minute)
    assert seat(row, "b", minute)
    assert seat(row, "c", minute) == 0


def test_there_is_no_seat_before_the_start_nor_from_the_end_on():
    end = make.NOW + timedelta(minutes=10)
    row = institution(ends_at=end)
    assert seat(row, "a", make.NOW - timedelta(seconds=1)) == 0
    assert seat(row, "a", end - timedelta(seconds=1)) == int(end.timestamp())
    assert seat(row, "a", end) == 0
    assert actions.take_seat(institution_id=row.pk + 1, holder="a", now=make.NOW) == 0
    actions.drop_institution(institution=row, now=make.NOW)
    assert seat(Institution(pk=row.pk), "a") == 0
    assert SeatLease.objects.count() == 0


def test_each_institution_has_its_own_seats_and_length():
    one = institution(seats=1)
    other = institution(name="Library", prefixes="198.51.100.0/24", seats=1, lease_minutes=5)
    assert seat(one, "a") == int((make.NOW + LEASE).timestamp())
    assert seat(other, "a") == int((make.NOW + timedelta(minutes=5)).timestamp())


def test_nothing_of_the_holder_is_kept_and_lapsed_leases_go():
    row = institution()
    seat(row, "device-of-asha")
    kept = SeatLease.objects.get()
    assert "asha" not in repr(list(SeatLease.objects.values()))
    assert len(kept.holder) == 32
    actions.purge(now=make.NOW + LEASE - timedelta(seconds=1))
    assert SeatLease.objects.exists()
    actions.purge(now=make.NOW + LEASE)
    assert not SeatLease.objects.exists()


class Seats(RuleBasedStateMachine):
    """Any order of askers, clocks and purges: never more holders than seats, and nobody live is turned away."""

    def __init__(self):
        super().__init__()
        Institution.objects.all().delete()
        self.row = institution(seats=2)
        self.now = make.NOW
        self.held = {}

    @rule(holder=st.sampled_from("abcde"))
    def asks(self, holder):
        live = {name for name, until in self.held.items() if until > self.now}
        until = seat(self.row, holder, self.now)
        if holder in live or len(live) < self.row.seats:
            assert until == int((self.now + LEASE).timestamp())
            self.held[holder] = self.now + LEASE
        else:
            assert until == 0
        assert queries.seats_in_use(self.now).get(self.row.pk, 0) <= 2

    @rule(minutes=st.integers(1, 40))
    def waits(self, minutes):
        self.now += timedelta(minutes=minutes)

    @rule()
    def purges(self):
        actions.purge(now=self.now)


def test_any_sequence_of_askers_keeps_to_the_seats():
    run_state_machine_as_test(Seats, settings=settings(max_examples=25, stateful_step_count=25, deadline=None))


# --- the editors' screens ---------------------------------------------------------------------------------------
@pytest.fixture
def editor(client):
    create_editor(email="editor@example.org", password="x", name="Ed", now=clock.now())
    client.force_login(Reader.objects.get(email="editor@example.org"), backend=BACKEND)
    return client


FORM = {
    "name": "Alder College",
    "prefixes": "203.0.113.0/24\r\n2001:db8:7::/48",
    "products": ["unlimited"],
    "seats": "5",
    "lease_minutes": "30",
    "starts_at": "2020-01-10 12:00",
    "ends_at": "",
}


def test_an_editor_adds_changes_and_removes_one(editor):
    assert "Institutions" in editor.get("/admin/").content.decode()
    page = editor.get("/admin/institutions/new/").content.decode()
    assert page.count(" checked") == 2
    assert editor.post("/admin/institutions/new/", FORM).status_code == 302
    row = Institution.objects.get()
    assert (row.prefixes, row.products, row.seats) == ("203.0.113.0/24\n2001:db8:7::/48", ["unlimited"], 5)
    assert [told["seats"] for told in standing()] == [5]
    seat(row, "a", clock.now())
    assert "1 of 5" in editor.get("/admin/institutions/").content.decode()
    page = editor.get(f"/admin/institutions/inspect/{row.pk}/").content.decode()
    assert "Seats in use now" in page
    assert "1 of 5" in page
    assert "Lends seats" in page
    assert "10 Jan 2020, noon" in page  # in the publisher's zone
    assert editor.get(f"/admin/institutions/edit/{row.pk}/").status_code == 200
    assert editor.post(f"/admin/institutions/edit/{row.pk}/", {**FORM, "seats": "7"}).status_code == 302
    assert [told["seats"] for told in standing()] == [7]
    assert editor.post(f"/admin/institutions/delete/{row.pk}/").status_code == 302
    assert (Institution.objects.count(), standing()) == (0, [])


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("prefixes", "0.0.0.0/0", "0.0.0.0/0 is too wide"),
        ("prefixes", "203.0.113.9/24", "write 203.0.113.0/24 for the network"),
        ("prefixes", "198.51.100.128/25", "overlaps 198.51.100.0/24 of Library"),
        ("prefixes", "the campus", "is no network"),
        ("products", [], "This field is required"),
        ("products", ["everything"], "not one of the available choices"),
        ("seats", "0", "greater than or equal to 1"),
        ("ends_at", "2019-01-10 12:00", "The end lies after the start"),
    ],
)
def test_a_form_that_cannot_be_kept_says_why(editor, field, value, complaint):
    institution(name="Library", prefixes="198.51.100.0/24")
    told = standing()
    page = editor.post("/admin/institutions/new/", {**FORM, field: value})
    assert page.status_code == 200
    assert complaint in page.content.decode()
    assert ([row.name for row in Institution.objects.all()], standing()) == (["Library"], told)


def test_whoever_comes_second_with_a_network_is_told_in_the_form(editor, monkeypatch):
    asked = []

    def too_late(*, institution, now):
        asked.append((institution.name, now))
        raise ValidationError({"prefixes": ["203.0.113.0/24 overlaps 203.0.113.0/24 of Faster."]})

    monkeypatch.setattr("broadsheet.access.wagtail_hooks.keep_institution", too_late)
    page = editor.post("/admin/institutions/new/", FORM)
    assert "of Faster" in page.content.decode()
    assert len(asked) == 1
    assert not Institution.objects.exists()


def test_readers_have_no_business_here():
    reader = Client()
    reader.force_login(make.reader(), backend=BACKEND)
    for path in ("/admin/institutions/", "/admin/institutions/new/"):
        assert reader.get(path).status_code == 302
        assert reader.post(path, FORM).status_code == 302
    assert not Institution.objects.exists()

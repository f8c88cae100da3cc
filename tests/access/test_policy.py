import tests.django_up  # noqa: F401, I001 - the other tests of this folder need no Django

import dataclasses
from datetime import timedelta

import pytest

from broadsheet.access import actions
from broadsheet.access.meter import pack, story_of
from broadsheet.access.models import PolicyRevision
from broadsheet.access.queries import current_policy, policy_at, policy_history, running_reads
from broadsheet.access.rules import Policy, carries_over, policy_of, policy_values
from broadsheet.access.values import PolicyError
from broadsheet.bus.models import Job, Notice
from broadsheet.bus.queries import standing
from broadsheet.press.queries import chrome, walls
from tests import make

pytestmark = pytest.mark.django_db


def switch(**values):
    return actions.switch_policy(values=values, by=None, now=make.NOW)


def test_until_a_publisher_decides_the_options_hold(settings):
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, free_limit=4, section_limits={"sport": 1})
    assert current_policy() == policy_of(settings.BROADSHEET)
    assert (current_policy().free_limit, current_policy().revision) == (4, 0)


def test_a_switched_policy_holds_for_walls_edition_and_gates(settings):
    publisher = make.reader("publisher@paper.example", name="Meera")
    before = chrome().edition
    got = actions.switch_policy(
        values={"free_limit": 3, "window": "rolling:7"}, by=publisher.pk, now=make.NOW, note="Fewer in summer"
    )
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, free_limit=9)
    assert (got.free_limit, got.registered_limit, got.window) == (3, 10, "rolling:7")
    assert got == current_policy() == policy_at(got.revision)
    assert standing("policy") == policy_values(got)
    assert walls("metered")["limit"].limit == 3
    assert walls("metered")["limit"].window == "in 7 days"
    assert chrome().edition != before
    row = policy_history()[0]
    assert (row.policy, row.at, row.by, row.note) == (got, make.NOW, "Meera", "Fewer in summer")
    assert list(Job.objects.values_list("handler", "payload")) == [
        ("broadsheet.server.jobs.print_policy", {"revision": got.revision})
    ]


def test_a_policy_follows_the_papers_time_zone_once(settings):
    from broadsheet.server.jobs import follow_time_zone

    follow_time_zone()
    assert not PolicyRevision.objects.exists()
    switch(free_limit=3)
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, time_zone="Europe/London")
    for _ in range(2):
        follow_time_zone()
    assert PolicyRevision.objects.count() == 2
    assert (current_policy().zone.key, current_policy().free_limit) == ("Europe/London", 3)
    assert (standing("policy")["zone"], policy_history()[0].by) == ("Europe/London", "")


def test_earlier_revisions_stay_as_they_were():
    first, second = switch(free_limit=3), switch(mode="strict")
    assert second.revision > first.revision
    assert [row.number for row in policy_history()] == [second.revision, first.revision]
    assert (policy_at(first.revision).mode, second.free_limit, second.mode) == ("soft", 3, "strict")
    assert policy_at(second.revision + 1) is None


@pytest.mark.parametrize(
    ("values", "hints"),
    [
        ({"free_limit": 251}, {"free_limit": "write a whole number from 0 to 250"}),
        ({"registered_limit": "many"}, {"registered_limit": "write a whole number from 0 to 250"}),
        ({"free_limit": 2.5}, {"free_limit": "write a whole number from 0 to 250"}),
        ({"window": "rolling:0"}, {"window": "write month, week or rolling:N (N days of 24 hours)"}),
        ({"window": "rolling:²"}, {"window": "write month, week or rolling:N (N days of 24 hours)"}),
        ({"mode": "hard"}, {"mode": "choose one of soft, strict, login"}),
        ({"zone": "Mars/Olympus"}, {"zone": "write a zone of the IANA database, such as Asia/Kolkata"}),
        ({"section_limits": {"sport": -1}}, {"section_limits": "write a whole number from 0 to 250"}),
        ({"emergency": "yes"}, {"emergency": "write true or false"}),
        ({"premium_limit": 3}, {"premium_limit": "there is no such value"}),
        (
            {"free_limit": -1, "mode": "", "registered_limit": 4},
            {"free_limit": "write a whole number from 0 to 250", "mode": "choose one of soft, strict, login"},
        ),
    ],
)
def test_a_value_that_cannot_be_used_changes_nothing(values, hints):
    edition, policy = chrome().edition, current_policy()
    with pytest.raises(PolicyError) as refused:
        switch(**values)
    assert refused.value.hints == hints
    assert (chrome().edition, current_policy()) == (edition, policy)
    assert not PolicyRevision.objects.exists()
    assert not Job.objects.exists()
    assert not Notice.objects.exists()
    assert standing("policy") is None


def test_a_change_tried_against_an_older_revision_is_refused():
    first = switch(free_limit=3)
    second = switch(free_limit=2)
    with pytest.raises(actions.PolicyChangedError):
        actions.switch_policy(values={"free_limit": 8}, by=None, now=make.NOW, onto=first.revision)
    assert current_policy() == second
    assert standing("policy") == policy_values(second)


def test_a_change_that_fails_half_way_leaves_no_half(monkeypatch):
    switch(free_limit=3)
    monkeypatch.setattr(actions, "emit", lambda event: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        switch(free_limit=2)
    assert current_policy().free_limit == standing("policy")["free_limit"] == walls("metered")["limit"].limit == 3


class TestAPolicyThatChangesInMidWindow:
    """A reader who has read in the running window keeps what was counted, whatever the new policy counts in."""

    def reads(self, reader, *stories, at=make.NOW):
        """What the server's meter says to each, asked as the gate asks."""
        policy = current_policy()
        return [
            actions.count_read(
                reader_id=reader,
                window=running_reads(reader, policy, at)[0].name,
                read=pack(story, 0),
                limit=policy.registered_limit,
                section_limit=None,
                now=at,
            )[0]
            for story in stories
        ]

    def test_from_five_to_three(self):
        asha = make.reader().pk
        switch(registered_limit=5)
        assert self.reads(asha, 1, 2, 3, 4) == ["ok"] * 4
        switch(registered_limit=3)
        assert self.reads(asha, 5, 4, 1) == ["limit", "repeat", "repeat"]
        switch(registered_limit=6)
        assert self.reads(asha, 5, 6, 7) == ["ok", "ok", "limit"]

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (a, b)
            for a in ("month", "week", "rolling:30", "rolling:3")
            for b in ("month", "week", "rolling:30")
            if a != b
        ],
    )
    def test_another_kind_of_window_gives_no_second_allowance(self, before, after):
        """NOW is a Sunday noon: the reads of an hour ago lie in every window that holds it."""
        asha, ravi, earlier = make.reader().pk, make.reader("ravi@reader.example").pk, make.NOW - timedelta(hours=1)
        switch(registered_limit=3, window=before)
        assert self.reads(asha, 1, 2, at=earlier) == ["ok", "ok"]
        switch(window=after)
        assert {story_of(read) for read in running_reads(asha, current_policy(), make.NOW)[2]} == {1, 2}
        assert self.reads(asha, 2, 3, 4, 1) == ["repeat", "ok", "limit", "repeat"]
        assert self.reads(ravi, 1, 2, 3, 4) == ["ok", "ok", "ok", "limit"]
        switch(window=before)
        assert self.reads(asha, 4, 3) == ["limit", "repeat"]

    def test_a_window_that_begins_to_roll_runs_from_the_first_read_that_is_young_enough(self):
        asha, days = make.reader().pk, timedelta(days=1)
        switch(registered_limit=2, window="month")
        assert self.reads(asha, 1, at=make.NOW - 9 * days) == ["ok"]
        assert self.reads(asha, 2, at=make.NOW - 2 * days) == ["ok"]
        switch(window="rolling:7")
        assert self.reads(asha, 3, 4) == ["ok", "limit"]
        span, first, _ = running_reads(asha, current_policy(), make.NOW)
        assert first == make.NOW - 2 * days
        assert self.reads(asha, 4, at=span.end - timedelta(seconds=1)) == ["limit"]
        assert self.reads(asha, 4, 5, 6, at=span.end) == ["ok", "ok", "limit"]

    def test_a_month_that_becomes_a_week_counts_this_weeks_reads(self):
        asha = make.reader().pk
        switch(registered_limit=2, window="month")
        assert self.reads(asha, 1, at=make.NOW - timedelta(days=8)) == ["ok"]
        assert self.reads(asha, 2, at=make.NOW - timedelta(days=1)) == ["ok"]
        switch(window="week")
        assert self.reads(asha, 3, 4) == ["ok", "limit"]

    def test_a_window_nobody_gave_is_counted_by_its_name(self):
        asha = make.reader().pk
        for odd in ("m2027", "r-", "x", "", "w20270105"):
            told = [
                actions.count_read(
                    reader_id=asha, window=odd, read=pack(story, 0), limit=1, section_limit=None, now=make.NOW
                )
                for story in (1, 2)
            ]
            assert [said for said, _ in told] == ["ok", "limit"]


@pytest.mark.parametrize(
    ("name", "window", "days", "carries"),
    [
        ("m202701", "rolling:30", 0, True),
        ("m202701", "week", 0, True),
        ("m202701", "month", 0, False),  # it is the running window itself
        ("m202701", "rolling:30", 22, False),  # February
        ("w20270104", "month", 0, True),
        ("w20270104", "month", 1, False),  # the next Monday
        (f"r30-{int(make.NOW.timestamp())}", "month", 29, True),
        (f"r30-{int(make.NOW.timestamp())}", "month", 30, False),
        (f"r30-{int(make.NOW.timestamp())}", "rolling:30", 3, False),
        (f"r30-{int(make.NOW.timestamp())}", "rolling:3", 3, True),
        ("m2027", "week", 0, False),
        ("", "week", 0, False),
    ],
)
def test_a_visitors_meter_goes_on_counting_while_its_own_window_runs(name, window, days, carries):
    assert carries_over(name, Policy(window=window), make.NOW + timedelta(days=days)) is carries

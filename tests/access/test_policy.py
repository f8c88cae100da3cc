import tests.django_up  # noqa: F401, I001 - the other tests of this folder need no Django

import dataclasses

import pytest

from broadsheet.access import actions
from broadsheet.access.models import PolicyRevision
from broadsheet.access.queries import current_policy, policy_at, policy_history
from broadsheet.access.rules import policy_of, policy_values
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


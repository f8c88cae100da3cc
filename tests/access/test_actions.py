import tests.django_up  # noqa: F401, I001 - the other tests of this folder need no Django

from datetime import timedelta

import pytest

from broadsheet.access import actions, queries
from broadsheet.access.rules import Policy
from broadsheet.bus.models import Notice
from broadsheet.readers.queries import reader as card
from tests import make

pytestmark = pytest.mark.django_db
MONTH = "m202701"


def read(reader, story, limit=2):
    return actions.count_read(reader_id=reader, window=MONTH, story_id=story, limit=limit, now=make.NOW)


def test_a_registered_reader_reads_the_limit_and_reads_again():
    asha = make.reader().pk
    assert [read(asha, story) for story in (1, 2, 3, 1)] == [(True, 1), (True, 2), (False, 2), (True, 2)]


def test_a_lower_limit_walls_new_stories_and_keeps_the_read_ones():
    asha = make.reader().pk
    read(asha, 1), read(asha, 2)
    assert [read(asha, story, limit=1) for story in (1, 2, 3)] == [(True, 2), (True, 2), (False, 2)]
    assert queries.running_reads(asha, Policy(), make.NOW)[2] == {1, 2}


def test_signing_in_adds_what_was_read_before_and_counts_it_once():
    asha = make.reader().pk
    read(asha, 1)
    for _ in range(2):
        actions.merge_meter(reader_id=asha, window=MONTH, story_ids=[1, 5, 6], now=make.NOW)
    assert queries.running_reads(asha, Policy(), make.NOW)[2] == {1, 5, 6}


def test_a_grant_moves_with_its_source_and_bumps_the_epoch():
    asha = make.reader()
    later = make.NOW + timedelta(days=30)
    for end in (make.NOW + timedelta(days=1), later):
        actions.grant(reader_id=asha.pk, product="premium", starts_at=make.NOW, ends_at=end, source="subscription:1")
    assert [(row.product, row.ends_at) for row in queries.live_grants(asha.pk, make.NOW)] == [("premium", later)]
    assert card(asha.pk).epoch == asha.epoch + 2
    assert list(Notice.objects.filter(kind="reader").values_list("value", flat=True)) == [2, 3]


def test_ending_a_grant_never_prolongs_it():
    asha = make.reader()
    soon, later = make.NOW + timedelta(days=1), make.NOW + timedelta(days=9)
    actions.grant(reader_id=asha.pk, product="premium", starts_at=make.NOW, ends_at=soon, source="s:1")
    actions.end_grants(source="s:1", ends_at=later)
    assert queries.live_grants(asha.pk, make.NOW)[0].ends_at == soon
    actions.end_grants(source="s:1", ends_at=make.NOW)
    assert queries.live_grants(asha.pk, make.NOW) == []


def test_a_rolling_window_of_a_reader_runs_from_the_first_read():
    asha, policy = make.reader().pk, Policy(window="rolling:7")
    span, first, _ = queries.running_reads(asha, policy, make.NOW)
    assert first is None
    actions.count_read(reader_id=asha, window=span.name, story_id=1, limit=5, now=make.NOW)
    span, first, stories = queries.running_reads(asha, policy, make.NOW + timedelta(days=6))
    assert (first, stories) == (make.NOW, {1})
    assert queries.running_reads(asha, policy, make.NOW + timedelta(days=7))[2] == frozenset()

import tests.django_up  # noqa: F401, I001 - the other tests of this folder need no Django

from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from broadsheet.access import actions, queries
from broadsheet.access.meter import pack, section_code, stories_of, story_of
from broadsheet.access.models import MeterRead
from broadsheet.access.rules import Policy
from broadsheet.bus.models import Notice
from broadsheet.readers.models import Reader
from broadsheet.readers.queries import reader as card
from tests import make

pytestmark = pytest.mark.django_db
MONTH = "m202701"


MARKETS, OPINION = section_code("markets"), section_code("opinion")


def read(reader, story, limit=2, section=MARKETS, ceiling=None):
    """The verdict and the ids of the stories read."""
    verdict, reads = actions.count_read(
        reader_id=reader, window=MONTH, read=pack(story, section), limit=limit, section_limit=ceiling, now=make.NOW
    )
    return verdict, [story_of(one) for one in reads]


def test_a_registered_reader_reads_the_limit_and_reads_again():
    asha = make.reader().pk
    assert [read(asha, story) for story in (1, 2, 3, 1)] == [
        ("ok", [1]),
        ("ok", [1, 2]),
        ("limit", [1, 2]),
        ("repeat", [1, 2]),
    ]


def test_a_lower_limit_walls_new_stories_and_keeps_the_read_ones():
    asha = make.reader().pk
    read(asha, 1), read(asha, 2)
    assert [read(asha, story, limit=1)[0] for story in (1, 2, 3)] == ["repeat", "repeat", "limit"]
    assert stories_of(queries.running_reads(asha, Policy(), make.NOW)[2]) == {1, 2}


def test_a_sections_ceiling_lies_inside_the_one_meter():
    asha = make.reader().pk
    assert read(asha, 1, limit=3, ceiling=1) == ("ok", [1])
    assert read(asha, 2, limit=3, ceiling=1) == ("section_limit", [1])
    assert read(asha, 3, limit=3, section=OPINION, ceiling=1) == ("ok", [1, 3])
    assert read(asha, 1, limit=3, ceiling=0) == ("repeat", [1, 3])
    assert read(asha, 2, limit=3, ceiling=None) == ("ok", [1, 3, 2])
    assert read(asha, 4, limit=3, ceiling=9) == ("limit", [1, 3, 2])
    assert read(asha, 5, limit=3, ceiling=0)[0] == "limit"
    assert queries.running_reads(asha, Policy(), make.NOW)[2] == {pack(1, MARKETS), pack(3, OPINION), pack(2, MARKETS)}


def test_a_story_that_moved_to_another_section_is_read_once():
    asha = make.reader().pk
    read(asha, 1)
    assert read(asha, 1, section=OPINION, ceiling=0) == ("repeat", [1])
    assert MeterRead.objects.get().section == MARKETS


def test_a_ceiling_of_nothing_walls_the_section_alone():
    asha = make.reader().pk
    assert read(asha, 1, ceiling=0) == ("section_limit", [])
    assert not MeterRead.objects.exists()


def test_signing_in_adds_what_was_read_before_and_counts_it_once():
    asha = make.reader().pk
    read(asha, 1)
    for _ in range(2):
        reads = [pack(1, OPINION), pack(5, MARKETS), pack(6, OPINION)]
        actions.merge_meter(reader_id=asha, window=MONTH, reads=reads, now=make.NOW)
    assert queries.running_reads(asha, Policy(), make.NOW)[2] == {pack(1, MARKETS), pack(5, MARKETS), pack(6, OPINION)}
    assert read(asha, 7, limit=9, ceiling=2)[0] == "section_limit"
    assert read(asha, 7, limit=9, section=OPINION, ceiling=2)[0] == "ok"


class MeterLife(RuleBasedStateMachine):
    """One reader, two windows, any order of reads, merges and limits: never more stories than the limit that held,
    and never fewer than it allows."""

    def __init__(self):
        super().__init__()
        MeterRead.objects.all().delete()
        Reader.objects.all().delete()
        self.reader = make.reader().pk
        self.held = {}

    @rule(
        window=st.sampled_from([MONTH, "m202702"]),
        story=st.integers(1, 9),
        section=st.sampled_from([MARKETS, OPINION]),
        limit=st.integers(0, 6),
        ceiling=st.none() | st.integers(0, 4),
    )
    def reads(self, window, story, section, limit, ceiling):
        held = self.held.setdefault(window, {})
        in_section = sum(code == section for code in held.values())
        if story in held:
            wanted = "repeat"
        elif len(held) >= limit:
            wanted = "limit"
        elif ceiling is not None and in_section >= ceiling:
            wanted = "section_limit"
        else:
            wanted = "ok"
            held[story] = section
        verdict, reads = actions.count_read(
            reader_id=self.reader,
            window=window,
            read=pack(story, section),
            limit=limit,
            section_limit=ceiling,
            now=make.NOW,
        )
        assert (verdict, sorted(reads)) == (wanted, sorted(pack(one, code) for one, code in held.items()))

    @rule(window=st.sampled_from([MONTH, "m202702"]), stories=st.sets(st.integers(1, 9), max_size=4))
    def signs_in(self, window, stories):
        actions.merge_meter(
            reader_id=self.reader, window=window, reads=[pack(one, OPINION) for one in stories], now=make.NOW
        )
        held = self.held.setdefault(window, {})
        self.held[window] = {**dict.fromkeys(stories, OPINION), **held}


def test_any_sequence_of_reads_and_sign_ins_counts_exactly():
    run_state_machine_as_test(MeterLife, settings=settings(max_examples=25, stateful_step_count=25, deadline=None))


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
    actions.count_read(
        reader_id=asha, window=span.name, read=pack(1, MARKETS), limit=5, section_limit=None, now=make.NOW
    )
    span, first, stories = queries.running_reads(asha, policy, make.NOW + timedelta(days=6))
    assert (first, stories) == (make.NOW, {pack(1, MARKETS)})
    assert queries.running_reads(asha, policy, make.NOW + timedelta(days=7))[2] == frozenset()

"""Which story stands where."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.website import make_website as make

from broadsheet.press.values import FrontBlock
from broadsheet.website import rules


def ids(cards):
    return [card.id for card in cards]


def test_a_strong_story_leads_over_newer_ones_and_sinks_with_time():
    strong = make.card(50, priority=1, published_at=make.NOON - timedelta(hours=3))
    pool = [*(make.card(n) for n in range(1, 6)), strong]
    assert rules.arrange_top(pool, None, [], make.NOON).lead == strong
    tomorrow = make.NOON + timedelta(hours=20)
    fresh = make.card(60, published_at=tomorrow - timedelta(minutes=5))
    assert rules.arrange_top([fresh, *pool], None, [], tomorrow).lead == fresh


def test_a_picture_decides_between_equals():
    drawn = make.card(2, picture=make.DRAWING)
    assert rules.arrange_top([make.card(1), drawn], None, [], make.NOON).lead == drawn


def test_pins_stand_first_in_their_order_and_nowhere_else():
    pool = [make.card(n) for n in range(1, 20)]
    pinned = [make.card(15), make.card(12), make.card(15), make.card(19)]
    top = rules.arrange_top(pool, make.card(19), pinned, make.NOON)
    assert top.lead == make.card(19)
    assert ids(top.seconds) == [15, 12, 1, 2]
    assert ids(top.latest) == [3, 4, 5, 6, 7, 8, 9, 10]


def test_opinion_leads_only_by_an_editors_hand():
    view = make.card(1, section=make.OPINION, priority=1)
    top = rules.arrange_top([view, make.card(2)], None, [], make.NOON)
    assert (top.lead, top.seconds, top.latest) == (make.card(2), (), ())
    assert rules.arrange_top([view], view, [], make.NOON).lead == view


def test_nothing_published_is_an_empty_front():
    assert rules.arrange_top([], None, [], make.NOON) == (None, (), ())


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 9), st.booleans()), max_size=40, unique_by=lambda t: t[0]))
def test_no_story_stands_twice(facts):
    pool = [make.card(n, priority=p, section=make.OPINION if view else make.TOWN) for n, p, view in facts]
    top = rules.arrange_top(pool, None, pool[3:5], make.NOON)
    shown = ids([card for card in (top.lead, *top.seconds, *top.latest) if card])
    assert len(shown) == len(set(shown))


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(1, 10**6))  # noqa: DTZ001
def test_a_cursor_comes_back_as_it_was(at, number):
    at = at.replace(tzinfo=UTC)
    assert rules.read_cursor(rules.cursor(make.card(number, published_at=at))) == (at, number)


def test_a_cursor_nobody_wrote_is_none():
    for text in (
        "",
        "x",
        "20261121T103500Z",
        "20261121T103500Z-0",
        "20261399T103500Z-1",
        "20261121T103500Z-1x",
        "٢٠261121T103500Z-1",
    ):
        assert rules.read_cursor(text) is None, text


def test_short_strips_share_a_row():
    def block(name, count):
        return FrontBlock(make.section(name), tuple(make.card(n) for n in range(count)))

    rows = rules.in_rows([block("A", 2), block("B", 5), block("C", 1), block("D", 4), block("E", 3)])
    assert [row.section.name for row in rows] == ["A", "C", "B", "D", "E"]


def test_a_strip_opens_with_a_picture_if_one_is_near():
    plain, drawn = [make.card(n) for n in (1, 2, 3)], make.card(4, picture=make.DRAWING)
    assert ids(rules.picture_first([plain[0], drawn, plain[1]])) == [4, 1, 2]
    assert ids(rules.picture_first([*plain, drawn])) == [1, 2, 3, 4]
    assert rules.picture_first([]) == []

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.epaper.rules import reading as rules
from broadsheet.epaper.values import AreaView, Word
from tests.make import NOW


def words(text):
    return [Word(word, (0, place, 10, place + 1)) for place, word in enumerate(text.split())]


def found(text, query):
    return [
        [word for word, sought in hit.snippet if sought] for hit in rules.find(words(text), rules.terms_of(query), 1)
    ]


@pytest.mark.parametrize(
    ("text", "query", "hits"),
    [
        ("The Harbour, at night", "harbour", [["Harbour,"]]),
        ("The harbours at night", "HARBOUR", [["harbours"]]),
        ("rebuild the harbour", "arbour", []),
        ("Séance at the café", "seance cafe", [["Séance", "café"]]),
        ("“Night”, she said", "night", [["“Night”,"]]),
        ("the har- bour toll", "harbour", [["har-", "bour"]]),
        ("the har\u00ad bour toll", "harbour", [["har\u00ad", "bour"]]),
        ("बाज़ार की ख़बर", "ख़बर", [["ख़बर"]]),
        ("only one word", "one two", []),
        ("a b", "", []),
        ("a b", " - ' ", []),
    ],
)
def test_what_is_found(text, query, hits):
    assert found(text, query) == hits


def test_places_far_apart_are_hits_of_their_own_and_most_terms_come_first():
    text = "harbour " + "x " * 40 + "toll harbour"
    assert found(text, "harbour toll") == [["toll", "harbour"], ["harbour"]]


def test_a_page_lists_few_hits_however_often_a_word_stands_there():
    assert len(found(("grain " + "x " * 30) * 50, "grain")) == rules.HITS_ON_A_PAGE


@given(st.text(max_size=200), st.lists(st.text(max_size=12), max_size=30))
def test_any_query_over_any_words_is_answered(query, page):
    hits = rules.find([Word(word, (0, 0, 1, 1)) for word in page], rules.terms_of(query), 1)
    assert len(hits) <= rules.HITS_ON_A_PAGE
    assert all(hit.boxes for hit in hits)


@pytest.mark.parametrize(
    ("values", "box"),
    [
        ("500,600,2500,2600", (500, 600, 2500, 2600)),
        ("2500,2600,500,600", (500, 600, 2500, 2600)),
        ("-5,-5,10000,5000", (0, 0, 10_000, 5000)),
        ("0,0,10000,5001", None),
        ("0,0,199,5000", None),
        ("0,0,5000", None),
        ("0,0,5000,nan", None),
        ("0,0,5000,99999999999999999999", (0, 0, 5000, 10_000)),
    ],
)
def test_boxes_that_are_drawn(values, box):
    assert rules.clip_box(values.split(",")) == box


def area(number, on=None, came=None):
    return AreaView(number, 1, number, "story", (0, 0, 1, 1), ((0, 0, 1, 1),), "", None, 0, on, came)


def test_a_chain_is_read_from_its_head_and_a_ring_ends():
    line = {1: area(1, on=(2, 2)), 2: area(2, on=(3, 3), came=(1, 1)), 3: area(3, came=(2, 2))}
    assert [[part.id for part in rules.chain(line, start)] for start in (1, 2, 3)] == [[1, 2, 3]] * 3
    ring = {1: area(1, on=(2, 2), came=(2, 2)), 2: area(2, on=(1, 1), came=(1, 1))}
    assert sorted(part.id for part in rules.chain(ring, 1)) == [1, 2]
    assert rules.chain(line, 9) == ()
    del line[2]
    assert [part.id for part in rules.chain(line, 3)] == [3]


def test_until_when_a_device_may_show_what_it_keeps():
    month = NOW + timedelta(days=30)
    assert rules.kept_until([NOW + timedelta(days=3)], NOW) == NOW + timedelta(days=3)
    assert rules.kept_until([NOW + timedelta(days=3), NOW + timedelta(days=5)], NOW) == NOW + timedelta(days=5)
    assert rules.kept_until([NOW + timedelta(days=300)], NOW) == month
    assert rules.kept_until([None, NOW + timedelta(days=3)], NOW) == month
    assert rules.kept_until([], NOW) == month


@pytest.mark.parametrize(
    ("text", "paragraphs"),
    [
        ("Toll rises\nOne two.\nThree.", ("One two.", "Three.")),
        (
            "The harbour\nToll rises The board met\nThe board met and left.\nIt rained.",
            ("The board met and left.", "It rained."),
        ),
        ("Toll rises at night.", ("at night.",)),
        ("One.\n\n  Two   three. \n", ("One.", "Two three.")),
        ("", ()),
    ],
)
def test_paragraphs_begin_below_the_headline(text, paragraphs):
    made = AreaView(1, 1, 1, "story", (0, 0, 1, 1), ((0, 0, 1, 1),), "Toll rises", None, 0, None, None, text)
    assert rules.paragraphs(made) == paragraphs


def test_what_the_paper_says_at_a_jump_is_not_the_storys():
    first = AreaView(
        1, 1, 1, "story", (0, 0, 1, 1), ((0, 0, 1, 1),), "", None, 0, (2, 4), None, "It was\nover. Continued on page 4"
    )
    then = AreaView(
        2, 4, 1, "story", (0, 0, 1, 1), ((0, 0, 1, 1),), "Toll", None, 0, None, (1, 1), "Toll\nFrom page 1 at last."
    )
    assert rules.paragraphs(first) == ("It was", "over.")
    assert rules.paragraphs(then) == ("at last.",)
    alone = AreaView(3, 4, 1, "story", (0, 0, 1, 1), ((0, 0, 1, 1),), "", None, 0, None, None, "From page 1 on, read.")
    assert rules.paragraphs(alone) == ("From page 1 on, read.",)

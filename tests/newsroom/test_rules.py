from hypothesis import given
from hypothesis import strategies as st
from tests.make import paragraph

from broadsheet.newsroom import rules


def test_the_lead_in_is_the_first_two_paragraphs_up_to_120_words():
    body = f"<p>{paragraph(1, 50)}</p><p>{paragraph(2, 100)}</p><p>{paragraph(3)}</p>"
    assert rules.lead_in(body, None) == f"<p>{paragraph(1, 50)}</p><p>{paragraph(2, 70)}</p>"


def test_a_single_paragraph_gives_its_first_sixty_words():
    assert rules.lead_in(f"<p>{paragraph(1, 200)}</p>", None) == f"<p>{paragraph(1, 60)}</p>"


def test_the_authors_mark_wins_and_keeps_its_markup():
    body = "<p>One <b>bold</b>.</p><h2>Two</h2><p>Three.</p><p>Four.</p>"
    assert rules.lead_in(body, 3) == "<p>One <b>bold</b>.</p><h2>Two</h2><p>Three.</p>"
    assert rules.lead_in(body, 0) == ""


def test_a_first_block_that_is_no_paragraph_opens_nothing():
    assert rules.lead_in("<h2>Head</h2><p>Hidden.</p>", None) == ""
    assert rules.lead_in("", None) == ""


words = st.text(alphabet="abcdefgh <>&", min_size=1, max_size=60)


@given(st.lists(words, min_size=3, max_size=6), st.lists(words, min_size=1, max_size=6))
def test_what_follows_the_open_part_never_changes_it(shared, other):
    def body(paragraphs):
        return "".join(f"<p>{rules._escape(text)}x</p>" for text in paragraphs)

    open_part = [f"{text} " * 130 for text in shared[:1]] + shared[1:2]
    assert rules.lead_in(body(open_part + shared[2:]), None) == rules.lead_in(body(open_part + other), None)


@given(st.text(max_size=200))
def test_slugs_are_plain_and_short(headline):
    slug = rules.slugify(headline)
    assert len(slug) <= 80
    assert not slug or all(
        (part.isalnum() and part.isascii() and part.islower()) or part.isdigit() for part in slug.split("-")
    )


def test_a_hindi_headline_has_a_readable_slug():
    assert rules.slugify("बंदरगाह का किराया बढ़ा") == "bmdrgah-ka-kiraya-bdha"


def test_names_are_joined_as_people_write_them():
    assert rules.join_names([]) == ""
    assert rules.join_names(["A"]) == "A"
    assert rules.join_names(["A", "B", "C"]) == "A, B and C"

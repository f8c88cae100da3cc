"""Every rule of the table on its own example, the lines that must survive, and the laws that hold for any copy."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.wire.blocks import Block, Run, paragraph
from broadsheet.wire.cleaning import Notes, clean, normalise
from broadsheet.wire.patterns import LONGEST_BLOCK
from tests.wire import make_wire as make

STORY = list(make.FILLER)

# (rule, block as sent, the block that is left, or None)
TAIL = [
    ("S01", "--NWA", None),
    ("S01", "—IANS", None),
    ("S01", "--IANS pgh/dg", None),
    ("S03", "She spoke on Monday. (NWA)", "She spoke on Monday."),
    ("S04", "Talks will follow. -NWA", "Talks will follow."),
    ("S05", "PTI ABC DEF GH", None),
    ("S06", "(With inputs from NWA)", None),
    ("S07", "(Reporting by Ola Rees; Editing by Kell Sorn)", None),
    ("S08", "Our Standards: The Norwood Trust Principles.", None),
    ("S10", "Associated writer Kell Sorn contributed.", None),
    ("S11", "Follow Mira Tolland on X at https://x.example/mira", None),
    ("S12", "(more)", None),
    ("S12", "-30-", None),
    ("S12", "###", None),
    ("S13", "mt/ks/ol", None),
    ("S14", "NNNN", None),
    ("E04", "# Notebook", None),
]
ANYWHERE = [
    ("D01", "Disclaimer: No Norwood journalist took part in making this."),
    ("D02", "(This report was taken from a syndicated feed and has not been edited by us.)"),
    ("D02", "This story has not been edited by our staff and is auto-generated from a feed."),
    ("D03", "Only the headline and the picture may have been reworked by our staff."),
    ("D04", "No Alderport Ledger Journalist was involved in creation of this content"),
    ("A01", "Also Read"),
    ("A01", "ALSO READ | Ferry strike ends"),
    ("A01", "Must read:"),
    ("A02", "Related stories:"),
    ("A03", "Subscribe to read the full story →"),
    ("A03", "Click here"),
    ("A04", "First Published: Mar 04 2031 | 8:15 AM IST"),
    ("A05", "WATCH: Ferry leaves port"),
    ("A05", "IN PICS: The quay at night"),
    ("E01", "Eds: UPDATES with reaction"),
    ("E01", "Editor's Note: The date in paragraph two was checked."),
    ("T02", "pic.twitter.com/abc123"),
]
HEAD = [
    ("L01", "Alderport [Aldland], March 4 (NWA): ", {"city": "Alderport", "country": "Aldland", "agency": "NWA"}),
    ("L02", "New Alder, March 4 (NWA) ", {"city": "New Alder", "date": "March 4", "agency": "NWA"}),
    ("L02", "New Alder, March 4 (IANS/Norwave) ", {"agency": "IANS", "second": "Norwave"}),
    ("L03", "ALDERPORT, Aldland (AP) _ ", {"city": "ALDERPORT", "country": "Aldland", "agency": "AP"}),
    ("L04", "ALDERPORT, March 4 - ", {"city": "ALDERPORT", "date": "March 4"}),
    ("L05", "March 4 (Reuters) - ", {"date": "March 4", "agency": "Reuters"}),
    ("L06", "Alderport (dpa) - ", {"city": "Alderport", "agency": "dpa"}),
]


@pytest.mark.parametrize(("rule", "line", "left"), TAIL)
def test_sign_off_leaves_the_tail(rule, line, left):
    result = make.cleaned(*STORY, line)
    assert make.texts(result) == STORY + ([left] if left else [])
    assert rule in make.rules(result)


@pytest.mark.parametrize(("rule", "line"), ANYWHERE)
def test_block_is_dropped_wherever_it_stands(rule, line):
    result = make.cleaned(STORY[0], line, *STORY[1:])
    assert make.texts(result) == STORY
    assert make.rules(result) == [rule]
    assert result.notes.removed[0].text == line


@pytest.mark.parametrize(("rule", "dateline", "fields"), HEAD)
def test_dateline_becomes_fields(rule, dateline, fields):
    result = make.cleaned(dateline + STORY[0], *STORY[1:])
    assert make.texts(result) == STORY
    assert make.rules(result) == [rule]
    assert {key: result.notes.dateline.get(key) for key in fields} == fields


def test_two_places_need_a_gazetteer():
    line = f"Alderport/Brent: {STORY[0]}"
    assert make.texts(make.cleaned(line))[0] == line
    known = clean([paragraph(line)], gazetteer=frozenset({"Alderport", "Brent"}))
    assert make.texts(known) == [STORY[0]]


def test_byline_block_becomes_the_byline():
    result = make.cleaned("By Mira Tolland and Kell Sorn", *STORY)
    assert make.texts(result) == STORY
    assert result.notes.byline == "Mira Tolland and Kell Sorn"


def test_credit_initials_and_contributors_are_learnt():
    result = make.cleaned(*STORY, "(With inputs from NWA)", "--IANS", "pgh/")
    assert make.texts(result) == STORY
    assert (result.notes.credit, result.notes.initials, result.notes.contributors) == ("IANS", "pgh", ["NWA"])


def test_initials_alone_are_left_alone():
    assert make.texts(make.cleaned(*STORY, "pgh/")) == [*STORY, "pgh/"]


def test_more_to_come_is_noted():
    assert make.cleaned(*STORY, "(more)").notes.more_to_come


def test_also_read_takes_the_link_after_it_and_nothing_else():
    link = Block("p", (Run("Ferry strike ends", (), "https://nwa.example/n-0"),))
    result = clean([*make.blocks(STORY[0], "Also Read"), link, *make.blocks(*STORY[1:])])
    assert make.texts(result) == STORY
    assert [hit.text for hit in result.notes.removed] == ["Also Read", "Ferry strike ends"]


def test_also_read_in_plain_text_takes_the_titles_under_it():
    titles = ["Ferry strike ends after two days at sea", "Grain index falls for the third month"]
    assert make.texts(make.cleaned(STORY[0], "Also Read", *titles, *STORY[1:])) == STORY
    alone = [*STORY, "A line at the very end of it"]
    assert make.texts(make.cleaned(*STORY, "Also Read", alone[-1])) == alone


def test_related_stories_take_the_list_after_them():
    entries = [Block("ul", (Run(name),)) for name in ("Ferry strike ends", "Grain index falls")]
    assert make.texts(clean([*make.blocks(*STORY, "Related stories:"), *entries])) == STORY


WALL = ("You’ve reached your limit of {{free_limit}} free articles this month.", "Subscribe now for unlimited access.", "Already subscribed? Log in",
        "Harbour Quarterly", "₹500", "₹166/Month", "Renews automatically, cancel anytime", "Archives", "Reading with no advertisements")  # fmt: skip


def test_wall_is_cut_from_its_first_line_to_the_end():
    result = make.cleaned(*STORY, *WALL)
    assert make.texts(result) == STORY
    assert set(make.rules(result)) == {"P01"}
    assert [hit.text for hit in result.notes.removed] == list(WALL)


def test_wall_without_its_first_line_needs_two_marks():
    assert make.texts(make.cleaned(*STORY, *WALL[1:])) == STORY
    alone = [*STORY, "Subscribe now for unlimited access.", "The board meets again on Friday."]
    assert make.texts(make.cleaned(*alone)) == alone


def test_two_prices_may_be_the_story():
    prices = [*STORY, "₹900", "₹1,200/tonne", "The board meets again on Friday."]
    assert make.texts(make.cleaned(*prices)) == prices


def test_long_text_after_a_wall_stays_and_a_person_must_look():
    long = " ".join(STORY)
    assert len(long) > LONGEST_BLOCK
    result = make.cleaned(*STORY, WALL[0], "₹500", long)
    assert make.texts(result) == [*STORY, long]
    assert result.notes.stops == ["text_after_wall"]


def test_internal_text_is_cut_and_stops_publication():
    result = make.cleaned(*STORY, "The following information is not for publication", "Contact: desk +00 1")
    assert make.texts(result) == STORY
    assert result.notes.stops == ["internal_text"]


def test_embargo_notice_in_capitals_stops_publication():
    result = make.cleaned("EMBARGOED UNTIL 0630 GMT", *STORY)
    assert make.texts(result) == STORY
    assert result.notes.stops == ["embargo_notice"]


def test_correction_note_is_kept_for_the_page():
    note = "Corrects to 14 percent from 4 percent in first paragraph"
    result = make.cleaned(f"({note})", *STORY)
    assert make.texts(result) == STORY
    assert result.notes.correction_note == note


def test_tweet_becomes_a_quotation():
    result = make.cleaned(STORY[0], "The toll is too high.", "— Ola Rees (@olarees) March 4, 2031", STORY[1])
    assert [block.kind for block in result.blocks] == ["p", "blockquote", "blockquote", "p"]


def test_disclaimer_stuck_to_the_last_sentence_is_split_off():
    result = make.cleaned(STORY[0], f"{STORY[1]}Disclaimer: No Norwood journalist took part in making this.")
    assert make.texts(result) == STORY[:2]
    assert result.notes.disclaimer == "No Norwood journalist took part in making this."


def test_characters_are_put_right():
    result = make.cleaned(
        "The ``soft\u00ad hyphen'' and\u200b Ferry &amp;amp; rail \u0915\u094d\u200d\u0937 stay on the line."
    )
    assert {hit.text for hit in result.notes.removed} == {"U+00AD U+200B"}
    assert make.texts(result) == ["The “soft hyphen” and Ferry & rail \u0915\u094d\u200d\u0937 stay on the line."]


NEGATIVE = [
    "Published on Monday, the report says tolls fell.",
    "Adds 500 jobs in the north.",
    "Read more books, teachers say.",
    "Must read every day, she told the class.",
    "Subscribe now for unlimited access.",
    "He said the EMBARGO on grain held.",
    "Log in to unlock the door, the manual says.",
    "ends",
    "and",
    "Corrects is a word.",
    "The disclaimer: a short history of a long habit.",
    "By the river they sat down and wept for days.",
    "By Friday",
    "Follow the money, the inspector said.",
    "The bank (SBI) said on Monday (March 4) that rates would stay.",
    "Click here and there, and the lock opens.",
    "Related stories were told by three of the sailors.",
    "Watch: it is the only way to learn.",
    "The price is ₹900.",
    "He has reached his limit, the trainer said.",
    "Editing by hand is slow, Brenn said.",
    "It is not for publication that we write, she said.",
    "New Alder, March 4, will be remembered.",
    "WHO (Geneva) - based experts disagree.",
]


@pytest.mark.parametrize("line", NEGATIVE)
@pytest.mark.parametrize("place", ["head", "middle", "tail"])
def test_ordinary_sentence_survives(line, place):
    copy = {"head": [line, *STORY], "middle": [STORY[0], line, *STORY[1:]], "tail": [*STORY, line]}[place]
    result = make.cleaned(*copy)
    assert make.texts(result) == copy
    assert result.notes.removed == []


WORDS = st.sampled_from(
    [
        "the",
        "harbour",
        "board",
        "will",
        "raise",
        "toll",
        "for",
        "ships",
        "from",
        "may",
        "its",
        "chair",
        "said",
        "on",
        "tuesday",
        "shippers",
        "ferry",
        "rail",
        "quay",
        "tide",
    ]
)
SENTENCE = st.lists(WORDS, min_size=5, max_size=25).map(lambda words: " ".join(words).capitalize() + ".")
RESIDUE = st.sampled_from(
    [line for _, line, _ in TAIL]
    + [line for _, line in ANYWHERE]
    + [*WALL, *NEGATIVE, "___", "pgh/", "mt ks", "ENDS", "EMBARGOED UNTIL NOON"]
)
DATELINE = st.sampled_from([dateline for _, dateline, _ in HEAD])
BLOCK = st.one_of(SENTENCE, RESIDUE, st.tuples(DATELINE, SENTENCE).map("".join), st.text(max_size=60), SENTENCE.map(lambda s: s * 6),
                  st.tuples(SENTENCE.map(lambda s: s * 6), RESIDUE).map(" ".join))  # fmt: skip
COPY = st.lists(BLOCK, max_size=12).map(lambda parts: [paragraph(part) for part in parts if part.strip()])


def characters(parts):
    return Counter("".join("".join(part.split()) for part in parts))


@settings(max_examples=300, deadline=None)
@given(COPY)
def test_cleaning_twice_is_cleaning_once(copy):
    once = clean(copy)
    twice = clean(list(once.blocks))
    assert twice.blocks == once.blocks
    assert twice.notes.removed == []


@settings(max_examples=300, deadline=None)
@given(COPY)
def test_removed_and_kept_make_the_original(copy):
    original = normalise(copy, Notes())
    result = clean(original)
    kept = [block.text for block in result.blocks] + [hit.text for hit in result.notes.removed]
    assert characters(kept) == characters([block.text for block in original])


@settings(max_examples=200, deadline=None)
@given(st.lists(SENTENCE, max_size=12))
def test_copy_without_residue_never_changes(sentences):
    assert make.texts(make.cleaned(*sentences)) == sentences


@settings(max_examples=300, deadline=None)
@given(COPY)
def test_long_blocks_lose_only_a_credit_or_a_dateline(copy):
    result = clean(copy)
    for hit in result.notes.removed:
        assert len(hit.text) <= LONGEST_BLOCK
    kept = "\n".join(block.text for block in result.blocks)
    edges = {hit.text for hit in result.notes.removed if hit.rule in {"S03", "S04"} or hit.rule.startswith("L")}
    for block in normalise(copy, Notes()):
        if len(block.text) > LONGEST_BLOCK:
            text = block.text
            trimmed = any(text.startswith(e) or text.endswith(e) for e in edges)
            assert text in kept or trimmed


def test_price_list_before_the_sales_line_goes_with_it():
    tail = [
        "₹500",
        "3 Months",
        "₹166/Month",
        "Harbour Yearly",
        "₹1,800",
        "1 Year",
        "₹150/Month",
        "Renews automatically, cancel anytime",
        "Archives",
    ]
    assert make.texts(make.cleaned(*STORY, *tail)) == STORY


def test_marks_far_apart_are_no_wall():
    copy = ["Subscribe now for unlimited access.", *STORY, *STORY, *STORY, "Already subscribed? Log in"]
    assert make.texts(make.cleaned(*copy)) == copy


def test_sales_lines_above_the_limit_notice_go_with_it():
    assert (
        make.texts(
            make.cleaned(*STORY, "Already subscribed? Log in", "Subscribe now for unlimited access.", WALL[0], "₹500")
        )
        == STORY
    )

"""The pure parts of making an edition: text through columns, pages that close, words of a story, a reader's mark."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.epaper.rules.areas import follow
from broadsheet.epaper.rules.choice import Candidate, propose
from broadsheet.epaper.rules.copytext import paragraphs
from broadsheet.epaper.rules.flow import START, Unit, is_end, pour
from broadsheet.epaper.rules.grid import LINES
from broadsheet.epaper.rules.issue import plan
from broadsheet.epaper.rules.makeup import ALL_SIZES, Item
from broadsheet.epaper.rules.marks import ROOM, mark_bytes, patched, placeholder
from broadsheet.epaper.rules.matching import Matcher, StoryWords
from broadsheet.epaper.rules.ragged import Ragged
from tests.make import paragraph

UNITS = st.lists(st.builds(Unit, st.integers(1, 14)), min_size=1, max_size=12)


@given(UNITS, st.lists(st.integers(3, 12), min_size=60, max_size=60))
def test_every_line_once_in_order_and_no_last_line_alone_over_a_column(units, rooms):
    columns, mark = pour(units, START, rooms)
    assert is_end(units, mark)
    lines = [(piece.unit, line) for pieces in columns for piece in pieces for line in range(piece.start, piece.end)]
    assert lines == [(unit, line) for unit, one in enumerate(units) for line in range(one.lines)]
    for pieces, room in zip(columns, rooms, strict=True):
        assert sum(piece.end - piece.start for piece in pieces) <= room
        if pieces and pieces[0].start:
            assert pieces[0].total - pieces[0].start > 1


def test_a_crosshead_never_stands_at_a_columns_foot():
    columns, _ = pour([Unit(4), Unit(2, whole=True, keep=True), Unit(6)], START, [7, 7, 7])
    assert [[piece.unit for piece in pieces] for pieces in columns] == [[0], [1, 2], [2]]


def _item(key: int, lines: int, *, picture: bool = False) -> Item:
    heads = {(columns, size): size * (1.05 * max(1, round(size * 1.6 / columns / 10))) for columns, size in ALL_SIZES}
    units = tuple(Unit(6) for _ in range(lines // 6))
    return Item(key, units, heads, captions=(1,) * 6, aspect=1.5 if picture else None, section=f"s{key // 9}", rank=key)


@settings(max_examples=8)
@given(st.lists(st.integers(30, 160), min_size=12, max_size=30), st.integers(1, 4))
def test_an_issue_prints_every_story_whole_within_its_pages(sizes, every):
    items = [_item(key, lines, picture=key % every == 0) for key, lines in enumerate(sizes)]
    issue = plan(items, least=4, most=16)
    assert not issue.left_out
    assert len(issue.sheets) % 2 == 0
    printed: dict[int, int] = {}
    for sheet in issue.sheets:
        taken: dict[tuple[int, int], int] = {}
        for placed in sheet.made.placed:
            assert placed.line + placed.shape.lines <= LINES
            for column in range(placed.column, placed.column + placed.shape.columns):
                for line in range(placed.line, placed.line + placed.shape.lines):
                    assert taken.setdefault((column, line), placed.item.key) == placed.item.key
            mark = sheet.goes_on.get(placed.item.key)
            begins = 6 * placed.item.mark.unit + placed.item.mark.line
            ends = 6 * mark.unit + mark.line if mark else 6 * len(placed.item.units)
            assert printed.get(placed.item.key, 0) == begins
            printed[placed.item.key] = ends
    assert printed == {item.key: 6 * len(item.units) for item in items}


def test_ragged_lines():
    words = Ragged((30.0, 30.0, 30.0, 30.0), 10.0)
    assert words.lines(200) == 1
    assert words.lines(120) == 2
    assert 70 < words.balanced(120) < 72
    assert Ragged((500.0,), 10.0).lines(100) == 1
    assert Ragged((), 10.0).lines(100) == 0


def test_paragraphs_of_words():
    made = paragraphs("<p>One <b>bold</b>, two <i>slant</i></p><h2>Head</h2><p>Next</p><ul><li>a</li></ul>")
    assert [(one["k"], one["w"]) for one in made] == [
        ("p", ["One", ["bold,", "b"], "two", ["slant", "i"]]),
        ("h", ["Head"]),
        ("p", ["Next"]),
        ("li", ["a"]),
    ]
    assert [one.get("first", False) for one in made] == [True, False, True, False]


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_mark_is_always_the_same_length_and_one_string(name, contact):
    mark = mark_bytes(name, contact)
    assert len(mark) == ROOM == len(placeholder())
    assert all(32 <= byte <= 126 for byte in mark)
    rest = mark.replace(b"\\\\", b"").replace(b"\\(", b"").replace(b"\\)", b"")
    assert not {b"(", b")", b"\\"} & {rest[at : at + 1] for at in range(len(rest))}


@given(st.integers(0, 400), st.integers(1, 97))
def test_a_mark_over_the_edges_of_chunks(at, size):
    content = bytes(range(200)) * 3
    content = content[:at] + placeholder() + content[at:]
    chunks = [content[begin : begin + size] for begin in range(0, len(content), size)]
    mark = mark_bytes("Asha")
    done = b"".join(patched(chunks, [[at, ROOM]], mark))
    assert done == content[:at] + mark + content[at + ROOM :]


def test_the_rule_puts_weight_before_time_and_sections_in_order():
    def one(story_id, priority, section, hour):
        return Candidate(story_id, priority, section, datetime(2027, 1, 10, hour, tzinfo=UTC))

    day = [one(number, 5, number % 3, number % 24) for number in range(10, 20)] + [one(1, 1, 2, 0), one(2, 2, 1, 0)]
    chosen = propose(day)
    assert [(story.story_id, story.role, story.page) for story in chosen[:2]] == [(1, "lead", 1), (2, "story", 1)]
    assert [story.story_id for story in chosen[2:6]] == [19, 18, 17, 16]
    assert [story.story_id for story in chosen[6:]] == [15, 12, 13, 10, 14, 11]
    assert len(propose(day, most=3)) == 3


def test_an_article_is_known_by_its_runs_of_words():
    matcher = Matcher([StoryWords(1, "One", paragraph(1, 80)), StoryWords(2, "Two", paragraph(2, 80))])
    cut = " ".join(paragraph(2, 80).split()[:40])
    assert matcher.match("Another head", cut) == (2, 100)
    assert matcher.match("Another head", paragraph(3, 80)) is None
    assert matcher.match("", "") is None


def test_what_goes_on_elsewhere():
    areas = [
        (1, 1, 7, "Head", "text"), (2, 3, 7, "Head", "rest"), (3, 1, None, "Other", "words Continued on page 4"),
        (4, 4, None, "Other", "From page 1 more words"), (5, 4, None, "Third", "nothing of it"),
    ]  # fmt: skip
    assert follow(areas) == [(1, 2), (3, 4)]

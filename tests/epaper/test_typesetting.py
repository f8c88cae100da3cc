"""The automatic edition: chosen by rule or hand, set as a tagged broadsheet, its stories complete and linked."""

import re
from datetime import timedelta

import pytest
from pypdf import PdfReader

from broadsheet.epaper import desk_queries, files, queries
from broadsheet.epaper.actions import composing, typesetting, withdrawing
from broadsheet.epaper.models import Edition
from broadsheet.newsroom.actions import withdraw_story
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db
DAY = NOW.date()
HINDI = "बंदरगाह के किनारे मछुआरों ने कहा कि नई योजना में उनके लिए कोई जगह नहीं है और श्रम की क़ीमत तय नहीं हुई"
LONG = 14


def tick():
    return NOW + timedelta(hours=1)


def words(number: int, paragraphs: int) -> str:
    return "".join(f"<p>{make.paragraph(number * 100 + part, 45)}</p>" for part in range(paragraphs))


@pytest.fixture
def day():
    """Ten stories of a day; the first is the lead and long."""
    ids = [
        make.story(
            headline=f"Story number {number} of the day has a headline like this", body_html=words(number, LONG - number % 5),
            standfirst="The board voted nine to six after a long sitting.", priority=1 + number // 3,
            bylines=["Asha Verma"], credit="PNS" if number == 3 else "", auto_published=number == 3,
            at=NOW - timedelta(minutes=number),
        )
        for number in range(9)
    ]  # fmt: skip
    body = "".join(f"<p>{HINDI} {HINDI} ₹{number} करोड़</p>" for number in range(6))
    ids.append(make.story(headline="बंदरगाह पर मछुआरों का सवाल", body_html=body, language="hi", priority=6))
    return ids


def edition_of(day):
    edition_id = composing.open_edition(day=DAY, now=NOW)
    composing.propose_places(edition_id=edition_id)
    composing.order(edition_id=edition_id)
    assert typesetting.compose(edition_id=edition_id, tick=tick)
    return edition_id


def plain(text: str) -> str:
    """A text without what a line's end does to its words."""
    return re.sub(r"[\s\u00ad\u2010-]+", "", text)


def test_an_edition(day):
    """One edition for all that is only looked at: setting one takes its time."""
    edition_id = edition_of(day)
    _every_word_of_every_story_is_printed_and_linked(edition_id, day)
    _a_jump_names_the_page_on_both_sides(edition_id)
    _it_is_a_tagged_pdf(edition_id)
    _a_name_on_every_page_and_nothing_else_changes(edition_id)


def _every_word_of_every_story_is_printed_and_linked(edition_id, day):
    edition = queries.edition(edition_id)
    assert (edition.state, edition.kind) == ("published", "typeset")
    assert edition.pages_ready == edition.pages_total >= 2
    areas = queries.areas(edition_id, with_text=True)
    assert {area.story_id for area in areas} == set(day)
    assert desk_queries.desk_edition(edition_id).notes == ()
    by_story = {}
    for area in areas:
        if area.story_id == day[0]:
            by_story.setdefault(area.page, []).append(area.text)
    whole = plain("".join(text for page in sorted(by_story) for text in by_story[page]))
    for part in range(LONG):
        for word in make.paragraph(part, 45).split():
            assert word in whole, word


def _a_jump_names_the_page_on_both_sides(edition_id):
    parted = [area for area in queries.areas(edition_id, 1, with_text=True) if "Continued on page" in area.text]
    assert parted
    for area in parted:
        target = int(re.search(r"Continued on page (\d+)", area.text).group(1))
        assert area.continued_on[1] == target
        there = [
            other for other in queries.areas(edition_id, target, with_text=True) if other.story_id == area.story_id
        ]
        assert "From page 1" in there[0].text


def _it_is_a_tagged_pdf(edition_id):
    row = Edition.objects.get(pk=edition_id)
    with files.storage().open(row.pdf_name) as file:
        pdf = PdfReader(file)
        root = pdf.trailer["/Root"]
        assert root["/MarkInfo"]["/Marked"].value is True
        assert root["/Lang"].startswith("en")
        assert "/StructTreeRoot" in root
        assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
        assert "pdfuaid:part" in root["/Metadata"].get_data().decode()
        kinds = _kinds(root["/StructTreeRoot"])
        assert {"/H1", "/H2", "/P"} <= kinds
        fonts = {font["/BaseFont"] for page in pdf.pages for font in map(_object, page["/Resources"]["/Font"].values())}
        assert any("Devanagari" in name for name in fonts)
        assert all("+" in name for name in fonts), "a font is not embedded"
        text = "".join(page.extract_text() for page in pdf.pages)
    assert "supplied by PNS and published automatically" in " ".join(text.split())
    assert "₹" in text


def _object(value):
    return value.get_object()


def _kinds(node) -> set[str]:
    found, left = set(), [node]
    while left:
        at = left.pop().get_object()
        if isinstance(at, list):
            left += at
        elif isinstance(at, dict):
            found |= {str(at["/S"])} if "/S" in at else set()
            left += [at["/K"]] if "/K" in at and not isinstance(at["/K"], int) else []
    return found


def _a_name_on_every_page_and_nothing_else_changes(edition_id):
    row = Edition.objects.get(pk=edition_id)
    one = queries.marked_pdf(row.pk, name="Asha (Verma) \\", contact="asha@reader.example")
    two = queries.marked_pdf(row.pk, name="मीरा", contact="x" * 500)
    first, second = b"".join(one.chunks), b"".join(two.chunks)
    assert len(first) == len(second) == one.size == row.pdf_bytes
    (place, length) = row.mark_places[0]
    assert first[:place] == second[:place]
    assert first[place + length :] == second[place + length :]
    path = f"{row.pk}/check.pdf"
    from django.core.files.base import ContentFile

    files.storage().save(path, ContentFile(first))
    with files.storage().open(path) as file:
        import pypdfium2

        pdf = pypdfium2.PdfDocument(file.read())
        for page in pdf:
            assert "Asha (Verma) \\ asha@reader.example" in page.get_textpage().get_text_range()
    assert one.name == "2027-01-10.pdf"


def test_a_killed_story_goes_at_once_and_the_edition_is_set_without_it(day):
    edition_id = edition_of(day)
    withdraw_story(story_id=day[1], reason="The agency withdrew it.", now=NOW)
    secret = make.paragraph(100, 45).split()[7]
    assert secret in "".join(queries.page_texts(edition_id).values())
    assert withdrawing.withdraw_story(story_id=day[1], tick=tick) >= 1
    assert secret not in "".join(queries.page_texts(edition_id).values())
    assert queries.marked_pdf(edition_id, name="a", contact="b") is None
    assert typesetting.compose(edition_id=edition_id, tick=tick)
    assert {area.story_id for area in queries.areas(edition_id)} == set(day) - {day[1]}
    assert queries.edition(edition_id).state == "published"
    assert queries.marked_pdf(edition_id, name="a", contact="b") is not None


def test_editors_decide(day):
    edition_id = composing.open_edition(day=DAY, now=NOW)
    composing.propose_places(edition_id=edition_id)
    rows = list(desk_queries.chosen(edition_id))
    assert rows[0].role == "lead"
    assert {row.story_id for row in rows} == set(day)
    from broadsheet.epaper.rules.choice import Chosen

    picked = [Chosen(day[6], "lead", 1), Chosen(day[5], "story", 0), Chosen(day[4], "brief", 0)]
    composing.choose(edition_id=edition_id, places=picked)
    composing.order(edition_id=edition_id)
    typesetting.compose(edition_id=edition_id, tick=tick)
    front = queries.areas(edition_id, 1)
    assert front[0].story_id == day[6]
    assert {area.story_id for area in queries.areas(edition_id)} == {day[6], day[5], day[4]}
    assert {row.story_id for row in desk_queries.others(edition_id)} == set(day) - {day[6], day[5], day[4]}


def test_what_cannot_be_set_says_why_and_changes_nothing(day):
    edition_id = composing.open_edition(day=DAY, now=NOW)
    with pytest.raises(composing.NotPossibleError):
        composing.order(edition_id=edition_id)
    assert desk_queries.desk_edition(edition_id).state == "draft"
    composing.propose_places(edition_id=edition_id)
    for story_id in day:
        withdraw_story(story_id=story_id, reason="gone", now=NOW)
    composing.order(edition_id=edition_id)
    assert typesetting.compose(edition_id=edition_id, tick=tick) is None
    found = desk_queries.desk_edition(edition_id)
    assert (found.state, found.reason) == ("failed", "None of the chosen stories is published.")
    assert not queries.works()


def test_the_rule_waits_for_its_hour_and_for_editors(day):
    assert composing.order_by_rule(at="23:00", now=NOW) is None
    ordered = composing.order_by_rule(at="05:30", now=NOW)
    assert ordered is not None
    assert desk_queries.desk_edition(ordered).state == "processing"
    assert composing.order_by_rule(at="05:30", now=NOW) is None

"""The press's PDF becomes an edition: pages, words, articles linked to the day's stories; bad files are put aside."""

import json
import shutil
from datetime import date, timedelta

import pytest
from PIL import Image

from broadsheet.epaper import files, queries
from broadsheet.epaper.actions import importing, incoming, intake, pages, withdrawing
from broadsheet.epaper.adapters import pdf
from broadsheet.epaper.models import Area, Edition, EditionPage, Intake
from tests import make
from tests.epaper import press_files
from tests.make import NOW

pytestmark = pytest.mark.django_db
DAY = date(2027, 1, 10)


def tick():
    return NOW + timedelta(hours=1)


def text(number: int, words: int = 60) -> list[str]:
    return [make.paragraph(number * 10 + part, words) for part in range(6)]


def story(number: int, headline: str) -> int:
    return make.story(headline=headline, body_html="".join(f"<p>{part}</p>" for part in text(number)))


@pytest.fixture
def harbour():
    return story(1, "Harbour vote splits the council in two")


@pytest.fixture
def paper(tmp_path):
    """Three pages with five articles; nothing in it is known but what a test files."""
    return press_files.write(
        tmp_path / "press.pdf",
        [
            [("Harbour vote splits the council in two", text(1)), ("Ferry fares rise again in March", text(2)),
             ("A long day at the grain market", text(3))],
            [("Rail bridge closes for the winter", text(4))],
            [("Harbour vote splits the council in two", [make.paragraph(19), *text(1)[3:]])],
        ],
    )  # fmt: skip


def receive(*paths, **fields):
    return intake.receive(paths=list(paths), day=DAY, now=NOW, **fields)


def test_pages_words_and_articles(paper, harbour):
    taken = receive(paper)
    assert importing.make_pages(edition_id=taken.edition_id, tick=tick) == 3
    edition = queries.edition(taken.edition_id)
    assert (edition.state, edition.pages_total, edition.pages_ready) == ("published", 3, 3)
    front = queries.areas(edition.id, 1, with_text=True)
    stories = {area.headline: area for area in front if area.kind == "story"}
    assert set(stories) >= {"Harbour vote splits the council in two", "Ferry fares rise again in March"}
    linked = stories["Harbour vote splits the council in two"]
    assert (linked.story_id, linked.score > 90) == (harbour, True)
    assert stories["Ferry fares rise again in March"].story_id is None
    # Every word of the article stands in its boxes, and none of its neighbour's.
    assert make.paragraph(10, 60).split()[5] in linked.text
    assert make.paragraph(20, 60).split()[5] not in linked.text
    assert linked.box[2] < stories["Ferry fares rise again in March"].box[0]
    # It goes on where the same story stands again.
    (further,) = [area for area in queries.areas(edition.id, 3) if area.story_id == harbour]
    assert linked.continued_on == (further.id, 3)
    assert further.continued_from == (linked.id, 1)


def test_pictures_of_every_size(paper):
    taken = receive(paper)
    importing.make_pages(edition_id=taken.edition_id, tick=tick)
    page = queries.page(taken.edition_id, 1)
    assert [size[0] for size in page.images] == [160, 480, 800, 1600, 2400]
    for width, height, size in page.images:
        content = queries.page_picture(taken.edition_id, 1, width)
        assert len(content) == size
        name = files.picture_name(taken.edition_id, 1, width, page.picture_key)
        with files.storage().open(name) as file, Image.open(file) as picture:
            assert picture.size == (width, height)
    assert queries.page_picture(taken.edition_id, 1, 801) is None
    words = queries.page_words(taken.edition_id, 1)
    harbour = next(word for word in words if word.text == "Harbour")
    assert 400 < harbour.box[0] < 500
    assert harbour.box[1] < 1000


def test_the_first_page_can_be_read_before_the_last_is_made(paper, monkeypatch):
    seen = []

    def watch(**fields):
        pages.write_page(**fields)
        edition = queries.edition(fields["edition_id"])
        seen.append((fields["page"].number, edition.state, edition.pages_ready, queries.works()))

    monkeypatch.setattr(importing, "write_page", watch)
    importing.make_pages(edition_id=receive(paper).edition_id, tick=tick)
    assert seen == [(1, "processing", 1, True), (2, "processing", 2, True), (3, "processing", 3, True)]


def test_a_crash_loses_no_page_and_makes_none_twice(paper, monkeypatch):
    made = []

    def die_after_two(**fields):
        pages.write_page(**fields)
        made.append(fields["page"].number)
        if len(made) == 2:
            raise KeyboardInterrupt

    edition_id = receive(paper).edition_id
    monkeypatch.setattr(importing, "write_page", die_after_two)
    with pytest.raises(KeyboardInterrupt):
        importing.make_pages(edition_id=edition_id, tick=tick)
    assert queries.edition(edition_id).state == "processing"
    assert importing.make_pages(edition_id=edition_id, tick=tick) == 1
    assert made == [1, 2, 3]
    assert queries.edition(edition_id).state == "published"


def test_the_same_bytes_again_change_nothing(paper):
    first = receive(paper)
    importing.make_pages(edition_id=first.edition_id, tick=tick)
    rows = list(Edition.objects.values()), list(EditionPage.objects.values()), Intake.objects.count()
    again = receive(paper)
    assert (again.edition_id, again.fresh, again.files[0].outcome) == (first.edition_id, False, "duplicate")
    assert importing.make_pages(edition_id=first.edition_id, tick=tick) is None
    assert (list(Edition.objects.values()), list(EditionPage.objects.values()), Intake.objects.count()) == rows


def test_a_file_a_page_and_a_corrected_edition(paper, tmp_path):
    shutil.rmtree(files.storage().location, ignore_errors=True)  # another test's edition of this number
    one = press_files.write(tmp_path / "1.pdf", [[("A first page by itself alone", text(5))]])
    two = press_files.write(tmp_path / "2.pdf", [[("A second page by itself alone", text(6))]])
    edition_id = receive(paper, city="delhi").edition_id
    importing.make_pages(edition_id=edition_id, tick=tick)
    corrected = receive(one, two, city="delhi")
    assert corrected.edition_id == edition_id
    importing.make_pages(edition_id=edition_id, tick=tick)
    edition = queries.edition(edition_id)
    assert (edition.pages_total, edition.pages_ready, edition.city) == (2, 2, "delhi")
    assert "second page" in queries.page_texts(edition_id)[2]
    left = [name for name in files.storage().listdir(str(edition_id))[1] if name.endswith(".jpg") and name[0] == "0"]
    assert len(left) == 10


def _refused(path):
    before = Edition.objects.count()
    taken = receive(path)
    assert taken.edition_id is None
    assert Edition.objects.count() == before
    return taken.files[0].outcome, taken.files[0].reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty"), (b"no pdf at all, merely text", "not_a_pdf"), (b"%PDF-1.7\n" + b"\0\xff" * 5000, "not_a_pdf")],
)
def test_what_is_no_pdf_is_put_aside(tmp_path, content, reason):
    path = tmp_path / "bad.pdf"
    path.write_bytes(content)
    assert _refused(path) == ("quarantined", reason)
    row = Intake.objects.get()
    assert (row.outcome, row.reason, row.edition) == ("quarantined", reason, None)
    assert files.storage().exists(row.stored)
    _refused(path)
    assert Intake.objects.count() == 1


def test_an_encrypted_one_too(tmp_path):
    path = press_files.write(tmp_path / "locked.pdf", [[("Locked away from all of us", text(1))]], password="secret")
    assert _refused(path) == ("quarantined", "encrypted")


def test_too_large_and_too_many_pages(paper, monkeypatch):
    monkeypatch.setattr(intake, "MOST_PAGES", 2)
    assert _refused(paper) == ("quarantined", "too_many_pages")
    monkeypatch.setattr(intake, "MOST_BYTES", 100)
    assert _refused(paper) == ("quarantined", "too_large")


def test_a_page_that_never_ends_costs_only_itself(paper, monkeypatch):
    monkeypatch.setattr(pdf, "PAGE_SECONDS", 0.0)
    monkeypatch.setattr(pdf, "START_SECONDS", 0.0)
    edition_id = receive(paper).edition_id
    importing.make_pages(edition_id=edition_id, tick=tick)
    edition = Edition.objects.get(pk=edition_id)
    assert (edition.state, edition.pages_ready) == ("failed", 0)
    assert edition.published_at is None
    assert queries.edition(edition_id) is None


def test_a_scan_is_shown_as_a_picture_and_said_so(tmp_path):
    edition_id = receive(press_files.scanned(tmp_path / "scan.pdf")).edition_id
    importing.make_pages(edition_id=edition_id, tick=tick)
    page = queries.page(edition_id, 1)
    assert (page.ready, page.scanned) == (True, True)
    assert Edition.objects.get(pk=edition_id).notes[0] == "Without a text layer, shown as pictures only: page 1."


def test_a_withdrawn_story_leaves_page_words_picture_and_pdf(paper, harbour):
    edition_id = receive(paper).edition_id
    importing.make_pages(edition_id=edition_id, tick=tick)
    before = {number: queries.page_picture(edition_id, number, 800) for number in (1, 2, 3)}
    area = next(area for area in queries.areas(edition_id, 1) if area.story_id == harbour)
    secret = make.paragraph(10, 60).split()[5]
    assert secret in queries.page_texts(edition_id)[1]
    assert withdrawing.withdraw_story(story_id=harbour, tick=tick) == 2
    assert [area for area in queries.areas(edition_id) if area.story_id == harbour] == []
    assert queries.area(area.id) is None
    assert secret not in queries.page_texts(edition_id)[1]
    assert secret not in {word.text for word in queries.page_words(edition_id, 1)}
    assert "Ferry" in queries.page_texts(edition_id)[1]
    after = {number: queries.page_picture(edition_id, number, 800) for number in (1, 2, 3)}
    assert [before[number] == after[number] for number in (1, 2, 3)] == [False, True, False]
    page = queries.page(edition_id, 1)
    with files.storage().open(files.picture_name(edition_id, 1, 800, page.picture_key)) as file:
        picture = Image.open(file).convert("RGB")
    x, y = (area.box[0] + area.box[2]) // 2, (area.box[1] + area.box[3]) // 2
    red, green, blue = picture.getpixel((x * picture.width // 10_000, y * picture.height // 10_000))
    assert abs(red - 244) + abs(green - 241) + abs(blue - 234) < 12
    from pypdf import PdfReader

    row = Edition.objects.get(pk=edition_id)
    with files.storage().open(row.pdf_name) as file:
        read = [page.extract_text() for page in PdfReader(file).pages]
    assert len(read) == 3
    assert "Rail bridge" in read[1]
    assert secret not in read[0] + read[2]
    assert Area.objects.filter(story_id=harbour).exclude(kind="withdrawn").count() == 0
    assert withdrawing.withdraw_story(story_id=harbour, tick=tick) == 0


def test_the_incoming_folder(paper, tmp_path):
    target = incoming.folder() / "2027-01-11-late-city"
    target.mkdir(parents=True)
    (target / "a.pdf").write_bytes(paper.read_bytes())
    assert incoming.take_in(now=NOW) == 0  # it may still be growing
    assert incoming.take_in(now=NOW) == 1
    edition = Edition.objects.get()
    assert (edition.date, edition.city, edition.title) == (date(2027, 1, 11), "late-city", "Late City")
    assert not target.exists()
    assert (incoming.folder().parent / "done" / target.name / "a.pdf").exists()


def test_the_command(paper, tmp_path, capsys):
    from broadsheet.server.cli import run

    assert run(["epaper", "import", str(paper), "--date", "2027-01-10", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"file": "press.pdf", "outcome": "received", "pages": 3, "reason": None}
    assert {key: lines[1][key] for key in ("date", "state", "pages", "pages_ready")} == {
        "date": "2027-01-10", "state": "published", "pages": 3, "pages_ready": 3,
    }  # fmt: skip
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"nothing")
    assert run(["epaper", "import", str(bad), "--date", "2027-01-10", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["reason"] == "not_a_pdf"

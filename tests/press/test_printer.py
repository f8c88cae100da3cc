import gzip
import sqlite3

import brotli
import pytest
from tests import make

from broadsheet.newsroom import actions as newsroom
from broadsheet.newsroom import queries
from broadsheet.press import actions
from broadsheet.press.printer import UnrenderedError, check_rendered
from broadsheet.press.queries import chrome, stores, walls
from broadsheet.press.store import Store, make_sheet

pytestmark = pytest.mark.django_db
UNPACK = (gzip.decompress, brotli.decompress)
HIDDEN = make.paragraph(5)


def test_every_variant_is_printed_into_its_own_store():
    story = make.story()
    facts = actions.print_story(story)
    assert facts.state == "published"
    public, full = stores().public, stores().full
    for name in ("limit", "limit-signed-in", "register"):
        assert HIDDEN.split()[0] not in public.get(f"story/{story}/{name}").plain.decode()
    assert HIDDEN in full.get(f"story/{story}/full").plain.decode()
    assert public.get(f"story/{story}/full") is None
    assert full.get(f"story/{story}/limit") is None


def test_the_public_file_holds_no_word_of_any_body_on_disk(tmp_path):
    story = make.story()
    actions.print_story(story)
    public = Store(tmp_path / "copy.sqlite3")
    public.put(*[stores().public.get(f"story/{story}/{name}") for name in walls("metered")])
    with sqlite3.connect(tmp_path / "copy.sqlite3") as db:
        pages = [
            unpack(blob)
            for row in db.execute("SELECT gzip, br FROM sheet")
            for unpack, blob in zip(UNPACK, row, strict=True)
        ]
    assert len(pages) == 2 * len(walls("metered"))
    assert all(b"harbour1x0" in page for page in pages)
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not any(b"harbour5x0" in page for page in [*pages, raw])


def test_the_wall_says_the_real_limits(settings):
    story = make.story()
    actions.print_story(story)
    text = stores().public.get(f"story/{story}/limit").plain.decode()
    assert str(settings.BROADSHEET.free_limit) in text
    assert str(settings.BROADSHEET.registered_limit) in text


def test_another_limit_is_another_edition(settings):
    import dataclasses

    before = chrome().edition
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, free_limit=4)
    assert chrome().edition != before


GIVE = "/account/gift/"


@pytest.mark.parametrize("tier", ["metered", "registered", "premium"])
def test_only_the_full_variant_leads_to_the_page_of_gifts(settings, tier):
    import dataclasses

    story = make.story(tier=tier)
    actions.print_story(story)
    assert f'href="{GIVE}{story}/"' in stores().full.get(f"story/{story}/full").plain.decode()
    for name in walls(tier):
        text = stores().public.get(f"story/{story}/{name}").plain.decode()
        assert GIVE not in text
        assert "Give" not in text
    before = chrome().edition
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, gift_quota=0)
    assert chrome().edition != before
    actions.print_story(story)
    assert GIVE not in stores().full.get(f"story/{story}/full").plain.decode()


def test_a_free_story_needs_no_gift():
    story = make.story(tier="free")
    actions.print_story(story)
    assert GIVE not in stores().full.get(f"story/{story}/full").plain.decode()


def test_a_withdrawn_story_is_pulled_from_both_stores_and_from_also_read():
    gone, other = make.story(headline="Harbour toll rises"), make.story(headline="Harbour toll falls")
    for story in (gone, other):
        stores().public.drop(f"story/{story}")  # sheets of another test's story of this number
        actions.print_story(story)
    assert f"story/{other}/limit" in stores().public.mentioning(gone)
    newsroom.withdraw_story(story_id=gone, reason="killed", now=make.NOW)
    actions.print_story(gone)
    actions.reprint_mentioning(gone)
    assert stores().full.get(f"story/{gone}/full") is None
    assert stores().public.get(f"story/{gone}/limit") is None
    assert stores().public.get(f"story/{gone}/gone").status == 410
    assert [key for key in stores().public.mentioning(gone) if key.startswith("story/")] == []
    assert "Harbour toll rises" not in stores().full.get(f"story/{other}/full").plain.decode()


@pytest.mark.parametrize("text", ["limit of {{free_limit}} free", "{% if x %}", "${name}", "<%= x %>", "%%NAME%%"])
def test_a_page_with_a_placeholder_is_never_stored(text):
    with pytest.raises(UnrenderedError):
        actions.print_page("/x/", text, version=1)
    assert stores().public.get("page/x/") is None


def test_ordinary_text_is_no_placeholder():
    text = '{"a": {"b": 1}} 100% of ${'[:-1] + " 5 %"
    assert check_rendered(text, "k") == text


def test_putting_sheets_is_all_or_nothing(tmp_path):
    store = Store(tmp_path / "s.sqlite3")
    good = make_sheet("story/1/limit", "one", version=1, edition=1)
    store.put(good)
    bad = make_sheet("story/1/register", "two", version=1, edition=1)
    object.__setattr__(bad, "version", None)
    with pytest.raises(Exception, match="NOT NULL"):
        store.put(make_sheet("story/1/limit", "new", version=2, edition=1), bad)
    assert store.get("story/1/limit") == good
    assert store.get("story/1/register") is None


def test_a_dropped_story_takes_no_neighbour_with_it(tmp_path):
    store = Store(tmp_path / "s.sqlite3")
    for key in ("story/1/limit", "story/10/limit", "story/1"):
        store.put(make_sheet(key, key, version=1, edition=1))
    store.drop("story/1")
    assert store.get("story/10/limit")
    assert store.get("story/1/limit") is store.get("story/1") is None


def test_equal_bytes_of_two_variants_have_two_validators():
    one = make_sheet("story/1/limit", "same", version=1, edition=1)
    assert one.etag != make_sheet("story/1/register", "same", version=1, edition=1).etag
    assert one.etag == make_sheet("story/1/limit", "same", version=9, edition=9).etag


def test_full_and_public_story_agree_on_everything_public():
    story = make.story()
    assert queries.full_story(story).public == queries.public_story(story)

"""The demo paper's own words and pictures: complete, unlike each other, and without anything a template would miss."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree

from broadsheet.access.rules import TIER_NAMES
from broadsheet.demo import queries, rules
from broadsheet.demo.schedule import ARRIVALS

PACKAGE = Path(queries.__file__).parent
STORIES = queries.stories()
DEVANAGARI = re.compile("[\u0900-\u097f]")
PLACEHOLDER = re.compile(r"\{\{|\}\}|\{%|\$\{|<%|%%|\[\[")


def words(html: str) -> list[str]:
    return re.findall(r"[\w’]+", re.sub(r"<[^>]+>", " ", html).lower())


def runs(html: str, length: int) -> set[str]:
    found = words(html)
    return {" ".join(found[at : at + length]) for at in range(len(found) - length + 1)}


def test_there_is_a_paper_full_of_stories_of_every_tier():
    tiers = Counter(story.copy.tier for story in STORIES)
    assert len(STORIES) == 47
    assert set(tiers) == set(TIER_NAMES)
    assert (tiers["free"], tiers["registered"], tiers["premium"]) == (6, 4, 8)
    assert {story.copy.section for story in STORIES} == {section.slug for section in rules.SECTIONS}
    assert sum(story.copy.priority == 1 for story in STORIES) == 1


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.file)
def test_a_story_is_complete(story):
    copy = story.copy
    assert copy.standfirst
    assert copy.kicker
    assert copy.bylines
    assert 200 <= len(words(copy.body_html)) <= 850
    assert len(re.findall("<p>", copy.body_html)) >= 4
    assert not PLACEHOLDER.search(copy.headline + copy.standfirst + copy.body_html)
    assert '"' not in copy.headline + copy.standfirst + copy.body_html
    assert timedelta() < story.age <= timedelta(days=3)
    if story.picture:
        assert queries.picture_path(story.picture).is_file()
        assert len(copy.picture_alt) > 20
        assert copy.picture_caption
        assert copy.picture_credit


def test_no_two_stories_share_eight_words_in_a_row():
    seen = defaultdict(set)
    for story in STORIES:
        for run in runs(story.copy.body_html, 8):
            seen[run].add(story.file)
    assert {run: files for run, files in seen.items() if len(files) > 1} == {}


def test_hindi_stories_are_in_hindi():
    hindi = [story for story in STORIES if story.copy.language == "hi"]
    assert len(hindi) == 4
    assert {story.copy.tier for story in hindi} >= {"metered", "premium"}
    for story in hindi:
        assert story.copy.section == "hindi"
        letters = [letter for letter in story.copy.headline if letter.isalpha()]
        assert all(DEVANAGARI.match(letter) for letter in letters)


def test_every_picture_is_used_and_harmless():
    used = {story.picture for story in STORIES if story.picture}
    drawn = {path.name for path in (PACKAGE / "pictures").iterdir() if path.is_file()}
    assert drawn == used
    assert len(drawn) == 27
    for name in sorted(drawn):
        source = queries.picture_path(name).read_text("utf-8")
        assert len(source) < 33_000, name
        assert rules.drawing_size(source)[0] in (800, 1200), name
        tags = {etree.QName(node).localname for node in etree.fromstring(source.encode()).iter()}
        assert not tags & {"script", "foreignObject", "image", "style", "use", "a"}, name
        assert not re.search(r"\son\w+=|https?://(?!www\.w3\.org/)|url\((?!#)", source), name


def test_the_standing_pages_the_footer_names_are_there():
    pages = {page.slug: page for page in queries.standing_pages()}
    assert set(pages) == {"about", "contact", "terms", "privacy"}
    assert all(len(words(page.body_html)) > 60 for page in pages.values())


def test_every_agency_file_is_scheduled_once_in_order():
    names = [arrival.file for arrival in ARRIVALS]
    assert sorted(names) == names
    assert set(names) == {path.name for path in (PACKAGE / "wire").iterdir()}
    pauses = [later.after - earlier.after for earlier, later in pairwise(ARRIVALS)]
    assert set(pauses) == {20}

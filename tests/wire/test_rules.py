from datetime import timedelta

import pytest

from broadsheet.wire.items import Removed, Subject
from broadsheet.wire.rules import Stamp, content_digest, guess_section, hold_reasons, identity_source, standing
from tests.wire import make_wire as make

NOW = make.NOW


def reasons(**fields):
    return hold_reasons(make.item(**fields), now=NOW)


def test_a_sound_item_goes_out():
    assert reasons() == ()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"body_text": ""}, ("no_text",)),
        ({"body_text": "Too little to say."}, ("too_short",)),
        ({"headline": "Short"}, ("headline_length",)),
        ({"headline": "x" * 201}, ("headline_length",)),
        ({"headline": ""}, ("headline_length",)),
        ({"pub_status": "withheld"}, ("withheld",)),
        ({"pub_status": "canceled"}, ("canceled",)),
        ({"signals": ("kill",)}, ("kill_notice",)),
        ({"embargoed": NOW + timedelta(seconds=1)}, ("embargoed",)),
        ({"embargoed": NOW}, ()),
        ({"embargoed": "until_further_notice"}, ("embargoed",)),
        ({"headline": "Only {{free_limit}} ships left"}, ("placeholder",)),
        ({"byline": "${author.name}"}, ("placeholder",)),
        ({"warnings": ("hold: internal_text",)}, ("internal_text",)),
        ({"warnings": ("repaired: the feed is not well-formed XML",)}, ("repaired",)),
        ({"warnings": ("teaser: the feed gives a summary",)}, ()),
        ({"warnings": ("teaser: the feed gives a summary",), "body_text": "word " * 120 + "[…]"}, ("teaser",)),
        ({"removed": (Removed("P01", "limit of {{free_limit}} articles " * 99),)}, ()),
        ({"removed": (Removed("A01", "also read this " * 99),)}, ("cleaned_too_much",)),
    ],
)
def test_gate(fields, expected):
    assert reasons(**fields) == expected


def test_language_of_the_paper():
    german = make.item(language="de-AT")
    assert hold_reasons(german, now=NOW, languages=("en", "hi")) == ("language",)
    assert hold_reasons(german, now=NOW, languages=("en", "de")) == hold_reasons(german, now=NOW) == ()
    assert hold_reasons(make.item(language=None), now=NOW, languages=("en",)) == ()


def stamp(version=None, hours=None, digest="a"):
    return Stamp(version, NOW + timedelta(hours=hours) if hours is not None else None, digest)


@pytest.mark.parametrize(
    ("incoming", "current", "expected"),
    [
        (stamp(1), None, "new"),
        (stamp(1), stamp(1), "duplicate"),
        (stamp(2, digest="b"), stamp(1), "update"),
        (stamp(10, digest="b"), stamp(9), "update"),
        (stamp(1, digest="b"), stamp(2), "superseded"),
        (stamp(2, digest="b"), stamp(2), "silent_change"),
        (stamp(None, 1, "b"), stamp(None, 0), "update"),
        (stamp(None, 0, "b"), stamp(None, 1), "superseded"),
        (stamp(None, None, "b"), stamp(None, 1), "silent_change"),
    ],
)
def test_standing(incoming, current, expected):
    assert standing(incoming, current) == expected


def test_digest_is_of_the_content_not_of_the_file():
    assert content_digest(make.item(file="a", index=3)) == content_digest(make.item(file="b"))
    assert content_digest(make.item(headline="Another")) != content_digest(make.item())


def test_identity_does_not_hang_on_a_copyright_line():
    usable, canceled = make.item(source="NWA"), make.item(source=None)
    assert identity_source(usable, named=None) == identity_source(canceled, named=None) == ""
    assert identity_source(usable, named="NWA") == "NWA"
    assert identity_source(make.item(format="rss_atom", source="NWA English"), named=None) == "NWA English"


def test_section_is_guessed_from_what_everybody_sees():
    sections = ("world", "business", "sport")
    assert guess_section(make.item(keywords=("World",)), sections) == "world"
    assert guess_section(make.item(subjects=(Subject(qcode="medtop:15000000"),), headline="x"), sections) == "sport"
    assert guess_section(make.item(headline="Envoy asks Russia to ease violence in Ukraine"), sections) == "world"
    assert guess_section(make.item(headline="A quiet day", body_text="Cricket cricket cricket"), sections) is None
    assert guess_section(make.item(headline="A quiet day"), ()) is None

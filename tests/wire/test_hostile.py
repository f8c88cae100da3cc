"""Nothing a file holds raises, reaches the network, or passes for a story it is not."""

import json
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.wire import parse as parse_module
from broadsheet.wire.items import Item, Quarantined
from broadsheet.wire.parse import parse_path
from broadsheet.wire.rules import hold_reasons
from tests.wire import make_wire as make

REASONS = {
    "billion_laughs.xml": "entity",
    "control_chars.xml": "not_well_formed",
    "deep_json.json": "too_deep",
    "deep_nesting.xml": "too_deep",
    "empty.xml": "empty",
    "html_error_page_as.xml": "unknown_format",
    "nul_bytes.xml": "empty",
    "quadratic_blowup.xml": "entity",
    "truncated.xml": "truncated",
    "xxe_file.xml": "entity",
}


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the wire opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)


@pytest.mark.parametrize(("name", "reason"), REASONS.items())
def test_hostile_file_is_quarantined_with_its_reason(name, reason):
    [outcome] = parse_path(make.SAMPLES / "hostile" / f"constructed__{name}")
    assert isinstance(outcome, Quarantined)
    assert (outcome.reason, bool(outcome.detail)) == (reason, True)


def test_every_cut_of_a_good_file_is_refused():
    whole = make.g2()
    for end in range(200, len(whole) - 1, 97):
        [outcome] = make.parse(whole[:end])
        assert isinstance(outcome, Quarantined), end
        assert outcome.reason == "truncated", (end, outcome.detail)


def test_every_cut_of_json_is_refused():
    whole = json.dumps({"uri": "urn:a", "headline": "Toll up", "body_text": make.FILLER[0]})
    for end in range(1, len(whole) - 1, 7):
        [outcome] = make.parse(whole[:end])
        assert outcome.reason in {"truncated", "not_well_formed"}, end


def test_external_dtd_without_entities_is_read_and_not_fetched():
    [item] = parse_path(make.SAMPLES / "hostile/constructed__external_dtd.xml")
    assert (item.headline, item.body_text) == ("ok", "fine")


def test_charset_ladder():
    [wide] = parse_path(make.SAMPLES / "hostile/constructed__utf16_bom.xml")
    assert (wide.headline, wide.warnings[:0]) == ("Café", ())
    [wrong] = parse_path(make.SAMPLES / "hostile/constructed__wrong_encoding_decl.xml")
    assert wrong.headline == "Café"
    assert "charset_guessed: cp1252" in wrong.warnings
    [declared] = make.parse(
        '<?xml version="1.0" encoding="iso-8859-15"?><nitf><head><title>Prix 12 €</title></head></nitf>'.encode(
            "iso-8859-15"
        )
    )
    assert declared.headline == "Prix 12 €"
    [configured] = make.parse(
        "<nitf><head><title>Wähler in Östheim</title></head></nitf>".encode("cp850"), charset="cp850"
    )
    assert configured.headline == "Wähler in Östheim"
    [none] = make.parse(b"<nitf><head><title>\x81\x8d\x8f</title></head></nitf>")
    assert none.reason == "encoding"


def test_copy_in_a_wrong_charset_is_held():
    koi8 = f"<rss><channel><item><guid>k</guid><title>{'Новости дня сегодня'}</title><description>{'Слово дело ' * 40}</description></item></channel></rss>"
    [item] = make.parse(koi8.encode("koi8-r"))
    assert "encoding" in hold_reasons(item, now=make.NOW)


def test_double_encoding_is_undone_only_when_that_helps():
    [item] = parse_path(make.SAMPLES / "hostile/constructed__mojibake.json")
    assert item.headline == "Alderport – the board’s “no”"
    assert item.body_text.startswith("Café & ")
    [clean] = make.parse(
        json.dumps({"uri": "urn:a", "headline": "São Tomé: “ação” já", "body_text": "Às três, à noite."})
    )
    assert clean.headline == "São Tomé: “ação” já"


def test_too_large(monkeypatch):
    monkeypatch.setattr(parse_module, "LARGEST_FILE", 1000)
    [outcome] = make.parse(b"<nitf>" + b" " * 2000 + b"</nitf>")
    assert outcome.reason == "too_large"


def test_slow_file_stops(monkeypatch):
    monkeypatch.setattr(parse_module, "LONGEST_SECONDS", -1.0)
    [outcome] = make.parse(make.g2())
    assert outcome.reason == "timeout"


@pytest.mark.parametrize("other", ["anpa1312", "email", "iptc7901"])
def test_formats_without_a_reader_say_so(other):
    for path in sorted((make.SAMPLES / other).iterdir()):
        [outcome] = parse_path(path)
        assert outcome.reason == "unknown_format", path


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04rest", "unknown_format"),
        (b"\x1f\x8b\x08rest", "unknown_format"),
        (b"   \n", "empty"),
        (b"{}", "unknown_format"),
        (b"[]", "unknown_format"),
        (b"[1, 2]", "unknown_format"),
        (b'{"$schema": "x", "properties": {}}', "not_news"),
        (b'{"uri": "urn:a"', "truncated"),
        (b'{"uri": oops}', "not_well_formed"),
        (b"<svg/>", "unknown_format"),
        (b"<a><b></a>", "not_well_formed"),
        (b"hello", "unknown_format"),
        (b"a,b,c\n1,2,3\n", "unknown_format"),
    ],
)
def test_small_oddities(content, reason):
    [outcome] = make.parse(content)
    assert outcome.reason == reason


def test_deep_markup_in_a_body_is_refused_not_cut():
    deep = "<b>" * 3000 + "x" + "</b>" * 3000
    [outcome] = make.parse(json.dumps({"uri": "urn:a", "body_html": deep}))
    assert outcome.reason == "too_deep"


@pytest.mark.parametrize("odd", ["&#1;", "&#x1f;", "\x0c", "&#xfffe;", "\uffff", "&#xd800;", "&#0;"])
def test_characters_that_are_no_text_are_left_out(odd):
    [item] = make.parse(
        json.dumps({"uri": "urn:a", "headline": f"Toll {odd}up", "body_html": f"<p>The board {odd}met.</p>"})
    )
    assert isinstance(item, Item), item
    assert item.body_text.startswith("The board ")


def test_what_even_the_tolerant_parser_cannot_read_is_quarantined():
    [outcome] = make.parse(
        "<rss><channel><textinput>&</channel></textinput><item><title>x & y</title></item></channel></rss>"
    )
    assert isinstance(outcome, (Item, Quarantined))
    assert not (isinstance(outcome, Quarantined) and "the reader failed" in outcome.detail)


def test_a_large_body_is_read_in_time():
    text = "\n\n".join(make.FILLER * 3000)
    [item] = make.parse(json.dumps({"uri": "urn:a", "headline": "Long", "body_text": text}))
    assert isinstance(item, Item)
    assert item.body_text == text


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode),
                 st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda c: st.lists(c, max_size=4) | st.dictionaries(
                     st.sampled_from(["uri", "headline", "body_text", "body_html", "bodies", "headlines", "version", "pubstatus", "subject", "associations",
                                      "renditions", "place", "signals", "embargoed", "standard", "value", "role", "name", "urgency"]), c, max_size=6),
                     max_leaves=20).map(lambda v: json.dumps(v).encode())))  # fmt: skip
def test_nothing_raises(content):
    for outcome in make.parse(content):
        assert isinstance(outcome, (Item, Quarantined))
        assert not (isinstance(outcome, Quarantined) and "failed" in outcome.detail), outcome.detail


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_byte_changed_anywhere_never_raises(data):
    whole = bytearray(data.draw(st.sampled_from([make.g2(), (make.SAMPLES / "rss-atom/constructed__wire_full_text.rss").read_bytes(),
                                                 (make.SAMPLES / "nitf/constructed__v1.xml").read_bytes()])))  # fmt: skip
    for _ in range(3):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    for outcome in make.parse(bytes(whole)):
        assert not (isinstance(outcome, Quarantined) and "failed" in outcome.detail), outcome.detail

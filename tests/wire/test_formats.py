"""What each format's fields become, on constructed files of an invented agency."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from broadsheet.wire import formats
from broadsheet.wire.items import Item, Quarantined
from broadsheet.wire.parse import parse_path
from tests.wire import make_wire as make

IST = timezone(timedelta(hours=5, minutes=30))


def one(name, **hints):
    [item] = parse_path(make.SAMPLES / name, **hints)
    assert isinstance(item, Item), item
    return item


def test_g2_correction():
    item = one("newsml-g2/constructed__v3_correction.xml")
    assert (item.format, item.uri, item.version) == ("newsml_g2", "urn:newsml:nwa.example:20310304:harbour-toll", 3)
    assert item.headline == "Alderport to raise harbour toll, shippers object"
    assert item.body_text.split("\n\n")[0].endswith("its chair Edda Brenn said on Tuesday.")
    assert item.signals == ("correction",)
    assert item.correction_note == item.ed_note == "Corrects to 14 percent from 4 percent in first paragraph"
    assert (item.urgency, item.priority, item.language) == (3, 3, "en")
    assert item.first_created == datetime(2031, 3, 4, 8, tzinfo=IST)
    assert item.version_created == datetime(2031, 3, 4, 9, 11, tzinfo=IST)
    assert (item.byline, item.authors) == ("Mira Tolland", ("Mira Tolland",))
    assert item.dateline is not None
    assert (item.dateline.city, item.dateline.date, item.dateline.agency) == ("Alderport", date(2031, 3, 4), "NWA")
    assert [s.uri for s in item.subjects] == [
        "http://cv.iptc.org/newscodes/mediatopic/04000000",
        "http://cv.iptc.org/newscodes/mediatopic/20000599",
    ]
    assert (item.copyright_holder, item.usage_terms, item.credit) == ("NWA", "No archive after 30 days.", "NWA")
    assert item.places == ("Alderport",)


def test_g2_states_and_embargo():
    assert one("newsml-g2/constructed__v4_canceled.xml").pub_status == "canceled"
    assert one("newsml-g2/constructed__withheld.xml").pub_status == "withheld"
    assert one("newsml-g2/constructed__embargo.xml").embargoed == datetime(2031, 3, 6, 12, tzinfo=IST)
    for empty in ("<embargoed/>", "<embargoed>noon, more or less</embargoed>"):
        assert make.parse(make.g2(meta=empty))[0].embargoed == "until_further_notice"
    assert make.parse(make.g2(status="strange"))[0].pub_status == "withheld"


def test_g2_script_never_leaves_the_wire():
    item = one("newsml-g2/constructed__script_in_body.xml")
    assert (
        item.body_html
        == '<p>Plain link and <a href="https://example.org/a" rel="nofollow noopener">good link</a>.</p>\n<p>End.</p>'
    )
    assert item.headline == "Text with <script>"


def test_g2_message_gives_every_item_and_reference_data_is_no_news():
    inner = make.g2("urn:a").decode() + make.g2("urn:b").decode()
    items = make.parse(
        f'<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><itemSet>{inner}</itemSet></newsMessage>'
    )
    assert [(i.index, i.uri) for i in items] == [(0, "urn:a"), (1, "urn:b")]
    for root in ("conceptItem", "catalogItem", "knowledgeItem"):
        [bad] = make.parse(f'<{root} xmlns="http://iptc.org/std/nar/2006-10-01/" guid="x"/>')
        assert bad.reason == "not_news"
    [empty] = make.parse('<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><itemSet/></newsMessage>')
    assert empty.reason == "not_news"


def test_g2_kill_without_content_is_still_an_item():
    kill = '<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><itemSet><newsItem guid="urn:a" version="2"><itemMeta><pubStatus qcode="stat:canceled"/></itemMeta></newsItem></itemSet></newsMessage>'
    [item] = make.parse(kill)
    assert (item.uri, item.version, item.pub_status) == ("urn:a", 2, "canceled")


def test_g2_with_nitf_inside():
    body = '<nitf xmlns="http://iptc.org/std/NITF/2006-10-18/"><body><body.head><byline>By Mira Tolland</byline></body.head><body.content><hl2>Tide</hl2><p>The <person>board</person> met.</p></body.content></body></nitf>'
    html = b'<html xmlns="http://www.w3.org/1999/xhtml"><body></body></html>'
    [item] = make.parse(make.g2(body="").replace(html, body.encode()))
    assert item.body_html == "<h3>Tide</h3>\n<p>The board met.</p>"
    assert item.byline == "Mira Tolland"


@pytest.mark.parametrize(("name", "dialect"), [("v1x_usable", "1.x"), ("v2x", "2.x"), ("v3x", "3.x")])
def test_ninjs_dialects_give_one_story(name, dialect):
    item = one(f"ninjs/constructed__{name}.json")
    assert (item.format, item.parser) == ("ninjs", f"ninjs {dialect}")
    assert (item.uri, item.headline, item.pub_status) == (
        "urn:nwa:harbour-toll",
        "Alderport to raise harbour toll",
        "usable",
    )
    assert item.body_text == "The harbour board of Alderport will raise the toll, Edda Brenn said."
    assert item.version_created == datetime(2031, 3, 4, 2, 30, tzinfo=UTC)


def test_ninjs_details():
    item = one("ninjs/constructed__v1x_usable.json")
    assert (item.version, item.urgency, item.language, item.byline) == (1, 4, "en", "Mira Tolland")
    assert [(s.qcode, s.name) for s in item.subjects] == [("medtop:04000000", "economy")]
    assert one("ninjs/constructed__v2x.json").subjects[0].qcode == "medtop:04000000"
    assert one("ninjs/constructed__v1x_canceled.json").pub_status == "canceled"


def test_ninjs_without_text_or_with_bad_fields_is_an_item_with_a_warning():
    [item] = make.parse('{"uri": "urn:a", "urgency": 0.1, "random": true}')
    assert (item.uri, item.urgency, item.body_text) == ("urn:a", None, "")
    assert item.warnings == ("urgency: 0.1 is not 1 to 9",)
    [plan] = make.parse('{"uri": "urn:a", "type": "planning"}')
    assert plan.reason == "not_news"


def test_rss_with_full_text():
    first, second = parse_path(make.SAMPLES / "rss-atom/constructed__wire_full_text.rss")
    assert (first.uri, first.source, first.credit) == ("n-1", "NWA English", "NWA")
    assert first.body_text == "The board will raise the toll.\n\nShe spoke on Tuesday."
    assert [hit.rule for hit in first.removed] == ["A01", "D01", "S03", "L01"]
    assert first.version_created == datetime(2031, 3, 4, 8, tzinfo=IST)
    assert (first.associations[0].caption, first.associations[0].credit) == ("Quay", "Ola Rees")
    assert second.headline == "Ferry & rail fares frozen"
    assert second.version_created is None
    assert second.warnings == ("date: cannot read '04/03/2031 09:10 IST' for sure, left unknown",)


def test_atom():
    item = one("rss-atom/constructed__atom_update.atom")
    assert (item.uri, item.headline, item.body_text) == ("tag:nwa.example,2031:n-7", "Toll up", "Body.")
    assert item.version_created == datetime(2031, 3, 4, 10, tzinfo=UTC)
    assert item.first_created == datetime(2031, 3, 4, 8, tzinfo=UTC)
    assert (item.byline, item.copyright_holder) == ("Mira Tolland", "(c) NWA")


def test_feed_that_is_not_well_formed_is_repaired_and_flagged():
    [item] = make.parse(
        f"<rss><channel><title>NWA</title><item><guid>n-9</guid><title>Ferry & rail</title><description>{make.FILLER[0]}</description></item></channel></rss>"
    )
    assert (item.uri, item.headline, item.body_text) == ("n-9", "Ferry & rail", make.FILLER[0])
    assert item.warnings[0].startswith("repaired:")


def test_feed_cut_off_is_not_repaired():
    [bad] = make.parse("<rss><channel><item><guid>n-9</guid><title>Ferry and ra")
    assert (bad.reason, isinstance(bad, Quarantined)) == ("truncated", True)


def test_feed_without_entries_is_no_news():
    [bad] = make.parse("<rss><channel><title>NWA</title></channel></rss>")
    assert bad.reason == "not_news"


def test_nitf_and_newsml_1():
    nitf = one("nitf/constructed__v2.xml")
    assert (nitf.uri, nitf.version, nitf.signals, nitf.byline) == (
        "nwa-20310304-1",
        2,
        ("update",),
        "Mira Tolland",
    )
    assert one("nitf/constructed__canceled.xml").uri == nitf.uri
    assert one("nitf/constructed__canceled.xml").pub_status == "canceled"
    first, second, kill = (one(f"newsml-1.2/constructed__{n}.xml") for n in ("v1_html_body", "v2_update", "canceled"))
    assert {first.uri, second.uri, kill.uri} == {"urn:newsml:nwa.example:20310304:harbour-toll"}
    assert (first.version, second.version, kill.version, kill.pub_status) == (1, 2, 3, "canceled")


def test_format_can_be_forced_and_names_are_listed():
    assert make.parse(make.FILLER[0])[0].format == "saved_page"
    assert make.parse(make.FILLER[0], format="telex")[0].reason == "unknown_format"
    assert set(formats.names()) >= {"rss_atom", "newsml_g2", "ninjs", "saved_page"}


def test_extension_and_name_do_not_matter(tmp_path):
    for name in ("story.txt", "story.pdf", "story"):
        path = tmp_path / name
        path.write_bytes(make.g2())
        assert parse_path(path)[0].format == "newsml_g2"


def test_broken_markup_does_not_swallow_the_story():
    text = " ".join(make.FILLER)
    broken = '<p>Toll</p><a href="x>' + text + "</a>"
    feed = f"<rss><channel><item><guid>1</guid><content xmlns='urn:x'><![CDATA[{broken}]]></content><description>{text}</description></item></channel></rss>"
    [item] = make.parse(feed)
    assert item.body_text == text
    assert item.warnings[0].startswith("teaser:")


def test_byline_names_people_only():
    fields = '{"uri": "urn:a", "byline": "Von Marco Krefting und Sunrita Sen, dpa"}'
    assert make.parse(fields)[0].authors == ("Marco Krefting", "Sunrita Sen")
    assert make.parse('{"uri": "urn:a", "byline": "Mira Tolland, Port correspondent"}')[0].authors == ("Mira Tolland",)

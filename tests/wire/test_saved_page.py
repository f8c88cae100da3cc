"""Both kinds of saved page come out as clean stories: twins of the pages the paper was built for, fault for fault."""

import dataclasses

from broadsheet.wire.parse import parse_path
from broadsheet.wire.rules import hold_reasons, removed_share
from tests.wire import make_wire as make

ALSO_READ = make.SAMPLES / "saved_page" / "constructed__twin_also_read.txt"
WALL = make.SAMPLES / "saved_page" / "constructed__twin_wall.txt"


def one(path, **hints):
    [item] = parse_path(path, **hints)
    return item


def test_page_with_also_read_and_disclaimer():
    item = one(ALSO_READ)
    lines = ALSO_READ.read_text().splitlines()
    assert item.format == "saved_page"
    assert item.body_text.split("\n\n") == [line for line in lines if not line.startswith(("Also Read", "Disclaimer:"))]
    assert (
        item.headline
        == "Aldland's Minister of Ports Edda Brenn has said that her government will consider sharing the pilot service…"
    )
    assert [hit.rule for hit in item.removed] == ["A01", "D01"]
    assert item.disclaimer == "No Alderport Ledger Journalist was involved in creation of this content"
    assert item.via == ("Harbour TV",)
    assert item.credit is None
    assert item.quotes[0].speaker == "Brenn"
    assert hold_reasons(item, now=make.NOW) == ()


def test_page_with_wall_sign_off_initials_and_price_list():
    item = one(WALL)
    lines = [line for line in WALL.read_text().splitlines() if line.strip()]
    assert item.body_text.split("\n\n") == lines[: lines.index("--NWA")]
    assert (
        item.headline
        == "Aldland's Minister of Ports Edda Brenn has asked Brentland to ease the queue of ships in the northern sound"
    )
    assert item.credit == "NWA"
    assert item.via == ("Norwave",)
    assert item.disclaimer == "No Alderport Ledger Journalist was involved in creation of this content"
    for trace in ("{{", "₹", "Also Read", "Subscribe", "--NWA", "mt/", "Disclaimer", "Epaper"):
        assert trace not in item.body_text + item.body_html + item.headline
    assert [hit.text for hit in item.removed if hit.rule.startswith("P")] == lines[lines.index("mt/") + 2 :]
    assert hold_reasons(item, now=make.NOW) == ()


def test_a_sales_tail_is_no_copy_but_other_losses_count():
    item = one(WALL)
    assert removed_share(item) < 0.1
    heavy = dataclasses.replace(item, removed=tuple(dataclasses.replace(hit, rule="A01") for hit in item.removed))
    assert removed_share(heavy) > 0.35
    assert hold_reasons(heavy, now=make.NOW) == ("cleaned_too_much",)


def test_the_source_named_by_the_importer_is_the_last_credit():
    assert one(ALSO_READ, source="ANW").credit == "ANW"
    assert one(WALL, source="ANW").credit == "NWA"


def test_same_words_have_the_same_id_whatever_page_they_were_saved_from():
    bare = "\n".join(line for line in ALSO_READ.read_text().splitlines() if line != "Also Read")
    assert make.parse(bare)[0].uri == one(ALSO_READ).uri != one(WALL).uri


def test_a_title_line_is_the_headline():
    [item] = make.parse("Alderport to raise harbour toll\nBy Mira Tolland\n" + "\n".join(make.FILLER))
    assert item.headline == "Alderport to raise harbour toll"
    assert item.byline == "Mira Tolland"
    assert item.body_text == "\n\n".join(make.FILLER)

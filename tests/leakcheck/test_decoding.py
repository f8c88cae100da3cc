"""Every way of hiding a sentence that we know must be seen through; what is not hidden must not be imagined."""

from __future__ import annotations

import base64
import codecs
import gzip
import html
import json
import time
import zlib
from urllib.parse import quote

import brotli
import pytest

from broadsheet.leakcheck import decoding
from broadsheet.leakcheck.canaries import Canaries, coverage, words
from broadsheet.leakcheck.decoding import inflate
from broadsheet.leakcheck.oracles import without_echo
from broadsheet.leakcheck.stories import PLANS, text_of

HIDDEN = "The pilots’ fund was emptied in March, and nobody on the harbour board had signed the order for it."
PAGE = "<html><body><article><p>The board met on Monday.</p>{}</article></body></html>"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


HIDINGS = {
    "plain": HIDDEN,
    "tags between words": HIDDEN.replace(" ", " <i></i> "),
    "tags inside words": "".join(f"<b>{letter}</b>" for letter in HIDDEN.replace(" ", "\u2003")).replace(
        "<b>\u2003</b>", " "
    ),
    "attribute": f'<img alt="{HIDDEN}">',
    "comment": f"<!-- {HIDDEN} -->",
    "entities": "".join(f"&#{ord(letter)};" for letter in HIDDEN),
    "entities twice": html.escape("".join(f"&#x{ord(letter):x};" for letter in HIDDEN)),
    "JSON-LD": f'<script type="application/ld+json">{json.dumps({"articleBody": HIDDEN})}</script>',
    "JavaScript escapes": "".join(f"\\u{ord(letter):04x}" for letter in HIDDEN),
    "JSON in JSON": json.dumps(json.dumps({"a": {"b": HIDDEN}})),
    "CSS escapes": 'content:"' + "".join(f"\\{ord(letter):x} " for letter in HIDDEN) + '"',
    "URL": quote(HIDDEN),
    "URL twice": quote(quote(HIDDEN)),
    "base64": b64(HIDDEN.encode()),
    "base64 for URLs": base64.urlsafe_b64encode(HIDDEN.encode()).decode().rstrip("="),
    "base64 behind letters": "xY" + b64(HIDDEN.encode()),
    "base64 folded": base64.encodebytes((HIDDEN * 2).encode()).decode(),
    "base64 twice": b64(b64(HIDDEN.encode()).encode()),
    "base64 of zlib": b64(zlib.compress(HIDDEN.encode())),
    "base64 of bare deflate": b64(zlib.compress(HIDDEN.encode(), wbits=-15)),
    "base64 of gzip": b64(gzip.compress(HIDDEN.encode())),
    "base64 of brotli": b64(brotli.compress(HIDDEN.encode())),
    "base64 of UTF-16": b64(HIDDEN.encode("utf-16")),
    "hexadecimal": HIDDEN.encode().hex(),
    "character codes": str([ord(letter) for letter in HIDDEN]),
    "reversed": HIDDEN[::-1],
    "rot13": codecs.encode(HIDDEN, "rot13"),
    "quoted-printable": "".join(f"={byte:02X}" for byte in HIDDEN.encode()),
    "soft hyphens": "\u00ad".join(HIDDEN),
    "zero-width spaces": HIDDEN.replace("a", "a\u200b"),
    "full-width letters": "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in HIDDEN),
    "capitals": HIDDEN.upper(),
    "six words of it": " ".join(HIDDEN.split()[6:12]),
}


@pytest.fixture
def canaries() -> Canaries:
    made = Canaries()
    made.hide("story", HIDDEN)
    return made


@pytest.mark.parametrize("name", HIDINGS)
def test_hidden_words_are_found(name: str, canaries: Canaries) -> None:
    finds = canaries.find(PAGE.format(HIDINGS[name]).encode())
    assert [find.story for find in finds] == ["story"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_hidden_words_are_found_in_other_character_sets(encoding: str, canaries: Canaries) -> None:
    assert canaries.find(PAGE.format(HIDDEN).encode(encoding))


def test_five_words_are_not_a_leak(canaries: Canaries) -> None:
    assert canaries.find(PAGE.format(" ".join(HIDDEN.split()[6:11])).encode()) == []


def test_public_words_are_no_evidence() -> None:
    canaries = Canaries()
    canaries.hide("story", HIDDEN, [set(zip(*(words(HIDDEN)[at:] for at in range(6)), strict=False))])
    assert canaries.find(PAGE.format(HIDDEN).encode()) == []


def test_one_token_of_a_canary_is_enough() -> None:
    canaries = Canaries()
    canaries.hide("story", "quozelbcdfg and five words that follow")
    assert canaries.find(b'<a data-x="QUOZEL-bcdfg">')[0].words == "quozelbcdfg"


def test_words_thrown_back_by_a_search_page_are_no_leak(canaries: Canaries) -> None:
    phrase = " ".join(HIDDEN.split()[6:12])
    finds = canaries.find(f"<p>Nothing found for {phrase}</p>".encode())
    assert finds
    assert without_echo(finds, "/search?q=" + quote(phrase)) == []
    assert without_echo(finds, "/search?q=fund") == finds


def test_content_encodings_are_undone() -> None:
    data = HIDDEN.encode()
    assert inflate(gzip.compress(data), "gzip") == data
    assert inflate(brotli.compress(data), "br") == data
    assert inflate(brotli.compress(gzip.compress(data)), "gzip, br") == data
    assert inflate(data, "gzip") == data


def test_coverage_is_the_share_of_shingles() -> None:
    wanted = words(HIDDEN)
    assert coverage(wanted, PAGE.format(HIDDEN)) == 1.0
    assert coverage(wanted, PAGE.format("")) == 0.0


def test_a_page_is_searched_in_a_blink() -> None:
    canaries = Canaries()
    for plan in PLANS:
        canaries.hide(plan.key, text_of(plan, "a").hidden)
    page = PAGE.format("<p>" + "plain words about the weather at sea " * 1500 + "</p>").encode()
    begin = time.process_time()
    assert canaries.find(page) == []
    assert time.process_time() - begin < 1.0


def test_the_twins_differ_in_hidden_text_and_in_nothing_else() -> None:
    for plan in PLANS:
        one, other = text_of(plan, "a"), text_of(plan, "b")
        assert one.open == other.open
        if plan.tier == "free":
            assert one == other
        else:
            assert set(words(one.hidden)) & set(words(other.hidden)) < set(words(one.hidden))
            assert len(one.hidden) != len(other.hidden)


def test_numbers_between_many_spaces_take_no_time():
    """With a separator that could be divided in several ways this took longer than anybody waits."""
    assert list(decoding.readings((("1" + " " * 40) * 19 + "x").encode()))
    hidden = " , ".join(str(ord(letter)) for letter in "the hidden sentence of a story")
    assert any("the hidden sentence" in text for _, text in decoding.readings(hidden.encode()))

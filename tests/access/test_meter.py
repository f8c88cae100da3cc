"""The sealed cookie: nothing that was edited, forged or moved is worth anything, and nothing in it is an error."""

import os
import threading
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.access.meter import (
    MOST_READS,
    Meter,
    MeterSeal,
    new_meter,
    pack,
    section_code,
    section_of,
    stories_of,
    story_of,
)
from broadsheet.readers.passport import PassportOffice
from broadsheet.seals import Seal, fresh_bytes

NOW = datetime(2027, 1, 10, 6, 30, tzinfo=UTC)
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
SEAL = MeterSeal([KEY], "news.example")


def meter(*reads, window="m202701"):
    return Meter(b"m" * 16, window, int(NOW.timestamp()), reads)


@given(st.integers(1, 2**48 - 1), st.text(min_size=1, max_size=40))
def test_a_read_holds_its_story_and_its_section(story, slug):
    read = pack(story, section_code(slug))
    assert (story_of(read), section_of(read)) == (story, section_code(slug))
    assert 0 < read < 2**64


def test_sections_have_codes_of_their_own():
    names = ["news", "politics", "business", "sport", "culture", "opinion", "markets", "world", "city", "science"]
    assert len({section_code(name) for name in names}) == len(names)
    assert section_code("news") == section_code("news") < 2**16


@given(
    st.lists(st.integers(1, 2**64 - 1), max_size=MOST_READS, unique=True),
    st.sampled_from(["m202701", "w20270104", "r7-1799999999", "r366-19999999999"]),
)
def test_what_was_sealed_is_opened(reads, window):
    assert SEAL.open(SEAL.seal(meter(*reads, window=window))) == meter(*reads, window=window)


def test_a_cookie_holds_the_newest_reads_when_there_are_too_many():
    opened = SEAL.open(SEAL.seal(meter(*range(1, MOST_READS + 11))))
    assert opened.reads == tuple(range(11, MOST_READS + 11))


def test_a_meter_names_its_stories_and_its_first_read():
    assert meter(pack(3, 9), pack(4, 8)).stories == stories_of([3, 4]) == {3, 4}
    assert meter().first_read_at == NOW


def test_a_cookie_is_short_and_needs_no_quotes():
    values = {SEAL.seal(meter(*range(1, 6))) for _ in range(300)}
    assert {len(value) for value in values} == {140}
    letters = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert set("".join(values)) == letters


def test_every_edited_byte_makes_it_worthless():
    value = SEAL.seal(meter(3, 4, 5, 6, 7))
    assert len(value) % 4 == 0  # no spare bits in the last letter
    for place in range(len(value)):
        for other in "A_z0":
            if value[place] != other:
                assert SEAL.open(value[:place] + other + value[place + 1 :]) is None


def test_every_shortened_or_lengthened_value_is_worthless():
    value = SEAL.seal(meter(3, 4, 5, 6, 7))
    for end in range(len(value)):
        assert SEAL.open(value[:end]) is None
    for tail in ("A", "AA", "AAA", "AAAA", value):
        assert SEAL.open(value + tail) is None


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=300), st.binary(max_size=200).map(lambda b: b.decode("latin-1"))))
def test_anything_else_is_worthless_and_never_an_error(value):
    assert SEAL.open(value) is None


def test_a_cookie_of_another_site_key_or_purpose_is_worthless():
    value = SEAL.seal(meter(3))
    assert MeterSeal([KEY], "other.example").open(value) is None
    assert MeterSeal([OTHER], "news.example").open(value) is None
    assert PassportOffice([KEY], "news.example").open(value, NOW) is None
    assert Seal([KEY], "passport|news.example").open(value) is None
    assert Seal([KEY], "meter|news.example").open(value) is not None


def test_a_cookie_of_another_version_is_as_none():
    seal = Seal([KEY], "meter|news.example")
    for version in (0, 1, 3, 255):
        assert SEAL.open(seal.seal(bytes([version]) + bytes(36))) is None
    assert SEAL.open(seal.seal(bytes([2]) + bytes(36))) == Meter(bytes(16), "", 0, ())


def test_keys_rotate_without_losing_a_meter():
    value = SEAL.seal(meter(3))
    rotated = MeterSeal([OTHER, KEY], "news.example")
    assert rotated.open(value) == meter(3)
    assert SEAL.open(rotated.seal(meter(3))) is None  # sealed with the newest


def test_two_new_meters_are_never_the_same():
    assert len({new_meter("m202701", NOW).id for _ in range(2000)}) == 2000
    assert new_meter("m202701", NOW)[1:] == ("m202701", int(NOW.timestamp()), ())


def test_no_nonce_is_used_twice_by_threads_or_by_a_forked_child():
    fresh = fresh_bytes(12)
    drawn = [fresh() for _ in range(10)]
    threads = [threading.Thread(target=lambda: drawn.extend(fresh() for _ in range(3000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write_end, b"".join(fresh() for _ in range(300)))
        os._exit(0)
    os.waitpid(child, 0)
    sent = os.read(read_end, 10_000)
    drawn += [sent[at : at + 12] for at in range(0, len(sent), 12)]
    drawn += [fresh() for _ in range(300)]
    assert len(drawn) == len(set(drawn)) == 10 + 12_000 + 300 + 300

"""The sealed cookie and the high-water mark: nothing that was edited, forged, moved or put back gains a story."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.access.meter import HighWater, Meter, MeterSeal, new_meter

NOW = datetime(2027, 1, 10, 6, 30, tzinfo=UTC)
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
SEAL = MeterSeal([KEY], "news.example")


def meter(*stories):
    return Meter(b"m" * 16, "m202701", int(NOW.timestamp()), stories)


@given(st.lists(st.integers(1, 2**63), max_size=40, unique=True))
def test_what_was_sealed_is_opened(stories):
    assert SEAL.open(SEAL.seal(meter(*stories))) == meter(*stories)


def test_every_edited_byte_makes_it_worthless():
    value = SEAL.seal(meter(3, 4))
    for place in range(len(value)):
        for other in "A_z0":
            if value[place] != other and place < len(value) - 1:
                assert SEAL.open(value[:place] + other + value[place + 1 :]) is None


@settings(max_examples=200)
@given(st.one_of(st.text(max_size=300), st.binary(max_size=200).map(lambda b: b.decode("latin-1"))))
def test_anything_else_is_worthless_and_never_an_error(value):
    assert SEAL.open(value) is None


def test_a_cookie_of_another_site_or_key_is_worthless():
    value = SEAL.seal(meter(3))
    assert MeterSeal([KEY], "other.example").open(value) is None
    assert MeterSeal([OTHER], "news.example").open(value) is None


def test_keys_rotate_without_losing_a_meter():
    value = SEAL.seal(meter(3))
    assert MeterSeal([OTHER, KEY], "news.example").open(value) == meter(3)


def test_two_new_meters_are_never_the_same():
    assert new_meter("m202701", NOW).id != new_meter("m202701", NOW).id


def test_an_old_cookie_put_back_does_not_lower_the_mark():
    marks = HighWater()
    for story in (1, 2, 3):
        marks.add(meter(), story)
    assert marks.stories(meter()) == {1, 2, 3}
    assert marks.stories(Meter(b"m" * 16, "m202702", 0)) == frozenset()


def test_the_marks_are_bounded_and_forget_the_least_used():
    marks = HighWater(most_meters=2)
    for number in (1, 2, 3):
        marks.add(Meter(bytes([number]) * 16, "m202701", 0), 9)
    assert marks.stories(Meter(b"\x01" * 16, "m202701", 0)) == frozenset()
    assert marks.stories(Meter(b"\x03" * 16, "m202701", 0)) == {9}

from datetime import UTC, datetime, timedelta

from broadsheet.readers.passport import Passport, PassportOffice, Right

NOW = datetime(2027, 1, 10, 6, 30, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
PASSPORT = Passport(7, 3, "abcd", staff=False, issued=SECONDS, expires=SECONDS + 600,
                    rights=(Right("premium", 5, None), Right("unlimited", 5, 9)), name="आशा")  # fmt: skip
OFFICE = PassportOffice([b"k" * 32], "news.example")


def test_a_passport_opens_as_it_was_sealed_until_it_expires():
    value = OFFICE.seal(PASSPORT)
    assert OFFICE.open(value, NOW) == PASSPORT
    assert OFFICE.open(value, NOW + timedelta(seconds=599)) == PASSPORT
    assert OFFICE.open(value, NOW + timedelta(seconds=600)) is None
    assert OFFICE.open(value, NOW - timedelta(hours=1)) is None


def test_an_edited_foreign_or_repurposed_passport_is_worth_nothing():
    value = OFFICE.seal(PASSPORT)
    assert all(OFFICE.open(value[:place] + "_" + value[place + 1 :], NOW) is None
               for place in range(len(value) - 1) if value[place] != "_")  # fmt: skip
    assert PassportOffice([b"k" * 32], "other.example").open(value, NOW) is None
    assert PassportOffice([b"x" * 32], "news.example").open(value, NOW) is None
    assert PassportOffice([b"x" * 32, b"k" * 32], "news.example").open(value, NOW) == PASSPORT
    assert OFFICE.open("", NOW) is OFFICE.open("null", NOW) is None


def test_a_name_cannot_be_read_from_the_cookie():
    assert "आशा" not in OFFICE.seal(PASSPORT)

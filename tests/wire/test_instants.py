from datetime import UTC, date, datetime, timedelta, timezone

from broadsheet.wire.instants import read_date, read_instant

IST = timezone(timedelta(hours=5, minutes=30))


def test_iso_basic_and_extended():
    assert read_instant("2031-03-04T08:00:00+05:30") == datetime(2031, 3, 4, 8, tzinfo=IST)
    assert read_instant("20310304T080000+0530") == datetime(2031, 3, 4, 8, tzinfo=IST)
    assert read_instant("20310304T080000Z") == datetime(2031, 3, 4, 8, tzinfo=UTC)
    assert read_instant("2018-10-19T20:15:00Z\n        ") == datetime(2018, 10, 19, 20, 15, tzinfo=UTC)


def test_rfc_2822():
    assert read_instant("Tue, 04 Mar 2031 08:00:00 +0530") == datetime(2031, 3, 4, 8, tzinfo=IST)
    assert read_instant("Wed, 03 Jan 2018 13:47:00 GMT") == datetime(2018, 1, 3, 13, 47, tzinfo=UTC)


def test_nothing_is_guessed():
    for text in (
        "04/03/2031 09:10 IST",
        "2031-03-04",
        "2031-03-04T08:00:00",
        "20310304",
        "Seg, 24 Set 2018 19:42:40 -0300",
        "soon",
        "",
        None,
        "9" * 500,
    ):
        assert read_instant(text) is None


def test_dates():
    assert read_date("20310304") == read_date("2031-03-04") == date(2031, 3, 4)
    assert read_date("20311399") is None

from datetime import UTC, datetime, timedelta

import pytest

from broadsheet.demo import rules

AT = datetime(2027, 1, 10, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(("text", "hours"), [("-3h", 3), ("-2d 4h", 52), ("-2h 30m", 2.5), ("-1d", 24)])
def test_an_age_is_a_span_back_in_time(text, hours):
    assert rules.age(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "3h", "-3", "-h", "- 3h", "-3h,2m", "yesterday"])
def test_what_is_no_age_is_refused(text):
    with pytest.raises(ValueError, match="write it as"):
        rules.age(text)


def test_marks_become_instants_and_other_brackets_stay():
    text = "a [[AT]] b [[AT+6h]] c [[AT-80s]] d [[AT|mail]] e [[AT+1x]] [[NOW]]"
    assert rules.stamped(text, AT) == (
        "a 2027-01-10T06:30:00+00:00 b 2027-01-10T12:30:00+00:00 c 2027-01-10T06:28:40+00:00 "
        "d Sun, 10 Jan 2027 06:30:00 +0000 e [[AT+1x]] [[NOW]]"
    )


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("127.0.0.1", "localhost:8000"),
        ("127.8.9.1", "127.0.0.1"),
        ("::1", "[::1]:8000"),
        ("::ffff:127.0.0.1", "LOCALHOST"),
    ],
)
def test_this_machine_is_loopback(peer, host):
    assert rules.is_loopback(peer=peer, host=host)


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("192.168.1.7", "localhost:8000"),
        ("127.0.0.1", "news.example"),
        ("127.0.0.1", "localhost.evil.example"),
        ("127.0.0.1", "127.0.0.1.evil.example"),
        ("127.0.0.1", "evil.example@localhost.evil"),
        ("127.0.0.1", "[::1"),
        ("127.0.0.1", ""),
        ("", "localhost"),
    ],
)
def test_anything_else_is_not(peer, host):
    assert not rules.is_loopback(peer=peer, host=host)


def test_a_form_comes_from_here_or_from_a_program():
    here = "localhost:8000"
    assert rules.is_from_here(origin="", fetch_site="", host=here)
    assert rules.is_from_here(origin="http://localhost:8000", fetch_site="", host=here)
    assert rules.is_from_here(origin="http://localhost:8000", fetch_site="same-origin", host=here)
    assert not rules.is_from_here(origin="http://localhost:9000", fetch_site="", host=here)
    assert not rules.is_from_here(origin="http://evil.example", fetch_site="", host=here)
    assert not rules.is_from_here(origin="http://localhost:8000", fetch_site="cross-site", host=here)
    assert not rules.is_from_here(origin="null", fetch_site="", host=here)


def test_every_door_has_a_persona():
    assert [who.door for who in rules.PERSONAS] == ["visitor", "reader", "subscriber", "editor"]
    assert rules.persona("editor").opens == "/admin/"
    assert rules.persona("owner") is None

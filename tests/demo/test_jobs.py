"""The feed: one file after another, each once, whatever is stopped and started."""

from __future__ import annotations

from datetime import timedelta

from broadsheet.demo.jobs import drip_into
from broadsheet.demo.schedule import ARRIVALS
from broadsheet.wire import rules as wire_rules
from broadsheet.wire.items import Item
from broadsheet.wire.parse import parse_path
from tests.make import NOW


def step(tmp_path, seconds):
    return drip_into(folder=tmp_path / "incoming", state=tmp_path / "feed.json", now=NOW + timedelta(seconds=seconds))


def test_files_arrive_in_order_and_once(tmp_path):
    arrived = [name for name in (step(tmp_path, at) for at in range(0, 400, 5)) if name]
    assert arrived == [arrival.file for arrival in ARRIVALS]
    assert sorted(path.name for path in (tmp_path / "incoming").iterdir()) == arrived
    assert step(tmp_path, 10_000) is None


def test_the_first_comes_after_its_pause_not_at_once(tmp_path):
    assert [step(tmp_path, at) for at in (0, 10, 14)] == [None, None, None]
    assert step(tmp_path, 15) == "01-strait-debate.xml"
    assert step(tmp_path, 20) is None


def test_after_a_night_off_the_feed_goes_on_one_file_at_a_time(tmp_path):
    step(tmp_path, 0)
    step(tmp_path, 15)
    assert step(tmp_path, 80_000) == "02-pns-signal-box.xml"
    assert step(tmp_path, 80_005) is None


def test_a_clock_set_back_does_not_stop_the_feed(tmp_path):
    step(tmp_path, 0)
    step(tmp_path, 15)
    assert step(tmp_path, -90_000) is None
    assert step(tmp_path, -89_980) == "02-pns-signal-box.xml"


def test_a_damaged_state_file_starts_the_feed_anew(tmp_path):
    (tmp_path / "feed.json").write_text("{", "utf-8")
    assert step(tmp_path, 0) is None
    assert step(tmp_path, 15) == "01-strait-debate.xml"


def outcomes(tmp_path):
    for at in range(0, 400, 5):
        step(tmp_path, at)
    return {
        path.name: parse_path(path)
        for path in sorted((tmp_path / "incoming").iterdir())
        if "[[" not in path.read_text()
    }


def test_the_wire_makes_of_the_files_what_the_schedule_says(tmp_path):
    read = outcomes(tmp_path)
    assert set(read) == {arrival.file for arrival in ARRIVALS}
    items = {name: [one for one in found if isinstance(one, Item)] for name, found in read.items()}
    now = NOW + timedelta(minutes=10)
    clean = {name: not wire_rules.hold_reasons(found[0], now=now) for name, found in items.items() if found}
    assert [name for name, fine in clean.items() if not fine] == ["09-jhalar-bridge-kill.json", "10-embargo-census.xml"]
    [first], [second] = items["01-strait-debate.xml"], items["06-strait-debate-update.xml"]
    assert (first.uri, first.version, second.uri, second.version) == (first.uri, 1, first.uri, 2)
    [wrong], [kill] = items["05-jhalar-bridge.json"], items["09-jhalar-bridge-kill.json"]
    assert (kill.uri, kill.pub_status) == (wrong.uri, "canceled")
    assert [one.status for one in read["07-cut-off.xml"]] == ["quarantined"]
    assert len(items["08-nwa-sport.xml"]) == 2
    [page] = items["04-pns-page.txt"]
    assert (page.credit, page.via) == ("PNS", ("Channel Nine",))
    for residue in ("Also Read", "PNS", "rk/dm", "Disclaimer", "{{", "₹", "Subscribe"):
        assert residue not in page.body_text
    assert wire_rules.hold_reasons(items["10-embargo-census.xml"][0], now=now) == ("embargoed",)
    assert items["12-hindi-mela.json"][0].language == "hi"

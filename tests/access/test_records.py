"""Records of decisions: what goes in comes out, what is torn is left out, what is recorded gives the decision again."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.access import recall, records
from broadsheet.access.meter import section_code
from broadsheet.access.records import NOBODY, RecordBook, who_of_meter, who_of_reader
from broadsheet.access.replay import decide_again
from broadsheet.access.rules import (
    REASONS,
    Policy,
    Principal,
    Request,
    Right,
    State,
    Story,
    Surface,
    Tier,
    decide,
)  # fmt: skip

NOW = datetime(2027, 1, 10, 6, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
TABLE = Path(__file__).parent.parent / "vectors" / "access.json"
DAY = (NOW - HOUR, NOW + HOUR)
SECRET = b"s" * 32
ASHA, RAVI = who_of_reader(SECRET, 1), who_of_meter(SECRET, b"m" * 16)
STORY = Story(7, Tier.METERED, State.PUBLISHED, section="sport")


def keep(book, *, at=NOW, who=ASHA, story=STORY, request=None, policy=Policy(), revision=0):  # noqa: B008
    request = request or Request(Principal.REGISTERED)
    decision = decide(policy, story, request, at)
    book.add(at.timestamp(), who, story, request, decision, revision)
    return decision


def test_a_decision_comes_back_with_everything_it_looked_at(tmp_path):
    book = RecordBook(tmp_path / "decisions")
    policy = Policy(section_limits={"sport": 2}, revision=4)
    keep(
        book,
        request=Request(Principal.REGISTERED, seen=frozenset({1, 2, 3}), used=5, section_used=2),
        policy=policy,
        revision=4,
    )
    keep(book, who=RAVI, request=Request(seen=frozenset({7}), real_read=False, may_begin=False))
    book.close()
    first, second = recall.read(tmp_path / "decisions", *DAY)
    assert first == records.Record(
        at=NOW.timestamp(), who=ASHA, story=7, tier=Tier.METERED, state=State.PUBLISHED, emergency_free=False,
        section=section_code("sport"), principal=Principal.REGISTERED, rights=(), seat=(), gift=False, seen=False, used=5,
        section_used=2, real_read=True, surface=Surface.PAGE, may_begin=True, countable=True, reason="section_limit",
        limit=10, revision=4,
    )  # fmt: skip
    assert first.instant == NOW
    assert (second.who, second.principal, second.reason, second.seen, second.used) == (
        RAVI,
        Principal.VISITOR,
        "repeat",
        True,
        1,
    )
    assert (second.real_read, second.may_begin) == (False, False)


def test_one_reader_and_one_story_are_found_among_many(tmp_path):
    book = RecordBook(tmp_path)
    for number in range(5000):
        story = Story(number % 50 + 1, Tier.METERED, State.PUBLISHED)
        keep(book, at=NOW + timedelta(milliseconds=number), who=who_of_reader(SECRET, number % 7), story=story)
    book.close()
    reader, story = who_of_reader(SECRET, 3), 11
    everything = list(recall.read(tmp_path, *DAY))
    assert len(everything) == 5000
    assert list(recall.read(tmp_path, *DAY, who=reader)) == [row for row in everything if row.who == reader]
    assert list(recall.read(tmp_path, *DAY, story=story)) == [row for row in everything if row.story == story]
    both = [row for row in everything if row.who == reader and row.story == story]
    assert both
    assert list(recall.read(tmp_path, *DAY, who=reader, story=story)) == both
    since, until = NOW + timedelta(seconds=1), NOW + timedelta(seconds=2)
    assert [row.at for row in recall.read(tmp_path, since, until)] == [
        NOW.timestamp() + n / 1000 for n in range(1000, 2000)
    ]
    assert list(recall.read(tmp_path, *DAY, who=who_of_reader(SECRET, 8))) == []


def test_bytes_that_look_like_a_reader_elsewhere_in_a_record_are_not_theirs(tmp_path):
    """A story's number may be the very bytes of a digest."""
    book = RecordBook(tmp_path)
    who = (7).to_bytes(8, "little")
    keep(book, who=RAVI, story=STORY)
    keep(book, who=who, story=STORY)
    book.close()
    assert [row.who for row in recall.read(tmp_path, *DAY, who=who)] == [who]
    assert [row.story for row in recall.read(tmp_path, *DAY, story=int.from_bytes(RAVI, "little"))] == []


def test_each_date_has_its_file_and_old_ones_are_deleted(tmp_path):
    book = RecordBook(tmp_path)
    for day in range(4):
        keep(book, at=NOW + timedelta(days=day))
        book.flush()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"2027-01-1{day}-0.log" for day in range(4)]
    (tmp_path / "notes.txt").write_text("not ours")
    assert recall.purge(tmp_path, date(2027, 1, 12)) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2027-01-12-0.log", "2027-01-13-0.log", "notes.txt"]
    assert [row.instant for row in recall.read(tmp_path, NOW, NOW + timedelta(days=9))] == [
        NOW + timedelta(days=day) for day in (2, 3)
    ]
    assert recall.purge(tmp_path / "nowhere", date(2027, 1, 12)) == 0


def test_two_workers_write_two_files_and_the_number_is_free_again(tmp_path):
    one, two = RecordBook(tmp_path), RecordBook(tmp_path)
    for book in (one, two):
        keep(book)
        book.flush()
    one.close()
    three = RecordBook(tmp_path)
    keep(three)
    for book in (two, three):
        book.close()
    sizes = {path.name: (path.stat().st_size - records.SIZE) // records.SIZE for path in tmp_path.iterdir()}
    assert sizes == {"2027-01-10-0.log": 2, "2027-01-10-1.log": 1}


def test_nothing_is_written_before_a_flush_and_a_full_buffer_flushes_itself(tmp_path):
    book = RecordBook(tmp_path / "decisions")
    keep(book)
    assert not (tmp_path / "decisions").exists()
    for _ in range(5000):
        keep(book)
    written = len(list(recall.read(tmp_path / "decisions", *DAY)))
    assert 0 < written < 5001
    book.flush()
    assert len(list(recall.read(tmp_path / "decisions", *DAY))) == 5001


@pytest.mark.parametrize("cut", range(1, records.SIZE))
def test_a_record_torn_anywhere_is_skipped_and_the_next_ones_stand(tmp_path, cut):
    book = RecordBook(tmp_path)
    for second in range(3):
        keep(book, at=NOW + timedelta(seconds=second))
    book.close()
    path = tmp_path / "2027-01-10-0.log"
    os.truncate(path, path.stat().st_size - cut)
    assert len(list(recall.read(tmp_path, *DAY))) == 2
    again = RecordBook(tmp_path)
    keep(again, at=NOW + timedelta(seconds=9))
    again.close()
    assert [row.at - NOW.timestamp() for row in recall.read(tmp_path, *DAY)] == [0, 1, 9]


def test_a_killed_worker_leaves_whole_records(tmp_path):
    code = (
        "import os, sys, itertools\nfrom pathlib import Path\nfrom tests.access.test_records import RecordBook, keep, NOW, timedelta\n"
        "book = RecordBook(Path(sys.argv[1]))\nprint('ready', flush=True)\n"
        "for n in itertools.count():\n    keep(book, at=NOW + timedelta(microseconds=n))\n    if n % 300 == 0: book.flush()\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    worker.stdout.readline()
    while sum(path.stat().st_size for path in tmp_path.iterdir()) < 200_000:
        pass
    worker.kill()
    worker.wait()
    found = [row.at for row in recall.read(tmp_path, *DAY)]
    assert len(found) > 4000
    assert found == sorted(found)


def test_a_date_that_is_full_stops_with_one_warning_and_the_next_begins_anew(tmp_path, caplog):
    book = RecordBook(tmp_path, most_bytes=records.SIZE * 3)
    for second in range(5):
        keep(book, at=NOW + timedelta(seconds=second))
        book.flush()
    assert len(list(recall.read(tmp_path, *DAY))) == 2
    assert len(caplog.records) == 1
    keep(book, at=NOW + timedelta(days=1))
    book.close()
    assert len(list(recall.read(tmp_path, NOW, NOW + timedelta(days=2)))) == 3


def test_a_disk_that_takes_nothing_costs_no_answer(tmp_path, caplog):
    (tmp_path / "decisions").write_text("a file where the folder should be")
    book = RecordBook(tmp_path / "decisions")
    keep(book)
    book.flush()
    assert "could not be recorded" in caplog.text


def test_a_file_of_another_format_is_not_misread(tmp_path, caplog):
    (tmp_path / "2027-01-10-0.log").write_bytes(b"BSDECIDE" + b"\x02\x00" + bytes(300))
    assert list(recall.read(tmp_path, *DAY)) == []
    assert "no record of decisions in a format" in caplog.text


def test_who_is_told_by_the_secret_alone():
    assert who_of_reader(SECRET, 1) == ASHA != who_of_reader(b"t" * 32, 1)
    assert len({ASHA, RAVI, NOBODY, who_of_reader(SECRET, 2), who_of_meter(SECRET, b"n" * 16)}) == 5
    assert [len(who) for who in (ASHA, RAVI)] == [8, 8]


def test_a_file_holds_nothing_that_names_anybody(tmp_path):
    book = RecordBook(tmp_path)
    keep(book, story=Story(7, Tier.METERED, State.PUBLISHED, section="sport"), who=who_of_reader(SECRET, 123456789))
    book.close()
    raw = (tmp_path / "2027-01-10-0.log").read_bytes()
    assert b"sport" not in raw
    assert (123456789).to_bytes(4, "little") not in raw
    assert (tmp_path / "2027-01-10-0.log").stat().st_mode & 0o077 == 0


rights = st.lists(
    st.builds(
        Right,
        st.sampled_from(["unlimited", "premium", "epaper"]),
        st.sampled_from([NOW - HOUR, NOW, NOW + HOUR]),
        st.sampled_from([None, NOW, NOW + HOUR, NOW - HOUR / 2]),
    ),
    max_size=3,
).map(tuple)
requests = st.builds(
    Request,
    principal=st.sampled_from(Principal),
    rights=rights,
    seen=st.frozensets(st.integers(1, 12), max_size=8),
    used=st.integers(0, 9),
    real_read=st.booleans(),
    surface=st.sampled_from(Surface),
    section_used=st.integers(0, 4),
    seat=st.frozensets(st.sampled_from(["unlimited", "premium", "epaper"])),
    gift=st.booleans(),
    may_begin=st.booleans(),
    countable=st.booleans(),
)
stories = st.builds(
    Story, st.integers(1, 2**47), st.sampled_from(Tier), st.sampled_from(State), st.booleans(), st.sampled_from(["", "sport", "world"])
) | st.builds(Story, st.just(7), st.just(Tier.METERED), st.just(State.PUBLISHED), st.just(False), st.sampled_from(["sport", "world"]))  # fmt: skip
policies = st.builds(
    Policy,
    free_limit=st.integers(0, 6),
    registered_limit=st.integers(0, 8),
    mode=st.sampled_from(["soft", "strict", "login"]),
    section_limits=st.dictionaries(st.sampled_from(["sport", "world"]), st.integers(0, 4)),
    emergency=st.integers(0, 9).map(lambda number: number == 0),
)


@given(st.lists(st.tuples(policies, stories, requests), min_size=1, max_size=20))
def test_the_record_gives_the_decision_again(tmp_path_factory, cases):
    """I18: from what was recorded, under the recorded revision, the same rule lets the same body through."""
    folder = tmp_path_factory.mktemp("decisions")
    book = RecordBook(folder)
    decisions = [
        keep(book, story=story, request=request, policy=policy, revision=number)
        for number, (policy, story, request) in enumerate(cases)
    ]
    book.close()
    found = list(recall.read(folder, *DAY))
    assert [record.revision for record in found] == list(range(len(cases)))
    for record, decision, (policy, _, _) in zip(found, decisions, cases, strict=True):
        assert decide_again(policy, record) == decision
        assert (record.reason, record.body, record.limit) == (decision.reason, decision.body, decision.limit)


def test_every_reason_says_what_the_reader_saw():
    table = {row["then"][2]: row["then"][0] for row in json.loads(TABLE.read_text())}
    assert {reason: body.value for reason, body in records.BODY_OF.items() if reason in table} == table
    assert set(records.BODY_OF) == set(REASONS)

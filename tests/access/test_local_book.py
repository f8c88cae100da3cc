"""The machine's book: whatever is put back, raced or killed, a meter reads its limit and no more, and never less."""

import fcntl
import hashlib
import multiprocessing
import os
import random
import signal
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from broadsheet.access import mapped
from broadsheet.access.book import Taken, together, verdict
from broadsheet.access.local_book import LocalBook
from broadsheet.access.meter import Meter, new_meter, pack, stories_of

NOW = datetime(2027, 1, 10, 6, 30, tzinfo=UTC)
DAY = timedelta(days=1)
ZONE = ZoneInfo("Asia/Kolkata")


def book(folder, limit=5, **options):
    return LocalBook(folder, limit=limit, zone=ZONE, **{"meters": 400, **options})


def take(book, meter, story, *, limit=5, section=1, section_limit=None, now=NOW):
    return book.take(meter, pack(story, section), limit, section_limit, None, now)


def test_a_story_counts_once_and_the_limit_holds(tmp_path):
    reads, meter = book(tmp_path), new_meter("m202701", NOW)
    assert take(reads, meter, 1, limit=2) == Taken("ok", (pack(1, 1),))
    assert take(reads, meter, 1, limit=2) == Taken("repeat", (pack(1, 1),))
    assert take(reads, meter, 2, limit=2) == Taken("ok", (pack(1, 1), pack(2, 1)))
    assert take(reads, meter, 3, limit=2) == Taken("limit", (pack(1, 1), pack(2, 1)))
    assert reads.look(meter) == (pack(1, 1), pack(2, 1))


def test_a_story_that_moved_to_another_section_is_the_same_story(tmp_path):
    reads, meter = book(tmp_path), new_meter("m202701", NOW)
    take(reads, meter, 1, section=1)
    assert take(reads, meter, 1, section=2) == Taken("repeat", (pack(1, 1),))


def test_a_section_has_a_ceiling_inside_the_meter(tmp_path):
    reads, meter = book(tmp_path), new_meter("m202701", NOW)
    assert take(reads, meter, 1, section=7, section_limit=1).verdict == "ok"
    assert take(reads, meter, 2, section=7, section_limit=1).verdict == "section_limit"
    assert take(reads, meter, 2, section=8, section_limit=1).verdict == "ok"
    assert take(reads, meter, 1, section=7, section_limit=0).verdict == "repeat"
    assert stories_of(reads.look(meter)) == {1, 2}


def test_nothing_read_at_a_limit_of_nought(tmp_path):
    reads, meter = book(tmp_path), new_meter("m202701", NOW)
    assert take(reads, meter, 1, limit=0) == Taken("limit", ())
    assert reads.look(meter) == ()


def test_a_cookie_knows_what_the_book_forgot_and_the_other_way_round(tmp_path):
    reads = book(tmp_path)
    meter = new_meter("m202701", NOW)._replace(reads=(pack(1, 1), pack(2, 1)))
    assert take(reads, meter, 3).reads == (pack(1, 1), pack(2, 1), pack(3, 1))
    assert stories_of(reads.look(meter._replace(reads=()))) == {1, 2, 3}
    assert stories_of(reads.look(meter._replace(reads=(pack(9, 1),)))) == {1, 2, 3, 9}


def test_each_window_and_each_meter_counts_for_itself(tmp_path):
    reads, meter = book(tmp_path), new_meter("m202701", NOW)
    take(reads, meter, 1, limit=1)
    assert reads.look(meter._replace(window="m202702")) == ()
    assert reads.look(new_meter("m202701", NOW)) == ()
    assert take(reads, meter._replace(window="m202702"), 2, limit=1).verdict == "ok"
    assert take(reads, meter, 2, limit=1).verdict == "limit"


def test_a_restart_gains_nothing_and_loses_nothing(tmp_path):
    meters = [new_meter("m202701", NOW) for _ in range(50)]
    first = book(tmp_path)
    for number, meter in enumerate(meters):
        take(first, meter, number, limit=2)
    again = book(tmp_path)
    for number, meter in enumerate(meters):
        assert again.look(meter) == (pack(number, 1),)
        assert take(again, meter, 1000, limit=2).verdict == "ok"
        assert take(first, meter, 1001, limit=2).verdict == "limit"  # the old process drains on the same file


@pytest.mark.parametrize("late", [False, True])
def test_a_larger_limit_keeps_what_was_counted(tmp_path, late):
    first, meter = book(tmp_path, limit=4), new_meter("m202701", NOW)
    other = book(tmp_path, limit=4)
    for story in range(4):
        take(first, meter, story, limit=4)
    grown = first if late else book(tmp_path, limit=30)
    for story in range(4, 30):
        assert take(grown, meter, story, limit=30).verdict == "ok"
    assert take(grown, meter, 99, limit=30).verdict == "limit"
    for process in (first, other, grown):
        assert stories_of(process.look(meter)) == set(range(30))
        assert take(process, meter, 99, limit=30).verdict == "limit"
    assert take(other, meter, 99, limit=3).verdict == "limit"


def test_a_full_bucket_forgets_who_counted_longest_ago(tmp_path):
    reads = book(tmp_path, meters=1)
    in_one_bucket = []
    while len(in_one_bucket) < mapped.WAYS + 1:
        meter = new_meter("m202701", NOW)
        if reads._place(meter)[0] == mapped.START:
            in_one_bucket.append(meter)
    *kept, newest = in_one_bucket
    for age, meter in enumerate(kept):
        take(reads, meter, 1, now=NOW - (3 if age == 5 else 2) * DAY)
    assert all(reads.look(meter) for meter in kept)
    take(reads, newest, 2)
    assert [age for age, meter in enumerate(kept) if not reads.look(meter)] == [5]
    assert reads.look(newest) == (pack(2, 1),)


def test_at_its_stated_size_nearly_every_meter_is_kept(tmp_path):
    reads = book(tmp_path, meters=4000)
    # Ids of this test's own: how many share a bucket is chance, and what is asserted about it should not be.
    ids = [hashlib.sha256(b"meter %d" % number).digest()[:16] for number in range(4000)]
    meters = [Meter(one, "m202701", int(NOW.timestamp())) for one in ids]
    for meter in meters:
        take(reads, meter, 1)
    assert 0 < sum(not reads.look(meter) for meter in meters) < 60


def test_what_no_window_asks_for_any_more_is_wiped(tmp_path):
    reads = book(tmp_path)
    old, young = new_meter("m202701", NOW), new_meter("m202701", NOW)
    take(reads, old, 0x616263)
    take(reads, young, 2, now=NOW + 20 * DAY)
    whole = reads._table.buckets
    reads.tidy(NOW + 32 * DAY, whole)
    assert reads.look(old) == (pack(0x616263, 1),)
    reads.tidy(NOW + 33 * DAY, whole)
    assert reads.look(old) == ()
    assert reads.look(young) == (pack(2, 1),)
    assert b"cba" not in (tmp_path / "reads.map").read_bytes()


def test_a_rolling_window_is_kept_for_its_whole_length(tmp_path):
    reads, meter = book(tmp_path), new_meter("r90-1799562600", NOW)
    take(reads, meter, 1)
    reads.tidy(NOW + 90 * DAY, reads._table.buckets)
    assert reads.look(meter) == (pack(1, 1),)
    reads.tidy(NOW + 92 * DAY, reads._table.buckets)
    assert reads.look(meter) == ()


@pytest.mark.parametrize(
    "damage",
    [lambda raw: b"", lambda raw: raw[:5000], lambda raw: b"x" * len(raw), lambda raw: raw[:8] + b"\xff" + raw[9:]],
)
def test_a_damaged_file_is_made_anew_and_cookies_count_alone(tmp_path, damage):
    meter = new_meter("m202701", NOW)
    take(book(tmp_path), meter, 1)
    path = tmp_path / "reads.map"
    path.write_bytes(damage(path.read_bytes()))
    again = book(tmp_path)
    assert again.look(meter) == ()
    assert take(again, meter._replace(reads=(pack(1, 1),)), 2, limit=2).verdict == "ok"
    assert take(again, meter, 3, limit=2).verdict == "limit"


def test_noise_in_the_file_is_never_believed(tmp_path):
    reads = book(tmp_path)
    meters = [new_meter("m202701", NOW) for _ in range(100)]
    for number, meter in enumerate(meters):
        take(reads, meter, number)
    dice = random.Random(3)
    table = reads._table
    for at in range(mapped.START, len(table.map), table.bucket):
        for _, place in table.slots(at):
            for _ in range(3):
                table.map[place + dice.randrange(table.record)] ^= 1 << dice.randrange(8)
    for number, meter in enumerate(meters):
        assert stories_of(reads.look(meter)) <= {number}
        assert stories_of(take(reads, meter, 500).reads) <= {number, 500}


def test_the_file_is_private_and_its_room_is_reserved(tmp_path):
    book(tmp_path / "meter")
    path = tmp_path / "meter" / "reads.map"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_blocks * 512 >= path.stat().st_size


# --- several processes --------------------------------------------------------------------------------------------
LIMIT = 5


def _hammer(folder, seed, meter, pipe):
    """Take random stories with cookies put back, and say each full story before the next."""
    reads = book(folder, limit=LIMIT)
    dice = random.Random(seed)
    cookies = [meter]
    while True:
        story = dice.randrange(1, 200)
        taken = take(reads, dice.choice(cookies), story, limit=LIMIT)
        if taken.verdict in ("ok", "repeat"):
            os.write(pipe, f"{story}\n".encode())
        cookies.append(meter._replace(reads=taken.reads))
        del cookies[1:-20]


def test_processes_that_race_and_are_killed_share_one_limit(tmp_path):
    """Every full answer of every process is heard, also of those killed -9 in the middle of a take."""
    book(tmp_path, limit=LIMIT)
    spawn = multiprocessing.get_context("fork")
    dice = random.Random(7)
    for round_ in range(8):
        meter = new_meter("m202701", NOW)
        read_end, write_end = os.pipe()
        fcntl.fcntl(read_end, 1031, 1 << 20)  # F_SETPIPE_SZ: nobody waits for us
        os.set_blocking(read_end, False)
        workers = []
        for number in range(12):
            worker = spawn.Process(target=_hammer, args=(tmp_path, round_ * 100 + number, meter, write_end))
            worker.start()
            workers.append(worker)
            if len(workers) == 4:
                time.sleep(dice.random() * 0.03)
                victim = workers.pop(dice.randrange(4))
                os.kill(victim.pid, signal.SIGKILL)
                victim.join()
        for worker in workers:
            os.kill(worker.pid, signal.SIGKILL)
            worker.join()
        heard = b""
        try:
            while chunk := os.read(read_end, 1 << 20):
                heard += chunk
        except BlockingIOError:
            pass
        os.close(read_end)
        os.close(write_end)
        full = {int(line) for line in heard.split()}
        assert len(full) == LIMIT
        assert stories_of(book(tmp_path, limit=LIMIT).look(meter)) == full


def _race(folder, meters, me, places, pipe):
    """Take one story of each meter, at the same moment as the others do."""
    reads = book(folder, limit=1, meters=12_000)
    won = []
    for number, meter in enumerate(meters, 1):
        places[me] = number
        while min(places) < number:
            os.sched_yield()
        if take(reads, meter, me + 1, limit=1).verdict == "ok":
            won.append(number)
    pipe.send(won)


def test_of_two_processes_at_the_same_moment_one_counts(tmp_path):
    book(tmp_path, limit=1, meters=12_000)
    fork = multiprocessing.get_context("fork")
    meters = [new_meter("m202701", NOW) for _ in range(6000)]
    places = fork.RawArray("q", 2)
    ends = []
    for me in range(2):
        mine, theirs = fork.Pipe()
        worker = fork.Process(target=_race, args=(tmp_path, meters, me, places, theirs))
        worker.start()
        ends.append((worker, mine))
    won = [number for _, end in ends for number in end.recv()]
    for worker, _ in ends:
        worker.join()
    assert sorted(won) == list(range(1, len(meters) + 1))


def _count_many(folder, meters, seed):
    reads = book(folder, limit=3)
    dice = random.Random(seed)
    for _ in range(3000):
        take(reads, dice.choice(meters), dice.randrange(50), limit=3)


def test_a_table_that_grows_under_load_loses_no_read(tmp_path):
    reads = book(tmp_path, limit=3)
    meters = [new_meter("m202701", NOW) for _ in range(20)]
    fork = multiprocessing.get_context("fork")
    workers = [fork.Process(target=_count_many, args=(tmp_path, meters, seed)) for seed in range(3)]
    for worker in workers:
        worker.start()
    seen = {meter.id: set() for meter in meters}
    for limit in (8, 16, 40):
        time.sleep(0.02)
        grown = book(tmp_path, limit=limit)
        for meter in meters:
            seen[meter.id] |= stories_of(grown.look(meter))
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    for meter in meters:
        assert seen[meter.id] <= stories_of(reads.look(meter))
        assert len(stories_of(reads.look(meter))) == 3


# --- any order at all ---------------------------------------------------------------------------------------------
class PutBack(RuleBasedStateMachine):
    """One meter, any of its cookies put back at any time, processes restarted: I9 and I12 of the design."""

    cookies = Bundle("cookies")

    @initialize(target=cookies, limit=st.integers(0, 6))
    def begin(self, limit):
        import tempfile
        from pathlib import Path

        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.limit = limit
        self.books = [book(self.path, limit=limit), book(self.path, limit=limit)]
        self.full: set[int] = set()
        return new_meter("m202701", NOW)

    @rule(target=cookies, cookie=cookies, story=st.integers(1, 9), which=st.integers(0, 1))
    def read(self, cookie, story, which):
        before = set(self.full)
        taken = take(self.books[which], cookie, story, limit=self.limit)
        if taken.verdict in ("ok", "repeat"):
            self.full.add(story)
        assert (taken.verdict == "repeat") == (story in before)
        assert (taken.verdict == "ok") == (story not in before and len(before) < self.limit)
        assert stories_of(taken.reads) == self.full
        return cookie._replace(reads=taken.reads)

    @rule(which=st.integers(0, 1))
    def restart(self, which):
        self.books[which] = book(self.path, limit=self.limit)

    @rule()
    def grow(self):
        self.books[0] = book(self.path, limit=self.limit + 20)

    @rule(cookie=cookies, which=st.integers(0, 1))
    def look(self, cookie, which):
        assert stories_of(self.books[which].look(cookie)) == self.full

    @invariant()
    def never_more(self):
        assert len(getattr(self, "full", ())) <= getattr(self, "limit", 0)

    def teardown(self):
        if hasattr(self, "folder"):
            self.folder.cleanup()


TestPutBack = PutBack.TestCase
TestPutBack.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_together_keeps_each_story_once():
    assert together((1, 2), (2, 3)) == (1, 2, 3)
    assert together((pack(1, 5),), (pack(1, 6), 2)) == (pack(1, 5), 2)
    assert together((), (4,)) == (4,)


def test_the_order_of_verdicts():
    reads = (pack(1, 1), pack(2, 1))
    assert verdict(reads, pack(1, 9), 0, 0) == "repeat"
    assert verdict(reads, pack(3, 1), 2, 1) == "limit"
    assert verdict(reads, pack(3, 1), 3, 2) == "section_limit"
    assert verdict(reads, pack(3, 2), 3, 1) == "ok"
    assert verdict(Meter(b"", "", 0).reads, pack(3, 1), 1, 1) == "ok"


def test_a_table_grown_by_a_newcomer_has_every_read_of_one_that_counted_alone(tmp_path):
    old = book(tmp_path, limit=4, sole=True, meters=20_000)
    take(old, new_meter("m202701", NOW), 1, limit=4)
    assert old._presence.alone
    newcomer = multiprocessing.get_context("fork").Process(target=book, args=(tmp_path, 40), kwargs={"meters": 20_000})
    newcomer.start()
    meters = []
    while newcomer.is_alive() or len(meters) < 50:
        meters.append(new_meter("m202701", NOW))
        assert take(old, meters[-1], 7, limit=4).verdict == "ok"
        del meters[:-9000]  # fewer than a bucket may forget
    newcomer.join()
    assert newcomer.exitcode == 0
    assert not old._presence.alone
    grown = book(tmp_path, limit=40, meters=20_000)
    for meter in meters:
        assert grown.look(meter) == old.look(meter) == (pack(7, 1),)

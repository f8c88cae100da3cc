"""The outbox is read without Django, and nothing in it is ever missed."""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from tests.postgres import a_postgres

from broadsheet.server.courier import Courier, Reading
from broadsheet.server.outbox import LONGEST, OutboxAwayError, PostgresOutbox, SqliteOutbox

TABLES = """
CREATE TABLE bus_notice (id {key}, kind varchar(24), key varchar(160), value bigint);
CREATE TABLE bus_standing (name varchar(40) PRIMARY KEY, value text);
"""


class Shelf:
    def __init__(self):
        self.heard = []

    def story_changed(self, story, version, notice, *, removed):
        self.heard.append(("removed" if removed else "story", story, version, notice))

    def pages_changed(self, notice):
        self.heard.append(("page", notice))

    def look_at_edition(self):
        self.heard.append("edition")


class Gate:
    """Writes down what a courier brings."""

    def __init__(self):
        self.shelf = Shelf()
        self.values = {}
        self.gifts = []

    @property
    def heard(self):
        return self.shelf.heard

    def standing(self, name, value):
        self.values[name] = value

    def gift_revoked(self, gift):
        self.gifts.append(gift)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "broadsheet.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.executescript(TABLES.format(key="integer PRIMARY KEY AUTOINCREMENT"))
    database.close()
    return path


def say(path, *rows, **standing):
    with sqlite3.connect(path) as database:
        for row in rows:
            database.execute(f"INSERT INTO bus_notice ({'id, ' * (len(row) == 4)}kind, key, value) VALUES ({','.join('?' * len(row))})", row)  # fmt: skip
        for name, value in standing.items():
            database.execute("INSERT OR REPLACE INTO bus_standing VALUES (?, ?)", (name, json.dumps(value)))
    database.close()


@pytest.fixture
def listening():
    """Run a courier on a loop of its own; yields a function (gate, outbox) -> wait(condition) -> seconds it took."""
    ends = []

    def start(gate, outbox):
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        courier = Courier(gate, outbox)
        courier.start_on(loop)
        ends.append((courier, loop, thread))

        def wait(condition, longest=10):
            begin = time.monotonic()
            while not condition():
                assert time.monotonic() - begin < longest, gate.heard
                time.sleep(0.002)
            return time.monotonic() - begin

        return wait

    yield start
    for courier, loop, thread in ends:
        courier.stop()
        courier.join(5)
        assert not courier.is_alive()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def test_a_gate_hears_everything_that_was_said_before_it_started(file):
    say(file, ("story", "7", 2), ("removed", "8", 3), ("gift", "5", 0), ("standing", "policy", 0), policy={"limit": 3})
    gate = Gate()
    assert Courier(gate, SqliteOutbox(file)).first() is True
    assert gate.heard == [("story", 7, 2, 1), ("removed", 8, 3, 2)]
    assert (gate.gifts, gate.values) == ([5], {"policy": {"limit": 3}})


def test_a_paper_without_a_database_yet_has_nothing_to_say_and_is_not_given_one(tmp_path):
    path = tmp_path / "broadsheet.sqlite3"
    gate = Gate()
    assert Courier(gate, SqliteOutbox(path)).first() is False
    assert list(tmp_path.iterdir()) == []


def test_a_notice_that_cannot_be_understood_keeps_no_other_from_the_gate(file):
    say(file, ("story", "not a number", 1), ("removed", "8", 3))
    gate = Gate()
    Courier(gate, SqliteOutbox(file)).first()
    assert gate.heard == [("removed", 8, 3, 2)]


def test_what_is_committed_arrives_within_a_blink(file, listening):
    gate = Gate()
    say(file, ("page", "all", 0))
    wait = listening(gate, SqliteOutbox(file))
    wait(lambda: gate.heard)
    took = []
    for number in range(10):
        say(file, ("removed", str(number + 1), 1))
        took.append(wait(lambda number=number: gate.heard[-1][1] == number + 1))
    assert sorted(took)[5] < 0.1


def test_without_a_wake_up_it_arrives_within_a_second(file, listening):
    class Deaf(SqliteOutbox):
        def _data_version(self):
            return 1

    gate = Gate()
    wait = listening(gate, Deaf(file))
    time.sleep(0.2)
    say(file, ("removed", "8", 1))
    assert wait(lambda: gate.heard) < 1
    assert gate.heard == [("removed", 8, 1, 1)]
    assert LONGEST < 1


def test_a_number_that_was_taken_early_and_committed_late_is_not_missed(file):
    say(file, (1, "page", "", 0), (4, "removed", "4", 1))
    reading = Reading(SqliteOutbox(file))
    assert [row[0] for row in reading.fresh(0.0)[0]] == [1, 4]
    say(file, (9, "removed", "9", 1))
    assert [row[0] for row in reading.fresh(1.0)[0]] == [9]
    say(file, (2, "removed", "2", 1), (7, "removed", "7", 1), (11, "removed", "11", 1))
    assert [row[0] for row in reading.fresh(600.0)[0]] == [2, 7, 11]
    assert reading.fresh(601.0) == ([], {})


def test_what_cannot_be_handed_over_whole_is_read_again(file):
    class Stumbling(SqliteOutbox):
        stumbles = 1

        def standing(self):
            if self.stumbles:
                self.stumbles -= 1
                raise OutboxAwayError
            return super().standing()

    say(file, ("standing", "policy", 0), ("removed", "8", 1), policy={"limit": 3})
    reading = Reading(Stumbling(file))
    with pytest.raises(OutboxAwayError):
        reading.fresh(0.0)
    rows, standing = reading.fresh(1.0)
    assert ([row[1] for row in rows], standing) == (["standing", "removed"], {"policy": {"limit": 3}})


def test_more_notices_than_one_look_takes_are_all_read(file):
    with sqlite3.connect(file) as database:
        database.executemany("INSERT INTO bus_notice (kind, key, value) VALUES ('story', ?, 1)", [(n,) for n in range(12_000)])  # fmt: skip
    database.close()
    rows, _ = Reading(SqliteOutbox(file)).fresh(0.0)
    assert [int(row[2]) for row in rows] == list(range(12_000))


def test_a_database_that_was_put_back_is_read_anew(file, listening):
    say(file, (1, "removed", "1", 1), policy={"limit": 3})
    backup = file.with_name("backup")
    shutil.copy(file, backup)
    say(file, *((n, "story", str(n), 1) for n in range(2, 60)), policy={"limit": 9})
    gate = Gate()
    wait = listening(gate, SqliteOutbox(file))
    wait(lambda: ("story", 59, 1, 59) in gate.heard)
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    backup.replace(file)
    wait(lambda: gate.values == {"policy": {"limit": 3}})
    say(file, (2, "removed", "77", 1))
    wait(lambda: ("removed", 77, 1, 2) in gate.heard)


def test_it_is_django_free():
    code = "import sys, broadsheet.server.courier; print('django' in sys.modules, 'psycopg' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == ["False", "False"]


# --- PostgreSQL -------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def server():
    with a_postgres() as running:
        yield running


@pytest.fixture
def database(server, request):
    import psycopg

    url = server.database(f"outbox_{abs(hash(request.node.name)) % 10**9}")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLES.format(key="bigserial PRIMARY KEY"))
    return url


def commit(url, key, *, notify=True):
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO bus_notice (kind, key, value) VALUES ('removed', %s, 1)", (str(key),))
        if notify:
            connection.execute("SELECT pg_notify('broadsheet_notices', '')")


@pytest.mark.postgres
def test_postgresql_wakes_the_gate_at_the_commit(database, listening):
    gate = Gate()
    wait = listening(gate, PostgresOutbox(database))
    commit(database, 1)
    wait(lambda: gate.heard)
    took = []
    for number in range(2, 12):
        commit(database, number)
        took.append(wait(lambda number=number: gate.heard[-1][1] == number))
    assert sorted(took)[5] < 0.1


@pytest.mark.postgres
def test_on_postgresql_a_lost_wake_up_costs_less_than_a_second(database, listening):
    gate = Gate()
    wait = listening(gate, PostgresOutbox(database))
    commit(database, 1)
    wait(lambda: gate.heard)
    commit(database, 2, notify=False)
    assert wait(lambda: gate.heard[-1][1] == 2) < 1


@pytest.mark.postgres
def test_on_postgresql_the_transaction_that_commits_last_is_not_missed(database, listening):
    import psycopg

    gate = Gate()
    wait = listening(gate, PostgresOutbox(database))
    commit(database, 1)
    wait(lambda: gate.heard)
    with psycopg.connect(database) as slow:
        slow.execute("INSERT INTO bus_notice (kind, key, value) VALUES ('removed', '2', 1)")
        commit(database, 3)
        wait(lambda: gate.heard[-1][1] == 3)
        time.sleep(2 * LONGEST)
        assert [entry[1] for entry in gate.heard] == [1, 3]
        slow.commit()
    assert wait(lambda: gate.heard[-1][1] == 2) < 1


@pytest.mark.postgres
def test_a_server_that_is_restarted_is_heard_again(server, database, listening):
    gate = Gate()
    wait = listening(gate, PostgresOutbox(database))
    commit(database, 1)
    wait(lambda: gate.heard)
    server.stop()
    time.sleep(0.6)
    assert Courier(Gate(), PostgresOutbox(database)).first() is False
    server.start()
    commit(database, 2)
    assert wait(lambda: gate.heard[-1][1] == 2) < 2
    commit(database, 3)
    assert wait(lambda: gate.heard[-1][1] == 3) < 0.5

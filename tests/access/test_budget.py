"""Budgets of new meters: a scraper's network runs out, a carrier's readers read on, and patience hardly pays."""

import multiprocessing
import random
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.access.budget import MOST_GROWTH, SITE, allowance, prefixes
from broadsheet.access.local_book import LocalBook
from broadsheet.access.meter import new_meter, pack, stories_of
from broadsheet.access.networks import Networks

NOW = datetime(2027, 1, 10, 6, 30, tzinfo=UTC)
DAY = timedelta(days=1)
ZONE = ZoneInfo("Asia/Kolkata")
LIMIT = 5


def address(text):
    return ip_address(text).packed


def test_the_networks_of_a_client():
    assert prefixes(address("203.0.113.9")) == ((b"4\xcb\x00\x71", 1),)
    assert prefixes(address("203.0.113.200")) == prefixes(address("203.0.113.9")) != prefixes(address("203.0.114.9"))
    assert prefixes(address("::ffff:203.0.113.9")) == prefixes(address("203.0.113.9"))
    assert [(p.name.hex(), p.budgets) for p in prefixes(address("2001:db8:1:2345::9"))] == [
        ("353620010db8000123", 1),
        ("343820010db80001", SITE),
    ]
    assert prefixes(address("2001:db8:1:23ff::9")) == prefixes(address("2001:db8:1:2300::1"))


@given(st.integers(1, 1000), st.sampled_from([1, SITE]), st.integers(0, 10**6), st.integers(1, 250))
def test_an_allowance_lies_between_its_budget_and_the_most(budget, budgets, returned, limit):
    allowed = allowance(budget, budgets, returned, limit)
    assert budget * budgets <= allowed <= MOST_GROWTH * budget * budgets
    assert allowance(budget, budgets, returned + 1, limit) >= allowed
    # A meter that spends all its later reads on coming back earns at most two thirds of a new one.
    assert (allowance(budget, budgets, limit - 1, limit) - budget * budgets) * 3 <= 2


def book(folder, budget):
    return LocalBook(folder, limit=LIMIT, zone=ZONE, budget=budget, meters=4000)


def read(book, meter, story, network, now, limit=LIMIT):  # noqa: PLR0917
    return book.take(meter, pack(story, 1), limit, None, network, now)


def test_a_new_meter_costs_one_of_the_budget_and_a_known_one_nothing(tmp_path):
    reads, network = book(tmp_path, 1), address("203.0.113.9")
    first, second = new_meter("m202701", NOW), new_meter("m202701", NOW)
    assert read(reads, first, 1, network, NOW).verdict == "ok"
    assert read(reads, second, 1, network, NOW) == ("budget", ())
    assert reads.look(second) == ()  # nothing was counted
    assert read(reads, first, 2, network, NOW).verdict == "ok"
    assert read(reads, first._replace(reads=()), 3, network, NOW).verdict == "ok"  # its cookie put back: not new
    assert read(reads, second, 1, address("203.0.114.9"), NOW).verdict == "ok"  # in the next network
    assert read(reads, new_meter("m202701", NOW), 1, None, NOW).verdict == "ok"  # a network that is not known


def test_what_is_refused_for_another_reason_costs_nothing(tmp_path):
    reads, network = book(tmp_path, 1), address("203.0.113.9")
    assert read(reads, new_meter("m202701", NOW), 1, network, NOW, limit=0).verdict == "limit"
    assert reads.take(new_meter("m202701", NOW), pack(1, 1), LIMIT, 0, network, NOW).verdict == "section_limit"
    assert read(reads, new_meter("m202701", NOW), 1, network, NOW).verdict == "ok"


def test_without_a_budget_there_is_no_bound_and_no_file(tmp_path):
    reads = book(tmp_path, 0)
    for _ in range(50):
        assert read(reads, new_meter("m202701", NOW), 1, address("203.0.113.9"), NOW).verdict == "ok"
    assert not (tmp_path / "networks.map").exists()


def test_the_day_turns_in_the_publishers_zone_and_destroys_the_key(tmp_path):
    reads, network = book(tmp_path, 1), address("203.0.113.9")
    midnight = datetime(2027, 1, 11, tzinfo=ZONE).astimezone(UTC)
    assert read(reads, new_meter("m202701", NOW), 1, network, midnight - timedelta(hours=20)).verdict == "ok"
    key = (tmp_path / "networks.map").read_bytes()[32:64]
    assert any(key)
    assert read(reads, new_meter("m202701", NOW), 1, network, midnight - timedelta(seconds=1)).verdict == "budget"
    old = reads._networks._table
    reads.tidy(midnight, 1)
    assert key not in (tmp_path / "networks.map").read_bytes()
    assert reads._networks._table is not old
    assert read(reads, new_meter("m202701", NOW), 1, network, midnight).verdict == "ok"
    # A worker whose clock is a moment behind does not bring yesterday back.
    assert read(reads, new_meter("m202701", NOW), 1, network, midnight - timedelta(seconds=1)).verdict == "budget"


def test_budgets_survive_a_restart_and_are_shared(tmp_path):
    network = address("203.0.113.9")
    one, other = book(tmp_path, 3), book(tmp_path, 3)
    for reads in (one, other, book(tmp_path, 3)):
        assert read(reads, new_meter("m202701", NOW), 1, network, NOW).verdict == "ok"
    for reads in (one, other, book(tmp_path, 3)):
        assert read(reads, new_meter("m202701", NOW), 1, network, NOW).verdict == "budget"


def _begin(path, number, pipe):
    networks = Networks(path, 100)
    pipe.send(sum(networks.begin(address(f"203.0.113.{number}"), 5, LIMIT) for _ in range(400)))


def test_processes_share_a_budget_to_the_last_one(tmp_path):
    Networks(tmp_path / "n", 100).turn(5)
    fork = multiprocessing.get_context("fork")
    ends = []
    for number in range(4):
        mine, theirs = fork.Pipe()
        fork.Process(target=_begin, args=(tmp_path / "n", number, theirs)).start()
        ends.append(mine)
    assert sum(end.recv() for end in ends) == 100


def test_when_the_file_is_full_no_network_gets_more_than_its_budget(tmp_path):
    networks = Networks(tmp_path / "n", 3, networks=1)
    begun = {}
    dice = random.Random(1)
    for _ in range(20_000):
        host = dice.randrange(2000)
        begun[host] = begun.get(host, 0) + networks.begin(bytes([10, host >> 8, host & 255, 1]), 5, LIMIT)
    assert max(begun.values()) == 3


def test_a_refused_site_costs_its_household_nothing(tmp_path):
    networks = Networks(tmp_path / "n", 2)
    homes = [address(f"2001:db8:1:{number:02x}00::1") for number in range(6)]
    assert [networks.begin(home, 5, LIMIT) for home in homes * 2] == [True] * 6 + [True, True] + [False] * 4
    assert networks.begin(homes[2], 5, LIMIT) is False
    for _ in range(200):
        networks.came_back(homes[5], 5, LIMIT)  # the site earns: household 2 still has one left of its two
    assert [networks.begin(homes[2], 5, LIMIT) for _ in range(2)] == [True, False]


# --- days of readers ----------------------------------------------------------------------------------------------
def scrape(reads, addresses, now, tries):
    """A new jar for each try, read to its limit: the distinct stories that came whole."""
    full = set()
    for number in range(tries):
        meter = new_meter("m202701", now)
        for step in range(LIMIT):
            story = number * LIMIT + step + 1
            taken = read(reads, meter, story, addresses(number), now)
            if taken.verdict != "ok":
                break
            full.add(story)
            meter = meter._replace(reads=taken.reads)
    return full


def test_a_scraper_gets_its_networks_budget_and_no_more(tmp_path):
    reads = book(tmp_path, 20)
    assert len(scrape(reads, lambda n: bytes([198, 51, 100, n % 256]), NOW, 400)) == 20 * LIMIT
    rotating = random.Random(4)
    site = address("2001:db8:77::")[:6]
    assert len(scrape(reads, lambda _: site + rotating.randbytes(10), NOW, 1500)) == 20 * SITE * LIMIT


def test_a_patient_farmer_wins_three_times_the_budget_at_most(tmp_path):
    """He keeps every jar and brings each back once a day, for as long as it has reads left, to earn new ones."""
    reads, network, budget, days = book(tmp_path, 12), address("198.51.100.7"), 12, 25
    jars, begun, story = [], 0, 0
    for day in range(days):
        now = NOW + day * DAY
        for jar in jars:
            story += 1
            jar[:] = [jar[0]._replace(reads=read(reads, jar[0], story, network, now).reads)]
        jars = [jar for jar in jars if len(jar[0].reads) < LIMIT]
        today = 0
        while True:
            meter = new_meter("m202701", now)
            taken = read(reads, meter, 1, network, now)
            if taken.verdict != "ok":
                assert taken.verdict == "budget"
                break
            jars.append([meter._replace(reads=taken.reads)])
            today += 1
        assert today <= MOST_GROWTH * budget
        begun += today
    assert budget * days < begun <= 3 * budget * days


def test_a_meter_earns_once_a_day(tmp_path):
    reads, network = book(tmp_path, 1), address("198.51.100.7")
    meters = [new_meter("m202701", NOW - DAY)._replace(reads=(pack(900, 1),)) for _ in range(3)]
    for meter in meters[:2]:
        for story in (1, 2, 3):
            assert read(reads, meter, story, network, NOW).verdict == "ok"
    # Six reads of two meters: two returns, and six are needed for one more meter at a limit of five.
    assert read(reads, new_meter("m202701", NOW), 1, network, NOW).verdict == "ok"
    assert read(reads, new_meter("m202701", NOW), 1, network, NOW).verdict == "budget"
    for _ in range(4):
        meter = new_meter("m202701", NOW - DAY)._replace(reads=(pack(900, 1),))
        assert read(reads, meter, 1, network, NOW).verdict == "ok"
    assert read(reads, new_meter("m202701", NOW), 1, network, NOW).verdict == "ok"


def test_meters_of_today_earn_nothing(tmp_path):
    reads, network = book(tmp_path, 2), address("198.51.100.7")
    for _ in range(60):
        meter = new_meter("m202701", NOW)._replace(reads=(pack(900, 1),))
        assert read(reads, meter, 1, network, NOW).verdict == "ok"
    begun = [read(reads, new_meter("m202701", NOW), 1, network, NOW).verdict for _ in range(3)]
    assert begun == ["ok", "ok", "budget"]


@pytest.mark.parametrize(("regulars", "least"), [(0.0, 60), (0.9, 82)])
def test_a_carriers_honest_readers_read_on(tmp_path, regulars, least):
    """Thousands behind one /24: whoever has a meter is served every time, and the more of them come back, the more
    newcomers there is room for."""
    reads, dice = book(tmp_path, 60), random.Random(11)
    readers, welcomed = [], []
    for day in range(12):
        now = NOW + day * DAY
        for reader in readers:
            if len(reader[0].reads) < LIMIT and dice.random() < regulars:
                taken = read(reads, reader[0], dice.randrange(1, 10**6), bytes([100, 64, 3, dice.randrange(256)]), now)
                assert taken.verdict in ("ok", "repeat")
                reader[0] = reader[0]._replace(reads=taken.reads)
        welcome = 0
        for _ in range(150):
            meter = new_meter("m202701", now)
            taken = read(reads, meter, dice.randrange(1, 10**6), bytes([100, 64, 3, dice.randrange(256)]), now)
            if taken.verdict == "ok":
                readers.append([meter._replace(reads=taken.reads)])
                welcome += 1
        welcomed.append(welcome)
    assert min(welcomed) == 60
    assert welcomed[-1] >= least
    assert all(len(stories_of(reader[0].reads)) <= LIMIT for reader in readers)

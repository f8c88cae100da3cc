"""What one request costs, counted: bytecode instructions and calls through the real protocol object. No clock, no root.

A ceiling stands a few per cent above what was counted when it was written, so that a regression fails here and not in
a benchmark a month later. Whoever makes a road cheaper lowers its ceiling; whoever raises one says why in the commit.
"""

import asyncio
import gzip
import sys
from datetime import UTC, datetime
from statistics import median

import pytest
import uvloop
from uvicorn import Config
from uvicorn.server import ServerState

from broadsheet.access.local_book import LocalBook
from broadsheet.access.meter import Meter, MeterSeal, pack, section_code
from broadsheet.access.records import RecordBook
from broadsheet.access.rules import Policy
from broadsheet.gate.app import Gate
from broadsheet.gate.asgi import GateApplication
from broadsheet.gate.asked import CookieNames
from broadsheet.gate.options import GateOptions, Seals
from broadsheet.gate.passes import GrantSeal
from broadsheet.gate.protocol import gate_protocol
from broadsheet.gate.recorder import Recorder
from broadsheet.gate.shelf import Shelf
from broadsheet.press.store import Facts, make_sheet, open_stores
from broadsheet.readers.passport import Passport, PassportOffice, Right

NOW = datetime(2027, 1, 30, 12, 0, tzinfo=UTC)
SITE, WINDOW, LIMIT, STORIES = "news.example", "m202701", 5, 40
REQUESTS = 24
WARM = 60  # requests until every page has come from the store

# Scenario: (instructions on CPython 3.11, Python and C calls on any version).
CEILINGS = {
    "new": (1180, 88),
    "stranger": (1845, 109),
    "repeat": (692, 53),
    "wall": (712, 53),
    "subscriber": (760, 61),
    "payer beside advertising": (765, 61),
    "reader without advertising": (830, 66),
    "anonymous": (1067, 83),
}


class Wire(asyncio.Transport):
    """Takes what the protocol writes, and counts how often it did."""

    def __init__(self):
        super().__init__()
        self.data, self.writes = b"", 0

    def write(self, data):
        self.data += bytes(data)
        self.writes += 1

    def writelines(self, parts):
        self.data += b"".join(parts)
        self.writes += 1

    def get_extra_info(self, name, default=None):
        return {"peername": ("198.51.100.7", 40000), "sockname": ("127.0.0.1", 8000)}.get(name, default)

    def is_closing(self):
        return False

    def close(self):
        raise AssertionError("the gate hung up")


class Paper:
    def __init__(self, folder, *, ads=False):
        stores = open_stores(folder)
        stores.public.write_note("edition", 1)
        for story in range(1, STORIES + 1):
            facts = Facts(story, 1, f"/world/story-{story}", "metered", "world", "published")
            sheets = [
                make_sheet(f"story/{story}/{name}", name * 500, version=1, edition=1) for name in ("limit", "full")
            ]
            stores.public.put(sheets[0], facts=facts)
            stores.full.put(sheets[1])
            if ads:
                stores.full.put(make_sheet(f"story/{story}/ads/full", "full" * 500, version=1, edition=1))
        self.meters, self.office = MeterSeal([b"m" * 32], SITE), PassportOffice([b"p" * 32], SITE)
        self.gate = Gate(
            GateOptions(
                Policy(free_limit=LIMIT), CookieNames.for_site(https=False), frozenset({SITE.encode()}), False, ads=ads
            ),
            Shelf(stores),
            Seals(self.meters, self.office, GrantSeal([b"g" * 32], SITE)),
            book=LocalBook(folder / "meter", limit=LIMIT, meters=1000, sole=True),
            recorder=Recorder(b"s" * 32, RecordBook(folder / "decisions")),
            now=lambda: NOW,
        )

    def connection(self, loop):
        application = GateApplication(self.gate, loop.create_future())
        protocol = gate_protocol(self.gate, application)
        config = Config(application, http=protocol, ws="none", lifespan="off", log_config=None, server_header=False)
        config.load()
        state = ServerState()
        state.default_headers = [(b"date", b"Sat, 30 Jan 2027 12:00:00 GMT")]
        made, wire = protocol(config=config, server_state=state, app_state={}, _loop=loop), Wire()
        made.connection_made(wire)
        return made, wire

    def meter(self, number, *reads):
        marks = tuple(pack(story, section_code("world")) for story in reads)
        return "bsm=" + self.meters.seal(Meter(number.to_bytes(16, "big"), WINDOW, int(NOW.timestamp()) - 60, marks))

    def subscriber(self, number, *more):
        at = int(NOW.timestamp())
        rights = tuple(Right(product, at - 10, at + 86400) for product in ("unlimited", *more))
        return "bsp=" + self.office.seal(Passport(number, 1, "s" * 32, False, at - 10, at + 500, rights, "Asha"))


SCENARIOS = {
    "new": (lambda at, n: at.meter(n, 40), "full", "meter"),
    "stranger": (lambda at, n: at.meter(n, 40), "full", "meter"),  # a meter that this machine's book has never seen
    "repeat": (lambda at, n: at.meter(n, 40, 39, 1 + n % 30), "full", "repeat"),
    "wall": (lambda at, n: at.meter(n, 40, 39, 38, 37, 36), "wall", "limit"),
    "subscriber": (lambda at, n: at.subscriber(n), "full", "entitled"),
    "payer beside advertising": (lambda at, n: at.subscriber(n), "full", "entitled"),
    "reader without advertising": (lambda at, n: at.subscriber(n, "premium", "ad_free"), "full", "entitled"),
    "anonymous": (lambda at, n: "", "full", "meter"),
}


def request(number, cookie):
    lines = [f"GET /world/story-{1 + number % 30} HTTP/1.1", f"Host: {SITE}", "User-Agent: x", "Accept: text/html"]
    lines += ["Accept-Encoding: gzip", *([f"Cookie: {cookie}"] if cookie else []), "", ""]
    return "\r\n".join(lines).encode()


class Counter:
    """Counts while it is switched on: instructions with `trace`, calls with `profile`; one at a time."""

    def __init__(self):
        self.instructions = self.calls = 0

    def trace(self, frame, event, _):
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            self.instructions += 1
        return self.trace

    def profile(self, _frame, event, _):
        if event in ("call", "c_call"):
            self.calls += 1


def counted(receive, data, how):
    counter, before = Counter(), (sys.gettrace(), sys.getprofile())
    switch = {"instructions": sys.settrace, "calls": sys.setprofile}[how]
    switch({"instructions": counter.trace, "calls": counter.profile}[how])
    try:
        receive(data)
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])
    return getattr(counter, how)


async def measured(name, folder):
    """The median cost of a request of this scenario, each answer looked at."""
    cookie_of, variant, reason = SCENARIOS[name]
    paper = Paper(folder, ads="advertising" in name)
    connection, wire = paper.connection(asyncio.get_running_loop())
    costs = {"instructions": [], "calls": []}
    for number in range(1, WARM + 2 * REQUESTS):
        cookie = cookie_of(paper, number)
        if name == "new":
            connection.data_received(request(number + 7, cookie))  # another story before, as it is in life
        data = request(number, cookie)
        wire.data, wire.writes = b"", 0
        how = "instructions" if number % 2 else "calls"
        cost = counted(connection.data_received, data, how)
        if number >= WARM:
            costs[how].append(cost)
        head, _, body = wire.data.partition(b"\r\n\r\n")
        assert wire.writes == 1, "an answer is handed to the kernel in one go"
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert f"\r\nBroadsheet-Variant: {variant}\r\n".encode() in head
        assert f"\r\nBroadsheet-Reason: {reason}\r\n".encode() in head
        assert gzip.decompress(body) == {"full": b"full", "wall": b"limit"}[variant] * 500
    return int(median(costs["instructions"])), int(median(costs["calls"]))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_request_costs_no_more_than_it_did(name, tmp_path):
    instructions, calls = uvloop.run(measured(name, tmp_path))
    most_instructions, most_calls = CEILINGS[name]
    assert calls <= most_calls, f"{name}: {calls} calls, {instructions} instructions"
    if sys.version_info[:2] == (3, 11):
        assert instructions <= most_instructions, f"{name}: {instructions} instructions"

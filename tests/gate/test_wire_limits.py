"""Slow, huge, silent and many: what one client does costs the others nothing, and every wait has an end."""

import asyncio
import resource
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
import uvicorn
from tests.gate.raw_lines import Closed, Line, memory
from tests.gate.test_app import Desk
from tests.papers import Paper, free_port

from broadsheet.gate.asgi import GateApplication
from broadsheet.gate.options import GateOptions
from broadsheet.gate.protocol import gate_protocol

HEAD_BYTES = 32 * 1024  # of a request's head: more is refused
MB = 1024 * 1024


@pytest.fixture(scope="module")
def stories(paper):
    made = paper.stories(
        *[{"headline": f"Metered story number {n}"} for n in range(1, 4)],
        {"headline": "A free story", "tier": "free"},
    )
    paper.start()
    return made


@pytest.fixture
def free(stories):
    return stories[3]["path"]


def reading(paper, path, count=20):
    """Seconds that each of `count` readers waits for a story."""
    waits = []
    for _ in range(count):
        began = time.monotonic()
        with Line(paper, timeout=5) as line:
            assert line.get(path).status == 200
        waits.append(time.monotonic() - began)
    return waits


# --- large ------------------------------------------------------------------------------------------------------------
def test_a_head_that_fits_is_read_whole(paper, stories, free):
    with Line(paper) as line:
        assert line.get(free, "Cookie: " + "; ".join(f"other{n}=" + "x" * 100 for n in range(250))).status == 200
        assert line.get(free, *[f"X-A{n}: {n}" for n in range(800)]).status == 200
        assert line.get(free + "?" + "x" * 10_000).status in (200, 414)


@pytest.mark.parametrize("lines", [["X: " + "x" * 2 * HEAD_BYTES], [f"X{n}: " + "x" * 50 for n in range(1200)],
                                   ["Cookie: bsm=" + "x" * 2 * HEAD_BYTES], [f"X{n}:" for n in range(10_000)]],
                         ids=["one line", "many lines", "a cookie", "empty lines"])  # fmt: skip
def test_a_head_that_is_too_large_is_refused(paper, stories, free, lines):
    with Line(paper) as line:
        line.send(line.request(free, *lines))
        said = line.rest()
    assert said == b"" or said.split()[1] in (b"400", b"431")


@pytest.mark.parametrize("endless", [b"x" * 65536, b"X-A: " + b"x" * 1000 + b"\r\n"], ids=["one line", "many lines"])
def test_an_endless_head_is_cut_off_and_costs_no_memory(paper, stories, endless):
    before = memory(paper)
    sent = 0
    with Line(paper, timeout=3) as line:
        line.send(b"GET / HTTP/1.1\r\nX-Long: ")
        try:
            while sent < 60 * MB:
                line.send(endless)
                sent += len(endless)
        except OSError:
            pass  # cut off: right
    assert sent < 30 * MB
    assert memory(paper) - before < 20 * MB


# --- slow -------------------------------------------------------------------------------------------------------------
def test_the_limits_are_those_the_documents_state():
    fields = GateOptions.__dataclass_fields__
    stated = {"head_bytes": HEAD_BYTES, "head_seconds": 20, "idle_seconds": 15, "write_seconds": 60}
    assert {name: fields[name].default for name in stated} == stated


class Quick:
    """The gate's own protocol on a real port of this process, with its patience cut to a few seconds."""

    host = "news.example"

    def __init__(self, folder, **limits):
        self.gate = Desk(folder).gate
        self.gate.options = replace(self.gate.options, secure=False, **limits)
        self.port = free_port()
        self.server = None
        self.thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.thread.start()
        while self.server is None or not self.server.started:
            time.sleep(0.01)

    async def _serve(self):
        async def ready():
            return away, None

        application = GateApplication(self.gate, ready())
        config = uvicorn.Config(
            application, port=self.port, http=gate_protocol(self.gate, application), ws="none", lifespan="off",
            log_config=None, access_log=False, timeout_keep_alive=60,
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        await self.server.serve()

    def stop(self):
        self.server.should_exit = True
        self.thread.join(10)


async def away(scope, receive, send):
    raise OSError("there is no newsroom in this test")


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    made = Quick(tmp_path_factory.mktemp("quick"), head_seconds=4, idle_seconds=2, write_seconds=3)
    yield made
    made.stop()


def patience(gate, first, drip=b"", every=0.3):
    """Seconds after which the other side ends a connection that says `first` and then `drip` again and again."""
    with Line(gate) as line:
        line.send(first)
        began = time.monotonic()
        while time.monotonic() - began < 12:
            if line.is_closed(within=every):
                return time.monotonic() - began
            try:
                line.send(drip)
            except OSError:
                return time.monotonic() - began
    return None


HOST = b"Host: news.example\r\n"
STORY = b"GET /world/story-1 HTTP/1.1\r\n" + HOST


# What is said first, what drips after it, and after how many seconds the gate has had enough.
WAITS = {
    "idle": (STORY + b"\r\n", b"", 2),
    "empty lines after an answer": (STORY + b"\r\n", b"\r\n", 4),
    "silent": (b"", b"", 2),
    "empty lines": (b"", b"\r\n", 4),
    "half a line": (b"GET / HT", b"", 4),
    "a drip": (STORY + b"X-Slow: ", b"x", 4),
    "a drip of lines": (STORY, b"X: y\r\n", 4),
}


@pytest.fixture(scope="module")
def waited(quick):
    """Seconds by name; all of them wait at the same time."""
    with ThreadPoolExecutor(len(WAITS)) as pool:
        ends = {name: pool.submit(patience, quick, first, drip) for name, (first, drip, _) in WAITS.items()}
        return {name: end.result() for name, end in ends.items()}


@pytest.mark.parametrize("name", WAITS)
def test_every_wait_for_a_client_has_an_end(waited, name):
    assert waited[name] == pytest.approx(WAITS[name][2], abs=2)


def test_a_client_that_does_not_read_is_put_out(quick):
    """The port is asked for far more than the kernel's buffers hold; then nobody reads."""
    with Line(quick, receive_buffer=4096) as line:
        line.socket.settimeout(0.2)
        with suppress(OSError):
            while True:
                line.send(STORY + b"\r\n" + b"GET /nowhere HTTP/1.1\r\n" + HOST + b"\r\n")
        began = time.monotonic()
        while time.monotonic() - began < 10:
            time.sleep(0.2)
            try:
                line.socket.send(b"\r\n", socket.MSG_DONTWAIT)
            except BlockingIOError:
                continue
            except OSError:
                return
    raise AssertionError("still connected")


def test_who_does_not_read_holds_no_memory_and_is_put_out(paper, stories, free):
    with Line(paper) as line:
        assert line.get("/account/sign-in/").status == 200  # the newsroom loads what it needs at its first page
    reading(paper, free)
    before = memory(paper)
    lines = [Line(paper, receive_buffer=4096) for _ in range(4)]
    stuck = []
    for line in lines:
        line.socket.setblocking(False)
        sent = 0
        try:
            while sent < 3000:  # 3,000 answers of 10 kB and more: 30 MB that nobody takes
                line.send(line.request(free) * 20)
                sent += 20
        except OSError:
            pass  # the gate reads no further: right
        stuck.append(sent)
    assert max(reading(paper, free)) < 1
    # What the kernel holds is not counted; the gate itself keeps next to nothing for them.
    assert memory(paper) - before < 12 * MB
    for line in lines:
        line.vanish()
    assert max(reading(paper, free)) < 1


# --- gone -------------------------------------------------------------------------------------------------------------
def test_who_says_that_no_more_will_come_still_gets_every_answer(paper, stories, free):
    with Line(paper) as line:
        line.send(
            line.request(free) + line.request("/robots.txt") + line.request("/account/sign-in/") + line.request(free)
        )
        line.socket.shutdown(1)
        assert [line.read().status for _ in range(4)] == [200] * 4
        assert line.rest() == b""


def test_who_vanishes_in_the_middle_of_an_answer_disturbs_nobody(paper, stories, free):
    for path in (free, "/robots.txt", "/account/sign-in/", stories[0]["path"]):
        for _ in range(10):
            line = Line(paper)
            line.send(line.request(path) * 20 + b"GET / HT")
            line.vanish()
    assert max(reading(paper, free)) < 1


def test_nothing_of_all_this_was_an_error_of_ours(paper, stories):
    log = (paper.folder / "stderr.log").read_text()
    assert "Traceback" not in log, log[-2000:]


def test_five_hundred_idle_connections_keep_no_reader_waiting(paper, stories, free):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    before = memory(paper)
    lines = [Line(paper) for _ in range(500)]
    try:
        for line in lines[::2]:
            assert line.get(free).status == 200
        waits = reading(paper, free, 40)
        assert sorted(waits)[20] < 0.1
        assert max(waits) < 1
        assert memory(paper) - before < 500 * 100_000
    finally:
        for line in lines:
            line.socket.close()
    assert max(reading(paper, free)) < 1


# --- the end ----------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    made = Paper(tmp_path_factory.mktemp("another") / "data").init()
    (story,) = made.stories({"headline": "A free story", "tier": "free"})
    made.path = story["path"]
    return made


@pytest.fixture
def another(stopped):
    """A paper that a test may stop."""
    yield stopped.start()
    stopped.stop()


def test_answers_in_flight_are_finished_before_the_end(another):
    form = b"email=asha%40reader.example"
    with Line(another) as idle, Line(another) as half, Line(another) as busy:
        assert idle.get(another.path).status == 200
        half.send(half.request(another.path)[:-2])
        request = busy.request("/account/sign-in/", "Content-Type: application/x-www-form-urlencoded",
                               f"Content-Length: {len(form)}", method="POST")  # fmt: skip
        busy.send(request + form[:9])
        time.sleep(0.3)
        another.process.send_signal(signal.SIGTERM)
        assert idle.is_closed(within=3)
        busy.send(form[9:])
        answer = busy.read()
        assert answer.status == 403  # a form without its token, answered as on any other day
        assert b"</html>" in answer.body
        assert busy.rest() == b""
    assert another.process.wait(15) == 0
    with pytest.raises(OSError, match="refused"):
        Line(another)


def test_a_client_that_takes_its_time_is_not_cut_off_in_the_middle_of_a_page(another):
    with Line(another, receive_buffer=4096) as slow:
        slow.send(slow.request(another.path) * 30)
        time.sleep(0.3)
        another.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        pages = 0
        try:
            while True:
                answer = slow.read()
                assert answer.body.endswith(b"</html>")
                pages += 1
        except Closed as end:
            unfinished = end.args[0]
        assert unfinished == b""
        assert pages >= 1
    assert another.process.wait(15) == 0

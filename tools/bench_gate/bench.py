"""The bench itself: a scratch paper, nginx and wrk, and one scenario after another between them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.bench_gate import machine
from tools.bench_gate.cookies import Sealer
from tools.bench_gate.load import PLAIN_HEADERS, Line, Slice, Wrk, write_pool
from tools.bench_gate.machine import BenchError
from tools.bench_gate.measure import Run, Server, quietest
from tools.bench_gate.nginx import Cache, Dress, Nginx, dress
from tools.bench_gate.paper import Paper, Reply, Story, get
from tools.bench_gate.scenarios import READERS, SCENARIOS, Scenario

SAMPLES = 40
EQUAL = 0.01  # how far apart bytes per answer may be
EQUAL_MIX = 0.04  # the mix has answers of two sizes, and nginx dresses them all as one


@dataclass(frozen=True, slots=True)
class Settings:
    """What was asked for on the command line."""

    pairs: int = 8
    seconds: int = 2
    tries: int = 3
    connections: int = 32
    server_core: int = 0
    client_core: int = 1
    ports: tuple[int, int] = (8490, 8519)
    headers: tuple[str, ...] = PLAIN_HEADERS
    options: dict[str, str] = field(default_factory=dict)


def wire_length(port: int, path: str, cookie: str) -> int:
    """How many bytes one answer takes on the wire, head and body."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        lines = [f"GET {path} HTTP/1.1", f"Host: localhost:{port}", "Accept-Encoding: gzip", "Connection: keep-alive"]
        client.sendall("\r\n".join([*lines, *([f"Cookie: {cookie}"] if cookie else []), "", ""]).encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += _more(client)
        head, _, rest = data.partition(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-l"))
        while len(rest) < length:
            rest += _more(client)
        return len(head) + 4 + len(rest)


def _more(client: socket.socket) -> bytes:
    data = client.recv(65536)
    if not data:
        raise BenchError("the connection ended within an answer")
    return data


class Bench:
    """Owns the processes. `open()` starts the paper and learns its pages, `run()` measures one scenario."""

    def __init__(self, folder: Path, settings: Settings, say: Callable[[str], None]) -> None:
        self.settings, self.folder, self.say = settings, folder, say
        self._next_port = settings.ports[0]
        self.paper = Paper(folder / "paper", self.port(), settings.server_core, dict(settings.options))
        self.nginx = Nginx(folder / "nginx", settings.server_core)
        self.wrk = Wrk(settings.client_core, settings.server_core, settings.connections)
        self.stories: list[Story] = []
        self._full: dict[str, Reply] = {}
        self._wall: dict[str, Reply] = {}
        self._workers: list[int] = []

    def port(self) -> int:
        found = machine.free_port(self._next_port, self.settings.ports[1])
        self._next_port = found + 1
        return found

    def open(self) -> None:
        self.stories = self.paper.make()
        self.paper.start()
        self.sealer = Sealer(self.paper.folder, self.paper.environ)
        walled = self.sealer.meter([(10**9 + at, "national") for at in range(self.sealer.limit)])
        for number, story in enumerate(self.stories):
            full = get(self.paper.port, story.path, self.sealer.subscriber(900_000 + number))
            wall = get(self.paper.port, story.path, walled)
            if full.headers.get("broadsheet-variant") != "full" or wall.headers.get("broadsheet-variant") != "wall":
                raise BenchError(f"{story.path} is not served as a full page and as a wall")
            self._full[story.path], self._wall[story.path] = full, wall
            self.nginx.lay_out("full", story.path, full)
            self.nginx.lay_out("wall", story.path, wall)
        sizes = [len(reply.plain) for reply in self._full.values()], [len(r.body) for r in self._full.values()]
        self.say(f"200 stories: {sum(sizes[0]) / 2e5:.1f} kB of HTML, {sum(sizes[1]) / 2e5:.1f} kB gzipped")

    def close(self) -> None:
        self.paper.stop()
        self.nginx.stop()

    # --- one scenario -------------------------------------------------------------------------------------------
    def pool(self, scenario: Scenario) -> tuple[Path, list[Line]]:
        """Readers nobody has met before, in a file for wrk."""
        lines = scenario.readers(self.sealer, self.stories, READERS)
        if scenario.distinct and len({line.cookie for line in lines}) < READERS:
            raise BenchError(f"{scenario.name}: fewer than {READERS} distinct readers")
        path = self.folder / "pool.txt"
        write_pool(
            path, f"localhost:{self.paper.port}", [story.path for story in self.stories], lines, self.settings.headers
        )
        return path, lines

    def check(self, scenario: Scenario) -> Reply:
        """What a sample of this scenario's readers gets, compared byte by byte; the last answer."""
        lines = scenario.readers(self.sealer, self.stories, READERS // 10)
        reply: Reply | None = None
        for line in lines[:: max(1, len(lines) // SAMPLES)]:
            path = self.stories[line.story].path
            reply = get(self.paper.port, path, line.cookie)
            known = (self._full if line.tree == "full" else self._wall)[path]
            said = (reply.status, reply.headers.get("broadsheet-variant"))
            if said != (200, line.tree) or reply.headers.get("broadsheet-reason") not in scenario.reasons:
                raise BenchError(f"{scenario.name}: {path} was answered {said} {reply.headers}")
            if reply.plain != known.plain and line.tree == "full":
                raise BenchError(f"{scenario.name}: {path} is not the page that nginx serves")
            if scenario.tree and ("set-cookie" in reply.headers) != scenario.sets_cookie:
                raise BenchError(f"{scenario.name}: Set-Cookie should {'' if scenario.sets_cookie else 'not '}be there")
        assert reply is not None
        return reply

    def _dressed(self, scenario: Scenario, port: int) -> Dress:
        """A static server whose answers are as long as the gate's, within a byte or two."""
        line = scenario.readers(self.sealer, self.stories, 20)[0]
        path = self.stories[line.story].path
        reply = get(self.paper.port, path, line.cookie)
        fresh = scenario.readers(self.sealer, self.stories, 20)[0]
        spare = 0
        for _ in range(3):
            self.nginx.start([Dress(port, dress(reply, spare))])
            off = wire_length(port, f"/{line.tree}{path}", "")
            off -= wire_length(self.paper.port, self.stories[fresh.story].path, fresh.cookie)
            if abs(off) <= 2:  # noqa: PLR2004 - a length with a digit more or less
                break
            spare += off
            fresh = scenario.readers(self.sealer, self.stories, 20)[0]
        return Dress(port, dress(reply, spare))

    def run(self, name: str, *, with_cache: bool = False) -> Run:
        """Alternating slices of the gate, nginx and, if asked for, nginx's page cache."""
        scenario = SCENARIOS[name]
        self.check(scenario)
        ports = self.port(), self.port()
        self._next_port -= 2
        dresses = [self._dressed(scenario, ports[0])]
        servers: list[Dress | Cache] = [*dresses]
        if with_cache:
            servers.append(Cache(ports[1], ports[0], name))
        self.nginx.start(servers)
        if with_cache:
            self._fill_cache(ports[1])
        pool, _ = self.pool(scenario)
        self.wrk.slice(self.paper.port, pool, 1, self.paper.pids, prefixed=False)
        self.wrk.slice(ports[0], pool, 1, self.nginx.pids, prefixed=True)
        sides = [
            Server("gate", lambda: self._gate_slice(scenario), self._scored, self.paper.pids),
            self._nginx_side("nginx", ports[0]),
            *([self._nginx_side("page cache", ports[1])] if with_cache else []),
        ]
        run = quietest(sides, self.settings.pairs, "nginx", self.settings.tries, self.say)
        self._judge(scenario, run)
        return run

    def _nginx_side(self, name: str, port: int) -> Server:
        pool = self.folder / "pool.txt"
        seconds = self.settings.seconds

        def take() -> Slice:
            return self.wrk.slice(port, pool, seconds, self.nginx.pids, prefixed=True)

        return Server(name, take, self.nginx.pids, self.nginx.pids)

    def _fill_cache(self, port: int) -> None:
        for story in self.stories:
            for tree in ("full", "wall"):
                get(port, f"/{tree}{story.path}")
                if get(port, f"/{tree}{story.path}").headers.get("x-cache") != "HIT":
                    raise BenchError("nginx's page cache does not hold what it should")

    def _gate_slice(self, scenario: Scenario) -> Slice:
        """A slice with readers of its own; afterwards a few of them come back to see whether they were counted."""
        pool, lines = self.pool(scenario)
        taken = self.wrk.slice(self.paper.port, pool, self.settings.seconds, self.paper.pids, prefixed=False)
        if scenario.name == "new":
            for at in range(1, min(taken.requests, len(lines)) - 64, 2500):  # wrk tries line 0 and sends it not
                reply = get(self.paper.port, self.stories[lines[at].story].path, lines[at].cookie)
                if reply.headers.get("broadsheet-reason") != "repeat":
                    raise BenchError(f"a reader of the slice was not counted: {reply.headers.get('broadsheet-reason')}")
        return taken

    def _scored(self) -> list[int]:
        """The gate's workers: whoever holds the readers' connections."""
        if not self._workers:
            clients = [socket.create_connection(("127.0.0.1", self.paper.port)) for _ in range(64)]
            time.sleep(0.3)
            self._workers = machine.talkers(self.paper.port, self.paper.pids())
            for client in clients:
                client.close()
        return self._workers

    def _judge(self, scenario: Scenario, run: Run) -> None:
        """What must hold of every slice, or the figures mean nothing."""
        anchor = run.middle("nginx", "bytes_each")
        for name, parts in run.slices.items():
            for part in parts:
                if part.errors or part.bad_status:
                    raise BenchError(f"{scenario.name}: {name} had {part.errors} errors, {part.bad_status} bad answers")
                off = abs(part.bytes_each / anchor - 1)
                if off > (EQUAL if scenario.tree else EQUAL_MIX):
                    raise BenchError(f"{scenario.name}: {name} sent {part.bytes_each:.0f} bytes, nginx {anchor:.0f}")

    def memory(self) -> Sequence[machine.Memory]:
        return machine.memory(self.paper.pids())

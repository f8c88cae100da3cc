"""The bench itself: a scratch paper run in one of the setups, nginx and wrk, and scenarios between them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tools.bench_gate import machine
from tools.bench_gate.cookies import Sealer
from tools.bench_gate.load import PLAIN_HEADERS, Line, Slice, Wrk, write_pool
from tools.bench_gate.machine import BenchError
from tools.bench_gate.measure import Run, Server, quietest
from tools.bench_gate.nginx import Cache, Dress, Front, Nginx, dress, make_certificate
from tools.bench_gate.paper import Paper, Reply, Story, get, trusting
from tools.bench_gate.scenarios import READERS, SCENARIOS, Scenario
from tools.bench_gate.setups import Valkey

SAMPLES = 40
PRIMING = 3  # seconds in which every meter of `new` comes for the first time
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


def wire_length(port: int, path: str, cookie: str, *, secure: bool) -> int:
    """How many bytes one answer takes on the wire, head and body, before TLS."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        client = trusting().wrap_socket(plain, server_hostname="localhost") if secure else plain
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
    """Owns the processes of one setup. `open()` starts the paper and learns its pages, `run()` measures a scenario."""

    def __init__(self, folder: Path, settings: Settings, setup: str, say: Callable[[str], None]) -> None:
        self.settings, self.folder, self.setup, self.say = settings, folder, setup, say
        self._next_port = settings.ports[0]
        core = settings.server_core
        self.paper = Paper(folder / "paper", self.port(), core)
        self.nginx = Nginx(folder / "nginx", core)
        self.front: Nginx | None = None
        self.valkey: Valkey | None = None
        self.door, self.secure = self.paper.port, setup.startswith("tls")
        self.certificate = make_certificate(folder / "tls") if self.secure else None
        self.wrk = Wrk(settings.client_core, core, settings.connections)
        self.stories: list[Story] = []
        self._full: dict[str, Reply] = {}
        self._wall: dict[str, Reply] = {}
        self._workers: list[int] = []

    def port(self) -> int:
        found = machine.free_port(self._next_port, self.settings.ports[1])
        self._next_port = found + 1
        return found

    # --- the setup ----------------------------------------------------------------------------------------------
    def open(self) -> None:
        self.stories = self.paper.make()
        self.paper.options |= self._options()
        self.paper.start()
        if self.front is not None:
            assert self.certificate is not None
            self.front.start([Front(self.door, self.paper.port, self.certificate)])
        self.sealer = Sealer(self.paper.folder, self.paper.environ)
        walled = self.sealer.meter([(10**9 + at, "national") for at in range(self.sealer.limit)])
        for number, story in enumerate(self.stories):
            full, wall = self.get(story.path, self.sealer.subscriber(900_000 + number)), self.get(story.path, walled)
            if full.headers.get("broadsheet-variant") != "full" or wall.headers.get("broadsheet-variant") != "wall":
                raise BenchError(f"{story.path} is not served as a full page and as a wall: {full.headers}")
            self._full[story.path], self._wall[story.path] = full, wall
            self.nginx.lay_out("full", story.path, full)
            self.nginx.lay_out("wall", story.path, wall)

    def sizes(self) -> tuple[float, float]:
        """kB of a full page, plain and gzipped."""
        pages = list(self._full.values())
        return tuple(sum(len(size(page)) for page in pages) / len(pages) / 1000 for size in (_plain, _sent))  # type: ignore[return-value]

    def _options(self) -> dict[str, str]:
        if self.setup == "two":
            return {"gate_workers": "2"}
        if self.setup == "valkey":
            self.valkey = Valkey(self.port(), self.folder, self.settings.server_core)
            self.valkey.start()
            return {"valkey_url": f"valkey://127.0.0.1:{self.valkey.port}"}
        if self.setup == "tls":
            assert self.certificate is not None
            key = self.certificate.with_name("key.pem")
            url = f"https://localhost:{self.paper.port}"
            return {"tls_certificate": str(self.certificate), "tls_key": str(key), "public_url": url}
        if self.setup == "tls-nginx":
            self.front, self.door = Nginx(self.folder / "front", self.settings.server_core), self.port()
            return {"public_url": f"https://localhost:{self.door}", "trusted_proxies": "127.0.0.1"}
        return {}

    def close(self) -> None:
        for part in (self.paper, self.nginx, self.front, self.valkey):
            if part is not None:
                part.stop()

    def get(self, path: str, cookie: str = "") -> Reply:
        return get(self.door, path, cookie, secure=self.secure)

    def url(self, port: int) -> str:
        return f"{'https' if self.secure else 'http'}://127.0.0.1:{port}/"

    def pids(self) -> list[int]:
        """Every process of the setup: the paper's, and what counts for it or stands in front of it."""
        return self.paper.pids() + self._beside()

    def _beside(self) -> list[int]:
        return [pid for part in (self.front, self.valkey) if part is not None for pid in part.pids()]

    def scored(self) -> list[int]:
        """The gate's workers (who holds the readers' connections), and what counts for them or stands before them."""
        if not self._workers:
            clients = [socket.create_connection(("127.0.0.1", self.paper.port)) for _ in range(64)]
            time.sleep(0.3)
            self._workers = machine.talkers(self.paper.port, self.paper.pids())
            for client in clients:
                client.close()
        return self._workers + self._beside()

    # --- one scenario -------------------------------------------------------------------------------------------
    def pool(self, scenario: Scenario) -> tuple[Path, list[Line]]:
        """Readers nobody has met before, in a file for wrk."""
        lines = scenario.readers(self.sealer, self.stories, READERS)
        if scenario.distinct and len({line.cookie for line in lines}) < READERS:
            raise BenchError(f"{scenario.name}: fewer than {READERS} distinct readers")
        path = self.folder / "pool.txt"
        self._write_pool(path, lines)
        return path, lines

    def _write_pool(self, path: Path, lines: Sequence[Line]) -> None:
        write_pool(path, f"localhost:{self.door}", [story.path for story in self.stories], lines, self.settings.headers)

    def check(self, scenario: Scenario) -> Reply:
        """What a sample of this scenario's readers gets, compared byte by byte; the last answer."""
        lines = scenario.readers(self.sealer, self.stories, READERS // 10)
        reply: Reply | None = None
        for line in lines[:: max(1, len(lines) // SAMPLES)]:
            path = self.stories[line.story].path
            reply = self.get(path, line.cookie)
            known = (self._full if line.tree == "full" else self._wall)[path]
            said = (reply.status, reply.headers.get("broadsheet-variant"))
            if said != (200, line.tree) or reply.headers.get("broadsheet-reason") not in scenario.reasons:
                raise BenchError(f"{scenario.name}: {path} was answered {said} {reply.headers}")
            if reply.plain != known.plain:
                raise BenchError(f"{scenario.name}: {path} is not the page that nginx serves")
            if scenario.tree and ("set-cookie" in reply.headers) != scenario.sets_cookie:
                raise BenchError(f"{scenario.name}: Set-Cookie should {'' if scenario.sets_cookie else 'not '}be there")
        assert reply is not None
        return reply

    def _dressed(self, scenario: Scenario, port: int) -> Dress:
        """A static server whose answers are as long as the gate's, within a byte or two."""
        line = scenario.readers(self.sealer, self.stories, 20)[0]
        path = self.stories[line.story].path
        reply = self.get(path, line.cookie)
        spare = 0
        for _ in range(3):
            made = Dress(port, dress(reply, spare), self.certificate)
            self.nginx.start([made])
            fresh = scenario.readers(self.sealer, self.stories, 20)[0]
            off = wire_length(port, f"/{line.tree}{path}", "", secure=self.secure)
            off -= wire_length(self.door, self.stories[fresh.story].path, fresh.cookie, secure=self.secure)
            if abs(off) <= 2:  # noqa: PLR2004 - a length with a digit more or less
                break
            spare += off
        return made

    def run(self, name: str, *, with_cache: bool = False, more: Sequence[Server] = ()) -> Run:
        """Alternating slices of the gate, nginx and, if asked for, nginx's page cache and others."""
        scenario = SCENARIOS[name]
        self.check(scenario)
        ports = self.port(), self.port()
        self._next_port -= 2
        servers: list[Dress | Cache] = [self._dressed(scenario, ports[0])]
        if with_cache:
            servers.append(Cache(ports[1], ports[0], name))
        self.nginx.start(servers)
        if with_cache:
            self._fill_cache(ports[1])
        pool, _ = self.pool(scenario)
        self.wrk.slice(self.url(self.door), pool, 1, self.pids, prefixed=False)
        self.wrk.slice(self.url(ports[0]), pool, 1, self.nginx.pids, prefixed=True)
        sides = [
            Server("gate", lambda: self.gate_slice(scenario), self.scored, self.pids),
            self._nginx_side("nginx", ports[0]),
            *([self._nginx_side("page cache", ports[1])] if with_cache else []),
            *more,
        ]
        run = quietest(sides, self.settings.pairs, "nginx", self.settings.tries, self.say)
        self._judge(scenario, run, {other.name for other in more})
        self.static_port = ports[0]
        return run

    def _nginx_side(self, name: str, port: int) -> Server:
        pool, seconds = self.folder / "pool.txt", self.settings.seconds

        def take() -> Slice:
            return self.wrk.slice(self.url(port), pool, seconds, self.nginx.pids, prefixed=True)

        return Server(name, take, self.nginx.pids, self.nginx.pids)

    def _fill_cache(self, port: int) -> None:
        for story in self.stories:
            for tree in ("full", "wall"):
                get(port, f"/{tree}{story.path}")
                if get(port, f"/{tree}{story.path}").headers.get("x-cache") != "HIT":
                    raise BenchError("nginx's page cache does not hold what it should")

    def gate_slice(self, scenario: Scenario, *, wait: float = 0) -> Slice:
        """A slice with readers of its own; afterwards a few of them come back to see whether they were counted."""
        pool, lines = self.pool(scenario)
        url, seconds = self.url(self.door), self.settings.seconds
        if scenario.primed:
            # Each meter has been here before, as it is in life; what is measured is its next story.
            self.wrk.slice(url, pool, PRIMING, self.pids, prefixed=False)
            self._write_pool(pool, [replace(line, cookie=line.then) for line in lines])
        first = 1 if scenario.primed else 0
        taken = self.wrk.slice(url, pool, seconds, self.pids, prefixed=False, wait=wait, first_round=first)
        if scenario.name in ("new", "stranger"):
            for at in range(1, min(taken.requests, len(lines)) - 64, 2500):  # wrk tries line 0 and sends it not
                story = self.stories[(lines[at].story + first) % len(self.stories)]
                reply = self.get(story.path, lines[at].cookie)
                if reply.headers.get("broadsheet-reason") != "repeat":
                    raise BenchError(f"a reader of the slice was not counted: {reply.headers.get('broadsheet-reason')}")
        return taken

    def _judge(self, scenario: Scenario, run: Run, others: set[str]) -> None:
        """What must hold of every slice, or the figures mean nothing."""
        anchor = run.middle("nginx", "bytes_each")
        for name, parts in run.slices.items():
            for part in parts:
                if part.errors or part.bad_status:
                    raise BenchError(f"{scenario.name}: {name} had {part.errors} errors, {part.bad_status} bad answers")
                off = abs(part.bytes_each / anchor - 1)
                if name not in others and off > (EQUAL if scenario.tree else EQUAL_MIX):
                    raise BenchError(f"{scenario.name}: {name} sent {part.bytes_each:.0f} bytes, nginx {anchor:.0f}")

    def calm(self, name: str, share: float, run: Run) -> dict[str, dict[str, float]]:
        """Latency of the gate and of nginx at one fixed rate: a `share` of what the gate did saturated."""
        rate = run.middle("gate", "requests") / run.middle("gate", "seconds") * share
        wait = self.settings.connections / rate * 1000
        found = {}
        for server in ("gate", "nginx"):
            if server == "gate":
                part = self.gate_slice(SCENARIOS[name], wait=wait)
            else:
                pool = self.folder / "pool.txt"
                url, seconds = self.url(self.static_port), self.settings.seconds
                part = self.wrk.slice(url, pool, seconds, self.nginx.pids, prefixed=True, wait=wait)
            found[server] = {
                "requests_per_second": round(part.requests / part.seconds),
                "p50_ms": part.p50 / 1000,
                "p99_ms": part.p99 / 1000,
            }
        return found

    def memory(self) -> Sequence[machine.Memory]:
        return machine.memory(self.pids())


def _plain(page: Reply) -> bytes:
    return page.plain


def _sent(page: Reply) -> bytes:
    return page.body

"""One slice of load: wrk on its own core against one port, and what the servers' processes used meanwhile."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.bench_gate.machine import BenchError, core_busy, cpu, need

SCRIPT = Path(__file__).parent / "load.lua"
PLAIN_HEADERS = ("User-Agent: bench", "Accept: text/html", "Accept-Encoding: gzip")
BROWSER_HEADERS = (
    "Connection: keep-alive",
    'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-User: ?1",
    "Sec-Fetch-Dest: document",
    "Accept-Encoding: gzip",  # without br, so that nginx (which has no br here) sends the same bytes
    "Accept-Language: en-IN,en;q=0.9,hi;q=0.8",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One reader's request: which story, how far on the next time round, full or wall, and their cookie header; `then`
    is the one that they bring the second time."""

    story: int
    stride: int
    tree: str
    cookie: str
    then: str = ""


def write_pool(path: Path, host: str, stories: Sequence[str], lines: Sequence[Line], headers: Sequence[str]) -> None:
    """The file that load.lua reads."""
    with path.open("w") as out:
        out.write(f"{host}\n{'|'.join(headers)}|\n{len(stories)}\n")
        out.writelines(f"{story}\n" for story in stories)
        out.writelines(f"{line.story} {line.stride} {line.tree} {line.cookie}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class Slice:
    """What one slice did. Seconds, microseconds for latency; CPU by process id."""

    requests: int
    bytes: int
    seconds: float
    errors: int
    bad_status: int
    p50: int
    p99: int
    cpu: dict[int, float]
    core: float  # how busy the servers' core was, with whatever else ran on it

    def per_cpu(self, pids: Sequence[int]) -> float:
        """Requests per second of CPU of these processes."""
        used = sum(self.cpu.get(pid, 0.0) for pid in pids)
        if used <= 0:
            raise BenchError("a server that used no CPU has not answered: another process holds its port")
        return self.requests / used

    def share(self, pids: Sequence[int]) -> float:
        """How much of one core these processes used."""
        return sum(self.cpu.get(pid, 0.0) for pid in pids) / self.seconds

    @property
    def bytes_each(self) -> float:
        return self.bytes / max(1, self.requests)


@dataclass(frozen=True, slots=True)
class Wrk:
    """The client: its core, its connections, and the core its servers are pinned to."""

    core: int
    server_core: int
    connections: int = 32

    def slice(
        self,
        url: str,
        pool: Path,
        seconds: int,
        pids: Callable[[], list[int]],
        *,
        prefixed: bool,
        wait: float = 0,
        first_round: int = 0,
    ) -> Slice:
        """Load `url` for some seconds. `wait`: mean milliseconds between a connection's requests; 0 saturates.
        `first_round`: how often the pool's readers have asked before."""
        command = ["taskset", "-c", str(self.core), need("wrk"), "-t1", f"-c{self.connections}", f"-d{seconds}s"]
        command += ["-s", str(SCRIPT), url, "--", str(pool), "prefixed" if prefixed else "bare", str(wait)]
        command += [str(first_round)]
        watched = pids()
        before, busy = {pid: cpu(pid) for pid in watched}, core_busy(self.server_core)
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
        used = {pid: max(0.0, cpu(pid) - before[pid]) for pid in watched}
        busy = core_busy(self.server_core) - busy
        if pids() != watched:
            raise BenchError("a server's process ended or began during a slice")
        row = next((line for line in done.stdout.splitlines() if line.startswith("RESULT ")), None)
        if done.returncode or row is None:
            raise BenchError(f"wrk failed: {done.stdout[-400:]}{done.stderr[-400:]}")
        requests, size, micros, errors, status, p50, p99 = (int(word) for word in row.split()[1:])
        seconds_ran = micros / 1e6
        return Slice(requests, size, seconds_ran, errors, status, p50, p99, used, busy / seconds_ran)

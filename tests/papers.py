"""A whole paper in a folder of its own, served by a real process on a real port: what journeys and the gate's tests use."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path

from tests import press_room

START_TIMEOUT = 40


def free_port() -> int:
    """A port nobody listens on, from below the range that outgoing connections are given theirs from."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@dataclass
class Reply:
    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    @property
    def variant(self) -> str | None:
        return self.headers.get("Broadsheet-Variant")

    @property
    def reason(self) -> str | None:
        return self.headers.get("Broadsheet-Reason")


@dataclass
class Browser:
    """A client with a cookie jar and nothing else of a browser's."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def request(self, method: str, path: str, headers: dict[str, str] | None = None, body: str | None = None) -> Reply:
        sent = {"Host": f"localhost:{self.port}", **(headers or {})}
        if self.cookies:
            sent.setdefault("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            reply = Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()
        for line in reply.headers.get_all("Set-Cookie") or []:
            name, _, rest = line.partition("=")
            value = rest.split(";")[0]
            if not value or value == '""' or "Max-Age=0" in line:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return reply

    def get(self, path: str, **headers: str) -> Reply:
        return self.request("GET", path, {name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, form: dict[str, str]) -> Reply:
        from urllib.parse import urlencode

        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://localhost:{self.port}"}
        return self.request("POST", path, headers, urlencode(form))


class Paper:
    """`init` makes it, `python` runs code in it with Django up, `start` serves it."""

    def __init__(self, folder: Path, **options: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.ready_headers: dict[str, str] = {}
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("BROADSHEET_")}
        self.env |= {"BROADSHEET_DATA": str(folder), "BROADSHEET_PORT": str(self.port), "PYTHONPATH": "src"}
        self.env["BROADSHEET_LEAKCHECK"] = "off"  # unless a test asks for it: a look would come between its requests
        self.env |= {f"BROADSHEET_{name.upper()}": value for name, value in options.items()}

    def run(self, *words: str, check: bool = True, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "broadsheet", *words]
        done = subprocess.run(
            command, env={**self.env, **(env or {})}, capture_output=True, text=True, timeout=120, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{words} exited {done.returncode}: {done.stderr[-3000:]}")
        return done

    def init(self) -> Paper:
        words = ["init", str(self.folder), "--name", "The Alder Post"]
        done = press_room.run(self.env, f"import sys\nfrom broadsheet.server.cli import run\nsys.exit(run({words!r}))")
        if done.returncode:
            raise AssertionError(f"init exited {done.returncode}: {done.stderr[-3000:]}")
        return self

    def python(self, code: str, *, dies: bool = False):
        """Run `code` with Django up; what it leaves in `result` comes back as JSON. `dies`: it ends by os._exit."""
        script = (
            "import json\nfrom broadsheet.server.setup import start_django\nstart_django()\nresult = None\n"
            f"{code}\nfrom broadsheet.bus.actions import run_due_jobs\nrun_due_jobs()\nprint(json.dumps(result))\n"
        )
        done = press_room.run(self.env, script)
        if done.returncode and not dies:
            raise AssertionError(done.stderr[-3000:])
        return json.loads(done.stdout.splitlines()[-1])

    def stories(self, *stories: dict) -> list[dict]:
        """File published stories; each gets back its id and path."""
        return self.python(
            "from tests import make\nfrom broadsheet import clock\nfrom broadsheet.newsroom.queries import story_facts\n"
            f"made = [make.story(now=clock.now(), **fields) for fields in {list(stories)!r}]\n"
            "result = [{'id': i, 'path': story_facts(i).path} for i in made]"
        )

    def start(self, *words: str) -> Paper:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "broadsheet", *(words or ("serve",))],
            env=self.env,
            stdout=(self.folder / "stdout.log").open("ab"),
            stderr=(self.folder / "stderr.log").open("ab"),
        )
        self.wait_ready()
        return self

    def wait_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            try:
                if self.browser().request("GET", "/healthz", self.ready_headers).status == 200:
                    return
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
            if self.process and self.process.poll() is not None:
                break
        raise AssertionError((self.folder / "stderr.log").read_text()[-3000:])

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(20)
        self.process = None

    def browser(self) -> Browser:
        return Browser(self.port)

"""A scratch paper: made, filled and served through the product's own doors."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import random
import signal
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from pathlib import Path

from tools.bench_gate.machine import BenchError, listeners, tree

ROOT = Path(__file__).parent.parent.parent
STORIES = 200
START_TIMEOUT = 60
# A body of this many words makes a page of about 39 kB, 9.5 kB of it gzipped: see `body`.
WORDS = 3650

_FILL = """
import json, sys
from broadsheet.server.setup import start_django
start_django()
from broadsheet import clock
from broadsheet.bus.actions import run_due_jobs
from broadsheet.newsroom.actions import Copy, file_story
from broadsheet.newsroom.queries import story_facts
made = []
for fields in json.load(sys.stdin):
    story = file_story(copy=Copy(**fields), now=clock.now(), publish=True)
    facts = story_facts(story)
    made.append({"id": story, "path": facts.path, "section": facts.section})
run_due_jobs()
print(json.dumps(made))
"""


@dataclass(frozen=True, slots=True)
class Story:
    id: int
    path: str
    section: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as it went over the wire; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def plain(self) -> bytes:
        return gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body


def get(port: int, path: str, cookie: str = "", *, secure: bool = False) -> Reply:
    """One GET on a connection of its own; `secure`: over TLS, whoever signed the certificate."""
    sent = {"Host": f"localhost:{port}", "Accept-Encoding": "gzip"}
    if cookie:
        sent["Cookie"] = cookie
    if secure:
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=trusting())
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers=sent)
        answer = connection.getresponse()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


@cache
def trusting() -> ssl.SSLContext:
    """A client's TLS that believes our own certificate of the day."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def body(number: int) -> str:
    """Prose of the right weight: words drawn as unevenly as a language's, so that gzip finds what it finds in news."""
    chance = random.Random(number)  # noqa: S311 - the same text on every machine
    letters = "etaoinshrdlucmfwypvbgk"
    weights = [len(letters) - place for place in range(len(letters))]
    lexicon = ["".join(chance.choices(letters, weights, k=chance.randint(3, 12))) for _ in range(300)]
    ranks = [1 / (place + 1) for place in range(len(lexicon))]
    drawn = chance.choices(lexicon, ranks, k=WORDS)
    paragraphs = [" ".join(drawn[start : start + 60]) for start in range(0, len(drawn), 60)]
    return "".join(f"<p>{text.capitalize()}.</p>" for text in paragraphs)


def copies(count: int = STORIES) -> list[dict[str, object]]:
    """Metered stories in four sections, as `newsroom.actions.Copy` takes them."""
    sections = ("national", "world", "business", "sport")
    return [
        {
            "headline": f"What the harbour board decided on its sitting number {number}",
            "standfirst": "The tolls change from Monday, and the ferry runs an hour longer.",
            "body_html": body(number),
            "section": sections[number % len(sections)],
            "bylines": ["Asha Rao"],
            "dateline": "Panaji",
        }
        for number in range(1, count + 1)
    ]


@dataclass
class Paper:
    """`make()` or an older scratch folder, then `start()`. Every process of it is pinned to `core`."""

    folder: Path
    port: int
    core: int | None = None
    options: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def secure(self) -> bool:
        """Whether the program itself speaks TLS."""
        return "tls_certificate" in self.options

    @property
    def environ(self) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("BROADSHEET_")}
        env |= {"BROADSHEET_DATA": str(self.folder), "BROADSHEET_PORT": str(self.port)}
        env["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
        return env | {f"BROADSHEET_{name.upper()}": value for name, value in self.options.items()}

    def run(self, *words: str, text: str = "") -> str:
        """A Python command of this paper; what it wrote."""
        command = [sys.executable, *words]
        done = subprocess.run(
            command, env=self.environ, cwd=ROOT, input=text, capture_output=True, text=True, timeout=900, check=False
        )
        if done.returncode:
            raise BenchError(f"{words[:4]} exited {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def make(self, count: int = STORIES) -> list[Story]:
        """An empty folder becomes a paper with `count` printed stories; one that was filled before is used again."""
        known = self.folder / "bench-stories.json"
        if not known.exists():
            said = json.loads(self.run("-m", "broadsheet", "--json", "init", str(self.folder), "--name", "The Bench"))
            (self.folder / "bench-editor.json").write_text(json.dumps(said))
            known.write_text(self.run("-c", _FILL, text=json.dumps(copies(count))).splitlines()[-1])
        return [Story(**row) for row in json.loads(known.read_text())]

    @property
    def editor(self) -> dict[str, str]:
        """E-mail and password of the first editor."""
        said: dict[str, str] = json.loads((self.folder / "bench-editor.json").read_text())
        return said

    def start(self) -> None:
        command = [sys.executable, "-m", "broadsheet", "--quiet", "serve"]
        if self.core is not None:
            command = ["taskset", "-c", str(self.core), *command]
        with (self.folder / "bench-server.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=self.environ, cwd=ROOT, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if get(self.port, "/healthz", secure=self.secure).status == HTTPStatus.OK:
                    break
            except OSError:
                time.sleep(0.1)
        else:
            raise BenchError(f"the gate did not start: {self.last_words()}")
        if not listeners(self.port, self.pids()):
            raise BenchError(f"port {self.port} is answered by a process that is not ours")

    def last_words(self) -> str:
        log = self.folder / "bench-server.log"
        return log.read_text("utf-8", "replace")[-2000:] if log.exists() else ""

    def pids(self) -> list[int]:
        """Every process of the running paper, the supervisor first."""
        return tree(self.process.pid) if self.process and self.process.poll() is None else []

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        self.process = None

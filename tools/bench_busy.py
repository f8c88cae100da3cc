"""What a busy editor does to readers: latency of a printed story while Django's pages are asked for without a pause.

`python tools/bench_busy.py [--source DIR]`: a scratch paper of the program in DIR (a checkout; default this one), one
reader who asks for a story every five milliseconds, first alone, then beside editors. Prints p50, p99 and max.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
EVERY, SECONDS, EDITORS = 0.005, 10.0, 2
PREPARE = """
import json
from broadsheet.server.setup import start_django
start_django()
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from tests import make
from broadsheet import clock
from broadsheet.bus.actions import run_due_jobs
from broadsheet.newsroom.queries import story_facts
made = [make.story(now=clock.now(), headline=f"Story number {n}", tier="free") for n in range(60)]
editor = get_user_model().objects.get(email="editor@localhost")
session = SessionStore()
session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(editor.pk), "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = editor.get_session_auth_hash()
session.save()
run_due_jobs()
print(json.dumps({"path": story_facts(made[0]).path, "session": session.session_key}))
"""


class Paper:
    def __init__(self, source: Path, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        env = {name: value for name, value in os.environ.items() if not name.startswith("BROADSHEET_")}
        env |= {"BROADSHEET_DATA": str(folder), "BROADSHEET_PORT": str(self.port)}
        env["PYTHONPATH"] = f"{source / 'src'}{os.pathsep}{source}"
        self._run = {"env": env, "cwd": source}
        self.command([sys.executable, "-m", "broadsheet", "init", str(folder)])
        self.made = json.loads(self.command([sys.executable, "-c", PREPARE]).splitlines()[-1])
        self.process = subprocess.Popen([sys.executable, "-m", "broadsheet", "--quiet", "serve"], **self._run)
        while self.get("/healthz") != 200:
            time.sleep(0.1)

    def command(self, words: list[str]) -> str:
        return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, **self._run).stdout

    def get(self, path: str, connection: http.client.HTTPConnection | None = None, cookie: str = "") -> int:
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            own.request("GET", path, headers={"Host": f"localhost:{self.port}", "Cookie": cookie})
            answer = own.getresponse()
            answer.read()
        except OSError:
            return 0
        finally:
            if connection is None:
                own.close()
        return answer.status


def latencies(paper: Paper) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", paper.port, timeout=30)
    found, end, due = [], time.monotonic() + SECONDS, time.monotonic()
    while due < end:
        time.sleep(max(0.0, due - time.monotonic()))
        # From when it should have been asked: a late answer must not hide the next one's wait.
        status = paper.get(paper.made["path"], connection)
        found.append((time.monotonic() - due) * 1000)
        if status != 200:
            raise SystemExit(f"the story answered {status}")
        due += EVERY
    return sorted(found)


def edit(paper: Paper, stop: threading.Event, pages: list[int]) -> None:
    while not stop.is_set():
        pages.append(paper.get("/admin/", cookie=f"bss={paper.made['session']}"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, default=ROOT)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paper = Paper(args.source.resolve(), Path(folder) / "data")
        try:
            latencies(paper)
            stop, pages = threading.Event(), []
            for busy in (False, True):
                if busy:
                    for _ in range(EDITORS):
                        threading.Thread(target=edit, args=(paper, stop, pages), daemon=True).start()
                found = latencies(paper)
                p50, p99 = found[len(found) // 2], found[int(len(found) * 0.99)]
                name = f"beside {EDITORS} editors" if busy else "alone"
                print(f"{name:<18} p50 {p50:.2f} ms, p99 {p99:.1f} ms, max {found[-1]:.1f} ms", flush=True)
            stop.set()
            print(f"editors' pages: {len(pages)}, all answered 200: {set(pages) == {200}}")
        finally:
            paper.process.terminate()
            paper.process.wait(20)
    return 0


if __name__ == "__main__":
    sys.exit(main())

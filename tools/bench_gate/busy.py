"""A busy newsroom while readers read: an editor who saves stories through the admin, and readers who search."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

from lxml import html
from tools.bench_gate.bench import Bench
from tools.bench_gate.machine import BenchError

SESSION = """
from broadsheet.server.setup import start_django
start_django()
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.conf import settings
editor = get_user_model().objects.get(email="editor@localhost")
session = SessionStore()
session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(editor.pk), settings.AUTHENTICATION_BACKENDS[0]
session[HASH_SESSION_KEY] = editor.get_session_auth_hash()
session.save()
print(settings.SESSION_COOKIE_NAME, session.session_key)
"""
EDIT = "/admin/snippets/newsroom/article/edit/{}/"


@dataclass
class Day:
    """What was done meanwhile, with the milliseconds of each."""

    saves: list[float] = field(default_factory=list)
    searches: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def done(self) -> dict[str, float]:
        if self.failures or not self.saves or not self.searches:
            raise BenchError(f"the newsroom was not busy: {self.failures[:2]}")
        length = time.monotonic() - self.began
        return {
            "saves_per_minute": round(len(self.saves) / length * 60),
            "searches_per_minute": round(len(self.searches) / length * 60),
            "save_p50_ms": round(sorted(self.saves)[len(self.saves) // 2]),
            "search_p50_ms": round(sorted(self.searches)[len(self.searches) // 2]),
        }


@contextmanager
def nothing() -> Iterator[Day]:
    yield Day()


@contextmanager
def day(bench: Bench) -> Iterator[Day]:
    """One editor and two searching readers, each at work without a pause, until the block ends."""
    name, key = bench.paper.run("-c", SESSION).split()
    made, stop = Day(), threading.Event()
    threads = [threading.Thread(target=_edit, args=(bench, f"{name}={key}", made, stop), daemon=True)]
    threads += [threading.Thread(target=_search, args=(bench, made, stop, at), daemon=True) for at in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)


def _ask(bench: Bench, method: str, path: str, headers: dict[str, str], body: str | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", bench.door, timeout=60)
    try:
        connection.request(method, path, body, {"Host": f"localhost:{bench.door}", **headers})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _edit(bench: Bench, session: str, made: Day, stop: threading.Event) -> None:
    """Open a story's form, change a word, save it as a draft: what Wagtail's own browser code sends."""
    number = 0
    while not stop.is_set() and len(made.failures) < 5:  # noqa: PLR2004
        number += 1
        path = EDIT.format(bench.stories[number % len(bench.stories)].id)
        begin = time.monotonic()
        try:
            status, page = _ask(bench, "GET", path, {"Cookie": session})
            forms = html.fromstring(page).forms
            form = next(form for form in forms if form.method == "POST" and "headline" in form.fields)
            fields = [(name, value) for name, value in form.form_values() if not name.startswith("action-")]
            fields = [(name, f"{value} {number}" if name == "kicker" else value) for name, value in fields]
            token = dict(fields).get("csrfmiddlewaretoken", "")
            headers = {
                "Cookie": f"{session}; {bench.sealer.csrf_cookie}={token}",
                "Content-Type": "application/x-www-form-urlencoded",
                "Origin": f"http://localhost:{bench.door}",
            }
            status, page = _ask(bench, "POST", path, headers, urlencode(fields))
            if status != 302:  # noqa: PLR2004 - Wagtail sends a saved draft back to its form
                errors = [text.strip() for text in html.fromstring(page).xpath("//*[contains(@class,'error')]//text()")]
                made.failures.append(f"saving was answered {status} {[text for text in errors if text][:5]}")
                continue
        except (OSError, StopIteration, http.client.HTTPException) as error:
            made.failures.append(f"editing: {error!r}")
            continue
        made.saves.append((time.monotonic() - begin) * 1000)


def _search(bench: Bench, made: Day, stop: threading.Event, number: int) -> None:
    words = ("harbour", "board", "sitting", "tolls", "ferry", "decided")
    while not stop.is_set() and len(made.failures) < 5:  # noqa: PLR2004
        number += 1
        begin = time.monotonic()
        try:
            status, _ = _ask(bench, "GET", f"/search?q={words[number % len(words)]}", {})
        except OSError as error:
            made.failures.append(f"searching: {error!r}")
            continue
        if status != 200:  # noqa: PLR2004
            made.failures.append(f"searching was answered {status}")
        made.searches.append((time.monotonic() - begin) * 1000)
        stop.wait(0.05)

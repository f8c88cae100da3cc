"""Front desks: processes that take the messages of a till over HTTP, in the place of the web server, and die like
everybody else. The till itself dies, too."""

from __future__ import annotations

import http
import os
import random
import signal
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

from django.db import connections
from tools.prove_billing.deaths import Death, tell
from tools.prove_billing.shift import Post
from tools.prove_billing.till import Till

from broadsheet.payments import inbox

MODES = ("normal", "duplicate", "reverse", "normal", "tamper")
LOST, BUSY, TILL_DIES = 0.3, 0.1, 0.05


@dataclass
class _Desk:
    pid: int
    pipe: int


class FrontDesks:
    """Processes that take the till's messages, in the place of the web server. To the proof it is a Carrier."""

    def __init__(self, till: Till, dice: random.Random, chance: float, count: int = 2) -> None:
        self._till, self._dice, self._chance, self._count = till, dice, chance, count
        self._listening = socket.create_server(("127.0.0.1", till.front_port), backlog=64)
        self._desks: list[_Desk] = []
        self.told: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()

    def script(self, answers: Sequence[str], customer: str) -> None:
        self._till.ask("POST", "/v1/script", {"answers": list(answers), "customer": customer})

    def collect(self, now: datetime) -> None:
        """Nothing to do: the till sends by itself."""

    def answered(self, number: int) -> None:
        """Nothing to do: the till hears the answer itself."""

    def unanswered(self) -> list[Post]:
        return []

    def round(self, _now: datetime) -> list[Post]:
        """Another way to send, now and then a dead till, and somebody at every desk."""
        if self._dice.random() < TILL_DIES:
            self._till.restart()
            self.kills["the till itself"] += 1
        self._till.ask("POST", "/v1/webhooks", {"mode": self._dice.choice(MODES)})
        self._fill()
        return []

    @property
    def waiting(self) -> bool:
        return not self._till.idle()

    def rest(self) -> None:
        """Take what the till has still to tell."""
        self._till.ask("POST", "/v1/webhooks", {"mode": "normal"})
        ends = time.monotonic() + 30
        while self.waiting and time.monotonic() < ends:
            self._fill()
            time.sleep(0.05)

    def _fill(self) -> None:
        """Replace who died."""
        connections.close_all()  # what a fork inherits of one is used by both, to no good
        for desk in list(self._desks):
            pid, status = os.waitpid(desk.pid, os.WNOHANG)
            if pid:
                self._desks.remove(desk)
                self._read(desk, killed=os.WIFSIGNALED(status))
        while len(self._desks) < self._count:
            read, write = os.pipe()
            seed, pid = self._dice.getrandbits(32), os.fork()
            if pid == 0:
                os.close(read)
                _serve(self._listening, write, self._chance, random.Random(seed))  # noqa: S311 - dice
            os.close(write)
            self._desks.append(_Desk(pid, read))

    def _read(self, desk: _Desk, *, killed: bool) -> None:
        point = ""
        with os.fdopen(desk.pipe, "rb") as source:
            for line in source.read().decode().splitlines():
                if line.startswith("K "):
                    point = line[2:]
                else:
                    self.told[line[2:]] += 1
        if killed and point:
            self.kills[point] += 1

    def close(self) -> None:
        for desk in self._desks:
            os.kill(desk.pid, signal.SIGTERM)
            os.waitpid(desk.pid, 0)
            self._read(desk, killed=False)
        self._desks.clear()
        self._listening.close()


def _serve(listening: socket.socket, pipe: int, chance: float, dice: random.Random) -> None:
    """In a fork of its own; never returns."""
    Death(pipe, chance, dice).install()

    class Front(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            roll = dice.random()
            if roll < LOST:
                tell(pipe, "M lost")
                status = 200
            elif roll < LOST + BUSY:  # it comes again, later than others
                tell(pipe, "M late")
                status = 503
            else:
                headers = {name.lower(): value for name, value in self.headers.items()}
                now = datetime.now(UTC)
                status = inbox.receive(provider="sandbox-http", headers=headers, body=body, now=now)
                tell(pipe, "M tampered" if status == http.HTTPStatus.BAD_REQUEST else "M sent")
            self.send_response(status)
            self.end_headers()

    server = HTTPServer(listening.getsockname(), Front, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    try:
        server.serve_forever()
    finally:
        os._exit(0)

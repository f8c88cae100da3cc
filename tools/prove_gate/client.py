"""A fast HTTP client: keeps connections open, pipelines, and hands every answer over whole. Nothing of a browser's."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b


class BrokenError(Exception):
    """Nobody answers."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `head` is raw; `digest` is of the body's bytes as they were sent."""

    status: int
    head: bytes
    body: bytes
    sent: float
    got: float

    def value(self, name: bytes) -> str:
        """A header's value, "" when it is not there. `name` in the gate's own spelling or in lower case."""
        lower = self.head.lower()
        at = lower.find(b"\r\n" + name.lower() + b": ")
        if at < 0:
            return ""
        start = at + len(name) + 4
        end = self.head.find(b"\r\n", start)
        return self.head[start : end if end >= 0 else len(self.head)].decode("latin-1")

    @property
    def digest(self) -> bytes:
        return blake2b(self.body, digest_size=12).digest()


class Line:
    """One connection to the gate. `retries` counts requests that were sent again because it had been closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._data = b""
        self._waiting: list[tuple[bytes, bool, float]] = []
        self.retries = 0
        self.broken: list[float] = []  # when an answer was cut off in its middle
        self.last_break = 0.0

    def send(self, requests: Sequence[tuple[bytes, bool]]) -> None:
        """Send requests at once; `(raw request, whether it is a HEAD)`."""
        now = time.time()
        self._waiting += [(raw, head, now) for raw, head in requests]
        try:
            self._open().sendall(b"".join(raw for raw, _ in requests))
        except OSError:
            self._again()

    def read(self) -> Reply:
        """The next answer, in the order of the requests. BrokenError when none comes however often it is asked for."""
        for _ in range(200):
            try:
                reply = self._read()
            except ConnectionError:
                if self._data:
                    self.broken.append(time.time())
                self._again()
                continue
            if b"connection: close" in reply.head.lower() and self._waiting:
                self._again()
            return reply
        raise BrokenError

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=30)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._data = b""
        return self._socket

    def _again(self) -> None:
        """What was not answered is asked again on a new connection, as a browser does with a GET."""
        self.close()
        self.retries += len(self._waiting)
        self.last_break = time.time()
        for _ in range(100):
            try:
                self._open().sendall(b"".join(raw for raw, _, _ in self._waiting))
            except OSError:
                self.close()
                time.sleep(0.05)
            else:
                return
        raise BrokenError

    def _read(self) -> Reply:
        while b"\r\n\r\n" not in self._data:
            self._more()
        head, _, rest = self._data.partition(b"\r\n\r\n")
        _, is_head, sent = self._waiting[0]
        length = 0
        status = int(head[9:12])
        if not is_head and status != 304:  # noqa: PLR2004
            at = head.lower().find(b"\r\ncontent-length: ")
            length = int(head[at + 18 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        while len(rest) < length:
            self._more()
            rest = self._data[len(head) + 4 :]
        self._data = rest[length:]
        self._waiting.pop(0)
        return Reply(status, head, rest[:length], sent, time.time())

    def _more(self) -> None:
        data = self._open().recv(262144)
        if not data:
            raise ConnectionResetError
        self._data += data


def request(port: int, path: str, cookie: str, encoding: str, method: str = "GET") -> bytes:
    lines = f"{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\n"
    if encoding != "plain":
        lines += f"Accept-Encoding: {encoding}\r\n"
    if cookie:
        lines += f"Cookie: {cookie}\r\n"
    return (lines + "\r\n").encode("latin-1")

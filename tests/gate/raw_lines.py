"""One TCP connection and what comes back on it, byte by byte: nothing between a test and the wire."""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.papers import Paper

HIDDEN = b"5x"  # words of the fifth paragraph, which no wall holds


@dataclass
class Answer:
    version: bytes
    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    interim: list[int] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        """One header's value; two of a name are a fault in themselves, but for Set-Cookie and Vary."""
        values = [value for key, value in self.headers if key == name.lower()]
        if name.lower() not in ("set-cookie", "vary") and len(values) > 1:
            raise AssertionError(f"{name} stands there {len(values)} times: {values}")
        return ", ".join(values) if values else None


class Line:
    """A connection to the gate. `read` takes exactly one answer off it; Closed is raised when there is none."""

    def __init__(self, paper: Paper, timeout: float = 10, receive_buffer: int = 0) -> None:
        self.paper = paper
        self.host = f"localhost:{paper.port}"
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", paper.port))
        self._held = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def request(self, path: str = "/", *lines: str, method: str = "GET", version: str = "1.1", host: str | None = "",
                body: bytes = b"") -> bytes:  # fmt: skip
        """A request as bytes. `host` "" is the paper's own, None leaves the header out."""
        head = [f"{method} {path} HTTP/{version}"]
        head += [] if host is None else [f"Host: {host or self.host}"]
        return ("\r\n".join([*head, *lines]) + "\r\n\r\n").encode("latin-1") + body

    def send(self, data: bytes) -> Line:
        self.socket.sendall(data)
        return self

    def get(self, path: str, *lines: str, **more: str | None) -> Answer:
        self.send(self.request(path, *lines, **more))
        return self.read(head=more.get("method") == "HEAD")

    def read(self, *, head: bool = False) -> Answer:
        interim = []
        while True:
            block = self._until(b"\r\n\r\n")
            first, *rest = block.split(b"\r\n")
            version, status, *_ = first.split(b" ", 2)
            pairs = [line.partition(b":") for line in rest]
            headers = [(n.decode("latin-1").lower(), v.strip().decode("latin-1")) for n, _, v in pairs]
            if not 100 <= int(status) < 200:
                break
            interim.append(int(status))
        answer = Answer(version, int(status), headers, interim=interim)
        if not head and answer.status not in (204, 304):
            answer.body = self._body(answer)
        return answer

    def _body(self, answer: Answer) -> bytes:
        if (answer.get("transfer-encoding") or "").lower() == "chunked":
            body = b""
            while size := int(self._until(b"\r\n"), 16):
                body += self._exactly(size)
                self._exactly(2)
            self._until(b"\r\n")
            return body
        length = answer.get("content-length")
        return self._exactly(int(length)) if length is not None else self.rest()

    def _more(self) -> None:
        chunk = self.socket.recv(1 << 16)
        if not chunk:
            raise Closed(self._held)
        self._held += chunk

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._held:
            self._more()
        block, _, self._held = self._held.partition(mark)
        return block

    def _exactly(self, count: int) -> bytes:
        while len(self._held) < count:
            self._more()
        taken, self._held = self._held[:count], self._held[count:]
        return taken

    def rest(self) -> bytes:
        """Everything until the other side closes."""
        while True:
            try:
                self._more()
            except (Closed, ConnectionResetError):
                taken, self._held = self._held, b""
                return taken

    def is_closed(self, within: float) -> bool:
        """Whether the other side ends the connection in that time; whatever it still says is thrown away."""
        deadline = time.monotonic() + within
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                if not self.socket.recv(1 << 16):
                    return True
            except TimeoutError:
                return False
            except OSError:
                return True
        return False

    def vanish(self) -> None:
        """Leave without a word: the other side gets a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Closed(Exception):  # noqa: N818 - an end, not an error
    """The other side closed the connection where an answer should have begun or gone on."""


def statuses(raw: bytes) -> list[int]:
    """The status of every answer in what a connection said, in order."""
    return [int(part[:3]) for part in raw.split(b"HTTP/1.1 ")[1:]]


def processes(pid: int) -> list[int]:
    """A process and everything it has started."""
    children = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        children += [int(child) for child in (task / "children").read_text().split()]
    return [pid, *[one for child in children for one in processes(child)]]


def memory(paper: Paper) -> int:
    """Bytes of memory that the paper's processes hold, shared pages counted once."""
    total = 0
    for pid in processes(paper.process.pid):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total

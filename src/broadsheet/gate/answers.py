"""What the gate sends, as values; rendered to raw HTTP in one place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
SECURITY_HEADERS: tuple[tuple[str, str], ...] = (
    ("Content-Security-Policy", POLICY),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
PRIVATE = "private, no-store"
PUBLIC = "public, max-age=60, stale-while-revalidate=60"
STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


class Head(NamedTuple):
    """Status and headers that are the same for every answer of a kind. `wire`: as they go over it, Date left out."""

    status: int
    headers: tuple[tuple[str, str], ...]
    wire: bytes


def head(status: int, headers: Iterable[tuple[str, str]]) -> Head:
    kept = tuple(headers)
    return Head(status, kept, STATUS_LINES[status] + render_headers(kept))


def render_headers(headers: Sequence[tuple[str, str]]) -> bytes:
    """Header lines as they go over the wire."""
    return "".join([f"{name}: {value}\r\n" for name, value in headers]).encode("latin-1")


@dataclass(slots=True)
class Answer:
    """A head, the bytes, and the headers of this one answer (cookies). A HEAD's body is not sent, whatever it is."""

    head: Head
    body: bytes = b""
    extra: list[tuple[str, str]] = field(default_factory=list)

    @property
    def status(self) -> int:
        return self.head.status

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [*self.head.headers, *self.extra]

    def add(self, name: str, value: str) -> None:
        self.extra.append((name, value))


class Needs(NamedTuple):
    """The gate cannot answer from memory: what has to be done first, then the request is asked again.

    `what`: story | page | passport | reads | count | take | seat | open_gift | use_gift; `key`: what the port or the
    book is asked with.
    """

    what: str
    key: tuple[Any, ...] = ()


def plain(status: int, text: str = "", extra: Iterable[tuple[str, str]] = ()) -> Answer:
    """A short answer of the gate's own."""
    body = (text or HTTPStatus(status).phrase).encode() + b"\n"
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", PRIVATE),
        *SECURITY_HEADERS,
        *extra,
    ]
    return Answer(head(status, headers), body)

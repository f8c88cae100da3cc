"""What the gate sends, as values; rendered to raw HTTP in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
SECURITY_HEADERS: tuple[tuple[str, str], ...] = (
    ("Content-Security-Policy", _POLICY),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
PRIVATE = "private, no-store"
PUBLIC = "public, max-age=60, stale-while-revalidate=60"


@dataclass(slots=True)
class Answer:
    """Status, headers and the bytes. `rendered` holds the first `fixed` headers as they go over the wire, when they
    are the same for every answer of their kind."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    rendered: bytes = b""
    fixed: int = 0

    def add(self, name: str, value: str) -> None:
        self.headers.append((name, value))


def render_headers(headers: Sequence[tuple[str, str]]) -> bytes:
    """Header lines as they go over the wire."""
    return "".join([f"{name}: {value}\r\n" for name, value in headers]).encode("latin-1")


@dataclass(frozen=True, slots=True)
class Needs:
    """The gate cannot answer from memory: what has to be done first, then the request is asked again."""

    what: str  # story | page | passport | reads | count
    key: object = None


def plain(status: int, text: str = "") -> Answer:
    """A short answer of the gate's own."""
    body = (text or HTTPStatus(status).phrase).encode() + b"\n"
    answer = Answer(status, [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", PRIVATE)], body)
    answer.headers += SECURITY_HEADERS
    return answer

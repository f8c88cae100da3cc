"""A small HTTP/1.1 client that sends exactly the bytes it is told to: no normalising, no redirects, no jar."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from broadsheet.leakcheck.decoding import inflate

Header = tuple[str, str]
TIMEOUT = 30.0
MOST_BODY = 20_000_000
_NO_BODY = (204, 304)


class UnreachableError(Exception):
    """The server under test does not answer."""


@dataclass(frozen=True, slots=True)
class Response:
    """What came back. `body` is as sent, still encoded; status 0: the connection was closed without an answer."""

    status: int
    headers: tuple[Header, ...] = ()
    body: bytes = b""

    def get(self, name: str) -> str:
        """All values of a header joined by a comma; "" when it is absent."""
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())

    def cookies(self) -> dict[str, str]:
        found = {}
        for name, value in self.headers:
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                found[key.strip()] = rest.split(";", 1)[0]
        return found

    @property
    def content(self) -> bytes:
        return inflate(self.body, self.get("Content-Encoding"))

    @property
    def is_html(self) -> bool:
        return self.get("Content-Type").startswith("text/html")


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to the byte. `target` may hold anything but a line break."""

    target: str
    method: str = "GET"
    headers: tuple[Header, ...] = ()
    host: str | None = ""  # "" is the site's own, None sends no Host header
    body: bytes = b""
    beside: str = ""  # cookies sent after the reader's own
    instead: str | None = None  # a Cookie header sent in the place of the reader's own

    def encode(self, site_host: str, cookies: Mapping[str, str], always: tuple[Header, ...] = ()) -> bytes:
        """The request as sent. `always`: headers that stand before the ask's own."""
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        if self.host is not None:
            lines.append(f"Host: {self.host or site_host}")
        named = {name.lower() for name, _ in self.headers}
        if "user-agent" not in named:
            lines.append("User-Agent: leakcheck")
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        cookie = "; ".join(part for part in (cookie, self.beside) if part) if self.instead is None else self.instead
        if cookie:
            lines.append(f"Cookie: {cookie}")
        lines += [f"{name}: {value}" for name, value in (*always, *self.headers)]
        if self.body and "content-length" not in named:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + self.body


class Site:
    """One server: an address to connect to and the Host it answers for. At most `width` connections.

    `behind_tls`: we stand where a proxy would that ends TLS, and say so with every request. `source`: the address of
    ours from which we come.
    """

    def __init__(self, url: str, *, host: str = "", width: int = 8, behind_tls: bool = False, source: str = "") -> None:
        parts = urlsplit(url)
        self.address = (parts.hostname or "localhost", parts.port or (443 if parts.scheme == "https" else 80))
        self.host = host or parts.netloc
        self.origin = f"{'https' if behind_tls else parts.scheme}://{self.host}"
        self.always: tuple[Header, ...] = (("X-Forwarded-Proto", "https"),) if behind_tls else ()
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._source = (source, 0) if source else None
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._gate = asyncio.Semaphore(width)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.open_connection(*self.address, ssl=self._tls, limit=2**22, local_addr=self._source)
        except OSError as error:
            raise UnreachableError(f"{self.origin} ({self.address[0]}:{self.address[1]}): {error}") from None

    async def send(self, ask: Ask, cookies: Mapping[str, str] | None = None) -> Response:
        """One request, one response. A connection that the server closed while it lay idle is replaced once."""
        data = ask.encode(self.host, cookies or {}, self.always)
        async with self._gate:
            while self._idle:
                reader, writer = self._idle.pop()
                response = await self._exchange(reader, writer, data, ask.method)
                if response.status:
                    return response
            reader, writer = await self.connect()
            return await self._exchange(reader, writer, data, ask.method)

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes, method: str
    ) -> Response:
        try:
            writer.write(data)
            await writer.drain()
            response, keep = await asyncio.wait_for(read_response(reader, method), TIMEOUT)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
            writer.close()
            return Response(0)
        if keep:
            self._idle.append((reader, writer))
        else:
            writer.close()
        return response

    async def converse(self, data: bytes, pause: float = 1.0) -> bytes:
        """Write `data` on a fresh connection and return everything that comes back until silence or the end."""
        reader, writer = await self.connect()
        received = b""
        try:
            writer.write(data)
            await writer.drain()
            while len(received) < MOST_BODY:
                piece = await asyncio.wait_for(reader.read(65536), pause)
                if not piece:
                    break
                received += piece
        except (OSError, TimeoutError):
            pass
        finally:
            writer.close()
        return received

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[1].close()


async def read_response(reader: asyncio.StreamReader, method: str) -> tuple[Response, bool]:
    """(response, whether the connection may be used again)."""
    status = 100
    headers: tuple[Header, ...] = ()
    while status // 100 == 1:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head.rstrip("\r\n").split("\r\n")
        status = int(line.split(" ", 2)[1])
        headers = tuple((name, value.strip()) for name, _, value in (one.partition(":") for one in rest))
        if status == 101:  # noqa: PLR2004 - upgraded: nothing more of HTTP comes
            return Response(status, headers), False
    named = {name.lower(): value for name, value in headers}
    keep = named.get("connection", "").lower() != "close"
    if method == "HEAD" or status in _NO_BODY:
        return Response(status, headers), keep
    if "chunked" in named.get("transfer-encoding", "").lower():
        return Response(status, headers, await _chunks(reader)), keep
    if "content-length" in named:
        return Response(status, headers, await reader.readexactly(min(int(named["content-length"]), MOST_BODY))), keep
    return Response(status, headers, await reader.read(MOST_BODY)), False


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    pieces: list[bytes] = []
    while True:
        size = int((await reader.readline()).split(b";")[0], 16)
        if not size:
            while (await reader.readline()).strip():
                pass
            return b"".join(pieces)
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)

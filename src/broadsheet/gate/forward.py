"""Hands a request to the newsroom's process and its answer back, streaming both ways.

One connection a request: no connection is ever shared by two readers, and none is found closed half-way. The framing
of both messages is made anew by h11; what the visitor's client wrote about its own connection goes no further.

A plain socket, no transport: a transport that cannot write any more throws away what has arrived, and a newsroom that
answers early and closes has often left something unheard.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Iterable
from pathlib import Path

import h11

from broadsheet.gate.answers import PRIVATE, SECURITY_HEADERS
from broadsheet.gate.asgi import Application, Receive, Scope, Send

log = logging.getLogger(__name__)

Headers = list[tuple[bytes, bytes]]

CHUNK = 1 << 16
PATIENCE = 8.0  # a newsroom that starts again takes two or three seconds; readers wait rather than meet an error
FIRST_BYTE = 120.0  # an export or a large upload may take its time
BETWEEN_BYTES = 60.0
CLIENT = b"x-broadsheet-client"
SERVER = b"x-broadsheet-server"
SCHEME = b"x-broadsheet-scheme"
_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    b"upgrade expect content-length".split()
)
_OURS = frozenset((b"host", b"cookie", b"origin", b"authorization"))  # a Connection header takes none of these away
# Where a reader comes from is said by our own three headers; a visitor's word on it is nobody's business.
_NOT_THEIRS = (b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-ssl", b"x-broadsheet-")

_AWAY = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Back in a moment</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><h1>Back in a moment</h1>
<p>This page comes from our newsroom's computer, which is not answering just now. The stories are there:
<a href="/">read on from the front page</a>, and try this one again in a minute.</p></body></html>
"""


class _AwayError(Exception):
    """The newsroom could not be reached, or broke off before it answered."""


class Forwarder:
    """An ASGI application. `patience`: how long a newsroom that went away is waited for, in seconds."""

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        self._path = str(path)
        self._patience = patience
        self._away_since: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = _Exchange(scope, receive, send)
        try:
            newsroom = await self._connect(0.0 if scope["path"] == "/healthz" else self._patience)
        except OSError:
            await _say_away(scope, send, 503)
            return
        try:
            await exchange.run(newsroom)
        except h11.LocalProtocolError:
            # What the visitor sent cannot be put into a request of ours.
            await _say(send, 400, b"text/plain; charset=utf-8", b"Bad Request\n")
        except (_AwayError, OSError, TimeoutError, h11.RemoteProtocolError) as error:
            log.warning("The newsroom did not answer %s %s: %r", scope["method"], scope["path"], error)
            if exchange.answering:
                raise  # half an answer is out: the connection is cut, so nobody takes it for a whole one
            await _say_away(scope, send, 504 if isinstance(error, TimeoutError) else 502)
        finally:
            newsroom.close()

    async def _connect(self, patience: float) -> socket.socket:
        while True:
            newsroom = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            newsroom.setblocking(False)
            try:
                newsroom.connect(self._path)  # at once or not at all: a Unix socket's queue has room or it has none
            except OSError:
                newsroom.close()
                now = time.monotonic()
                if self._away_since is None:
                    self._away_since = now
                if now - self._away_since >= patience:
                    raise
                await asyncio.sleep(0.05)
            else:
                self._away_since = None
                return newsroom


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=CHUNK)
        self._sent_all = False
        self._is_heard = True
        self._progress = time.monotonic()
        self.answering = False

    async def run(self, newsroom: socket.socket) -> None:
        request = h11.Request(
            method=self._scope["method"], target=_target(self._scope), headers=_request_headers(self._scope)
        )
        head = self._http.send(request) or b""
        upload = asyncio.ensure_future(self._upload(newsroom, head))
        answer = asyncio.ensure_future(self._download(newsroom))
        try:
            await asyncio.wait((upload, answer), return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                upload.result()  # the visitor left, or sent what may not be sent on
                return
            answer.result()
        finally:
            for task in (upload, answer):
                task.cancel()
            await asyncio.gather(upload, answer, return_exceptions=True)

    async def _upload(self, newsroom: socket.socket, head: bytes) -> None:
        """Send head and body; then wait, and return when the visitor has left."""
        await self._pass_on(newsroom, head)
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return
            more = message.get("more_body", False)
            body = message.get("body", b"")
            data = self._http.send(h11.Data(data=body)) or b"" if body else b""
            if not more:
                data += self._http.send(h11.EndOfMessage()) or b""
            await self._pass_on(newsroom, data)
        self._sent_all = True
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _pass_on(self, newsroom: socket.socket, data: bytes) -> None:
        self._progress = time.monotonic()
        try:
            if self._is_heard:
                await asyncio.get_running_loop().sock_sendall(newsroom, data)
        except OSError:
            # A newsroom that has heard enough may answer and close; its answer is what counts.
            self._is_heard = False

    async def _download(self, newsroom: socket.socket) -> None:
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                data = await self._read(newsroom)
                if not data and not self.answering:
                    raise _AwayError("it closed the connection before it answered")
                self._http.receive_data(data)
            elif isinstance(event, h11.Response):
                self.answering = True
                await self._send(
                    {
                        "type": "http.response.start",
                        "status": event.status_code,
                        "headers": _answer_headers(event.headers.raw_items()),
                    }
                )
            elif isinstance(event, h11.Data):
                await self._send({"type": "http.response.body", "body": bytes(event.data), "more_body": True})
            elif isinstance(event, h11.EndOfMessage):
                await self._send({"type": "http.response.body", "body": b""})
                return
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                raise _AwayError("it broke off")

    async def _read(self, newsroom: socket.socket) -> bytes:
        """The next bytes of the answer. TimeoutError when neither they nor the visitor's upload come on."""
        loop = asyncio.get_running_loop()
        while True:
            patience = BETWEEN_BYTES if self.answering or not self._sent_all else FIRST_BYTE
            try:
                return await asyncio.wait_for(loop.sock_recv(newsroom, CHUNK), patience)
            except TimeoutError:
                if self._sent_all or time.monotonic() - self._progress > BETWEEN_BYTES:
                    raise


def _target(scope: Scope) -> bytes:
    path: bytes = scope["raw_path"]
    query: bytes = scope["query_string"]
    return path + b"?" + query if query else path


def _request_headers(scope: Scope) -> Headers:
    """The visitor's own headers, then what we know: where they are, how they came, and how their body is framed."""
    given: Headers = list(scope["headers"])
    named = {value.strip().lower() for name, line in given if name == b"connection" for value in line.split(b",")}
    drop = _HOP_BY_HOP | (named - _OURS)
    # Django reads an underscore in a name as a dash: two spellings of one header are one too many.
    kept = [
        (name, value.strip(b" \t"))
        for name, value in given
        if name not in drop and b"_" not in name and not name.startswith(_NOT_THEIRS)
    ]
    names = {name for name, _ in given}
    if b"transfer-encoding" in names:
        kept.append((b"transfer-encoding", b"chunked"))
    elif b"content-length" in names:
        kept.append((b"content-length", next(value for name, value in given if name == b"content-length")))
    kept += [(name, _address(scope.get(key))) for name, key in ((CLIENT, "client"), (SERVER, "server"))]
    kept.append((SCHEME, str(scope["scheme"]).encode()))
    kept.append((b"connection", b"close"))
    return kept


def _address(pair: tuple[str, int | None] | None) -> bytes:
    return f"{pair[0]} {pair[1] or 0}".encode() if pair else b""


def _answer_headers(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The newsroom's headers without those of its connection; its length stays, for HEAD and for downloads."""
    kept = [(name.lower(), value) for name, value in headers]
    drop = _HOP_BY_HOP - {b"content-length"} | {b"date", b"server"}
    return [(name, value) for name, value in kept if name not in drop]


async def _say_away(scope: Scope, send: Send, status: int) -> None:
    if scope["path"] == "/healthz":
        await _say(send, 503, b"text/plain; charset=utf-8", b"newsroom: not reachable\n")
    else:
        await _say(send, status, b"text/html; charset=utf-8", _AWAY, head=scope["method"] == "HEAD")


async def _say(send: Send, status: int, kind: bytes, body: bytes, *, head: bool = False) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    headers += [(b"cache-control", PRIVATE.encode()), (b"retry-after", b"5")]
    headers += [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})


def from_gate(application: Application) -> Application:
    """The newsroom's side: `application` sees the visitor's address and scheme as the gate has found them.

    Only for a socket that nobody but the gate can open.
    """

    async def received(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            said = {name: value.decode() for name, value in scope["headers"] if name in (CLIENT, SERVER, SCHEME)}
            for name, key in ((CLIENT, "client"), (SERVER, "server")):
                host, _, port = said.get(name, "").partition(" ")
                scope[key] = (host, int(port)) if host else None
            scope["scheme"] = said.get(SCHEME, "http")
            # Django is told by the scope alone; what names our own connection is not for it.
            drop = (CLIENT, SERVER, SCHEME, b"connection")
            scope["headers"] = [(name, value) for name, value in scope["headers"] if name not in drop]
        await application(scope, receive, send)

    return received

"""uvicorn's own HTTP protocol with a short cut: what the gate can answer from memory is written as soon as the
request's headers are complete, without a task or a scope. Everything else takes the ordinary ASGI road.

No parser of ours: httptools has read the request before a line of this runs. What uvicorn leaves open is bounded here:
the size of a head and the time it may take, a client that does not take its answer, a connection that asks nothing.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from broadsheet.access.book import Taken
from broadsheet.gate.answers import Answer, Needs, plain
from broadsheet.gate.app import Gate
from broadsheet.gate.asgi import GateApplication
from broadsheet.gate.asked import Asked, forwarded_as_https, forwarded_for, read_request
from broadsheet.gate.told import Told

_VERSIONS = ("1.1", "1.0")
_SHORT = ("GET", "HEAD")
_SWEEP = 1.0  # seconds between two looks at every connection


class _Cycle:
    """Stands where uvicorn keeps the cycle of a request that it does not run itself."""

    __slots__ = ("disconnected", "keep_alive", "message_event", "more_body", "response_complete")

    def __init__(self, *, complete: bool) -> None:
        self.response_complete = complete
        self.disconnected = False
        self.keep_alive = True
        self.more_body = False
        self.message_event = _NOBODY_WAITS


_NOBODY_WAITS = asyncio.Event()
_ANSWERED = _Cycle(complete=True)  # holds nothing of its connection, so one serves them all


class _Dates:
    """uvicorn's own headers (Date), rendered once a second for all connections."""

    def __init__(self) -> None:
        self._of: Any = None
        self._line = b""

    def line(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        if headers is not self._of:
            self._line = b"".join([name + b": " + value + b"\r\n" for name, value in headers])
            self._of = headers
        return self._line


class Sweeper:
    """Closes connections that keep the paper waiting. One for all of a process."""

    def __init__(self, gate: Gate) -> None:
        self.tick = 0
        self._options = gate.options
        self._connections: set[Any] = set()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, connection: Any) -> None:
        self._connections.add(connection)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_SWEEP, self._sweep)

    def release(self, connection: Any) -> None:
        self._connections.discard(connection)

    def _sweep(self) -> None:
        self.tick += 1
        for connection in list(self._connections):
            connection.sweep(self._options, self.tick)
        self._timer = asyncio.get_running_loop().call_later(_SWEEP, self._sweep) if self._connections else None


def gate_protocol(gate: Gate, application: GateApplication) -> type[HttpToolsProtocol]:
    """A protocol class for uvicorn's `http` setting, bound to one gate and the road for what it cannot answer."""
    sweeper, dates, options = Sweeper(gate), _Dates(), gate.options
    names, secure_only, head_bytes, answer_of = options.cookies, options.secure, options.head_bytes, gate.answer

    class GateProtocol(HttpToolsProtocol):
        _head_size: int  # bytes of a head that is not complete yet
        _chunk: int  # bytes that came last
        _in_head: bool
        _half_closed: bool
        _version: str
        _since: int  # the sweeper's tick when this connection last got somewhere

        # --- the hot path ---------------------------------------------------------------------------------------
        def data_received(self, data: bytes) -> None:
            if self.timeout_keep_alive_task is not None:
                self._unset_keepalive_if_required()
            self._chunk = len(data)
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserError:
                self.send_400_response("Invalid HTTP request received.")
            except httptools.HttpParserUpgrade:
                return  # nobody upgrades here: the request was answered as an ordinary one
            if self._in_head:
                self._head_size += len(data)
                if self._head_size > head_bytes:
                    self._refuse(431)

        def on_message_begin(self) -> None:
            self.url = b""
            self.headers = []
            self._in_head = True
            self._since = sweeper.tick

        def on_header(self, name: bytes, value: bytes) -> None:
            self.headers.append((name, value))

        def on_headers_complete(self) -> None:
            self._in_head = False
            self._version = version = self.parser.get_http_version()
            if version not in _VERSIONS:
                self._refuse(505)
            elif self._head_size + self._chunk > head_bytes and self._measured() > head_bytes:
                self._refuse(431)
            elif self.url[:1] != b"/":
                if self._is_ours():
                    self._by_the_long_road()
                else:
                    self._refuse(421)
            elif not self._answer_now():
                self._by_the_long_road()
            self._head_size = 0

        def _answer_now(self) -> bool:
            # A pipelined request waits behind an unfinished answer, and a client that does not read gets no more bytes.
            cycle, url = self.cycle, self.url
            if (cycle is not None and not cycle.response_complete) or self.pipeline or self.flow.write_paused:
                return False
            if b"#" in url or self.transport.is_closing():
                return False
            query = b""
            if b"?" in url:
                url, _, query = url.partition(b"?")
            peer = self.client[0] if self.client else ""
            secure = not secure_only or self.scheme == "https"
            if options.proxies and options.trusts(peer):
                peer = forwarded_for(self.headers, options.trusts, peer)
                secure = secure or forwarded_as_https(self.headers)
            asked = read_request(self.parser.get_method(), url, self.headers, names, secure, peer, query)
            if asked.has_body or asked.method not in _SHORT:
                return False
            answer = answer_of(asked)
            if isinstance(answer, Answer):
                self.cycle: Any = _ANSWERED
                self._write(asked, answer, keep=self._keeps())
                self.server_state.total_requests += 1
                return True
            if isinstance(answer, Needs) and answer.what == "take":
                self._take(asked, answer)
                return True
            return False

        def _keeps(self) -> bool:
            """Whether the request just read leaves its connection open."""
            return self._version == "1.1" and self.parser.should_keep_alive()

        def _write(self, asked: Asked, answer: Answer, *, keep: bool) -> None:
            parts = [answer.head.wire, dates.line(self.server_state.default_headers)]
            for name, value in answer.extra:
                parts.append(f"{name}: {value}\r\n".encode("latin-1"))
            parts.append(b"\r\n" if keep else b"Connection: close\r\n\r\n")
            if asked.method != "HEAD":
                parts.append(answer.body)
            self.transport.writelines(parts)
            self._since = sweeper.tick
            if not keep:
                self.transport.close()

        # --- a count that is kept on another machine --------------------------------------------------------------
        def _take(self, asked: Asked, needs: Needs) -> None:
            # Requests that come behind this one are read meanwhile: what belongs to it is kept here.
            self.cycle = cycle = _Cycle(complete=False)
            told, keep = Told(), self._keeps()

            def done(taken: Taken) -> None:
                if cycle.disconnected or self.transport.is_closing():
                    return
                told.meter, told.taken = needs.key[0], taken
                answer = gate.answer(asked, told)
                if isinstance(answer, Answer):
                    finish(answer)
                else:  # the wall has to be printed first
                    self.tasks.add(task := self.loop.create_task(later()))
                    task.add_done_callback(self.tasks.discard)

            async def later() -> None:
                answer = await application.answer(asked, told) or plain(503)
                if not cycle.disconnected and not self.transport.is_closing():
                    finish(answer)

            def finish(answer: Answer) -> None:
                self._write(asked, answer, keep=keep and cycle.keep_alive)
                cycle.response_complete = True
                self.on_response_complete()

            meter, read, limit, ceiling, network, now = needs.key
            gate.book.take_later(meter, read, limit, ceiling, network, now, done)

        # --- the long road --------------------------------------------------------------------------------------
        def _by_the_long_road(self) -> None:
            url, headers = self.url, self.headers
            super().on_message_begin()
            self.url = url
            for name, value in headers:
                super().on_header(name, value)
            try:
                super().on_headers_complete()
            except httptools.HttpParserInvalidURLError:
                self.send_400_response("Invalid HTTP request received.")

        def on_response_complete(self) -> None:
            self._since = sweeper.tick
            super().on_response_complete()
            if self._half_closed and self._is_idle():
                self.transport.close()

        def eof_received(self) -> bool:  # type: ignore[override]
            """A client that says no more will come still gets what it asked for."""
            self._half_closed = True
            return not self._is_idle()

        def _is_idle(self) -> bool:
            return (self.cycle is None or self.cycle.response_complete) and not self.pipeline

        # --- a connection's life --------------------------------------------------------------------------------
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            self._head_size = self._chunk = 0
            self._in_head = self._half_closed = False
            self._since = sweeper.tick
            super().connection_made(transport)
            sweeper.watch(self)

        def connection_lost(self, exc: Exception | None) -> None:
            sweeper.release(self)
            super().connection_lost(exc)

        def pause_writing(self) -> None:
            self._since = sweeper.tick
            super().pause_writing()

        def sweep(self, limits: Any, tick: int) -> None:
            """Close when this connection has kept us waiting for longer than it may."""
            waited = tick - self._since
            if self.flow.write_paused:
                if waited > limits.write_seconds:
                    self.transport.abort()
            elif self._in_head:
                if waited > limits.head_seconds:
                    self.transport.close()
            elif self._is_idle() and waited > limits.idle_seconds:
                self.transport.close()

        def _measured(self) -> int:
            return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

        def _is_ours(self) -> bool:
            """Whether an address written out whole in the request line is of this paper; it counts above Host."""
            try:
                url = httptools.parse_url(self.url)
            except httptools.HttpParserInvalidURLError:
                return True  # the long road answers it
            authority = (url.host or b"").lower() + (b":%d" % url.port if url.port else b"")
            return not url.host or authority in options.hosts

        def _refuse(self, status: int) -> None:
            """Say why, and end the connection: what follows on it may be anything."""
            self._in_head = False
            if not self.transport.is_closing():
                answer = plain(status, extra=[("Connection", "close")])
                date = dates.line(self.server_state.default_headers)
                self.transport.writelines([answer.head.wire, date, b"\r\n", answer.body])
                self.transport.close()
            self.cycle = _ANSWERED

    return GateProtocol

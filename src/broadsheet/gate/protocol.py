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
from broadsheet.gate.asked import Asked, Encodings, Picks, forwarded_as_https, forwarded_for, picks_of, read_request
from broadsheet.gate.quick import Counting, ShortRoad
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
        self.of: Any = None
        self._line = self.plain = b""

    def render(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        self._line = b"".join([name + b": " + value + b"\r\n" for name, value in headers])
        self.plain, self.of = self._line + b"\r\n", headers
        return self.plain

    def line(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        if headers is not self.of:
            self.render(headers)
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
    road = ShortRoad(gate)
    shelf_at, hosts, page = gate.shelf.at, options.hosts, road.page
    encodings = Encodings()
    names, head_bytes, answer_of = options.cookies, options.head_bytes, gate.answer

    class GateProtocol(HttpToolsProtocol):
        _head_size: int  # bytes of a head that is not complete yet
        _chunk: int  # bytes that came last
        _in_head: bool
        _half_closed: bool
        _version: str
        _address: str  # the peer's
        _secure: bool  # whether whoever connects may speak plainly, or does not
        _by_proxy: bool  # whether the peer's X-Forwarded headers are believed
        _since: int  # the sweeper's tick when this connection last got somewhere

        # --- the hot path ---------------------------------------------------------------------------------------
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self._names: list[bytes] = []
            self._values: list[bytes] = []
            self._known: list[bytes] = []
            self._picks: Picks | None = None

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
            self._names, self._values = [], []
            self._in_head = True
            self._since = sweeper.tick

        def on_header(self, name: bytes, value: bytes) -> None:
            self._names.append(name)
            self._values.append(value)

        def on_message_complete(self) -> None:
            if self.cycle is not _ANSWERED:
                super().on_message_complete()

        def on_headers_complete(self) -> None:
            self._in_head = False
            if self._head_size + self._chunk > head_bytes or not self._answer_at_once():
                self._answer_or_hand_on()
            self._head_size = 0

        def _answer_at_once(self) -> bool:
            """The short road: a plain GET for a story in memory, on a connection that has nothing else to do."""
            held = shelf_at(self.url)
            cycle = self.cycle  # of the request that came last: when it is answered, so are those before it
            if held is None or (cycle is not _ANSWERED and cycle is not None and not cycle.response_complete):
                return False
            names, values = self._names, self._values
            if names != self._known:  # a client sends the same lines in the same order each time
                self._known, self._picks = names, picks_of(names)
            picks, parser = self._picks, self.parser
            if picks is None or self.flow.write_paused or parser.get_method() != b"GET":
                return False
            values.append(b"")
            host, accepts, cookie, dest, connection = picks(values)
            encoding = encodings[accepts]
            if encoding is None or host not in hosts or (dest and dest != b"document"):
                return False
            # Without a Connection line no version but 1.1 is kept alive.
            if not parser.should_keep_alive() or (connection and parser.get_http_version() != "1.1"):
                return False
            address = self._address
            if self._by_proxy:
                headers = list(zip(names, values, strict=False))
                address = forwarded_for(headers, options.trusts, address)
                if not self._secure and not forwarded_as_https(headers):
                    return False
            elif not self._secure:
                return False
            if self.transport.is_closing():
                return False
            written = page(held, cookie.decode("latin-1"), encoding, address, self.loop.time())
            if written is None:
                return False
            if isinstance(written, Counting):
                self._count(written)
                return True
            head, line, body = written
            headers = self.server_state.default_headers
            date = dates.plain if headers is dates.of else dates.render(headers)
            self.transport.writelines((head, line, date, body))
            self.cycle = _ANSWERED
            self._since = sweeper.tick
            return True

        def _answer_or_hand_on(self) -> None:
            self.headers = list(zip(self._names, self._values, strict=False))
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
            asked = self._asked(url, query, self.headers, self.parser.get_method())
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

        def _asked(self, url: bytes, query: bytes, headers: list[tuple[bytes, bytes]], method: bytes) -> Asked:
            address, secure = self._address, self._secure
            if self._by_proxy:
                address = forwarded_for(headers, options.trusts, address)
                secure = secure or forwarded_as_https(headers)
            return read_request(method, url, headers, names, secure, address, query)

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
        # Requests that come behind such a one are read meanwhile: what belongs to it is kept in its call.
        def _count(self, counting: Counting) -> None:
            self.cycle = cycle = _Cycle(complete=False)
            url, lines = self.url, (self._names, self._values)

            def done(taken: Taken) -> None:
                if cycle.disconnected or self.transport.is_closing():
                    return
                written = road.counted(counting, taken, self.loop.time()) if cycle.keep_alive else None
                if written is None:
                    asked = self._asked(url, b"", list(zip(*lines, strict=False)), b"GET")
                    self._answer_counted(asked, Told(taken=taken, meter=counting.meter), cycle, keep=True)
                    return
                head, line, body = written
                self.transport.writelines((head, line, dates.line(self.server_state.default_headers), b"\r\n", body))
                self._since = sweeper.tick
                self._complete(cycle)

            held, _, row, meter, network, now = counting
            gate.book.take_later(meter, held.read, row.limit, None, network, now, done)

        def _take(self, asked: Asked, needs: Needs) -> None:
            self.cycle = cycle = _Cycle(complete=False)
            keep = self._keeps()
            meter, read, limit, ceiling, network, now = needs.key

            def done(taken: Taken) -> None:
                if not cycle.disconnected and not self.transport.is_closing():
                    self._answer_counted(asked, Told(taken=taken, meter=meter), cycle, keep=keep)

            gate.book.take_later(meter, read, limit, ceiling, network, now, done)

        def _answer_counted(self, asked: Asked, told: Told, cycle: _Cycle, *, keep: bool) -> None:
            def finish(answer: Answer) -> None:
                self._write(asked, answer, keep=keep and cycle.keep_alive)
                self._complete(cycle)

            async def later() -> None:
                answer = await application.answer(asked, told) or plain(503)
                if not cycle.disconnected and not self.transport.is_closing():
                    finish(answer)

            answer = gate.answer(asked, told)
            if isinstance(answer, Answer):
                finish(answer)
            else:  # the wall has to be printed first
                self.tasks.add(task := self.loop.create_task(later()))
                task.add_done_callback(self.tasks.discard)

        def _complete(self, cycle: _Cycle) -> None:
            """What uvicorn does after an answer, where there is something to do: the sweeper sees to idle ones."""
            cycle.response_complete = True
            if self.pipeline or self.cycle is not cycle or self._half_closed:
                self.on_response_complete()

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
            self._address = self.client[0] if self.client else ""
            self._secure = not options.secure or self.scheme == "https"
            self._by_proxy = options.trusts(self._address)
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

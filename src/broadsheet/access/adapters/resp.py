"""One connection to a Valkey or Redis server: everything asked in one turn of the event loop goes out in one write.

Django-free. Packing and parsing are hiredis's. A client library costs 26-40 us a command, this a tenth of it, because
there is nothing between the caller and the socket: no pool, no task, no future; an answer is a call of `done`.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any

import hiredis

from broadsheet.access.adapters.addresses import Login, Server

log = logging.getLogger(__name__)

Reply = Any  # bytes, int, None, list, hiredis.ReplyError, or AWAY
Done = Callable[[Reply], None]
AWAY = object()
"""The reply of a server that cannot be reached, or that did not answer in time."""
TIMEOUT = 0.25  # seconds an answer may take: a reader waits no longer than that for the wall
_BACK_OFF = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)  # seconds before each new try to connect


class _Wire(asyncio.Protocol):
    """One socket's life: what a socket given up says later is heard by nobody."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def data_received(self, data: bytes) -> None:
        if self._connection.wire is self:
            self._connection.heard(data)

    def connection_lost(self, _: Exception | None) -> None:
        if self._connection.wire is self:
            self._connection.drop("the connection broke")


class Connection:
    """A connection that comes back by itself. While it is away every command is answered AWAY at once."""

    def __init__(self, server: Server, login: Login, changed: Callable[[Connection], None]) -> None:
        """`changed` is called whenever the connection is there or away."""
        self.server = server
        self.up = False
        self.wrong = "not connected yet"
        self._login = login
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.WriteTransport | None = None
        self.wire: _Wire | None = None
        self._reader = hiredis.Reader()
        self._waiting: deque[tuple[float, Done]] = deque()
        self._out: list[bytes] = []
        self._asked = 0.0
        self._tries = 0
        self._closed = False
        self._watch: asyncio.TimerHandle | None = None
        self._task = self._loop.create_task(self._connect())

    # --- asking -------------------------------------------------------------------------------------------------
    def ask(self, command: bytes, done: Done) -> None:
        """Send a packed command with others of this turn; `done` is called once with its reply."""
        if not self.up:
            done(AWAY)
            return
        self._send(command, done)

    def _send(self, command: bytes, done: Done) -> None:
        if not self._out:  # the first of this turn of the loop: the others are sent at the same time
            self._asked = self._loop.time()
            self._loop.call_soon(self._flush)
            if self._watch is None:
                self._watch = self._loop.call_at(self._asked + TIMEOUT, self._look_at_the_clock)
        self._out.append(command)
        self._waiting.append((self._asked, done))

    def _flush(self) -> None:
        if self._out and self._transport is not None:
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def _look_at_the_clock(self) -> None:
        self._watch = None
        if self._waiting:
            due = self._waiting[0][0] + TIMEOUT
            if due <= self._loop.time():
                self.drop(f"no answer within {TIMEOUT} s")
            else:
                self._watch = self._loop.call_at(due, self._look_at_the_clock)

    def heard(self, data: bytes) -> None:
        reader, waiting = self._reader, self._waiting
        reader.feed(data)
        try:
            while (reply := reader.gets()) is not False:
                waiting.popleft()[1](reply)
        except (hiredis.ProtocolError, IndexError):
            self.drop("what it answers is not the Redis protocol")

    # --- coming and going ---------------------------------------------------------------------------------------
    async def _connect(self) -> None:
        """Connect and sign in; tried again until it works or the connection is closed."""
        while not self._closed:
            try:
                context = ssl.create_default_context() if self._login.tls else None
                self._reader = hiredis.Reader()
                opening = self._loop.create_connection(self._new_wire, *self.server, ssl=context)
                self._transport, _ = await asyncio.wait_for(opening, 1.0)
                await self._sign_in()
            except (OSError, TimeoutError, ConnectionError) as error:
                self.drop(str(error) or "no answer", again=False)
                if self._tries == 0:
                    self._changed(self)
                await asyncio.sleep(_BACK_OFF[min(self._tries, len(_BACK_OFF) - 1)])
                self._tries += 1
            else:
                self.up, self.wrong, self._tries = True, "", 0
                self._changed(self)
                return

    async def _sign_in(self) -> None:
        commands: list[tuple[Any, ...]] = [("PING",)]
        if self._login.database:
            commands.insert(0, ("SELECT", self._login.database))
        if self._login.password:
            who = (self._login.user,) if self._login.user else ()
            commands.insert(0, ("AUTH", *who, self._login.password))
        for command in commands:
            reply = await self._call(command)
            if reply is AWAY or isinstance(reply, hiredis.ReplyError):
                raise ConnectionError("no answer" if reply is AWAY else f"it refuses {command[0]}: {reply}")

    async def _call(self, command: tuple[Any, ...]) -> Reply:
        answer: asyncio.Future[Reply] = self._loop.create_future()

        def heard(reply: Reply) -> None:
            if not answer.done():
                answer.set_result(reply)

        self._send(hiredis.pack_command(command), heard)
        return await answer

    def _new_wire(self) -> _Wire:
        self.wire = _Wire(self)
        return self.wire

    def drop(self, why: str, *, again: bool = True) -> None:
        """Answer everything that waits, and connect anew: after a late answer the order could not be trusted."""
        was_up, self.up, self.wrong = self.up, False, why
        transport, self._transport, self.wire = self._transport, None, None
        self._out.clear()
        waiting, self._waiting = self._waiting, deque()
        if transport is not None:
            transport.abort()
        for _, done in waiting:
            done(AWAY)
        if was_up:
            self._changed(self)
            if again and not self._closed:
                self._task = self._loop.create_task(self._connect())

    def close(self) -> None:
        self._closed = True
        self._task.cancel()
        if self._watch is not None:
            self._watch.cancel()
        self.drop("closed")

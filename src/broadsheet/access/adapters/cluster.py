"""Several servers as one: which of them owns a key, found out and followed as it changes. Django-free.

A single server owns everything. Of several that are no cluster the one that is the primary does. Only commands that
exist in Redis 6.2 are used.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from binascii import crc_hqx
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import hiredis

from broadsheet.access.adapters.addresses import Login, Server
from broadsheet.access.adapters.resp import AWAY, Connection, Done, Reply

log = logging.getLogger(__name__)

SLOTS = 16384
_HOPS = 4  # times a command is sent on to where its key has moved
_AGAIN = 0.5  # seconds between two looks at who owns what while something is away
_pack: Callable[[tuple[Any, ...]], bytes] = hiredis.pack_command
_NO_CLUSTER = ("cluster support disabled", "unknown command", "unknown subcommand")


def slot_of(tag: bytes) -> int:
    """The slot of a key whose hash tag is `tag`."""
    return crc_hqx(tag, 0) % SLOTS


class Script:
    """A Lua script, sent by its digest and in full to a server that has not seen it yet."""

    def __init__(self, text: str) -> None:
        self.text = text.encode()
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest().encode()


class Cluster:
    def __init__(self, servers: Sequence[Server], login: Login) -> None:
        self._seeds = list(servers)
        self._login = login
        self._connections: dict[Server, Connection] = {}
        self._owner: list[Connection | None] = [None] * SLOTS
        self._timer: asyncio.TimerHandle | None = None
        self._looking = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._said = False  # that something is away

    def start(self) -> None:
        """On the running event loop."""
        self._loop = asyncio.get_running_loop()
        for server in self._seeds:
            self._connection(server)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._loop = None
        for connection in self._connections.values():
            connection.close()

    def status(self) -> str:
        """ "" when every key has its server, else what is wrong, without secrets."""
        if all(owner is not None and owner.up for owner in set(self._owner)):
            return ""
        away = [f"{c.server.host}:{c.server.port}: {c.wrong}" for c in self._connections.values() if not c.up]
        return "; ".join(away) or "no server owns every key"

    # --- asking -------------------------------------------------------------------------------------------------
    def run(self, script: Script, slot: int, keys: Sequence[bytes], values: Sequence[Any], done: Done) -> None:
        """Run a script where all its keys lie, in `slot`. `done` hears the reply, a ReplyError or AWAY."""
        owner = self._owner[slot]
        if owner is None or not owner.up:
            done(AWAY)
            return
        rest = (len(keys), *keys, *values)
        hops = 0

        def answered(reply: Reply) -> None:
            nonlocal hops
            if not isinstance(reply, hiredis.ReplyError):
                done(reply)
                return
            hops += 1
            word, _, where = str(reply).partition(" ")
            if hops > _HOPS or word in ("CLUSTERDOWN", "LOADING", "READONLY", "MASTERDOWN", "TRYAGAIN"):
                self._look_again()
                done(AWAY)
            elif word == "NOSCRIPT":
                send(self._owner[slot], (b"EVAL", script.text, *rest))
            elif word == "MOVED":
                self._owner[slot] = target = self._connection(_server(where))
                self._look_again()
                self._when_up(target, lambda: send(target, (b"EVALSHA", script.digest, *rest)), done)
            elif word == "ASK":
                target = self._connection(_server(where))
                self._when_up(target, lambda: send(target, (b"EVAL", script.text, *rest), asking=True), done)
            else:
                done(reply)

        def send(to: Connection | None, command: tuple[Any, ...], *, asking: bool = False) -> None:
            if to is None:
                done(AWAY)
                return
            if asking:
                to.ask(_pack((b"ASKING",)), lambda _: None)
            to.ask(_pack(command), answered)

        send(owner, (b"EVALSHA", script.digest, *rest))

    def ask(self, slot: int, command: bytes, done: Done) -> None:
        """One packed command to the server of a slot. `done` hears a ReplyError of a slot that has moved, too."""
        owner = self._owner[slot]
        if owner is None:
            done(AWAY)
        else:
            owner.ask(command, done)

    def call(self, slot: int, command: tuple[Any, ...], done: Done) -> None:
        """One plain command to the server of a slot, without following it if the slot has moved."""
        owner = self._owner[slot]
        if owner is None or not owner.up:
            done(AWAY)
        else:
            owner.ask(_pack(command), done)

    def _when_up(self, connection: Connection, then: Any, done: Done, tries: int = 10) -> None:
        """A server that has just been heard of needs a moment to connect."""
        if connection.up:
            then()
        elif tries and self._loop is not None:
            self._loop.call_later(0.02, self._when_up, connection, then, done, tries - 1)
        else:
            done(AWAY)

    # --- who owns what ------------------------------------------------------------------------------------------
    def _connection(self, server: Server) -> Connection:
        found = self._connections.get(server)
        if found is None:
            found = self._connections[server] = Connection(server, self._login, self._changed)
        return found

    def _changed(self, connection: Connection) -> None:
        wrong = "" if connection.up or self._said else self.status()
        if wrong:
            log.error("The meter's server is away (%s); visitors meet the wall until it is back.", wrong)
            self._said = True
        self._look_again(0.0 if connection.up else 0.05)

    def _look_again(self, delay: float = 0.0) -> None:
        if self._loop is not None and self._timer is None and not self._looking:
            self._timer = self._loop.call_later(delay, self._look)

    def _look(self) -> None:
        self._timer = None
        teller = next((c for c in self._connections.values() if c.up), None)
        if teller is None:
            return  # whoever comes back calls _changed
        self._looking = True
        teller.ask(_pack((b"CLUSTER", b"SLOTS")), lambda reply: self._seen(teller, reply))

    def _seen(self, teller: Connection, reply: Reply) -> None:
        self._looking = False
        if isinstance(reply, list):
            self._take_map(teller, reply)
        elif isinstance(reply, hiredis.ReplyError) and any(word in str(reply).lower() for word in _NO_CLUSTER):
            for connection in self._connections.values():
                connection.ask(_pack((b"ROLE",)), partial(self._take_role, connection))
            return
        if self.status():
            self._look_again(_AGAIN)
        else:
            self._well()

    def _take_map(self, teller: Connection, ranges: list[Any]) -> None:
        owners: list[Connection | None] = [None] * SLOTS
        for first, last, primary, *_ in ranges:
            host = primary[0].decode() if primary[0] else teller.server.host
            owners[first : last + 1] = [self._connection(Server(host, primary[1]))] * (last + 1 - first)
        self._owner = owners
        kept = {owner for owner in owners if owner is not None}
        for server, connection in list(self._connections.items()):
            if connection not in kept and server not in self._seeds:
                self._connections.pop(server).close()

    def _take_role(self, connection: Connection, role: Reply) -> None:
        if isinstance(role, list) and role[0] == b"master":
            if self._owner[0] is None or not self._owner[0].up:
                self._owner = [connection] * SLOTS
            self._well()
        elif self._owner[0] is connection:
            self._owner = [None] * SLOTS
            self._look_again(_AGAIN)
        elif self.status():
            self._look_again(_AGAIN)

    def _well(self) -> None:
        if self._said:
            log.warning("The meter's server is back.")
        self._said = False


def _server(where: str) -> Server:
    """The server in the tail of a redirection: "3999 127.0.0.1:6381"."""
    host, _, port = where.rpartition(" ")[2].rpartition(":")
    return Server(host, int(port))

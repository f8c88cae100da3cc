"""The book of several machines, in a Valkey or Redis server or cluster. Django-free.

Meters of one window lie together in hashes of a few dozen, which take a third of the memory of a key each and go with
their window. A field is 6 bytes of the meter's id; its value 2 bytes for the day it counted last and 4 for each story,
2 more for its section where that has a ceiling. A take is one script on one server. While a server is away its takes
are answered "away" at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import hiredis

from broadsheet.access.adapters.addresses import servers_of
from broadsheet.access.adapters.cluster import Cluster, slot_of
from broadsheet.access.adapters.resp import AWAY, Reply
from broadsheet.access.adapters.scripts import BUDGET, COMMAND, LOOK, TAKE
from broadsheet.access.book import Taken, together, verdict
from broadsheet.access.budget import prefixes
from broadsheet.access.meter import MOST_READS, Meter
from broadsheet.ids import keyed_digest

log = logging.getLogger(__name__)

BUCKETS = 16384  # hashes of a window: up to 2 million meters they stay in the server's compact form
_DAY = struct.Struct(">H")
_MINUTE = timedelta(minutes=1)
_new = tuple.__new__  # a named tuple's own constructor is a Python function: a call more at every read
_stories = [struct.Struct(f">{number}I").pack for number in range(MOST_READS + 2)]
_STORY = struct.Struct(">I")  # below 2**31; the highest bit says that a section follows
_WITH_SECTION = struct.Struct(">IH")
_MARK, _LOW = 2**31, 2**31 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date()
_LONGEST_WAIT = 2.0  # seconds that a sign-in waits for the server


class ValkeyBook:
    def __init__(self, url: str, *, zone: tzinfo = UTC, budget: int = 0) -> None:
        """`url`: the option valkey_url; `zone`: the publisher's, where its day turns; `budget`: new meters for a
        network and day (0: no bound). ValueError when the URL is none."""
        self._servers, self._login = servers_of(url)
        self._cluster = Cluster(self._servers, self._login)
        self._zone = zone
        self._budget = budget
        self.wants_networks = budget > 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slots: list[int] = [slot_of(b"%d" % number) for number in range(BUCKETS)]
        self._windows: dict[str, tuple[bytes, int]] = {}
        self._today = self._tomorrow = datetime.min.replace(tzinfo=UTC)
        self._day = self._day_began = self._day_ends = 0
        self.day_packed = b""
        self._keys: dict[int, bytes] = {}
        self._minute = self._today
        self._rests: dict[tuple[str, int, int | None], bytes] = {}

    # --- coming and going ---------------------------------------------------------------------------------------
    def start(self, loop: asyncio.AbstractEventLoop, clock: Callable[[], datetime]) -> None:  # noqa: ARG002
        """Connect, on this running loop. A server that is away is no error: it is tried until it is there."""
        self._loop = loop
        self._cluster.start()

    def stop(self) -> None:
        self._cluster.close()

    def status(self) -> str:
        """ "" when all is well, else what is wrong."""
        wrong = self._cluster.status()
        return f"the meter's server is away: {wrong}" if wrong else ""

    # --- a book -------------------------------------------------------------------------------------------------
    def look(self, meter: Meter) -> tuple[int, ...]:
        """What the cookie says: the server says the rest when a read is taken."""
        return meter.reads

    def take(self, *_: Any) -> Taken | None:
        return None

    def take_later(
        self,
        meter: Meter,
        read: int,
        limit: int,
        section_limit: int | None,
        network: bytes | None,
        now: datetime,
        done: Callable[[Taken], None],
    ) -> None:
        if not self._today <= now < self._tomorrow:
            self._turn(now)
        one = _One(self, meter, read, limit, section_limit, now, done)
        if network is None or not self._budget:
            one.take()
        elif meter.reads:
            one.network = network
            one.take()
        elif meter.first_read >= int(now.timestamp()):
            # Nobody but us knows this meter yet: if its network is refused, what was counted is never asked for.
            one.granted = None
            one.take()
            self.ask_budget(b"begin", network, limit, now, one.budgeted)
        else:
            self.ask_budget(b"begin", network, limit, now, one.budgeted_first)

    def look_surely(self, meter: Meter) -> tuple[int, ...]:
        """Everything the meter has read, from the server; waits for it. What the cookie says when it is away. Not for
        an event loop."""
        try:
            return asyncio.run(asyncio.wait_for(self._look(meter), _LONGEST_WAIT))
        except TimeoutError:
            return meter.reads

    async def _look(self, meter: Meter) -> tuple[int, ...]:
        cluster = Cluster(self._servers, self._login)
        cluster.start()
        try:
            while cluster.status():  # noqa: ASYNC110 - a sign-in may poll
                await asyncio.sleep(0.01)
            slot, key, field, _ = self.place(meter)
            answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
            cluster.run(LOOK, slot, (key,), (field,), answer.set_result)
            value = await answer
        finally:
            cluster.close()
        return together(meter.reads, _reads(value[2:])) if isinstance(value, bytes) else meter.reads

    # --- one read -----------------------------------------------------------------------------------------------
    def place(self, meter: Meter) -> tuple[int, bytes, bytes, int]:
        """Slot, key and field of a meter, and when its window is over for certain (Unix seconds)."""
        prefix, end = self._windows.get(meter.window) or self._window(meter.window)
        bucket = int.from_bytes(meter.id[:2], "big") % BUCKETS
        return self._slots[bucket], b"%b{%d}" % (prefix, bucket), meter.id[2:8], end

    def _window(self, window: str) -> tuple[bytes, int]:
        """What the keys of a window's meters begin with, and its end. Rolling windows that began on one day share
        their keys."""
        if len(self._windows) >= 4096:  # noqa: PLR2004
            self._windows.clear()
        kind, _, began = window.partition("-")
        if kind[:1] == "r" and began.isdigit():
            days, day = int(kind[1:]), int(began) // 86400
            name, end = f"{kind}-{day}", (day + days + 1) * 86400
        else:
            year, month, day_of_month = int(window[1:5]), int(window[5:7]), int(window[7:9] or 1)
            start = datetime(year, month, day_of_month, tzinfo=self._zone)
            last = start + timedelta(days=7 if window[:1] == "w" else 31)
            name, end = window, int(last.timestamp())
        found = self._windows[window] = (f"bsm:{name}:".encode(), end)
        return found

    @property
    def day(self) -> int:
        return self._day

    @property
    def day_began(self) -> int:
        return self._day_began

    def rest(self, window: str, limit: int, section_limit: int | None, now: datetime) -> bytes:
        """What all takes of these limits say alike: limit, ceiling, day and seconds to live, packed once a minute."""
        if not self._minute <= now < self._minute + _MINUTE:
            self._minute = now
            self._rests.clear()
        found = self._rests.get((window, limit, section_limit))
        if found is None:
            ttl = max(60, (self._windows.get(window) or self._window(window))[1] - int(now.timestamp()))
            words = [b"%d" % limit, b"" if section_limit is None else b"%d" % section_limit, b"%d" % self._day]
            found = b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in (*words, b"%d" % ttl)])
            self._rests[window, limit, section_limit] = found
        return found

    def ask(self, slot: int, command: bytes, done: Callable[[Reply], None]) -> None:
        self._cluster.ask(slot, command, done)

    def run(self, slot: int, keys: tuple[bytes, ...], values: tuple[Any, ...], done: Callable[[Reply], None]) -> None:
        self._cluster.run(TAKE, slot, keys, values, done)

    def _turn(self, now: datetime) -> None:
        start = now.astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
        end = start + timedelta(days=1)
        self._today, self._tomorrow = start.astimezone(UTC), end.astimezone(UTC)
        self._day_began, self._day_ends = int(start.timestamp()), int(end.timestamp())
        self._day = (start.date() - _EPOCH).days
        self.day_packed = _DAY.pack(self._day)
        self._rests.clear()
        self._keys.clear()

    # --- budgets ------------------------------------------------------------------------------------------------
    def ask_budget(self, kind: bytes, network: bytes, limit: int, now: datetime, done: Callable[[Reply], None]) -> None:
        """Use up one new meter of a client's networks, or note that a meter came back to them."""
        day = self._day
        secret = self._keys.get(day)
        ttl = max(60, self._day_ends - int(now.timestamp()))
        if secret is None:
            self._fetch_key(day, ttl, lambda: self.ask_budget(kind, network, limit, now, done), done)
            return
        found = prefixes(network)
        tag = keyed_digest(secret, "site", found[-1].name, 8).hex().encode()  # a /56 lies with its /48
        keys = [b"bsn:{%b}:%b" % (tag, keyed_digest(secret, "network", p.name, 8).hex().encode()) for p in found]
        values = (kind, self._budget, limit, ttl, *(p.budgets for p in found))
        self._cluster.run(BUDGET, slot_of(tag), keys, values, done)

    def _fetch_key(self, day: int, ttl: int, then: Callable[[], None], done: Callable[[Reply], None]) -> None:
        """The key of a day, made by whoever asks first; the server destroys it when the day ends."""
        slot, name = slot_of(b"key"), b"bsn:{key}:%d" % day

        def got(reply: Reply) -> None:
            if isinstance(reply, bytes):
                self._keys[day] = reply
                then()
            else:
                done(AWAY)

        # Two commands in one write: whoever was first, both see the same key.
        command = ("SET", name, os.urandom(32), "EX", ttl, "NX")
        self._cluster.call(slot, command, lambda _: None)
        self._cluster.call(slot, ("GET", name), got)


class _One:
    """A read on its way. `granted`: what the budget said; None while it is still to say."""

    __slots__ = (
        "_book",
        "_done",
        "_limit",
        "_meter",
        "_now",
        "_read",
        "_section_limit",
        "_taken",
        "granted",
        "network",
    )

    def __init__(
        self,
        book: ValkeyBook,
        meter: Meter,
        read: int,
        limit: int,
        section_limit: int | None,
        now: datetime,
        done: Callable[[Taken], None],
    ) -> None:
        self._book = book
        self._meter = meter
        self._read = read
        self._limit = limit
        self._section_limit = section_limit
        self._now = now
        self._done = done
        self._taken: Taken | None = None
        self.granted: Taken | bool | None = True
        self.network: bytes | None = None

    def take(self) -> None:
        book, meter = self._book, self._meter
        slot, key, field, _ = book.place(meter)
        read, known = self._packed()
        new = book.day_packed + known + read if self._is_plain() else b""
        rest = book.rest(meter.window, self._limit, self._section_limit, self._now)
        command = COMMAND % (len(key), key, field, len(read), read, len(known), known, rest, len(new), new)
        book.ask(slot, command, self._heard)

    def _is_plain(self) -> bool:
        """Whether the read counts by what the cookie says."""
        return verdict(self._meter.reads, self._read, self._limit, self._section_limit) == "ok"

    def _packed(self) -> tuple[bytes, bytes]:
        sections = self._section_limit is not None
        return _packed((self._read,), sections=sections), _packed(self._meter.reads, sections=sections)

    def _heard(self, reply: Reply) -> None:
        """The reply to a take sent in a hurry. An error says that nothing was done: it is sent where it belongs."""
        if isinstance(reply, int) and self.network is None and self.granted is True:
            self._done(_new(Taken, ("ok", (*self._meter[3], self._read))))
        elif isinstance(reply, hiredis.ReplyError):
            book, (slot, key, field, end) = self._book, self._book.place(self._meter)
            read, known = self._packed()
            section_limit = "" if self._section_limit is None else self._section_limit
            ttl = max(60, end - int(self._now.timestamp()))
            book.run(slot, (key,), (field, read, known, self._limit, section_limit, book.day, ttl, b""), self._took)
        else:
            self._took(reply)

    def _took(self, reply: Reply) -> None:
        if isinstance(reply, int):
            reply = [b"ok", b"", reply]
        if not isinstance(reply, list):
            if isinstance(reply, hiredis.ReplyError):
                log.error("The meter's server answers: %s", reply)
            self._taken = self._away()
        else:
            said, reads, day = reply
            known = (*self._meter.reads, self._read) if said == b"ok" else self._meter.reads
            # The cookie knows every section.
            self._taken = Taken(said.decode(), together(known, _reads(reads)) if reads else known)
            returned = self.network is not None and said == b"ok" and day < self._book.day
            if returned and self.network is not None and self._meter.first_read < self._book.day_began:
                self._book.ask_budget(b"return", self.network, self._limit, self._now, lambda _: None)
        self._settle()

    def budgeted(self, reply: Reply) -> None:
        """What the budget says, asked together with the take."""
        self.granted = True if reply == 1 else Taken("budget", ()) if reply == 0 else self._away()
        self._settle()

    def budgeted_first(self, reply: Reply) -> None:
        """What the budget says before anything is taken."""
        if reply == 1:
            self.take()
        else:
            self._done(Taken("budget", ()) if reply == 0 else self._away())

    def _away(self) -> Taken:
        return Taken("away", self._meter.reads)

    def _settle(self) -> None:
        if self._taken is not None and self.granted is not None:
            self._done(self._taken if self.granted is True else self.granted)  # type: ignore[arg-type]


def _packed(reads: tuple[int, ...], *, sections: bool) -> bytes:
    if sections:
        return b"".join([_WITH_SECTION.pack(read & _LOW | _MARK, read >> 48) for read in reads])
    return _stories[len(reads)](*[read & _LOW for read in reads])


def _reads(packed: bytes) -> tuple[int, ...]:
    """The reads in a value; section 0 where the server does not know it."""
    found, at = [], 0
    while at < len(packed):
        if packed[at] & 0x80:
            story, section = _WITH_SECTION.unpack_from(packed, at)
            found.append(section << 48 | story & _LOW)
            at += 6
        else:
            found.append(_STORY.unpack_from(packed, at)[0])
            at += 4
    return tuple(found)

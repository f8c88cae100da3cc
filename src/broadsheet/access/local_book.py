"""The book of one machine: what each meter has read, in a file that all its workers share. Django-free.

`<data>/meter/reads.map` keeps every read itself and not only their number, so that a browser that lost an answer's
cookie may read that story again. It is bounded: in a full bucket the meter that counted longest ago is forgotten, and
then its cookie alone counts. `<data>/meter/networks.map` holds the budgets of one day under a key of that day.

A record grows at its end, behind what its head vouches for; the head (checksum, day, number of reads) is written last
and in one store. So a process that is killed leaves the record as it was or as it was to be.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from fcntl import LOCK_EX, LOCK_UN, lockf
from pathlib import Path
from threading import Lock
from zlib import crc32

from broadsheet.access.book import Taken, together, verdict
from broadsheet.access.mapped import KEYS, RETIRED, START, WAYS, Table, make, opened
from broadsheet.access.meter import MOST_READS, Meter
from broadsheet.access.networks import Networks
from broadsheet.access.presence import WATCH, Presence
from broadsheet.ids import keyed_digest

log = logging.getLogger(__name__)

_FORMAT = 1
_HEAD = 8  # checksum of all that follows and of the key (4 bytes); day last counted (2), number of reads (1), 0
_checked = [struct.Struct(f"<HBB{number}Q").pack for number in range(256)]
_record_at = [struct.Struct(f"<IHBB{number}Q").unpack_from for number in range(256)]
_sum = struct.Struct("<I").pack
_halves = struct.Struct("<QQ").unpack
_key = struct.Struct("<Q").pack
_new = tuple.__new__  # a named tuple's own constructor is a Python function: a call more at every read
_EMPTY = bytes(8)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date()
_DAYS = {"m": 31, "w": 7}  # of a window, by the first letter of its name; a rolling one names its own
_SWEEP = 64  # buckets tidied in one go: well under a millisecond
_PAUSE = 10.0  # seconds between two of them: the whole file in less than an hour


class LocalBook:
    def __init__(
        self,
        folder: Path,
        *,
        limit: int,
        zone: tzinfo = UTC,
        budget: int = 0,
        meters: int = 200_000,
        sole: bool = False,
    ) -> None:
        """`limit`: the most reads a meter may have now (it may grow), `zone`: the publisher's, where its day turns,
        `budget`: new meters for a network and day (0: no bound), `meters`: how many are kept for certain, `sole`: this
        process is meant to be the only one that counts, and needs no locks while it is.

        OSError when the folder cannot be written or the disk is full.
        """
        self._path = folder / "reads.map"
        self._zone = zone
        self._buckets = max(16, meters * 3 // 2 // WAYS)
        self._today = self._tomorrow = datetime.min.replace(tzinfo=UTC)
        self._day = self._day_began = 0
        self._keep = 32  # days after its last read for which what a meter read can matter
        self._codes: dict[str, int] = {}
        self._mutex = Lock()
        self._next = self._evicted = 0
        self._timer: asyncio.TimerHandle | None = None
        self._sole = sole
        self._presence: Presence | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._open(limit)
        self._networks = Networks(folder / "networks.map", budget) if budget else None
        self.wants_networks = budget > 0

    # --- the file -----------------------------------------------------------------------------------------------
    def _open(self, limit: int) -> None:
        """Map the file; made anew, with what the old one holds, when it has no room for `limit` reads a meter."""
        room = min(252, -(-max(limit, 4) // 4) * 4)
        self._table = opened(
            self._path,
            _FORMAT,
            lambda table: table.record >= _HEAD + 8 * room and table.buckets == self._buckets,
            lambda draft, old: self._build(draft, old, _HEAD + 8 * room),
        )
        self._map, self._record = self._table.map, self._table.record
        self._room = (self._record - _HEAD) // 8
        self._bucket = self._table.bucket

    def _build(self, draft: Path, old: Table | None, record: int) -> None:
        if old is not None and old.buckets != self._buckets:
            old = None
        if old is None and self._path.exists():
            log.warning("%s is damaged or of another version and begins anew; cookies alone count so far.", self._path)
        make(draft, format_=_FORMAT, record=max(record, old.record if old else 0), buckets=self._buckets)
        if old is not None:
            if self._presence is None:
                # One that counts alone, without locks, has to give way before its records are copied.
                self._presence = Presence(self._path.with_name("presence.lock"))
            new = Table(draft, _FORMAT)
            new.copy(old)
            new.close()

    def _reopen(self, limit: int = 0) -> None:
        old = self._table
        self._open(max(limit, self._room))
        old.close()

    # --- days and windows ---------------------------------------------------------------------------------------
    def _turn(self, now: datetime) -> None:
        """Note the publisher's day that holds `now`."""
        start = now.astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
        self._today = start.astimezone(UTC)
        self._tomorrow = (start + timedelta(days=1)).astimezone(UTC)
        self._day_began = int(start.timestamp())
        self._day = (start.date() - _EPOCH).days

    def _code(self, window: str) -> int:
        """What sets one window of a meter apart from the next."""
        if len(self._codes) >= 4096:  # noqa: PLR2004 - rolling windows have a name each
            self._codes.clear()
        code = self._codes[window] = int.from_bytes(keyed_digest(b"", "window", window.encode(), 8), "little")
        days = window[1:].partition("-")[0]
        self._keep = max(self._keep, 1 + (_DAYS.get(window[:1]) or (int(days) if days.isdigit() else 0)))
        return code

    # --- what a meter has read ----------------------------------------------------------------------------------
    def _place(self, meter: Meter) -> tuple[int, bytes]:
        """The bucket of a meter, and its key there."""
        code = self._codes.get(meter[1]) or self._code(meter[1])
        first, second = _halves(meter[0])
        return START + (first ^ code) % self._buckets * self._bucket, _key((second ^ code) or 1)

    def _known(self, at: int, key: bytes, cookie: tuple[int, ...]) -> tuple[int, int, tuple[int, ...]]:
        """Where the meter's record lies (0: nowhere), the day it counted last (0: unknown), and all it has read."""
        memory = self._map
        way = memory[at : at + KEYS].find(key)
        if way < 0:
            return 0, 0, cookie
        place = at + KEYS + (way >> 3) * self._record if not way & 7 else self._table.find(at, key)
        number = memory[place + 6]
        if not place or number > self._room:
            return place, 0, cookie
        fields = _record_at[number](memory, place)
        reads = fields[4:]
        # What says the same as the cookie need not prove itself, and that is nearly always so. A record without its
        # checksum is none: another meter takes its place just now, or a failing disk spoiled it.
        if reads == cookie:
            return place, fields[1], cookie
        if fields[0] != crc32(memory[place + 4 : place + _HEAD + 8 * number] + key):
            return place, 0, cookie
        older = reads[: len(cookie)] == cookie  # a cookie put back, or one whose answer was lost
        return place, fields[1], reads if older else together(reads, cookie)

    def look(self, meter: Meter) -> tuple[int, ...]:
        if self._map[RETIRED]:
            with self._mutex:
                self._reopen()
        at, key = self._place(meter)
        return self._known(at, key, meter[3])[2]

    def look_surely(self, meter: Meter) -> tuple[int, ...]:
        return self.look(meter)

    def take(
        self, meter: Meter, read: int, limit: int, section_limit: int | None, network: bytes | None, now: datetime
    ) -> Taken:
        if not self._today <= now < self._tomorrow:
            self._turn(now)
        if limit > self._room and self._room < MOST_READS:
            with self._mutex:
                self._reopen(limit)
        presence = self._presence or self._join()
        if presence.flag[0]:
            presence.give_way()
        with self._mutex:
            at, key = self._place(meter)
            if presence.alone and not self._map[RETIRED]:
                return self._take(meter, at, key, read, limit, section_limit, network)
            while True:
                fd = self._table.fd
                lockf(fd, LOCK_EX, 1, at)
                try:
                    if not self._map[RETIRED]:
                        return self._take(meter, at, key, read, limit, section_limit, network)
                finally:
                    lockf(fd, LOCK_UN, 1, at)
                self._reopen()
                at, key = self._place(meter)

    def _join(self) -> Presence:
        """Be one of those who count, from the first time on."""
        with self._mutex:
            if self._presence is None:
                self._presence = Presence(self._path.with_name("presence.lock"))
            if self._sole:
                self._presence.try_alone()
            return self._presence

    def _take(
        self,
        meter: Meter,
        at: int,
        key: bytes,
        read: int,
        limit: int,
        section_limit: int | None,
        network: bytes | None,
    ) -> Taken:
        place, day, reads = self._known(at, key, meter[3])
        said = verdict(reads, read, limit, section_limit)
        if said != "ok":
            return _new(Taken, (said, reads))
        if network is not None and self._networks is not None:
            if not reads:
                if not self._networks.begin(network, self._day, limit):
                    return Taken("budget", reads)
            elif meter.first_read < self._day_began and day < self._day:
                self._networks.came_back(network, self._day, limit)
        reads = (*reads, read)
        if not place:
            self._begin(at, key, reads)
        else:
            self._write(place, key, reads)
        return _new(Taken, ("ok", reads))

    def _write(self, place: int, key: bytes, reads: tuple[int, ...]) -> None:
        memory, number = self._map, len(reads)
        checked = _checked[number](self._day, number, 0, *reads)
        memory[place + _HEAD : place + 4 + len(checked)] = checked[4:]
        memory[place : place + _HEAD] = _sum(crc32(key, crc32(checked))) + checked[:4]

    def _begin(self, at: int, key: bytes, reads: tuple[int, ...]) -> None:
        """A record in an empty slot or in the place of another meter, which is gone before the new one is there."""
        keeper, place = self._room_in(at)
        self._map[keeper : keeper + 8] = _EMPTY
        self._write(place, key, reads)
        self._map[keeper : keeper + 8] = key

    def _room_in(self, at: int) -> tuple[int, int]:
        """Where a bucket keeps the key and the record of one more meter: an empty slot, else the one that counted
        longest ago."""
        free = self._table.find(at, _EMPTY)
        if free:
            return at + (free - at - KEYS) // self._record * 8, free
        self._evicted = (self._evicted + 1) % WAYS  # among those of one day not always the first
        slots = self._table.slots(at)
        oldest = slots[self._evicted :] + slots[: self._evicted]
        return min(oldest, key=lambda slot: self._map[slot[1] + 4 : slot[1] + 6][::-1])

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
        done(self.take(meter, read, limit, section_limit, network, now))

    # --- tidying ------------------------------------------------------------------------------------------------
    def tidy(self, now: datetime, buckets: int = _SWEEP) -> None:
        """Wipe what no running window can ask for any more from some buckets, and yesterday's networks at once."""
        if not self._today <= now < self._tomorrow:
            self._turn(now)
        if self._networks is not None:
            self._networks.turn(self._day)
        with self._mutex:
            table = self._table
            for _ in range(min(buckets, table.buckets)):
                at = START + self._next % table.buckets * table.bucket
                self._next += 1
                if table.map[at : at + KEYS] != bytes(KEYS):
                    self._tidy_bucket(table, at)

    def _tidy_bucket(self, table: Table, at: int) -> None:
        table.lock(at)
        try:
            for keeper, place in table.slots(at):
                day = int.from_bytes(table.map[place + 4 : place + 6], "little")
                if table.map[keeper : keeper + 8] != _EMPTY and not day <= self._day <= day + self._keep:
                    table.map[keeper : keeper + 8] = _EMPTY
                    table.map[place : place + table.record] = bytes(table.record)
        finally:
            table.unlock(at)

    def start(self, loop: asyncio.AbstractEventLoop, clock: Callable[[], datetime]) -> None:
        """Tidy from now on, a little at a time."""

        def tidy() -> None:
            try:
                self.tidy(clock())
                if self._sole:
                    presence.try_alone()
            except OSError:
                log.exception("The meter's file could not be tidied; going on.")
            self._timer = loop.call_later(_PAUSE, tidy)

        def watch() -> None:
            if presence.alone:
                presence.give_way()
            self._watch = loop.call_later(WATCH, watch)

        self._timer = loop.call_later(_PAUSE, tidy)
        presence = self._join()
        if self._sole:
            watch()

    def stop(self) -> None:
        for timer in (self._timer, self._watch):
            if timer is not None:
                timer.cancel()
        if self._presence is not None:
            self._presence.leave()
            self._presence = None

    def status(self) -> str:
        """ "" when all is well, else what is wrong."""
        return ""

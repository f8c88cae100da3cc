"""How many meters each network began today, in a file that all workers of a machine share. Django-free.

Networks are stored as digests under a key that lies in the file itself and is destroyed with it when the publisher's
day turns: afterwards nobody can say which addresses they were. The numbers are exact; when more networks come than the
file holds, those without room of their own share one number for each bucket, which is never too small.
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from pathlib import Path
from threading import Lock

from broadsheet.access.budget import Prefix, allowance, prefixes
from broadsheet.access.mapped import KEYS, START, WAYS, Table, make, opened

_FORMAT = 1
_COUNTS = struct.Struct("<II")  # meters begun, meters of earlier days that counted a read: written in one store
_NAMES = struct.Struct("<Q8s")
_REST = b"the rest"
_EMPTY = bytes(8)
_MOST = 2**32 - 1


class Networks:
    def __init__(self, path: Path, budget: int, networks: int = 200_000) -> None:
        """`budget`: new meters for a network and day, `networks`: how many have a number of their own for certain."""
        self._path = path
        self._budget = budget
        self._buckets = max(16, networks * 3 // 2 // WAYS)
        self._table: Table | None = None
        self._mutex = Lock()

    def begin(self, address: bytes, day: int, limit: int) -> bool:
        """Use up one new meter of every network of this client; False, and nothing used, when one has none left."""
        with self._mutex:
            used: list[Prefix] = []
            for prefix in prefixes(address):
                if not self._add(prefix, day, limit, begun=1):
                    for other in used:
                        self._add(other, day, limit, begun=-1)
                    return False
                used.append(prefix)
            return True

    def came_back(self, address: bytes, day: int, limit: int) -> None:
        """A meter of an earlier day counted its first read of today in these networks."""
        with self._mutex:
            for prefix in prefixes(address):
                self._add(prefix, day, limit, returned=1)

    def turn(self, day: int) -> None:
        """Destroy what is of another day."""
        with self._mutex:
            self._of(day)

    def _of(self, day: int) -> Table:
        """The table of a day. A process whose clock is a moment behind keeps the day that has begun elsewhere."""
        table = self._table
        if table is None or table.retired or table.stamp not in (day, day + 1):
            if table is not None:
                table.close()
            self._table = table = opened(
                self._path,
                _FORMAT,
                lambda found: found.stamp in (day, day + 1) and found.buckets == self._buckets,
                lambda draft, _: make(draft, format_=_FORMAT, record=8, buckets=self._buckets, stamp=day),
            )
        return table

    def _add(self, prefix: Prefix, day: int, limit: int, *, begun: int = 0, returned: int = 0) -> bool:
        table = self._of(day)
        where, key = _NAMES.unpack(blake2b(prefix.name, key=table.secret, digest_size=16).digest())
        at = START + where % table.buckets * table.bucket
        table.lock(at)
        try:
            if not table.retired:
                return self._add_here(table, at, key, prefix, limit, begun, returned)
        finally:
            table.unlock(at)
        return self._add(prefix, day, limit, begun=begun, returned=returned)

    def _add_here(
        self, table: Table, at: int, key: bytes, prefix: Prefix, limit: int, begun: int, returned: int
    ) -> bool:
        place = table.find(at, key) or self._new_place(table, at, key)
        issued, came = _COUNTS.unpack_from(table.map, place)
        last = place == at + KEYS + (WAYS - 1) * table.record
        if begun > 0 and issued >= allowance(self._budget, prefix.budgets, 0 if last else came, limit):
            return False
        table.map[place : place + 8] = _COUNTS.pack(min(_MOST, issued + begun), min(_MOST, came + returned))
        return True

    @staticmethod
    def _new_place(table: Table, at: int, key: bytes) -> int:
        """A place for a network's numbers: its own, or the last one of the bucket, which all others share."""
        free = table.find(at, _EMPTY)
        last = at + KEYS + (WAYS - 1) * table.record
        if not free or free == last:
            table.map[at + KEYS - 8 : at + KEYS] = _REST
            return last
        way = (free - at - KEYS) // table.record
        table.map[free : free + 8] = _EMPTY
        table.map[at + way * 8 : at + way * 8 + 8] = key
        return free

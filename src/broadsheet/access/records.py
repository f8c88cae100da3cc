"""Every decision that depended on a reader, or walled one, with all that decide() looked at. Django-free.

One record has a fixed size; a gate worker collects them in memory and appends them to a file of its own for each UTC
date, once a second. A crash loses that second and never more: files only grow by whole records, and a torn one at the
end is completed with zeros at the next start and skipped by readers. Who it was is a keyed digest; there is no address,
no path and no name in here. Only the installation's secret leads from a reader or a meter to their records.

recall.py reads them; docs/policy.md and docs/adr/0014 say what this is for.
"""

from __future__ import annotations

import fcntl
import logging
import os
import struct
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import blake2s
from pathlib import Path
from typing import NamedTuple

from broadsheet.access.meter import section_code
from broadsheet.access.rules import (
    REASONS,
    Body,
    Decision,
    Principal,
    Request,
    Right,
    State,
    Story,
    Surface,
    Tier,
)
from broadsheet.ids import derive_key

log = logging.getLogger(__name__)

NOBODY = bytes(8)
FORMAT = 1
SIZE = 44
# Instant, who, story, policy revision, used, section used, section code, facts, reason, limit, products, mark.
RECORD = struct.Struct("<d8sQIIIHHBBBB")
_facts = struct.Struct("<QIIIHHBBBB").pack  # what follows instant and who: the same for all who are in one case
_stamp_into = struct.Struct("<d8s28s").pack_into
HEADER = struct.Struct("<8sHH32x")
MAGIC = b"BSDECIDE"
MARK = 0xB5  # the last byte of every whole record
WHO_AT, STORY_AT = 8, 16
MOST_BYTES = 128 * 1024 * 1024  # a worker's file of one date: 3.3 million decisions
_BUFFER = SIZE * 4096  # bytes kept in memory at most; more in one second are written at once

_TIERS = tuple(Tier)
_STATES = tuple(State)
_PRINCIPALS = tuple(Principal)
_REASON_CODES = {reason: code for code, reason in enumerate(REASONS)}
# Facts of one record: tier in bits 0-1, state in 2-3, principal in 4-5, and these.
_EMERGENCY_FREE, _SEEN, _REAL_READ, _OTHER_SURFACE = 1 << 6, 1 << 7, 1 << 8, 1 << 9
_GIFT, _MAY_BEGIN, _COUNTABLE = 1 << 10, 1 << 11, 1 << 12
_PRODUCTS = ("unlimited", "premium")
_OPENS = {
    Tier.FREE: 0,
    Tier.METERED: 1,
    Tier.REGISTERED: 1,
    Tier.PREMIUM: 2,
}  # bits of _PRODUCTS; a seat's stand at << 2
_VISITOR = Principal.VISITOR
_REGISTERED = Principal.REGISTERED
_PAGE = Surface.PAGE
_MOST_STORIES = 20_000


class Whose:
    """Names readers and meters as records do: keyed digests, a third of a microsecond each."""

    def __init__(self, secret: bytes) -> None:
        self._fresh = blake2s(digest_size=8, key=derive_key(secret, "decisions")).copy

    def meter(self, meter: bytes) -> bytes:
        """The digest under which a visitor's decisions are kept, by the id of their meter."""
        digest = self._fresh()
        digest.update(meter)
        return digest.digest()

    def reader(self, reader: int) -> bytes:
        """The digest under which a reader's decisions are kept."""
        return self.meter(b"reader %d" % reader)


_whose = lru_cache(maxsize=4)(Whose)


def who_of_reader(secret: bytes, reader: int) -> bytes:
    return _whose(secret).reader(reader)


def who_of_meter(secret: bytes, meter: bytes) -> bytes:
    return _whose(secret).meter(meter)


class Record(NamedTuple):
    """One decision. `used` and `section_used` as decide() saw them, `limit` the one it went by (0: none was asked).

    `rights`, `seat`: the products known to be live; of somebody let in by them, at least the one that did it.
    """

    at: float
    who: bytes
    story: int
    tier: Tier
    state: State
    emergency_free: bool
    section: int
    principal: Principal
    rights: tuple[str, ...]
    seat: tuple[str, ...]
    gift: bool
    seen: bool
    used: int
    section_used: int
    real_read: bool
    surface: Surface
    may_begin: bool
    countable: bool
    reason: str
    limit: int
    revision: int

    @property
    def instant(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    @property
    def body(self) -> Body:
        """What the reader was sent."""
        return BODY_OF[self.reason]


_FULL = ("emergency", "free", "staff", "entitled", "institution", "gift", "repeat", "meter", "registered")
_NONE = ("unknown", "withdrawn", "legal")
BODY_OF = {r: Body.FULL if r in _FULL else Body.NONE if r in _NONE else Body.WALL for r in REASONS}
Raw = tuple[float, bytes, int, int, int, int, int, int, int, int, int, int]
"""A record as it lies in the file, for readers in a hurry (replay)."""


class RecordBook:
    """Collects the decisions of one process. Nothing of it blocks but `flush`, which writes what a second brought."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        """`folder` is made when the first record is written; `most_bytes` bounds each date's file of this process."""
        self._folder = folder
        self._most = most_bytes
        self._buffer = bytearray(_BUFFER)
        self._end = 0
        self._stories: dict[int, tuple[Story, int, int, int]] = {}
        self._file = -1
        self._date: date | None = None
        self._size = 0
        self._full = False

    def add(self, at: float, who: bytes, story: Story, request: Request, decision: Decision, revision: int) -> None:
        """Keep one decision. `at`: Unix seconds; `who`: of who_of_reader or who_of_meter, NOBODY when there is none."""
        self.put(at, who, self.facts(at, story, request, decision, revision))

    def put(self, at: float, who: bytes, facts: bytes) -> None:
        """Keep a decision whose facts are packed already."""
        end = self._end
        _stamp_into(self._buffer, end, at, who, facts)
        self._end = end = end + SIZE
        if end == _BUFFER:
            self.flush()

    def facts(self, at: float, story: Story, request: Request, decision: Decision, revision: int) -> bytes:
        """All of a record but when and who. `at` matters where there are rights or a seat: which of them are live."""
        known = self._stories.get(story[0])
        if known is None or known[0] is not story:
            known = self._learn(story)
        _, ident, facts, section = known
        principal, rights, seen, used, real, surface, section_used, seat, gift, may_begin, countable = request
        _, _, reason, _, _, _, limit, _ = decision
        if principal is not _VISITOR:
            facts |= 16 if principal is _REGISTERED else 32
        if real:
            facts |= _REAL_READ
        if may_begin:
            facts |= _MAY_BEGIN
        if countable:
            facts |= _COUNTABLE
        if seen:
            if ident in seen:
                facts |= _SEEN
            used = max(used, len(seen))
        if gift:
            facts |= _GIFT
        if surface is not _PAGE:
            facts |= _OTHER_SURFACE
        return _facts(
            ident, revision, used, section_used, section, facts, _REASON_CODES[reason], limit,
            _products(at, story, rights, seat, reason) if rights or seat else 0, MARK,
        )  # fmt: skip

    def _learn(self, story: Story) -> tuple[Story, int, int, int]:
        """What a story puts into each of its records; stories are few and come again as the same value."""
        if len(self._stories) >= _MOST_STORIES:
            self._stories.clear()
        facts = _TIERS.index(story.tier) | _STATES.index(story.state) << 2
        if story.emergency_free:
            facts |= _EMERGENCY_FREE
        section = section_code(story.section) if story.section else 0
        self._stories[story.id] = known = (story, story.id, facts, section)
        return known

    def flush(self) -> None:
        """Append what was collected. A disk that takes no more costs records, never an answer."""
        if not self._end:
            return
        data, self._end = bytes(memoryview(self._buffer)[: self._end]), 0
        try:
            self._append(data)
        except OSError as error:
            log.error("Decisions could not be recorded: %s", error)  # noqa: TRY400 - the disk's trouble, not ours
            self._close()

    def close(self) -> None:
        """Write what is left and let the file go."""
        self.flush()
        self._close()

    def _append(self, data: bytes) -> None:
        today = datetime.fromtimestamp(RECORD.unpack_from(data, len(data) - SIZE)[0], UTC).date()
        if self._file < 0 or today != self._date:
            self._close()
            self._open(today)
        if self._size + len(data) > self._most:
            if not self._full:
                log.warning(
                    "The decisions of %s fill their %d MB: no more are recorded until midnight UTC. `why` and the dry "
                    "run of a policy do not know those that follow.", today, self._most >> 20,
                )  # fmt: skip
            self._full = True
            return
        written = os.write(self._file, data)
        self._size += written
        if written != len(data):
            # Nobody else writes here: the next start, and the next write, stand on a whole record again.
            torn = written % SIZE
            os.ftruncate(self._file, self._size - torn)
            self._size -= torn
            raise OSError(f"{len(data) - written} of {len(data)} bytes found no room")

    def _open(self, today: date) -> None:
        """The first of the date's files that no other process writes; its number is the worker's for that date."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = 0
        while True:
            path = self._folder / f"{today.isoformat()}-{number}.log"
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                os.close(file)
                number += 1
        self._file, self._date, self._full = file, today, False
        self._size = os.fstat(file).st_size
        if self._size == 0:
            self._size += os.write(file, HEADER.pack(MAGIC, FORMAT, SIZE))
        elif self._size % SIZE:
            self._size += os.write(file, bytes(-self._size % SIZE))

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file, self._date = -1, None


def _products(at: float, story: Story, rights: tuple[Right, ...], seat: frozenset[str], reason: str) -> int:
    """The live products as bits: those of `rights`, and those of a seat two further up."""
    if reason == "entitled":
        return _OPENS[story.tier]
    now = datetime.fromtimestamp(at, UTC)
    bits = 0
    for place, product in enumerate(_PRODUCTS):
        if any(name == product and start <= now and (end is None or now < end) for name, start, end in rights):
            bits |= 1 << place
        if product in seat:
            bits |= 4 << place
    return bits


def record_of(row: Raw) -> Record:
    at, who, story, revision, used, section_used, section, facts, reason, limit, products, _ = row
    return Record(
        at=at,
        who=who,
        story=story,
        tier=_TIERS[facts & 3],
        state=_STATES[facts >> 2 & 3],
        emergency_free=bool(facts & _EMERGENCY_FREE),
        section=section,
        principal=_PRINCIPALS[facts >> 4 & 3],
        rights=tuple(name for place, name in enumerate(_PRODUCTS) if products >> place & 1),
        seat=tuple(name for place, name in enumerate(_PRODUCTS) if products >> place & 4),
        gift=bool(facts & _GIFT),
        seen=bool(facts & _SEEN),
        used=used,
        section_used=section_used,
        real_read=bool(facts & _REAL_READ),
        surface=Surface.OTHER if facts & _OTHER_SURFACE else Surface.PAGE,
        may_begin=bool(facts & _MAY_BEGIN),
        countable=bool(facts & _COUNTABLE),
        reason=REASONS[reason],
        limit=limit,
        revision=revision,
    )

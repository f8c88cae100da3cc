"""The visitor's meter: one sealed cookie that says what one browser has read in one window. Django-free.

AES-256-GCM under a key of this site alone: an edited, forged or foreign cookie is worth exactly as much as none. What
an old cookie put back would gain, the book (access/book.py) takes away again.

A `read` is one 64-bit number: the section's code above the story's id. So a ceiling for a section can be counted from
the cookie alone.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from broadsheet.ids import derive_key, keyed_digest
from broadsheet.seals import Seal, fresh_bytes

VERSION = 2
MOST_READS = 250  # 2.7 kB of cookie; options refuse a larger free_limit
STORY = (1 << 48) - 1  # the part of a read that is the story's id
_HEAD = 37  # version, meter id, window's name padded with zeros, first read (Unix seconds)
_NAME = 16  # bytes of a window's name
_BODIES = [struct.Struct(f">B16s{_NAME}sI{reads}Q") for reads in range(MOST_READS + 1)]
_pack, _unpack = [body.pack for body in _BODIES], [body.unpack for body in _BODIES]
_new_id = fresh_bytes(16)


def pack(story: int, section: int) -> int:
    """A read: `story` is a story's id (below 2**48), `section` a `section_code`."""
    return section << 48 | story


def story_of(read: int) -> int:
    return read & STORY


def section_of(read: int) -> int:
    return read >> 48


@lru_cache(maxsize=1024)
def section_code(slug: str) -> int:
    """A section as 16 bits. Two that share a code share a ceiling: it happens to 1 of 50 papers with 50 sections."""
    return int.from_bytes(keyed_digest(b"", "section", slug.encode(), 2), "big")


def stories_of(reads: Iterable[int]) -> frozenset[int]:
    return frozenset([read & STORY for read in reads])


class Meter(NamedTuple):
    """What one browser read in one window. `first_read`: Unix seconds, the start of a rolling window."""

    id: bytes
    window: str
    first_read: int
    reads: tuple[int, ...] = ()

    @property
    def first_read_at(self) -> datetime:
        return datetime.fromtimestamp(self.first_read, UTC)

    @property
    def stories(self) -> frozenset[int]:
        """The ids of the stories read."""
        return stories_of(self.reads)


def new_meter(window: str, now: datetime) -> Meter:
    """A meter with an id that nobody can guess; `window` is its window's name, at most 16 ASCII letters."""
    return Meter(_new_id(), window, int(now.timestamp()))


class MeterSeal:
    """Seals and opens meter cookies with the installation's keys, the newest first."""

    def __init__(self, keys: Sequence[bytes], site: str) -> None:
        """`keys`: one or more of 32 bytes, `site`: the public host, bound into the seal."""
        seal = Seal(keys, f"meter|{site}")
        self._seal, self._open = seal.seal_bytes, seal.open

    def write(self, meter_id: bytes, window: bytes, first_read: int, reads: tuple[int, ...]) -> bytes:
        """The cookie's value; `window` is the name's letters. Of more than MOST_READS the newest are kept."""
        if len(reads) > MOST_READS:
            reads = reads[-MOST_READS:]
        return self._seal(_pack[len(reads)](VERSION, meter_id, window, first_read, *reads))

    def read(self, value: str) -> tuple[Any, ...] | None:
        """What lies in a cookie's value, as it lies there: version, id, `padded` window, first read, and each read.
        None when it is forged, foreign, edited or of another version."""
        body = self._open(value)
        if body is None or body[0] != VERSION:
            return None
        return _unpack[(len(body) - _HEAD) >> 3](body)

    def seal(self, meter: Meter) -> str:
        return self.write(meter[0], meter[1].encode(), meter[2], meter[3]).decode()

    def open(self, value: str) -> Meter | None:
        """The meter in a cookie's value. Whether it is of this window is the caller's question: a rolling window is
        named by the meter itself."""
        found = self.read(value)
        return Meter(found[1], _named(found[2]), found[3], found[4:]) if found else None


def padded(window: str) -> bytes:
    """A window's name as it lies in a cookie."""
    return window.encode().ljust(_NAME, b"\0")


@lru_cache(maxsize=1024)
def _named(window: bytes) -> str:
    return window.rstrip(b"\0").decode("ascii", "replace")


def meter_seal(secret: bytes, site: str, *older: bytes) -> MeterSeal:
    """The seal of an installation: its keys come from its secrets, the newest first; `site` is its public host."""
    return MeterSeal([derive_key(one, "meter") for one in (secret, *older)], site)

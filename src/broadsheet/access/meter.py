"""The visitor's meter: one sealed cookie, and a high-water mark that an old cookie put back does not lower.

Django-free.

The cookie holds a version, the window, the meter's own random id and the stories read; AES-256-GCM with the site in the
associated data, so that an edited, forged or foreign one is worth exactly as much as none.
"""

from __future__ import annotations

import os
import struct
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from broadsheet.ids import derive_key
from broadsheet.seals import Seal

VERSION = 1
_HEAD = struct.Struct(">B16sQB")  # version, meter id, first read (Unix seconds), length of the window's name
MOST_STORIES = 250  # 2 kB of cookie; options refuse a larger free_limit


@dataclass(frozen=True, slots=True)
class Meter:
    """What one browser read in one window. `first_read`: Unix seconds, the start of a rolling window."""

    id: bytes
    window: str
    first_read: int
    stories: tuple[int, ...] = ()

    @property
    def first_read_at(self) -> datetime:
        return datetime.fromtimestamp(self.first_read, UTC)


def new_meter(window: str, now: datetime) -> Meter:
    return Meter(os.urandom(16), window, int(now.timestamp()))


class MeterSeal:
    """Seals and opens meter cookies with the installation's keys, the newest first."""

    def __init__(self, keys: Sequence[bytes], site: str) -> None:
        """`keys`: one or more of 32 bytes, `site`: the public host, bound into the seal."""
        self._seal = Seal(keys, f"meter|{site}")

    def seal(self, meter: Meter) -> str:
        """The cookie's value."""
        name = meter.window.encode()
        stories = meter.stories[-MOST_STORIES:]
        body = _HEAD.pack(VERSION, meter.id, meter.first_read, len(name)) + name
        body += struct.pack(f">{len(stories)}Q", *stories)
        return self._seal.seal(body)

    def open(self, value: str) -> Meter | None:
        """The meter in a cookie's value; None when it is forged, foreign or edited. Whether it is of this window is
        the caller's question: a rolling window is named by the meter itself."""
        body = self._seal.open(value)
        if body is None or len(body) < _HEAD.size:
            return None
        version, meter_id, first_read, length = _HEAD.unpack_from(body)
        rest = body[_HEAD.size + length :]
        if version != VERSION or len(rest) % 8:
            return None
        name = body[_HEAD.size : _HEAD.size + length].decode("ascii", "replace")
        return Meter(meter_id, name, first_read, struct.unpack(f">{len(rest) // 8}Q", rest))


def meter_seal(secret: bytes, site: str) -> MeterSeal:
    """The seal of an installation: its key comes from the one secret, `site` is its public host."""
    return MeterSeal([derive_key(secret, "meter")], site)


class HighWater:
    """What each meter has read, as this process saw it: it only ever tightens what a cookie claims.

    Exact and bounded: the least recently used meter is forgotten first, and then the cookie alone counts. A story is
    added before its bytes are sent, so parallel requests with one old cookie share one allowance.
    """

    def __init__(self, most_meters: int = 200_000) -> None:
        self._read: OrderedDict[tuple[bytes, str], frozenset[int]] = OrderedDict()
        self._most = most_meters

    def stories(self, meter: Meter) -> frozenset[int]:
        """Every story this meter has read in its window, by its cookie or by what was seen here."""
        known = self._read.get((meter.id, meter.window))
        return frozenset(meter.stories) | known if known else frozenset(meter.stories)

    def add(self, meter: Meter, story: int) -> None:
        key = (meter.id, meter.window)
        self._read[key] = self._read.pop(key, frozenset()) | {story, *meter.stories}
        if len(self._read) > self._most:
            self._read.popitem(last=False)

"""The passport: what the gate may believe about a reader without asking a database. Django-free.

Sealed with AES-256-GCM like the meter: a reader neither reads nor edits it. It lives for minutes and is re-issued from
the session, so a right that ends elsewhere ends here soon, and at once when the reader's epoch has moved on.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from broadsheet.seals import Seal

LIFETIME = timedelta(minutes=10)
VERSION = 2


class Right(NamedTuple):
    """One product a reader holds, over `[start, end)` in Unix seconds; `end` None is open."""

    product: str
    start: int
    end: int | None


class Passport(NamedTuple):
    """`session` is a digest of the session it was issued from; `issued` and `expires` are Unix seconds."""

    reader: int
    epoch: int
    session: str
    staff: bool
    issued: int
    expires: int
    rights: tuple[Right, ...] = ()
    name: str = ""


# Version, reader, epoch, staff, issued, expires, number of rights; then their times (end -1 is open), and text: the
# session, the products and the name, one a line. A subscriber shows it at every story, so it opens in two microseconds.
_HEAD = struct.Struct(">BQQ?QQB")
_head_at = _HEAD.unpack_from
_MOST_RIGHTS = 64
_TIMES = [struct.Struct(f">{2 * rights}q") for rights in range(_MOST_RIGHTS + 1)]


class PassportOffice:
    """Seals and opens passports with the installation's keys, the newest first."""

    def __init__(self, keys: Sequence[bytes], site: str) -> None:
        """`keys`: one or more of 32 bytes, `site`: the public host, bound into the seal."""
        self._seal = Seal(keys, f"passport|{site}")
        self._open = self._seal.open

    def seal(self, passport: Passport) -> str:
        """The cookie's value."""
        reader, epoch, session, staff, issued, expires, rights, name = passport
        times = [at for right in rights for at in (right.start, -1 if right.end is None else right.end)]
        text = "\n".join((session, ",".join([right.product for right in rights]), name.replace("\n", " ")))
        head = _HEAD.pack(VERSION, reader, epoch, staff, issued, expires, len(rights))
        return self._seal.seal(head + _TIMES[len(rights)].pack(*times) + text.encode())

    def read(self, value: str, at: float) -> tuple[Any, ...] | None:
        """What lies in a cookie's value, as it lies there: reader, epoch, staff, session, products joined by commas,
        and each right's start and end (-1 is open). None when it is forged, foreign, edited or expired."""
        body = self._open(value)
        if body is None or body[0] != VERSION:
            return None
        _, reader, epoch, staff, issued, expires, number = _head_at(body)
        if not issued - 60 <= at < expires:
            return None
        times = _TIMES[number]
        session, products, _ = body[_HEAD.size + times.size :].decode().split("\n")
        return reader, epoch, staff, session, products, *times.unpack_from(body, _HEAD.size)

    def open(self, value: str, now: datetime, late: timedelta = timedelta()) -> Passport | None:
        """The passport in a cookie's value; None when it is forged, foreign, edited or expired, but for `late`."""
        body = self._seal.open(value)
        if body is None or body[0] != VERSION:
            return None
        _, reader, epoch, staff, issued, expires, number = _HEAD.unpack_from(body)
        if not issued - 60 <= now.timestamp() < expires + late.total_seconds():
            return None
        times = _TIMES[number]
        flat = times.unpack_from(body, _HEAD.size)
        session, products, name = body[_HEAD.size + times.size :].decode().split("\n")
        rights = tuple([
            Right(product, flat[2 * at], flat[2 * at + 1] if flat[2 * at + 1] >= 0 else None)
            for at, product in enumerate(products.split(",") if number else ())
        ])  # fmt: skip
        return Passport(reader, epoch, session, staff, issued, expires, rights, name)

"""The grant cookie: what was lent to one browser, a story somebody gave or a seat of an institution.

Sealed like the meter. It names the browser by a random device id, so that a gift opens on as many devices as it may
and a seat is one chair, without knowing who sits on it. A pass runs out soon and is asked for again.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from broadsheet.seals import Seal, fresh_bytes

VERSION = 1
MOST = 16  # passes one browser may carry; the oldest go first
_HEAD = struct.Struct(">B16s")
_PASS = struct.Struct(">BQQQ")
PENDING, GIFT, SEAT = 1, 2, 3
LEASE = 60 * 60  # seconds after which a gift is asked for again: a revoked one ends by then even if no notice came
_new_device = fresh_bytes(16)


class Pass(NamedTuple):
    """`kind`: PENDING (a gift that was offered here and used nothing up yet), GIFT or SEAT; `id`: the gift or the
    institution; `story` 0 for a seat; `until`: Unix seconds."""

    kind: int
    id: int
    story: int
    until: int


class Grants(NamedTuple):
    device: bytes
    passes: tuple[Pass, ...] = ()

    def holding(self, given: Pass) -> Grants:
        """The same with `given` in place of every pass of its story or institution."""
        others = [p for p in self.passes if not (p.story == given.story and (p.kind == SEAT) == (given.kind == SEAT))]
        return self._replace(passes=(*others, given)[-MOST:])

    def without(self, gone: Pass) -> Grants:
        return self._replace(passes=tuple(p for p in self.passes if p != gone))

    def gift_of(self, story: int) -> Pass | None:
        for one in self.passes:
            if one.story == story and one.kind != SEAT:
                return one
        return None

    def seat_of(self, institution: int) -> Pass | None:
        for one in self.passes:
            if one.kind == SEAT and one.id == institution:
                return one
        return None


def new_grants() -> Grants:
    return Grants(_new_device())


class GrantSeal:
    """Seals and opens grant cookies with the installation's keys, the newest first."""

    def __init__(self, keys: Sequence[bytes], site: str) -> None:
        self._seal = Seal(keys, f"grants|{site}")

    def seal(self, grants: Grants) -> str:
        return self._seal.seal(_HEAD.pack(VERSION, grants.device) + b"".join(_PASS.pack(*p) for p in grants.passes))

    def open(self, value: str) -> Grants | None:
        """None for anything that was not sealed here as a grant cookie."""
        body = self._seal.open(value)
        if body is None or len(body) < _HEAD.size or (len(body) - _HEAD.size) % _PASS.size:
            return None
        version, device = _HEAD.unpack_from(body)
        if version != VERSION:
            return None
        return Grants(device, tuple(Pass(*fields) for fields in _PASS.iter_unpack(body[_HEAD.size :])))

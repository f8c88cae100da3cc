"""The passport: what the gate may believe about a reader without asking a database. Django-free.

Sealed with AES-256-GCM like the meter: a reader neither reads nor edits it. It lives for minutes and is re-issued from
the session, so a right that ends elsewhere ends here soon, and at once when the reader's epoch has moved on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from broadsheet.seals import Seal

LIFETIME = timedelta(minutes=10)
VERSION = 1


@dataclass(frozen=True, slots=True)
class Right:
    """One product a reader holds, over `[start, end)` in Unix seconds; `end` None is open."""

    product: str
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Passport:
    """`session` is a digest of the session it was issued from; `issued` and `expires` are Unix seconds."""

    reader: int
    epoch: int
    session: str
    staff: bool
    issued: int
    expires: int
    rights: tuple[Right, ...] = ()
    name: str = ""


class PassportOffice:
    """Seals and opens passports with the installation's keys, the newest first."""

    def __init__(self, keys: Sequence[bytes], site: str) -> None:
        """`keys`: one or more of 32 bytes, `site`: the public host, bound into the seal."""
        self._seal = Seal(keys, f"passport|{site}")

    def seal(self, passport: Passport) -> str:
        """The cookie's value."""
        body = json.dumps(
            [
                VERSION,
                passport.reader,
                passport.epoch,
                passport.session,
                int(passport.staff),
                passport.issued,
                passport.expires,
                [[r.product, r.start, r.end] for r in passport.rights],
                passport.name,
            ],
            separators=(",", ":"),
        ).encode()
        return self._seal.seal(body)

    def open(self, value: str, now: datetime, late: timedelta = timedelta()) -> Passport | None:
        """The passport in a cookie's value; None when it is forged, foreign, edited or expired longer than `late` ago."""
        body = self._seal.open(value)
        if body is None:
            return None
        try:
            version, reader, epoch, session, staff, issued, expires, rights, name = json.loads(body)
        except (ValueError, TypeError):
            return None
        if version != VERSION or not issued - 60 <= now.timestamp() < expires + late.total_seconds():
            return None
        return Passport(reader, epoch, session, bool(staff), issued, expires, tuple(Right(*r) for r in rights), name)

"""The passport: what the gate may believe about a reader without asking a database. Django-free.

Sealed with AES-256-GCM like the meter: a reader neither reads nor edits it. It lives for minutes and is re-issued from
the session, so a right that ends elsewhere ends here soon, and at once when the reader's epoch has moved on.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

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
        self._ciphers = [AESGCM(key) for key in keys]
        self._purpose = f"passport|{site}".encode()

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
        nonce = os.urandom(12)
        sealed = self._ciphers[0].encrypt(nonce, body, self._purpose)
        return base64.urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()

    def open(self, value: str, now: datetime) -> Passport | None:
        """The passport in a cookie's value; None when it is forged, foreign, edited or expired."""
        body = self._unseal(value)
        if body is None:
            return None
        try:
            version, reader, epoch, session, staff, issued, expires, rights, name = json.loads(body)
        except (ValueError, TypeError):
            return None
        if version != VERSION or not issued - 60 <= now.timestamp() < expires:
            return None
        return Passport(reader, epoch, session, bool(staff), issued, expires, tuple(Right(*r) for r in rights), name)

    def _unseal(self, value: str) -> bytes | None:
        try:
            raw = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(raw) < 12 + 16:
            return None
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(raw[:12], raw[12:], self._purpose)
            except InvalidTag:
                continue
        return None

"""Sealed values for cookies: readable and writable by this installation alone. AES-256-GCM, Django-free.

The purpose and the site go into the key, so that a value moved from another cookie or paper opens nowhere; as
associated data they would do the same and cost a third of a seal.
"""

from __future__ import annotations

import hashlib
import os
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12
_TO_COOKIE = bytes.maketrans(b"+/", b"-_")


def fresh_bytes(size: int) -> Callable[[], bytes]:
    """A source of `size` random bytes a call, drawn from the system 256 at a time: a system call for each costs more
    than sealing a cookie. A forked child draws anew, so that no two processes hand out the same."""
    pool: list[bytes] = []
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=pool.clear)

    def fresh() -> bytes:
        try:
            return pool.pop()
        except IndexError:
            drawn = os.urandom(size * 256)
            first, *rest = (drawn[at : at + size] for at in range(0, len(drawn), size))
            pool.extend(rest)
            return first

    return fresh


_new_nonce = fresh_bytes(_NONCE)


class Seal:
    """Seals with the newest of its keys and opens with any: keys rotate without signing anyone out."""

    def __init__(self, keys: Sequence[bytes], purpose: str) -> None:
        """`keys`: one or more of 32 bytes, the newest first. `purpose`: what the value is, and for which site."""
        ciphers = [AESGCM(hashlib.blake2b(purpose.encode(), key=key, digest_size=32).digest()) for key in keys]
        self._encrypt = ciphers[0].encrypt
        self._decrypt = ciphers[0].decrypt
        self._older = ciphers[1:]

    def seal(self, body: bytes) -> str:
        """URL-safe text of nonce, ciphertext and tag, without padding."""
        return self.seal_bytes(body).decode()

    def seal_bytes(self, body: bytes) -> bytes:
        """The same as it goes over the wire."""
        nonce = _new_nonce()
        text = b2a_base64(nonce + self._encrypt(nonce, body, None), newline=False)
        return text.translate(_TO_COOKIE).rstrip(b"=")

    def open(self, value: str) -> bytes | None:
        """The body; None for anything that was not sealed here for this purpose, whatever it is."""
        try:
            raw = a2b_base64(value.replace("-", "+").replace("_", "/") + "==")
            return self._decrypt(raw[:_NONCE], raw[_NONCE:], None)
        except InvalidTag:
            return self._open_older(raw)
        except ValueError:  # not base64, or too short to hold a nonce
            return None

    def _open_older(self, raw: bytes) -> bytes | None:
        for cipher in self._older:
            try:
                return cipher.decrypt(raw[:_NONCE], raw[_NONCE:], None)
            except InvalidTag:
                continue
        return None

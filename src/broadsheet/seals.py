"""Sealed values for cookies: readable and writable by this installation alone. AES-256-GCM, Django-free.

The purpose and the site are bound into the seal, so that a value moved from another cookie or paper opens nowhere.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE, _TAG = 12, 16


class Seal:
    """Seals with the newest of its keys and opens with any: keys rotate without signing anyone out."""

    def __init__(self, keys: Sequence[bytes], purpose: str) -> None:
        """`keys`: one or more of 32 bytes, the newest first. `purpose`: what the value is, and for which site."""
        self._ciphers = [AESGCM(key) for key in keys]
        self._purpose = purpose.encode()

    def seal(self, body: bytes) -> str:
        """URL-safe text of nonce, ciphertext and tag."""
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._ciphers[0].encrypt(nonce, body, self._purpose)
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, value: str) -> bytes | None:
        """The body; None for anything that was not sealed here for this purpose, whatever it is."""
        try:
            raw = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(raw) < _NONCE + _TAG:
            return None
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(raw[:_NONCE], raw[_NONCE:], self._purpose)
            except InvalidTag:
                continue
        return None

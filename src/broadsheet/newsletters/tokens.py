"""The signed words in a mail's links: short, URL-safe, the same each time. Pure.

Every token begins with its purpose, so that one made for a link opens nothing else. It names rows by number; 96 bits of
a keyed digest keep anybody from making one.
"""

from __future__ import annotations

import struct
from base64 import b32decode, b32encode, urlsafe_b64decode, urlsafe_b64encode
from hmac import compare_digest
from typing import NamedTuple

from broadsheet.ids import derive_key, keyed_digest

_MAC = 12
_PURPOSE = "newsletter-links"
_FORM = struct.Struct(">cQII")


class Named(NamedTuple):
    """What a token names: an address, an issue (0: none) and a list (0: none)."""

    address: int
    issue: int
    list: int


class Tokens:
    """Makes and opens tokens. `keys`: the installation's secrets, the newest first; older ones still open."""

    def __init__(self, secrets: list[bytes]) -> None:
        self._keys = [derive_key(secret, _PURPOSE) for secret in secrets]

    def make(self, purpose: str, address: int = 0, issue: int = 0, list_id: int = 0) -> str:
        """`purpose` is one letter: m mail, c confirm, g go, o open, v return path."""
        body = _FORM.pack(purpose.encode(), address, issue, list_id)
        return urlsafe_b64encode(body + keyed_digest(self._keys[0], _PURPOSE, body, _MAC)).decode().rstrip("=")

    def make_return(self, address: int, issue: int) -> str:
        """A token for a return path: lower-case letters and digits, because mail servers may change their case."""
        token = self.make("v", address, issue)
        return b32encode(urlsafe_b64decode(token + "=" * (-len(token) % 4))).decode().rstrip("=").lower()

    def open_return(self, text: str) -> Named | None:
        try:
            raw = b32decode(text.upper().encode("ascii") + b"=" * (-len(text) % 8))
        except ValueError:
            return None
        return self.open("v", urlsafe_b64encode(raw).decode().rstrip("="))

    def open(self, purpose: str, token: str) -> Named | None:
        """None for anything that was not made here for this purpose."""
        try:
            raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except ValueError:
            return None
        body, mac = raw[: _FORM.size], raw[_FORM.size :]
        if len(raw) != _FORM.size + _MAC or not any(_same(key, body, mac) for key in self._keys):
            return None
        kind, address, issue, list_id = _FORM.unpack(body)
        # Base64 has several spellings of one value; a link has one.
        spelling = urlsafe_b64encode(raw).decode().rstrip("=")
        return Named(address, issue, list_id) if kind == purpose.encode() and spelling == token else None


def _same(key: bytes, body: bytes, mac: bytes) -> bool:
    return compare_digest(keyed_digest(key, _PURPOSE, body, _MAC), mac)

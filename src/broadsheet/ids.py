"""Identifiers: random where they must not be guessed, keyed digests where they must not be linked."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable


def token(size: int = 16) -> str:
    """`size` random bytes as URL-safe text."""
    return secrets.token_urlsafe(size)


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


def keyed_digest(key: bytes, purpose: str, value: bytes, size: int = 16) -> bytes:
    """A keyed BLAKE2b digest, separated by purpose: equal inputs under one purpose say nothing under another."""
    return hashlib.blake2b(value, digest_size=size, key=key[:64], person=purpose.encode()[:16]).digest()


def derive_key(secret: bytes, purpose: str, size: int = 32) -> bytes:
    """A key of its own for each purpose, from the installation's one secret."""
    return hashlib.blake2b(b"broadsheet", digest_size=size, key=secret[:64], person=purpose.encode()[:16]).digest()

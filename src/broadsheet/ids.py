"""Identifiers: random where they must not be guessed, keyed digests where they must not be linked."""

from __future__ import annotations

import hashlib
import secrets


def token(size: int = 16) -> str:
    """`size` random bytes as URL-safe text."""
    return secrets.token_urlsafe(size)


def keyed_digest(key: bytes, purpose: str, value: bytes, size: int = 16) -> bytes:
    """A keyed BLAKE2b digest, separated by purpose: equal inputs under one purpose say nothing under another."""
    return hashlib.blake2b(value, digest_size=size, key=key[:64], person=purpose.encode()[:16]).digest()


def derive_key(secret: bytes, purpose: str, size: int = 32) -> bytes:
    """A key of its own for each purpose, from the installation's one secret."""
    return hashlib.blake2b(b"broadsheet", digest_size=size, key=secret[:64], person=purpose.encode()[:16]).digest()

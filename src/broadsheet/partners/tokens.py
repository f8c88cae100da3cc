"""Signed links: compact JSON Web Signatures (RFC 7515) in the two algorithms we use, and no others. No Django."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LONGEST = 4096
MOST_LIFE = 15 * 60  # seconds a partner's link may live
SKEW = 60
LONGEST_NAME = 120


class TokenRefusedError(Exception):
    """A token that opens nothing: `reason` is malformed, algorithm, signature, audience, issuer, expired, too_long or
    not_yet."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _raw(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def sign(claims: dict[str, Any], *, secret: bytes | None = None, key: bytes | None = None) -> str:
    """HS256 with a shared `secret`, or EdDSA with our own Ed25519 `key` (32 bytes)."""
    header: dict[str, str] = {"alg": "HS256" if key is None else "EdDSA", "typ": "JWT"}
    if key is not None:
        header["kid"] = key_id(key)
    parts = [json.dumps(part, separators=(",", ":"), sort_keys=True).encode() for part in (header, claims)]
    body = ".".join(_text(part) for part in parts)
    if key is not None:
        signature = Ed25519PrivateKey.from_private_bytes(key).sign(body.encode())
    else:
        if not secret:
            raise ValueError("a signed link needs a secret")
        signature = hmac.new(secret, body.encode(), hashlib.sha256).digest()
    return f"{body}.{_text(signature)}"


def public_key(key: bytes) -> dict[str, str]:
    """The public half as a JSON Web Key."""
    raw = Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key_id(key), "x": _text(raw)}


def key_id(key: bytes) -> str:
    raw = Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.blake2b(raw, digest_size=8).hexdigest()


def verify(token: str, *, secret: bytes, issuer: str, audience: str, now: datetime) -> dict[str, Any]:
    """The claims of a partner's token: HS256 alone, whatever its header says. TokenRefusedError."""
    if len(token) > LONGEST:
        raise TokenRefusedError("malformed")
    body, _, tail = token.rpartition(".")
    try:
        head, payload = (json.loads(_raw(part)) for part in body.split("."))
        signature = _raw(tail)
    except (ValueError, RecursionError):
        raise TokenRefusedError("malformed") from None
    if not isinstance(head, dict) or not isinstance(payload, dict):
        raise TokenRefusedError("malformed")
    if head.get("alg") != "HS256":
        raise TokenRefusedError("algorithm")
    if not hmac.compare_digest(signature, hmac.new(secret, body.encode(), hashlib.sha256).digest()):
        raise TokenRefusedError("signature")
    _in_time(payload, int(now.timestamp()))
    if payload.get("iss") != issuer:
        raise TokenRefusedError("issuer")
    if payload.get("aud") != audience:
        raise TokenRefusedError("audience")
    if not all(
        isinstance(payload.get(name), str) and 0 < len(payload[name]) <= LONGEST_NAME for name in ("sub", "jti")
    ):
        raise TokenRefusedError("malformed")
    return payload


def _in_time(payload: dict[str, Any], now: int) -> None:
    begins, ends = payload.get("iat"), payload.get("exp")
    if type(begins) is not int or type(ends) is not int:
        raise TokenRefusedError("malformed")
    if ends <= now:
        raise TokenRefusedError("expired")
    if begins > now + SKEW:
        raise TokenRefusedError("not_yet")
    if ends - begins > MOST_LIFE:
        raise TokenRefusedError("too_long")

"""Signs mails (RFC 6376, RSA-2048 or Ed25519 by RFC 8463, relaxed/relaxed). Pure but for OpenSSL.

Made for bulk: the fixed headers are put in form once, and a mail's body arrives in the form it is signed in.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

SIGNED = (
    "From", "To", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type", "List-Id",
    "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID",
)  # fmt: skip
_SPACES = re.compile(rb"[ \t]+")
_SPACES_BEFORE_END = re.compile(rb"[ \t]+\r\n")
_LEAST_BITS = 1024
_FOLDED = ": list-id:"  # where the long list of names goes on in the next line: white space there is part of it


class DkimError(ValueError):
    """A key that cannot be used; the message says why."""


class Signer:
    """Signs for `domain` under `selector`."""

    def __init__(self, key: RSAPrivateKey | Ed25519PrivateKey, *, domain: str, selector: str) -> None:
        self._key = key
        algorithm = "rsa-sha256" if isinstance(key, RSAPrivateKey) else "ed25519-sha256"
        self._rsa = isinstance(key, RSAPrivateKey)
        self._head = f"v=1; a={algorithm}; c=relaxed/relaxed; d={domain}; s={selector};"
        self._padding, self._hash = padding.PKCS1v15(), hashes.SHA256()

    def names(self, present: Sequence[str]) -> str:
        """The h= tag for a mail with these headers. From is named once more than it stands: nobody can add another."""
        have = {name.lower() for name in present}
        joined = ":".join([name.lower() for name in SIGNED if name.lower() in have] + ["from"])
        return joined.replace(":list-id:", _FOLDED)

    def header(self, names: str, headers: bytes, body_hash: bytes, at: int) -> bytes:
        """The DKIM-Signature header with its line end. `headers`: the named ones in relaxed form in the order of
        `names`; `body_hash`: SHA-256 of the body in relaxed form; `at`: Unix seconds."""
        value = f"{self._head} t={at}; h={names}; bh={b64encode(body_hash).decode()}; b="
        data = headers + b"dkim-signature:" + value.encode()
        if isinstance(self._key, RSAPrivateKey):
            signature = self._key.sign(data, self._padding, self._hash)
        else:
            signature = self._key.sign(hashlib.sha256(data).digest())
        text = b64encode(signature).decode()
        folded = "\r\n ".join(text[start : start + 72] for start in range(0, len(text), 72))
        lines = value.replace("; h=", ";\r\n h=").replace("; bh=", ";\r\n bh=").replace("; b=", ";\r\n b=")
        lines = lines.replace(_FOLDED, ":\r\n list-id:")
        return f"DKIM-Signature: {lines}{folded}\r\n".encode()


def relaxed(name: str, value: str) -> bytes:
    """A header in relaxed form, with its line end."""
    folded = _SPACES.sub(b" ", value.replace("\r\n", "").encode()).strip()
    return name.lower().encode() + b":" + folded + b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """A body with CRLF line ends in relaxed form."""
    plain = _SPACES.sub(b" ", _SPACES_BEFORE_END.sub(b"\r\n", body))
    plain = plain.rstrip(b"\r\n")
    return plain + b"\r\n" if plain else b""


def load_key(pem: bytes) -> RSAPrivateKey | Ed25519PrivateKey:
    """A private key of a kind and size that receivers accept. DkimError."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise DkimError(f"this is not an unencrypted private key in PEM form ({error})") from None
    if isinstance(key, RSAPrivateKey) and key.key_size >= _LEAST_BITS:
        return key
    if isinstance(key, Ed25519PrivateKey):
        return key
    raise DkimError("only RSA keys of 1024 bits or more and Ed25519 keys can sign mail")


def new_key(kind: str) -> bytes:
    """A fresh private key (rsa: 2048 bits, or ed25519) as PEM."""
    key = Ed25519PrivateKey.generate() if kind == "ed25519" else generate_private_key(65537, 2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def dns_value(pem: bytes) -> str:
    """What the TXT record <selector>._domainkey.<domain> says."""
    key = load_key(pem)
    if isinstance(key, Ed25519PrivateKey):
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return f"v=DKIM1; k=ed25519; p={b64encode(raw).decode()}"
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={b64encode(der).decode()}"

"""The installation's secrets: one made on first use, more as they are rotated; readable by their owner alone.

The file holds one a line, the newest first. Cookies are sealed with the newest and opened with any. What is stored
under a digest (sessions' names, seats, gift links, recorded decisions) stays under the oldest, so that nothing stored
has to be written anew; pruning ends that.
"""

from __future__ import annotations

import os
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_LEAST = 32  # bytes
_RSA_BITS = 2048
_PEM = re.compile(r"# (\S+)\n(-----BEGIN PRIVATE KEY-----\n.+?-----END PRIVATE KEY-----\n)", re.DOTALL)


def secret_path(options: Any) -> Path:
    return Path(options.secret_key_file) if options.secret_key_file else options.data / "secret.key"


def installation_secrets(path: Path) -> tuple[bytes, ...]:
    """The secrets in `path` (32 random bytes or more each, as hex lines), the newest first; one is made there when the
    file does not exist.

    ValueError when the file holds something else: a truncated secret must stop the start, not weaken every seal.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Linked into place whole: two processes that start together agree on one secret.
        draft = _written(path, [secrets.token_bytes(_LEAST)])
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    try:
        found = tuple(bytes.fromhex(line) for line in path.read_text("ascii").split())
    except (ValueError, UnicodeDecodeError):
        found = ()
    if not found or min(map(len, found)) < _LEAST:
        raise ValueError(f"{path} does not hold a secret of at least 64 hexadecimal digits a line.")
    return found


def signing_path(options: Any) -> Path:
    """Where the keys lie that sign what is said to apps and partners: beside the secret."""
    return secret_path(options).with_name("signing.pem")


def signing_keys(path: Path) -> tuple[tuple[str, str], ...]:
    """(when it was made in RFC 3339, PEM) of each key in `path`, the newest first; one is made there when the file does
    not exist. ValueError when it holds something else."""
    if not path.exists():
        draft = _draft(path, _new_signing_key())
        try:
            os.link(draft, path)  # as the secret: two processes agree on one key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    found = tuple(_PEM.findall(path.read_text("ascii")))
    if not found:
        raise ValueError(f"{path} does not hold a signing key.")
    return found


def _new_signing_key() -> str:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - 30 ms that no start has to wait for
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - as above

    key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return f"# {datetime.now(UTC).isoformat(timespec='seconds')}\n{pem.decode('ascii')}"


def rotate_signing(path: Path) -> int:
    """Put a new signing key before the others, which are still published so that what they signed can be checked.
    Returns how many there are now; 0 when none was made yet."""
    if not path.exists():
        return 0
    known = [f"# {made}\n{pem}" for made, pem in signing_keys(path)]
    _draft(path, "".join([_new_signing_key(), *known])).replace(path)
    return len(known) + 1


def prune_signing(path: Path) -> int:
    """Drop all signing keys but the newest. Returns how many were dropped."""
    known = signing_keys(path) if path.exists() else ()
    if len(known) > 1:
        made, pem = known[0]
        _draft(path, f"# {made}\n{pem}").replace(path)
    return max(0, len(known) - 1)


def installation_secret(path: Path) -> bytes:
    """The newest secret, which seals."""
    return installation_secrets(path)[0]


def rotate(path: Path) -> int:
    """Put a new secret before the others. Returns how many there are now."""
    known = installation_secrets(path)
    _written(path, [secrets.token_bytes(_LEAST), *known]).replace(path)
    return len(known) + 1


def prune(path: Path) -> int:
    """Drop all but the newest. Returns how many were dropped."""
    known = installation_secrets(path)
    if len(known) > 1:
        _written(path, known[:1]).replace(path)
    return len(known) - 1


def _written(path: Path, found: list[bytes] | tuple[bytes, ...]) -> Path:
    return _draft(path, "".join(secret.hex() + "\n" for secret in found))


def _draft(path: Path, text: str) -> Path:
    """A file beside `path` that holds this, safely on the disk."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft

"""The installation's one secret: made on first use, readable by its owner alone, never in the repository."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def installation_secret(path: Path) -> bytes:
    """The secret in `path` (32 random bytes or more, as hex), made there when the file does not exist.

    ValueError when the file holds something else: a truncated secret must stop the start, not weaken every seal.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Linked into place whole: two processes that start together agree on one secret.
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    try:
        secret = bytes.fromhex(path.read_text("ascii").strip())
    except (ValueError, UnicodeDecodeError):
        secret = b""
    if len(secret) < 32:  # noqa: PLR2004
        raise ValueError(f"{path} does not hold a secret of at least 64 hexadecimal digits.")
    return secret

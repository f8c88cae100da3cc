"""The installation's secrets: one made on first use, more as they are rotated; readable by their owner alone.

The file holds one a line, the newest first. Cookies are sealed with the newest and opened with any. What is stored
under a digest (sessions' names, seats, gift links, recorded decisions) stays under the oldest, so that nothing stored
has to be written anew; pruning ends that.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

_LEAST = 32  # bytes


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
    """A file beside `path` that holds these, safely on the disk."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("".join(secret.hex() + "\n" for secret in found))
        file.flush()
        os.fsync(file.fileno())
    return draft

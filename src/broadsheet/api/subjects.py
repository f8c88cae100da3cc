"""What a partner calls one of our readers: the same name at every sign-in, another one than every other partner's, and
not a word about how many readers there are. One block under the partner's own key, so that it can be turned back."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK = 16


def subject_of(reader_id: int, key: bytes) -> str:
    """`key`: 32 bytes."""
    # One block that is unlike every other one: there is nothing that a mode could hide.
    seal = Cipher(algorithms.AES256(key), modes.ECB()).encryptor()  # noqa: S305 - about more than one block
    return (seal.update(reader_id.to_bytes(_BLOCK, "big")) + seal.finalize()).hex()


def reader_of(subject: str, key: bytes) -> int | None:
    """The reader of a name that `subject_of` made under this key; None for anything else."""
    try:
        block = bytes.fromhex(subject)
    except ValueError:
        return None
    if len(block) != _BLOCK:
        return None
    opened = Cipher(algorithms.AES256(key), modes.ECB()).decryptor()  # noqa: S305 - as above
    number = int.from_bytes(opened.update(block) + opened.finalize(), "big")
    return number if number < 2**63 else None

"""A reader's name as the bytes that take the placeholder's place in a PDF. Pure.

A mark deters from passing a copy on; whoever knows PDF can take it off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from anyascii import anyascii

ROOM = 120
_START = b"@broadsheet-mark"


def placeholder() -> bytes:
    """What stands in the prepared file: exactly ROOM bytes, found once."""
    return _START + b"~" * (ROOM - len(_START))


def mark_bytes(*parts: str) -> bytes:
    """`parts`, such as a name and an address, as a PDF string's inside of exactly ROOM bytes: plain ASCII, escaped, cut
    to what fits, filled up with spaces."""
    text = "  ".join(" ".join(anyascii(part).split()) for part in parts if part.strip())
    out = bytearray()
    for character in text:
        code = character if 32 <= ord(character) <= 126 else "?"  # noqa: PLR2004 - printable ASCII
        piece = b"\\" + code.encode() if code in "()\\" else code.encode()
        if len(out) + len(piece) > ROOM:
            break
        out += piece
    return bytes(out.ljust(ROOM, b" "))


def patched(chunks: Iterable[bytes], places: Sequence[Sequence[int]], mark: bytes) -> Iterator[bytes]:
    """The chunks of a file with `mark` at each of `places`, [[offset, length]]; nothing is held but one chunk."""
    offset = 0
    for chunk in chunks:
        end = offset + len(chunk)
        touched = [start for start, length in places if start < end and start + length > offset]
        if touched:
            piece = bytearray(chunk)
            for start in touched:
                first, last = max(start, offset), min(start + len(mark), end)
                piece[first - offset : last - offset] = mark[first - start : last - start]
            yield bytes(piece)
        else:
            yield chunk
        offset = end

"""Every way we know to hide text in bytes, undone: a wall leaks if any reading of its bytes holds hidden words. Pure.

`readings()` walks breadth-first through encodings inside encodings; each distinct reading comes once.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import gzip
import html
import quopri
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from urllib.parse import unquote_plus

import brotli

DEPTH = 4
MOST_READINGS = 400
MOST_BYTES = 8_000_000  # of one inflated piece: a bomb must not stop the check
SHORTEST = 20
STRANGE = 0.1

_BASE64 = re.compile(rf"[A-Za-z0-9+/_-]{{{SHORTEST},}}={{0,2}}")
_BASE64_FOLDED = re.compile(r"(?:[A-Za-z0-9+/_-]{32,}(?:\r?\n|\\n)[ \t]*){2,}[A-Za-z0-9+/_-]*={0,2}")
_HEX = re.compile(rf"(?:[0-9a-fA-F]{{2}}){{{SHORTEST},}}")
# Possessive, and each separator in one way alone: numbers between many spaces would be tried in every division of them.
_NUMBERS = re.compile(rf"(?:\d{{1,7}}+(?:\s*+[,;|]\s*+|\s++)){{{SHORTEST},}}\d{{1,7}}")
_JS = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-7]{3})|(.))", re.DOTALL)
_CSS = re.compile(r"\\([0-9a-fA-F]{1,6})\s?")
_PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "", "f": "", "v": " ", "\n": ""}
_QUOTED = re.compile(r"(?:=[0-9A-F]{2}|=\r?\n)")
_COMPRESSED = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


def inflate(data: bytes, coding: str = "") -> bytes:
    """The content of a response with `Content-Encoding: coding`; the bytes themselves when they are not so encoded."""
    for name in reversed([part.strip().lower() for part in coding.split(",") if part.strip()]):
        data = _inflate_one(data, name)
    return data


def _inflate_one(data: bytes, name: str) -> bytes:
    try:
        if name in ("gzip", "x-gzip"):
            return gzip.decompress(data)
        if name == "br":
            return bytes(brotli.decompress(data))
        if name == "deflate":
            return _zlib(data) or _zlib(data, -15) or data
    except (OSError, EOFError, zlib.error, brotli.error):
        return data
    return data


def _zlib(data: bytes, window: int = 47) -> bytes:
    try:
        return zlib.decompressobj(window).decompress(data, MOST_BYTES)
    except zlib.error:
        return b""


def readings(data: bytes) -> Iterator[tuple[str, str]]:
    """(how it was reached, text) for every reading of `data`, the plain one first."""
    queue: list[tuple[str, str, int]] = [("as sent", text, 0) for text in texts(data)]
    seen: set[str] = set()
    while queue and len(seen) < MOST_READINGS:
        how, text, depth = queue.pop(0)
        if text in seen:
            continue
        seen.add(text)
        yield how, text
        if depth < DEPTH:
            queue += [(f"{how}, {name}", found, depth + 1) for name, found in _once_more(text, depth)]


def texts(data: bytes) -> list[str]:
    """Bytes as text: UTF-8, and UTF-16 or UTF-32 when there are zero bytes in it."""
    found = [data.decode("utf-8", "replace")]
    if b"\0" in data:
        found += [data.replace(b"\0", b"").decode("utf-8", "replace"), data.decode("utf-16-le", "replace")]
        found.append(data.decode("utf-16-be", "replace"))
    return found


def _once_more(text: str, depth: int) -> Iterator[tuple[str, str]]:
    for name, change in _WHOLE:
        changed = change(text)
        if changed and changed != text:
            yield name, changed
    if depth == 0 or len(text) < 200_000:  # noqa: PLR2004 - turning a whole page twice finds nothing new
        yield "reversed", text[::-1]
        yield "rot13", codecs.encode(text, "rot13")
    yield from _pieces(text)


def _is_text(text: str) -> bool:
    """Chance bytes are not: most of them are no character at all."""
    sample = text[:400]
    strange = sum(letter == "\ufffd" or not (letter.isprintable() or letter.isspace()) for letter in sample)
    return len(sample) >= SHORTEST // 2 and strange < STRANGE * len(sample)


def _unescape_js(text: str) -> str:
    if "\\" not in text:
        return text
    # Pairs of surrogates become the character they stand for.
    return _JS.sub(_js_char, text).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _js_char(match: re.Match[str]) -> str:
    braces, four, two, octal, other = match.groups()
    code = int(braces or four or two or "0", 16) or (int(octal, 8) if octal else 0)
    if code:
        return chr(code) if code <= sys.maxunicode else ""
    return _PLAIN_ESCAPES.get(other, other) if other else ""


def _unescape_css(text: str) -> str:
    if "\\" not in text:
        return text
    return _CSS.sub(lambda match: _character(int(match[1], 16)), text)


def _character(code: int) -> str:
    """ "" for zero, for half a surrogate pair and for what is beyond Unicode."""
    return chr(code) if 0 < code < 0xD800 or 0xDFFF < code < 0x110000 else ""  # noqa: PLR2004


def _unescape_html(text: str) -> str:
    return html.unescape(text) if "&" in text else text


def _unescape_url(text: str) -> str:
    return unquote_plus(text) if "%" in text else text


def _unquote_mail(text: str) -> str:
    return quopri.decodestring(text.encode()).decode("utf-8", "replace") if len(_QUOTED.findall(text)) > 4 else text  # noqa: PLR2004


_WHOLE: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("HTML-unescaped", _unescape_html),
    ("URL-decoded", _unescape_url),
    ("JavaScript-unescaped", _unescape_js),
    ("CSS-unescaped", _unescape_css),
    ("quoted-printable", _unquote_mail),
)


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    for match in _BASE64.finditer(text):
        yield from _from_base64(match.group())
    for match in _BASE64_FOLDED.finditer(text):
        yield from _from_base64(re.sub(r"\\n|\s", "", match.group()))
    for match in _HEX.finditer(text):
        yield from _legible(_opened("hex", bytes.fromhex(match.group())))
    for match in _NUMBERS.finditer(text):
        codes = [int(number) for number in re.findall(r"\d+", match.group())]
        yield "character codes", "".join(map(_character, codes))
        yield from _legible(_opened("byte values", bytes(code for code in codes if code < 256)))  # noqa: PLR2004


@lru_cache(maxsize=50_000)
def _from_base64(chunk: str) -> tuple[tuple[str, str], ...]:
    """What a chunk of base64 may say. Most are addresses that stand on every page, so the answers are kept."""
    plain = chunk.rstrip("=").replace("-", "+").replace("_", "/")
    found: list[tuple[str, str]] = []
    # It may begin inside a word of base64's alphabet: the four possible alignments.
    for skip in range(4):
        piece = plain[skip:]
        piece = piece[:-1] if len(piece) % 4 == 1 else piece
        try:
            decoded = base64.b64decode(piece + "=" * (-len(piece) % 4))
        except (binascii.Error, ValueError):
            continue
        found += _legible(_opened("base64", decoded))
    return tuple(found)


def _legible(pieces: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, str]]:
    for name, piece in pieces:
        for text in texts(piece):
            if _is_text(text):
                yield name, text


def _opened(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, data
    if data[:2] in _COMPRESSED:
        inflated = _zlib(data)
        if inflated:
            yield f"{name}, inflated", inflated
        return
    raw = _zlib(data, -15)
    if len(raw) >= SHORTEST:
        yield f"{name}, inflated", raw
    try:
        yield f"{name}, brotli", brotli.decompress(data)
    except brotli.error:
        return

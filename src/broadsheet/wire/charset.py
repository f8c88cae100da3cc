"""From bytes to text without guessing: BOM, strict UTF-8, declared, the source's own, then cp1252 with a warning.

Charset detectors are not used: on one-line agency copy they were wrong as often as right.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

import ftfy

from broadsheet.wire.items import UnreadableError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{2,40})["']""")
# What UTF-8 looks like after one wrong trip through cp1252: a lead byte's letter and a continuation byte's sign.
_MOJIBAKE = re.compile(r"[ÂÃâÅÄ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹Œ‘’“”•–—˜™š›œžŸ¡-¿]|à[¤¥]|\ufffd")
_SUSPECT_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the charset that gave it, and whether that charset was a last resort."""

    text: str
    charset: str
    warnings: tuple[str, ...] = ()


def decode(content: bytes, *, source_charset: str | None = None) -> Decoded:
    """Text of a file. Raises UnreadableError("encoding") when no charset of the ladder fits."""
    for bom, charset in _BOMS:
        if content.startswith(bom):
            return _by_bom(content[len(bom) :], charset)
    wide = _utf16_without_bom(content)
    if wide:
        return _by_bom(content, wide)
    text = _try(content, "utf-8")
    if text is not None:
        return Decoded(text, "utf-8")
    for name in (declared_charset(content), source_charset):
        text = _try(content, name) if name else None
        if text is not None and name:
            return Decoded(text, name.lower())
    text = _try(content, "cp1252")
    if text is None:
        raise UnreadableError("encoding", "not UTF-8, nor the declared charset, nor cp1252")
    warnings = ("charset_guessed: cp1252",)
    if _mostly_foreign(text):
        warnings = ("charset_guessed: cp1252, and the text looks wrong in it",)
    return Decoded(text, "cp1252", warnings)


def declared_charset(content: bytes) -> str | None:
    """The charset an XML declaration names, if any."""
    match = _DECLARED.match(content[:300])
    return match[1].decode("ascii") if match else None


def _by_bom(content: bytes, charset: str) -> Decoded:
    text = _try(content, charset)
    if text is None:
        raise UnreadableError("encoding", f"the byte order mark says {charset}, the bytes do not")
    return Decoded(text, charset)


def _utf16_without_bom(content: bytes) -> str | None:
    head = content[:4]
    if head in (b"<\x00?\x00", b"{\x00\n\x00", b'{\x00"\x00', b"<\x00n\x00"):
        return "utf-16-le"
    return "utf-16-be" if head in (b"\x00<\x00?", b"\x00{\x00\n", b'\x00{\x00"', b"\x00<\x00n") else None


def _try(content: bytes, charset: str) -> str | None:
    try:
        return content.decode(charset)
    except (UnicodeDecodeError, LookupError, ValueError):
        return None


def _mostly_foreign(text: str) -> bool:
    letters = [c for c in re.sub(r"<[^>]*>", "", text) if c.isalpha()]
    foreign = sum(1 for c in letters if not c.isascii())
    return bool(letters) and foreign > len(letters) * _SUSPECT_SHARE


def mojibake_score(text: str) -> int:
    """How many places look like UTF-8 read as cp1252; 0 for clean text."""
    return len(_MOJIBAKE.findall(text))


def repair_mojibake(text: str) -> tuple[str, bool]:
    """The text with double encoding undone, and whether it was: only when the score really falls."""
    before = mojibake_score(text)
    if not before:
        return text, False
    fixed = ftfy.fix_encoding(text)
    return (fixed, True) if mojibake_score(fixed) < before else (text, False)

"""What a file is, by its content. Its name and extension say nothing an agency promises."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from broadsheet.wire.drafts import Document
from broadsheet.wire.items import UnreadableError
from broadsheet.wire.xmltree import parse_xml

_DEEPEST: Final = 256
_HTML = re.compile(r"^\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_FEED = re.compile(r"<(?:rss|feed|rdf:RDF)\b", re.IGNORECASE)
_MAIL = re.compile(
    r"^(?:Return-Path|Received|From|To|Subject|Date|Message-ID|MIME-Version|Delivered-To|X-[\w-]+): ?\S", re.IGNORECASE
)
_BINARY: Final = (
    (b"\x1f\x8b", "a gzip archive"),
    (b"PK\x03\x04", "a zip archive"),
    (b"%PDF", "a PDF"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a media file"),
    (b"WARC/", "a web archive (WARC)"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"\x7fELF", "a program"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SENTENCE = re.compile(r"(?:\S+\s+){4,}\S*[.!?।”\"]")


_OLD_STARTS: Final = (b"\x01", b"\x16\x16", b"\x7f\x7f", b"ZCZC")


def refuse_at_sight(content: bytes) -> None:
    """Empty and binary files, before anything is decoded."""
    if not content.strip(b"\x00\xff\xfe\xef\xbb\xbf \t\r\n"):
        held = "no bytes" if not content else f"{len(content)} bytes, none of them text"
        raise UnreadableError("empty", f"the file holds {held}")
    for magic, name in _BINARY:
        if content.startswith(magic):
            raise UnreadableError("unknown_format", f"{name}, not agency copy")
    if content.lstrip(b"\r\n ").startswith(_OLD_STARTS):
        raise UnreadableError("unknown_format", "looks like IPTC 7901 or ANPA 1312; no reader for it here")


def open_document(text: str) -> Document:
    """The file's tree, JSON or text. Raises UnreadableError for what cannot be opened."""
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("<"):
        return _xml(text)
    if start.startswith(("{", "[")):
        return Document(text, data=_json(start))
    _refuse_old_formats(start)
    if not _SENTENCE.search(start):
        raise UnreadableError("unknown_format", "text without a sentence")
    return Document(text)


def _xml(text: str) -> Document:
    if _HTML.match(text):
        raise UnreadableError("unknown_format", f"an HTML page{_title(text)}, not agency copy")
    try:
        return Document(text, root=parse_xml(text))
    except UnreadableError as problem:
        # Only a feed that is complete but ill-formed may be repaired; a cut-off file would look like a short story.
        if problem.reason != "not_well_formed" or not _FEED.search(text[:4000]) or "<!ENTITY" in text:
            raise
        return Document(text, repaired=True)


def _title(text: str) -> str:
    match = re.search(r"<title[^>]*>([^<]{1,80})", text[:5000], re.IGNORECASE)
    return f" (“{match[1].strip()}”)" if match else ""


def _json(text: str) -> Any:
    try:
        data = json.loads(text, strict=False)
    except RecursionError:
        raise UnreadableError("too_deep", "JSON nests too deep") from None
    except json.JSONDecodeError as problem:
        rest = text.rstrip()
        if problem.pos >= len(rest) - 1 or problem.msg.startswith("Unterminated string"):
            raise UnreadableError("truncated", str(problem)) from None
        raise UnreadableError("not_well_formed", str(problem)) from None
    except ValueError as problem:  # a number of more digits than Python reads
        raise UnreadableError("not_well_formed", str(problem)) from None
    if _depth_over(data):
        raise UnreadableError("too_deep", f"JSON nests deeper than {_DEEPEST}")
    return _storable(data) if "\\u" in text or "\x00" in text else data


def _storable(data: Any) -> Any:
    """JSON may escape NUL and half surrogates, which no text column takes."""
    if isinstance(data, str):
        return data.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(data, list):
        return [_storable(value) for value in data]
    if isinstance(data, dict):
        return {_storable(key): _storable(value) for key, value in data.items()}
    return data


def _depth_over(data: Any) -> bool:
    level = [data]
    for _ in range(_DEEPEST):
        deeper: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                deeper.extend(value.values())
            elif isinstance(value, list):
                deeper.extend(value)
        if not deeper:
            return False
        level = deeper
    return True


def _refuse_old_formats(start: str) -> None:
    if "\x02" in start[:400]:
        raise UnreadableError("unknown_format", "looks like IPTC 7901 or ANPA 1312; no reader for it here")
    if _MAIL.match(start):
        raise UnreadableError("unknown_format", "an e-mail message; no reader for it here")
    if _CONTROL.search(start):
        raise UnreadableError("unknown_format", "control characters in plain text")

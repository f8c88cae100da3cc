"""Factories for wire tests: plain functions, invented people and places."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from broadsheet.wire.blocks import Block, paragraph
from broadsheet.wire.cleaning import Cleaned, clean
from broadsheet.wire.items import Item, RawFile
from broadsheet.wire.parse import Hints, parse_raw

SAMPLES = Path(__file__).parent / "samples"
NOW = datetime(2031, 3, 6, 9, 0, tzinfo=UTC)
FILLER = (
    "The harbour board of Alderport will raise the toll for container ships from May, its chair Edda Brenn said on Tuesday.",
    "Shippers called the step badly timed and asked the ministry to look at the figures again before the summer season.",
    "The last rise was six years ago, when the northern quay was rebuilt after a storm that sank two tugs and a ferry.",
)


def blocks(*texts: str) -> list[Block]:
    return [paragraph(text) for text in texts]


def cleaned(*texts: str, agencies: tuple[str, ...] | None = None) -> Cleaned:
    return clean(blocks(*texts)) if agencies is None else clean(blocks(*texts), agencies=agencies)


def texts(result: Cleaned) -> list[str]:
    return [block.text for block in result.blocks]


def rules(result: Cleaned) -> list[str]:
    return [hit.rule for hit in result.notes.removed]


def parse(content: str | bytes, **hints: Any) -> list[Any]:
    return parse_raw(RawFile("test", content.encode() if isinstance(content, str) else content), Hints(**hints))


def item(**fields: Any) -> Item:
    values: dict[str, Any] = {
        "file": "test", "index": 0, "format": "ninjs", "parser": "ninjs 1.x", "uri": "urn:nwa:toll",
        "headline": "Alderport to raise harbour toll", "body_text": "\n\n".join(FILLER), "body_html": "".join(f"<p>{t}</p>" for t in FILLER),
    }  # fmt: skip
    return Item(**{**values, **fields})


def g2(guid: str = "urn:newsml:nwa.example:toll", version: int = 1, *, status: str = "usable", meta: str = "", headline: str = "Alderport to raise harbour toll",
       body: str = "".join(f"<p>{t}</p>" for t in FILLER), created: str = "2031-03-04T08:00:00+05:30") -> bytes:  # fmt: skip
    """One NewsML-G2 item as a file."""
    return (
        f'<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="{guid}" version="{version}" standard="NewsML-G2" xml:lang="en">'
        f'<itemMeta><itemClass qcode="ninat:text"/><provider literal="NWA"/><versionCreated>{created}</versionCreated>'
        f'<pubStatus qcode="stat:{status}"/>{meta}</itemMeta><contentMeta><headline>{headline}</headline></contentMeta>'
        f'<contentSet><inlineXML contenttype="application/xhtml+xml"><html xmlns="http://www.w3.org/1999/xhtml"><body>{body}</body></html>'
        "</inlineXML></contentSet></newsItem>"
    ).encode()

"""The wire formats this installation reads: our own, then those of installed packages.

An extension names an object with NAME, matches and read (see drafts.Reader) in the entry point group
`broadsheet.wire_formats`. Ours are asked first, so an extension adds formats and never replaces one.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import entry_points
from typing import Final

from broadsheet.wire.adapters import newsml_1_2, newsml_g2, ninjs, nitf, rss_atom, saved_page
from broadsheet.wire.drafts import Document, Reader
from broadsheet.wire.items import UnreadableError
from broadsheet.wire.xmltree import local

GROUP: Final = "broadsheet.wire_formats"
_OWN: Final[tuple[Reader, ...]] = (rss_atom, newsml_g2, ninjs, nitf, newsml_1_2)
_LAST: Final[Reader] = saved_page
_REFERENCE_DATA: Final = frozenset(
    {"schema", "catalog", "catalogItem", "conceptSet", "stylesheet", "sitemapindex", "urlset", "opml"}
)
_REFERENCE_KEYS: Final = ("$schema", "properties", "conceptSet", "concepts", "definitions", "$defs")


@lru_cache(maxsize=1)
def readers() -> tuple[Reader, ...]:
    """Every reader in the order it is asked; saved page text is what remains."""
    extensions = tuple(point.load() for point in entry_points(group=GROUP))
    return (*_OWN, *extensions, _LAST)


def names() -> tuple[str, ...]:
    """The words `--format` takes."""
    return tuple(reader.NAME for reader in readers())


def reader_for(document: Document, name: str | None = None) -> Reader:
    """The reader by name, else by content. Raises UnreadableError when there is none."""
    for reader in readers():
        if name == reader.NAME:
            return reader
        if name is None and reader.matches(document):
            return reader
    if name is not None:
        raise UnreadableError("unknown_format", f"no format is called {name}; there are {', '.join(names())}")
    raise _unread(document)


def _unread(document: Document) -> UnreadableError:
    if document.root is not None:
        name = local(document.root)
        if name in _REFERENCE_DATA:
            return UnreadableError("not_news", f"XML of the type {name}: reference data, not a story")
        return UnreadableError("unknown_format", f"XML whose root is {name}: no reader for it here")
    keys = document.data if isinstance(document.data, dict) else {}
    if any(key in keys for key in _REFERENCE_KEYS):
        return UnreadableError("not_news", "JSON that holds a schema or code list, not a story")
    shown = ", ".join(list(keys)[:5]) or "no named fields"
    return UnreadableError("unknown_format", f"JSON that is not ninjs ({shown}): no reader for it here")

"""RSS 0.9x to 2.0, RSS 1.0 (RDF) and Atom 0.3 and 1.0, with full text where the feed carries it.

A feed has no versions: the same guid with another text is told by the content's hash. Every entry is read; what
was seen before is for identity to say, never a date.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any, Final

import feedparser

from broadsheet.wire import markup as html_markup
from broadsheet.wire import patterns
from broadsheet.wire.blocks import Block, to_text, word_count
from broadsheet.wire.drafts import Document, Draft, one_by_one
from broadsheet.wire.instants import read_instant
from broadsheet.wire.items import Association, UnreadableError
from broadsheet.wire.xmltree import attribute, child, children, descendants, local, markup, namespace, number, text_of

NAME = "rss_atom"
_MEDIA: Final = "http://search.yahoo.com/mrss"
_WORDPRESS: Final = "http://wordpress.org/export/"
_WXR: Final = "a WordPress export (WXR); that is for the archive import"
_LITERAL_TAG = re.compile(r"</?(?:b|i|em|strong|u|span|br|sub|sup)\s*/?>", re.IGNORECASE)
_MUCH: Final = 2
_AGENCY = re.compile(r"^[A-Z]{2,6}$")


def matches(document: Document) -> bool:
    return document.repaired or (document.root is not None and local(document.root) in {"rss", "feed", "RDF"})


def read(document: Document) -> list[Draft]:
    if document.root is None:
        if _WORDPRESS in document.text[:4000]:
            raise UnreadableError("unknown_format", _WXR)
        drafts = _repaired(document.text)
    else:
        if any(
            str(uri).startswith(_WORDPRESS)
            for e in (document.root, child(document.root, "channel"))
            if e is not None
            for uri in e.nsmap.values()
        ):
            raise UnreadableError("unknown_format", _WXR)
        drafts = _feed(document.root)
    if not drafts:
        raise UnreadableError("not_news", "a feed without entries")
    return drafts


def _feed(root: Any) -> list[Draft]:
    channel = child(root, "channel") if local(root) != "feed" else root
    kind = "atom" if local(root) == "feed" else "rss"
    entries = [e for e in root.iter() if local(e) in {"item", "entry"} and namespace(e) != _MEDIA]
    title = html_markup.plain(text_of(child(channel, "title"))) or None
    language = attribute(root, "lang") or text_of(child(channel, "language")) or None
    drafts = one_by_one(lambda entry: _entry(entry, kind), entries)
    for draft in drafts:
        draft.feed = title
        draft.language = draft.language or language
        draft.copyright_holder = (
            draft.copyright_holder or text_of(child(channel, "copyright")) or text_of(child(channel, "rights")) or None
        )
    return drafts


def _entry(entry: Any, kind: str) -> Draft:
    draft = Draft(parser=f"rss_atom {kind}")
    draft.uri = (
        text_of(child(entry, "guid")) or text_of(child(entry, "id")) or attribute(entry, "about") or _link(entry)
    )
    draft.headline = headline(_own_text(entry, "title"))
    draft.language = attribute(entry, "lang") or None
    draft.first_created = _first_instant(entry, "published", "issued", "created", "pubDate", "date")
    draft.version_created = _first_instant(entry, "updated", "modified") or draft.first_created
    draft.keywords = [
        w for e in children(entry, "category", "subject") if (w := attribute(e, "label", "term") or text_of(e))
    ]
    draft.copyright_holder = text_of(child(entry, "rights")) or None
    _people(
        draft,
        [text_of(e) for e in children(entry, "creator")],
        [text_of(child(e, "name")) or text_of(e) for e in children(entry, "author")],
    )
    draft.body = _body(draft, entry)
    draft.associations = _associations(entry)
    raw_date = text_of(child(entry, "pubDate"))
    if raw_date and draft.version_created is None:
        draft.warnings.append(f"date: cannot read {raw_date[:60]!r} for sure, left unknown")
    return draft


def headline(raw: str) -> str:
    """A title is text or HTML; tags that were escaped once too often are markup, no headline shows them."""
    return " ".join(_LITERAL_TAG.sub("", html_markup.plain(raw)).split())


def _people(draft: Draft, creators: list[str], authors: list[str]) -> None:
    for name in filter(None, creators + authors):
        if name in patterns.AGENCIES or _AGENCY.match(name):
            draft.provider = draft.provider or name
        elif name not in draft.authors:
            draft.authors.append(name)
    draft.byline = ", ".join(draft.authors) or None


def _own_text(entry: Any, name: str) -> str:
    """The entry's own element, not a namesake from media:."""
    found = [e for e in children(entry, name) if not namespace(e).startswith(_MEDIA)]
    return "".join(found[0].itertext()) if found else ""


def _link(entry: Any) -> str | None:
    links = list(children(entry, "link"))
    for link in links:
        if text_of(link):
            return text_of(link)
    alternate = [e for e in links if (attribute(e, "rel") or "alternate") == "alternate"]
    return attribute((alternate or links or [None])[0], "href")


def _first_instant(entry: Any, *names: str) -> Any:
    return next((found for name in names if (found := read_instant(text_of(child(entry, name))))), None)


def _body(draft: Draft, entry: Any) -> list[Block]:
    full, summary = _first(entry, "encoded", "content"), _first(entry, "description", "summary")
    # A tag that is never closed swallows what follows it: then the summary holds more of the story than the text does.
    if full and word_count(to_text(summary)) <= _MUCH * word_count(to_text(full)):
        return full
    if summary:
        draft.warnings.append("teaser: the feed gives a summary, perhaps not the full text")
    return summary or full


def _first(entry: Any, *names: str) -> list[Block]:
    """The blocks of the first of these elements that has any; namesakes from media: are none of the story's text."""
    own = (e for name in names for e in children(entry, name) if not namespace(e).startswith(_MEDIA))
    return next((blocks for element in own if (blocks := _content(element))), [])


def _content(element: Any) -> list[Block]:
    inner = markup(element) if len(element) else element.text or ""
    if (attribute(element, "type") or "") in {"text", "text/plain"} and not len(element):
        inner = inner.replace("&", "&amp;").replace("<", "&lt;")
    return html_markup.blocks_of(inner)


def _associations(entry: Any) -> list[Association]:
    media = [e for e in descendants(entry, "content") if namespace(e).startswith(_MEDIA) and attribute(e, "url")]
    enclosures = [e for e in children(entry, "enclosure") if attribute(e, "url")]
    return [_media(element) for element in media + enclosures]


def _media(element: Any) -> Association:
    group = element.getparent() if local(element.getparent()) == "group" else None
    caption = text_of(child(element, "description")) or text_of(child(group, "description"))
    return Association(
        kind=_kind(attribute(element, "medium", "type")),
        href=attribute(element, "url"),
        title=text_of(child(element, "title")) or text_of(child(group, "title")) or None,
        caption=caption or None,
        credit=text_of(child(element, "credit")) or None,
        content_type=attribute(element, "type"),
        width=number(attribute(element, "width")),
        height=number(attribute(element, "height")),
    )


def _kind(content_type: str | None) -> str:
    major = (content_type or "").partition("/")[0]
    return {"image": "picture", "video": "video", "audio": "audio"}.get(major, "item")


def _repaired(text: str) -> list[Draft]:
    """A feed strict XML refuses, read by the tolerant parser: every item is flagged and a person must look."""
    try:
        feed = feedparser.parse(
            io.BytesIO(text.encode()), response_headers={"content-type": "application/xml; charset=utf-8"}
        )
    except Exception as problem:  # noqa: BLE001 - it stumbles over some faults in ways of its own
        detail = f"not well-formed, and the tolerant parser gave up ({type(problem).__name__})"
        raise UnreadableError("not_well_formed", detail) from None
    return one_by_one(lambda entry: _tolerated(entry, feed.feed), feed.entries)


def _tolerated(entry: dict[str, Any], feed: Mapping[str, Any]) -> Draft:
    draft = Draft(parser="rss_atom repaired", warnings=["repaired: the feed is not well-formed XML"])
    draft.uri = entry.get("id") or entry.get("link")
    draft.feed = feed.get("title")
    draft.language = feed.get("language")
    draft.headline = headline(str(entry.get("title") or ""))
    draft.first_created = read_instant(entry.get("published"))
    draft.version_created = read_instant(dict.get(entry, "updated")) or draft.first_created
    draft.keywords = [str(tag.get("term")) for tag in entry.get("tags") or [] if tag.get("term")]
    _people(draft, [str(entry.get("author") or "")], [])
    contents = [part.get("value", "") for part in entry.get("content") or []]
    draft.body = html_markup.blocks_of(max([*contents, str(entry.get("summary") or "")], key=len))
    return draft

"""NewsML-G2: news items alone, in a news message, and packages."""

from __future__ import annotations

from typing import Any, Final

from broadsheet.wire import markup as html_markup
from broadsheet.wire.adapters import nitf
from broadsheet.wire.blocks import Block, from_paragraphs
from broadsheet.wire.drafts import Document, Draft, one_by_one
from broadsheet.wire.instants import read_instant
from broadsheet.wire.items import UNTIL_FURTHER_NOTICE, Association, PubStatus, Subject, UnreadableError
from broadsheet.wire.xmltree import attribute, child, children, descendants, local, markup, namespace, number, text_of

NAME = "newsml_g2"
_NAMESPACE: Final = "http://iptc.org/std/nar/"
_ROOTS: Final = frozenset(
    {
        "newsItem",
        "packageItem",
        "newsMessage",
        "conceptItem",
        "knowledgeItem",
        "catalogItem",
        "planningItem",
        "catalog",
        "conceptSet",
    }
)
_STATUS: Final[dict[str, PubStatus]] = {
    "usable": "usable",
    "withheld": "withheld",
    "canceled": "canceled",
    "cancelled": "canceled",
}
# Alias -> scheme for the codes that routing uses; any other code keeps its alias in `qcode`.
_SCHEMES: Final = {
    "medtop": "http://cv.iptc.org/newscodes/mediatopic/",
    "subj": "http://cv.iptc.org/newscodes/subjectcode/",
    "iso3166-1a2": "http://cvx.iptc.org/iso3166-1a2/",
    "iso3166-1a3": "http://cvx.iptc.org/iso3166-1a3/",
}
_PLACE_TYPES: Final = ("geoArea", "poi", "cptype:city", "cptype:country")


def matches(document: Document) -> bool:
    root = document.root
    if root is None or local(root) not in _ROOTS:
        return False
    return (
        namespace(root).startswith(_NAMESPACE)
        or attribute(root, "standard") == "NewsML-G2"
        or local(root) == "newsMessage"
    )


def read(document: Document) -> list[Draft]:
    root = document.root
    if local(root) == "newsMessage":
        return _message(root)
    if local(root) not in {"newsItem", "packageItem"}:
        raise UnreadableError("not_news", f"a {local(root)}: reference data, not a story")
    return [_item(root)]


def _message(root: Any) -> list[Draft]:
    items = list(children(child(root, "itemSet"), "newsItem"))
    packages = list(children(child(root, "itemSet"), "packageItem"))
    drafts = one_by_one(_item, items or packages)
    if not any(d.trouble or d.headline or d.body or d.associations or d.pub_status != "usable" for d in drafts):
        raise UnreadableError("not_news", "a news message without news")
    priority = number(text_of(child(root, "header", "priority")))
    for draft in drafts:
        draft.priority = priority
        if items and packages:
            draft.warnings.append("package: the message also holds a package that groups its items")
    return drafts


def _item(root: Any) -> Draft:
    draft = Draft(parser="newsml_g2 2.x")
    draft.uri = attribute(root, "guid")
    draft.version = number(attribute(root, "version")) or 1
    draft.language = attribute(child(root, "contentMeta", "language"), "tag") or attribute(root, "lang")
    _rights(draft, child(root, "rightsInfo"))
    _item_meta(draft, child(root, "itemMeta"))
    _content_meta(draft, child(root, "contentMeta"))
    kind = _code(attribute(child(root, "itemMeta", "itemClass"), "qcode")) or "text"
    _content(draft, child(root, "contentSet"), kind)
    _package(draft, child(root, "groupSet"))
    return draft


def _rights(draft: Draft, info: Any) -> None:
    draft.copyright_holder = _named(child(info, "copyrightHolder"))
    draft.usage_terms = text_of(child(info, "usageTerms")) or None


def _item_meta(draft: Draft, meta: Any) -> None:
    draft.provider = _named(child(meta, "provider"))
    draft.version_created = read_instant(text_of(child(meta, "versionCreated")))
    draft.first_created = read_instant(text_of(child(meta, "firstCreated")))
    status = _code(attribute(child(meta, "pubStatus"), "qcode", "uri"))
    if status:
        draft.pub_status = _STATUS.get(status.lower(), "withheld")
        if status.lower() not in _STATUS:
            draft.warnings.append(f"pub_status: unknown {status!r}, read as withheld")
    embargoed = child(meta, "embargoed")
    if embargoed is not None:
        # Present but empty means until further notice; unreadable is treated the same, never as no embargo.
        draft.embargoed = read_instant(text_of(embargoed)) or UNTIL_FURTHER_NOTICE
    # A note with markup inside repeats the plain notes for display (dpa's notepad).
    draft.ed_note += [note for e in children(meta, "edNote") if not len(e) and (note := text_of(e))]
    draft.signals += [code for e in children(meta, "signal") if (code := _code(attribute(e, "qcode", "uri")))]
    if "correction" in draft.signals and draft.ed_note:
        draft.correction_note = draft.ed_note[0]


def _content_meta(draft: Draft, meta: Any) -> None:
    draft.urgency = number(text_of(child(meta, "urgency")))
    draft.slugline = text_of(child(meta, "slugline")) or None
    draft.headline = _headline(meta)
    draft.byline = text_of(child(meta, "by")) or None
    draft.dateline = text_of(child(meta, "dateline")) or None
    draft.credit = text_of(child(meta, "creditline")) or None
    draft.authors = [
        name for e in children(meta, "creator") if (name := attribute(e, "literal") or text_of(child(e, "name")))
    ]
    located = child(meta, "located")
    draft.located = text_of(child(located, "name")) or None
    for broader in children(located, "broader"):
        if "country" in (attribute(broader, "type") or ""):
            draft.country = text_of(child(broader, "name")) or None
    draft.places = [draft.located] if draft.located else []
    for element in children(meta, "subject"):
        _subject(draft, element)
    draft.keywords = [word for e in children(meta, "keyword") if (word := text_of(e))]


def _headline(meta: Any) -> str:
    headlines = [e for e in children(meta, "headline") if text_of(e)]
    main = [e for e in headlines if (attribute(e, "role") or "").endswith(("main", "headline"))]
    return text_of((main or headlines or [None])[0])


def _subject(draft: Draft, element: Any) -> None:
    code, name = attribute(element, "qcode"), _plain_name(element)
    alias, _, value = (code or "").partition(":")
    uri = attribute(element, "uri") or (_SCHEMES[alias] + value if alias in _SCHEMES and value else None)
    if code or uri or name:
        draft.subjects.append(Subject(uri=uri, qcode=code, name=name or attribute(element, "literal")))
    if name and any(mark in (attribute(element, "type") or "") for mark in _PLACE_TYPES) and name not in draft.places:
        draft.places.append(name)


def _content(draft: Draft, content: Any, kind: str) -> None:
    for inline in children(content, "inlineXML"):
        blocks = _inline_xml(draft, inline)
        if blocks and not draft.body:
            draft.body = blocks
    for inline in children(content, "inlineData"):
        if not draft.body and "text" in (attribute(inline, "contenttype") or "text"):
            raw = "".join(inline.itertext())
            is_html = "html" in (attribute(inline, "contenttype") or "")
            draft.body = html_markup.blocks_of(raw) if is_html else from_paragraphs(raw)
    remotes = list(children(content, "remoteContent"))
    if remotes:
        best = max(remotes, key=lambda e: number(attribute(e, "size")) or 0)
        draft.associations.append(_remote(draft, best, kind))


def _inline_xml(draft: Draft, inline: Any) -> list[Block]:
    body = next(descendants(inline, "body"), None)
    if body is not None and (child(body, "body.content") is not None or child(body, "body.head") is not None):
        known = draft.headline
        nitf.fill_from_body(draft, body)
        draft.headline = known or draft.headline
        return draft.body
    return html_markup.blocks_of(markup(body if body is not None else inline))


def _remote(draft: Draft, element: Any, kind: str) -> Association:
    return Association(
        kind=kind,
        uri=draft.uri,
        href=attribute(element, "href", "residref"),
        title=draft.headline or None,
        credit=draft.credit or draft.provider,
        content_type=attribute(element, "contenttype"),
        width=number(attribute(element, "width")),
        height=number(attribute(element, "height")),
    )


def _package(draft: Draft, groups: Any) -> None:
    for reference in descendants(groups, "itemRef"):
        draft.associations.append(
            Association(
                kind=_code(attribute(child(reference, "itemClass"), "qcode")) or "item",
                uri=attribute(reference, "residref"),
                href=attribute(reference, "href"),
                title=text_of(child(reference, "title")) or text_of(child(reference, "headline")) or None,
                caption=text_of(child(reference, "description")) or None,
            )
        )


def _code(qcode: str | None) -> str | None:
    if not qcode:
        return None
    return qcode.rstrip("/").rpartition("/")[2].rpartition(":")[2] or None


def _named(element: Any) -> str | None:
    """A party's name: written out, literal, or the code at the end of its qcode."""
    if element is None:
        return None
    return _plain_name(element) or attribute(element, "literal") or _code(attribute(element, "qcode"))


def _plain_name(element: Any) -> str | None:
    return next((name for e in children(element, "name") if (name := text_of(e))), None)

"""NITF 3.x, alone or inside NewsML."""

from __future__ import annotations

from typing import Any

from broadsheet.wire import markup as html_markup
from broadsheet.wire.blocks import Block
from broadsheet.wire.drafts import Document, Draft
from broadsheet.wire.instants import read_instant
from broadsheet.wire.items import UNTIL_FURTHER_NOTICE, Association, PubStatus, Subject
from broadsheet.wire.xmltree import attribute, child, children, descendants, local, markup, number, text_of

NAME = "nitf"
_STATUS: dict[str, PubStatus] = {
    "canceled": "canceled", "cancelled": "canceled", "killed": "canceled", "withdrawn": "canceled",
    "withheld": "withheld",
}  # fmt: skip
_MESSAGES = {
    "update": "update",
    "correction": "correction",
    "correct": "correction",
    "kill": "kill",
    "advisory": "advisory",
}


def matches(document: Document) -> bool:
    return document.root is not None and local(document.root) == "nitf"


def read(document: Document) -> list[Draft]:
    return [read_nitf(document.root)]


def read_nitf(root: Any) -> Draft:
    draft = Draft(parser="nitf 3.x")
    head, body = child(root, "head"), child(root, "body")
    docdata = child(head, "docdata")
    _identity(draft, root, docdata)
    _docdata(draft, docdata)
    draft.headline = text_of(child(head, "title"))
    for meta in children(head, "meta"):
        if (attribute(meta, "name") or "").lower() == "slugline":
            draft.slugline = attribute(meta, "content")
    for subject in descendants(head, "tobject.subject"):
        code = attribute(subject, "tobject.subject.refnum")
        name = attribute(subject, "tobject.subject.detail", "tobject.subject.matter", "tobject.subject.type")
        if code or name:
            uri = f"http://cv.iptc.org/newscodes/subjectcode/{code}" if code else None
            draft.subjects.append(Subject(uri=uri, qcode=f"subj:{code}" if code else None, name=name))
    fill_from_body(draft, body)
    return draft


def _identity(draft: Draft, root: Any, docdata: Any) -> None:
    key = child(docdata, "du-key")
    canceled = attribute(docdata, "management-doc-idref") if _status(docdata) == "canceled" else None
    draft.uri = (
        canceled or attribute(child(docdata, "doc-id"), "id-string") or attribute(key, "key") or attribute(root, "uno")
    )
    draft.version = number(attribute(key, "version"))
    draft.provider = attribute(child(docdata, "doc-id"), "regsrc")
    draft.language = attribute(root, "lang")


def _status(docdata: Any) -> PubStatus:
    return _STATUS.get((attribute(docdata, "management-status") or "").lower(), "usable")


def _docdata(draft: Draft, docdata: Any) -> None:
    draft.pub_status = _status(docdata)
    draft.urgency = number(attribute(child(docdata, "urgency"), "ed-urg"))
    draft.version_created = read_instant(attribute(child(docdata, "date.issue"), "norm"))
    release = child(docdata, "date.release")
    if release is not None:
        draft.embargoed = read_instant(attribute(release, "norm")) or UNTIL_FURTHER_NOTICE
    elif (attribute(docdata, "management-status") or "").lower() == "embargoed":
        draft.embargoed = UNTIL_FURTHER_NOTICE
    draft.copyright_holder = attribute(child(docdata, "doc.copyright"), "holder")
    draft.usage_terms = text_of(child(docdata, "doc.rights")) or None
    message = child(docdata, "ed-msg")
    if message is not None:
        if note := attribute(message, "info"):
            draft.ed_note.append(note)
        kind = _MESSAGES.get((attribute(message, "msg-type") or "").lower())
        draft.signals += [kind] if kind else []
    draft.keywords += [k for e in descendants(docdata, "keyword") if (k := attribute(e, "key"))]


def fill_from_body(draft: Draft, body: Any) -> None:
    """Fields and text of a NITF `body`; what the draft already has stays."""
    head, content = child(body, "body.head"), child(body, "body.content")
    draft.headline = text_of(child(head, "hedline", "hl1")) or draft.headline
    line = child(head, "byline")
    titles = [text_of(e) for e in children(line, "byttl")]
    byline = " ".join(part for e in (line,) if e is not None for part in _words_without(e, "byttl")) or ", ".join(
        titles
    )
    draft.byline = draft.byline or byline or None
    draft.authors = draft.authors or [
        name for e in descendants(child(head, "byline"), "person") if (name := text_of(e))
    ]
    dateline = child(head, "dateline")
    if dateline is not None:
        draft.dateline = draft.dateline or text_of(dateline) or None
        draft.located = draft.located or text_of(next(descendants(dateline, "city"), None)) or None
        draft.country = draft.country or text_of(next(descendants(dateline, "country"), None)) or None
    draft.body = draft.body or body_blocks(content)
    draft.associations += [media for e in descendants(content, "media") if (media := _media(e))]
    tail = text_of(next(descendants(child(body, "body.end"), "tagline"), None))
    if tail:
        draft.ed_note.append(tail)


def _words_without(element: Any, name: str) -> list[str]:
    """The element's words in order, leaving out children called `name` (a reporter's title)."""
    parts = [element.text or ""]
    for part in element:
        parts += ["" if local(part) == name else text_of(part), part.tail or ""]
    return " ".join(parts).split()


def body_blocks(content: Any) -> list[Block]:
    return html_markup.blocks_of(markup(content)) if content is not None else []


def _media(element: Any) -> Association | None:
    reference = child(element, "media-reference")
    href = attribute(reference, "source", "data-location")
    caption = text_of(child(element, "media-caption")) or None
    if not href and not caption:
        return None
    return Association(
        kind=attribute(element, "media-type") or "image",
        href=href,
        caption=caption,
        credit=text_of(child(element, "media-producer")) or None,
        content_type=attribute(reference, "mime-type"),
        width=number(attribute(reference, "width")),
        height=number(attribute(reference, "height")),
    )

"""NewsML 1.0 to 1.2: a body in NITF, XHTML or bare paragraphs, and instants with any offset."""

from __future__ import annotations

from typing import Any, Final

from broadsheet.wire import markup as html_markup
from broadsheet.wire.adapters import nitf
from broadsheet.wire.blocks import from_paragraphs
from broadsheet.wire.drafts import Document, Draft, one_by_one
from broadsheet.wire.instants import read_instant
from broadsheet.wire.items import UNTIL_FURTHER_NOTICE, Association, PubStatus, Subject, UnreadableError
from broadsheet.wire.xmltree import attribute, child, children, descendants, local, markup, number, text_of

NAME = "newsml_1_2"
_STATUS: Final[dict[str, PubStatus]] = {
    "usable": "usable", "embargoed": "usable", "withheld": "withheld", "canceled": "canceled", "cancelled": "canceled",
}  # fmt: skip
_UPDATES: Final = {"U": "update", "A": "update", "D": "kill"}


def matches(document: Document) -> bool:
    return document.root is not None and local(document.root) == "NewsML"


def read(document: Document) -> list[Draft]:
    items = list(children(document.root, "NewsItem"))
    if not items:
        raise UnreadableError("not_news", "NewsML without a news item")
    priority = number(attribute(child(document.root, "NewsEnvelope", "Priority"), "FormalName"))
    drafts = one_by_one(_item, items)
    for draft in drafts:
        draft.priority = priority
    return drafts


def _item(item: Any) -> Draft:
    draft = Draft(parser="newsml 1.x")
    _identity(draft, child(item, "Identification", "NewsIdentifier"))
    _management(draft, child(item, "NewsManagement"))
    component = child(item, "NewsComponent")
    _lines(draft, component)
    for source in descendants(component, "Provider", "Source"):
        draft.provider = draft.provider or attribute(child(source, "Party"), "FormalName")
    for element in descendants(component, "Language"):
        draft.language = draft.language or attribute(element, "FormalName")
    for code in descendants(component, "Subject", "SubjectMatter", "SubjectDetail"):
        if number := attribute(code, "FormalName"):
            uri = f"http://cv.iptc.org/newscodes/subjectcode/{number}"
            draft.subjects.append(Subject(uri=uri, qcode=f"subj:{number}"))
    for content in descendants(component, "ContentItem"):
        _content(draft, content)
    return draft


def _identity(draft: Draft, identifier: Any) -> None:
    revision = child(identifier, "RevisionId")
    parts = [text_of(child(identifier, name)) for name in ("ProviderId", "DateId", "NewsItemId")]
    public = text_of(child(identifier, "PublicIdentifier"))
    stem, _, last = public.rpartition(":")
    # The public identifier ends in the revision; the story is what stands before it.
    draft.uri = (stem if stem and last.rstrip("NUAD") == text_of(revision) else public) or (
        ":".join(parts) if all(parts) else None
    )
    draft.version = number(text_of(revision))
    if signal := _UPDATES.get(attribute(revision, "Update") or ""):
        draft.signals.append(signal)


def _management(draft: Draft, management: Any) -> None:
    draft.first_created = read_instant(text_of(child(management, "FirstCreated")))
    draft.version_created = read_instant(text_of(child(management, "ThisRevisionCreated")))
    draft.urgency = number(attribute(child(management, "Urgency"), "FormalName"))
    status = (attribute(child(management, "Status"), "FormalName") or "usable").lower()
    draft.pub_status = _STATUS.get(status, "withheld")
    change = child(management, "StatusWillChange")
    if status == "embargoed":
        draft.embargoed = read_instant(text_of(child(change, "DateAndTime"))) or UNTIL_FURTHER_NOTICE
    draft.ed_note += [
        note for e in children(management, "Instruction") if (note := attribute(e, "FormalName") or text_of(e))
    ]


def _lines(draft: Draft, component: Any) -> None:
    lines = next(descendants(component, "NewsLines"), None)
    draft.headline = text_of(child(lines, "HeadLine"))
    draft.slugline = text_of(child(lines, "SlugLine")) or None
    draft.byline = text_of(child(lines, "ByLine")) or None
    draft.dateline = text_of(child(lines, "DateLine")) or None
    draft.credit = text_of(child(lines, "CreditLine")) or None
    draft.copyright_holder = text_of(child(lines, "CopyrightLine")) or None
    draft.keywords = [k for e in children(lines, "KeywordLine") if (k := text_of(e))]


def _content(draft: Draft, content: Any) -> None:
    kind = (attribute(child(content, "MediaType"), "FormalName") or "Text").lower()
    data = child(content, "DataContent")
    if data is None:
        if href := attribute(content, "Href"):
            draft.associations.append(Association(kind=kind, href=href))
        return
    if draft.body or kind not in {"text", "complexdata"}:
        return
    inner = next(descendants(data, "nitf"), None)
    if inner is not None:
        known = draft.headline
        nitf.fill_from_body(draft, child(inner, "body"))
        draft.headline = known or draft.headline
        return
    body = next(descendants(data, "body"), None)
    if len(data):
        draft.body = html_markup.blocks_of(markup(body if body is not None else data))
        return
    raw = data.text or ""
    draft.body = html_markup.blocks_of(raw) if raw.lstrip().startswith("<") else from_paragraphs(raw)

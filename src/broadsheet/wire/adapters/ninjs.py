"""ninjs 1.x, 2.x and 3.x.

The dialect is told by `standard.version`, else by key names, never by which schema validates: many fit several.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from broadsheet.wire import markup as html_markup
from broadsheet.wire.blocks import Block, from_paragraphs
from broadsheet.wire.drafts import Document, Draft, one_by_one
from broadsheet.wire.instants import read_instant
from broadsheet.wire.items import UNTIL_FURTHER_NOTICE, Association, PubStatus, Subject, UnreadableError

NAME = "ninjs"
_STATUS: Final[dict[str, PubStatus]] = {
    "usable": "usable",
    "withheld": "withheld",
    "canceled": "canceled",
    "cancelled": "canceled",
}
_CAMEL: Final = (
    "versionCreated",
    "pubStatus",
    "copyrightHolder",
    "firstCreated",
    "contentCreated",
    "usageTerms",
    "infoSources",
)
_NAMED_ARRAYS: Final = ("headlines", "bodies", "descriptions")
# Keys of other agencies' JSON: an item with `uri` and one of these is still no ninjs.
_FOREIGN: Final = ("$schema", "properties", "article_html")
_HIGHEST: Final = 9


def matches(document: Document) -> bool:
    return any(_is_ninjs(item) for item in _objects(document.data))


def read(document: Document) -> list[Draft]:
    stories = [item for item in _objects(document.data) if _is_ninjs(item) and not _is_plan(item)]
    drafts = one_by_one(_item, stories)
    if not drafts:
        raise UnreadableError("not_news", "an event or planning document, not a story")
    return drafts


def _objects(data: Any) -> list[Mapping[str, Any]]:
    """One object, or a list of them, as some agencies batch."""
    values = data if isinstance(data, list) else [data]
    return [value for value in values if isinstance(value, dict)]


def _is_ninjs(item: Mapping[str, Any]) -> bool:
    if any(key in item for key in _FOREIGN):
        return False
    standard = item.get("standard")
    named = isinstance(standard, dict) and "ninjs" in f"{standard.get('name')} {standard.get('schema')}"
    return named or isinstance(item.get("uri"), str)


def _is_plan(item: Mapping[str, Any]) -> bool:
    return item.get("type") in {"event", "planning"} or "eventDetails" in item or "plannedCoverage" in item


def dialect(item: Mapping[str, Any]) -> str:
    """ "1.x", "2.x" or "3.x"."""
    standard = item.get("standard")
    if isinstance(standard, dict):
        said = re.search(r"[123](?=\.\d)", str(standard.get("version") or standard.get("schema") or ""))
        if said:
            return f"{said[0]}.x"
    if any(key in item for key in _CAMEL):
        return "3.x"
    return "2.x" if any(isinstance(item.get(key), list) for key in _NAMED_ARRAYS) else "1.x"


def _item(item: Mapping[str, Any]) -> Draft:
    draft = Draft(parser=f"ninjs {dialect(item)}")
    draft.uri = _text(item, "uri") or None
    _status(draft, item)
    _version(draft, item)
    draft.headline = html_markup.plain(_headline(item))
    draft.slugline = _text(item, "slugline") or None
    draft.byline = _text(item, "byline", "by") or None
    draft.located = _text(item, "located") or None
    draft.language = _text(item, "language") or None
    draft.ed_note = [note] if (note := _text(item, "ednote", "edNote")) else []
    draft.body = _body(item)
    draft.copyright_holder = _text(item, "copyrightholder", "copyrightHolder") or None
    draft.usage_terms = _text(item, "usageterms", "usageTerms") or None
    draft.credit = _text(item, "creditline", "creditLine") or None
    senders = _names(item, "infosources", "infoSources", "infosource")
    draft.provider = next(iter(senders), None) or draft.copyright_holder
    draft.subjects = _subjects(item)
    draft.keywords = [k for k in _listed(item, "keywords", "keyword") if isinstance(k, str)]
    draft.places = _names(item, "place", "places")
    draft.associations = _associations(item)
    if "correction" in draft.signals and draft.ed_note:
        draft.correction_note = draft.ed_note[0]
    return draft


def _status(draft: Draft, item: Mapping[str, Any]) -> None:
    status = _text(item, "pubstatus", "pubStatus").rpartition(":")[2].lower()
    if status:
        draft.pub_status = _STATUS.get(status, "withheld")
        if status not in _STATUS:
            draft.warnings.append(f"pub_status: unknown {status!r}, read as withheld")
    for value in _listed(item, "signals", "signal"):
        fields = value if isinstance(value, dict) else {"code": value}
        code = next((v for key in ("code", "uri", "name") if isinstance(v := fields.get(key), str) and v), "")
        if code:
            draft.signals.append(code.rstrip("/").rpartition("/")[2].rpartition(":")[2])
    if "embargoed" in item:
        raw = item.get("embargoed")
        if raw is not None:
            draft.embargoed = read_instant(raw if isinstance(raw, str) else None) or UNTIL_FURTHER_NOTICE


def _version(draft: Draft, item: Mapping[str, Any]) -> None:
    raw = item.get("version")
    text = str(raw).strip() if isinstance(raw, (str, int)) and not isinstance(raw, bool) else ""
    if re.fullmatch(r"\d{1,9}", text):
        draft.version = int(text)
    elif text:
        draft.version_label = text
    urgency = item.get("urgency")
    if isinstance(urgency, int) and 1 <= urgency <= _HIGHEST:
        draft.urgency = urgency
    elif urgency is not None:
        draft.warnings.append(f"urgency: {urgency!r} is not 1 to 9")
    priority = item.get("priority")
    draft.priority = priority if isinstance(priority, int) else None
    draft.version_created = read_instant(_text(item, "versioncreated", "versionCreated"))
    draft.first_created = read_instant(_text(item, "firstcreated", "firstCreated"))


def _headline(item: Mapping[str, Any]) -> str:
    plain = _text(item, "headline")
    entries = [e for e in _listed(item, "headlines") if isinstance(e, dict) and isinstance(e.get("value"), str)]
    main = next((e for e in entries if e.get("role") == "main"), entries[0] if entries else None)
    if plain or main:
        return plain or str(main["value"] if main else "")
    # 1.x also allowed headline_<role>; a title is what the newsroom files it under, better than nothing.
    return next((v for k, v in item.items() if k.startswith("headline_") and isinstance(v, str) and v), "") or _text(
        item, "title"
    )


def _body(item: Mapping[str, Any]) -> list[Block]:
    for key in ("body_xhtml", "body_html"):
        if value := item.get(key):
            return html_markup.blocks_of(value) if isinstance(value, str) else []
    entries = [
        e
        for e in _listed(item, "bodies")
        if isinstance(e, dict) and isinstance(e.get("value"), str) and e["value"].strip()
    ]
    entries.sort(key=lambda e: (e.get("role") not in {"main", "html", "body"}, "html" not in _content_type(e)))
    if entries:
        best = entries[0]
        looks_html = "html" in _content_type(best) or (not _content_type(best) and "</" in best["value"])
        return html_markup.blocks_of(best["value"]) if looks_html else from_paragraphs(best["value"])
    text = item.get("body_text") or next((v for k, v in item.items() if k.startswith("body_") and v), "")
    return from_paragraphs(text) if isinstance(text, str) else []


def _content_type(entry: Mapping[str, Any]) -> str:
    return str(entry.get("contenttype") or entry.get("contentType") or "")


def _subjects(item: Mapping[str, Any]) -> list[Subject]:
    found = []
    for entry in _listed(item, "subject", "subjects"):
        if isinstance(entry, dict):
            code = entry.get("code") or entry.get("qcode") or entry.get("literal")
            scheme = entry.get("scheme")
            uri = entry.get("uri") or (f"{scheme}{code}" if isinstance(scheme, str) and code else None)
            if code or uri or entry.get("name"):
                found.append(Subject(uri=_str(uri), qcode=_str(code) or _qcode(uri), name=_str(entry.get("name"))))
        elif isinstance(entry, str):
            found.append(Subject(name=entry))
    return found


def _qcode(uri: Any) -> str | None:
    match = re.match(r"^https?://cv\.iptc\.org/newscodes/(mediatopic|subjectcode)/(\d+)$", str(uri or ""))
    return f"{'medtop' if match[1] == 'mediatopic' else 'subj'}:{match[2]}" if match else None


def _associations(item: Mapping[str, Any]) -> list[Association]:
    raw = item.get("associations")
    entries = list(raw.values()) if isinstance(raw, dict) else raw if isinstance(raw, list) else []
    found = [_association(e) for e in entries if isinstance(e, dict)]
    if item.get("type") in {"picture", "video", "audio", "graphic"}:
        found.append(_association(item))
    return found


def _association(entry: Mapping[str, Any]) -> Association:
    raw = entry.get("renditions")
    renditions = [
        r
        for r in (raw.values() if isinstance(raw, dict) else raw if isinstance(raw, list) else [])
        if isinstance(r, dict)
    ]
    best: Mapping[str, Any] = max(
        renditions, key=lambda r: r["width"] if isinstance(r.get("width"), int) else 0, default={}
    )
    return Association(
        kind=_str(entry.get("type")) or "item",
        uri=_str(entry.get("uri")),
        href=_str(best.get("href")) or _str(entry.get("href")),
        title=_headline(entry) or None,
        caption=_caption(entry),
        credit=_text(entry, "creditline", "byline", "by", "copyrightholder", "copyrightHolder") or None,
        content_type=_str(best.get("mimetype") or best.get("contenttype") or best.get("contentType")),
        width=best["width"] if isinstance(best.get("width"), int) else None,
        height=best["height"] if isinstance(best.get("height"), int) else None,
    )


def _caption(entry: Mapping[str, Any]) -> str | None:
    text = _text(entry, "description_text", "description_caption")
    listed = [
        e["value"] for e in _listed(entry, "descriptions") if isinstance(e, dict) and isinstance(e.get("value"), str)
    ]
    return html_markup.plain(text or next(iter(listed), "")) or None


def _text(item: Mapping[str, Any], *keys: str) -> str:
    return next((" ".join(v.split()) for key in keys if isinstance(v := item.get(key), str) and v.strip()), "")


def _str(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _listed(item: Mapping[str, Any], *keys: str) -> list[Any]:
    for key in keys:
        value = item.get(key)
        if isinstance(value, list):
            return value
        if isinstance(value, str):
            return [value]
    return []


def _names(item: Mapping[str, Any], *keys: str) -> list[str]:
    return [e["name"] for e in _listed(item, *keys) if isinstance(e, dict) and isinstance(e.get("name"), str)]

"""Strict, closed XML: no network, no DTD, no entities, no repair. A file that needs any of these is not read."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any, Final

from lxml import etree

from broadsheet.wire.items import UnreadableError

_DECLARATION = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>")
_DEEPEST: Final = 256
# An error at the very last byte means the file was cut off, except these, which are wrong wherever they stand.
_WRONG_ANYWHERE: Final = frozenset(
    getattr(etree.ErrorTypes, name) for name in ("ERR_TAG_NAME_MISMATCH", "ERR_INVALID_CHAR", "ERR_UNDECLARED_ENTITY")
)
_SAFE_TAG = re.compile(r"^[A-Za-z][A-Za-z0-9]*$")
_NITF: Final = {
    "hl2": "h3",
    "bq": "blockquote",
    "block": "div",
    "q": "q",
    "lang": "span",
    "org": "span",
    "person": "span",
}
_NITF_SKIPPED: Final = frozenset({"media", "note", "copyrite", "virtloc", "datasource", "credit"})


def parse_xml(text: str) -> Any:
    """The root element. Raises UnreadableError with the right reason for everything else."""
    # The text is already decoded, so whatever charset the declaration names no longer holds.
    content = _DECLARATION.sub("", text).strip().encode("utf-8", "surrogatepass")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=False,
        remove_comments=True, remove_pis=True, encoding="utf-8",
    )  # fmt: skip
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as problem:
        raise _reason(problem, content) from None
    if root is None:
        raise UnreadableError("empty", "the XML holds no element")
    if any(True for _ in root.iter(etree.Entity)):
        raise UnreadableError("entity", "the file uses an entity of its own; none is ever resolved")
    return root


def _reason(problem: etree.XMLSyntaxError, content: bytes) -> UnreadableError:
    message = re.sub(r" \(<string>, line \d+\)$", "", str(problem))
    lowered = message.lower()
    if "depth" in lowered:
        return UnreadableError("too_deep", f"elements nest deeper than {_DEEPEST}")
    if "amplification" in lowered or ("entity" in lowered and b"<!ENTITY" in content):
        return UnreadableError("entity", message)
    if problem.code not in _WRONG_ANYWHERE and _at_the_end(problem, content):
        return UnreadableError("truncated", message)
    return UnreadableError("not_well_formed", message)


def _at_the_end(problem: etree.XMLSyntaxError, content: bytes) -> bool:
    lines = content.split(b"\n")
    line, column = problem.lineno or 0, problem.offset or 0
    # libxml2 counts characters; the shorter of the two counts is the last place there is.
    return line >= len(lines) and column >= len(lines[-1].decode("utf-8", "ignore")) - 1


def local(element: Any) -> str:
    """The element's name without namespace; empty for comments."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def namespace(element: Any) -> str:
    """The element's namespace, or empty."""
    tag = element.tag
    return tag[1:].partition("}")[0] if isinstance(tag, str) and tag.startswith("{") else ""


def children(element: Any, *names: str) -> Iterator[Any]:
    """Child elements with one of these local names."""
    if element is not None:
        for child in element:
            if local(child) in names:
                yield child


def child(element: Any, *path: str) -> Any:
    """The first element down a path of local names, or None."""
    for name in path:
        element = next(children(element, name), None)
    return element


def descendants(element: Any, *names: str) -> Iterator[Any]:
    """All elements below with one of these local names, in document order."""
    if element is not None:
        for found in element.iter():
            if found is not element and local(found) in names:
                yield found


def text_of(element: Any) -> str:
    """All text inside, white space folded; empty for None."""
    if element is None:
        return ""
    return " ".join("".join(t for t in element.itertext() if isinstance(t, str)).split())


def attribute(element: Any, *names: str) -> str | None:
    """The first non-empty attribute of these local names."""
    if element is None:
        return None
    for name in names:
        for key, value in element.attrib.items():
            if key.rpartition("}")[2] == name and value.strip():
                return str(value).strip()
    return None


def number(text: str | None) -> int | None:
    """A whole number, or None."""
    cleaned = (text or "").strip()
    return int(cleaned) if re.fullmatch(r"\d{1,9}", cleaned) else None


def markup(element: Any) -> str:
    """The element's content as HTML text for the sanitiser: XHTML by local name, NITF translated, namespaces gone."""
    out: list[str] = [html.escape(element.text or "", quote=False)]
    for part in element:
        name = local(part)
        if name in _NITF_SKIPPED:
            pass
        elif name:
            tag = _NITF.get(name, name.lower())
            if not _SAFE_TAG.match(tag):
                tag = "span"
            href = attribute(part, "href") if tag == "a" else None
            extra = f' href="{html.escape(href)}"' if href else ""
            out.append("<br>" if tag == "br" else f"<{tag}{extra}>{markup(part)}</{tag}>")
        out.append(html.escape(part.tail or "", quote=False))
    return "".join(out)

"""From an agency's HTML to blocks, and the one list of tags that ever reaches a page."""

from __future__ import annotations

import re
from typing import Any, Final

import nh3
from lxml import html as lxml_html

from broadsheet.wire.blocks import Block, Run, make_block
from broadsheet.wire.items import UnreadableError

# Own list: no images or frames (a picture is an association with a credit, never a third party's tag), no classes.
_BLOCK_WORDS: Final = (
    "p div h1 h2 h3 h4 h5 h6 blockquote pre ul ol li dl dt dd table thead tbody tfoot tr td th caption section article"
    " header footer nav figure figcaption aside main address center hr"
)
_BLOCK_TAGS: Final = frozenset(_BLOCK_WORDS.split())
_INLINE_TAGS: Final = frozenset(
    "a b strong i em u sub sup code br span q cite small s tt".split()  # noqa: SIM905 - a word list reads best as words
)
_MARKS: Final = {
    "b": "strong",
    "strong": "strong",
    "i": "em",
    "em": "em",
    "cite": "em",
    "sub": "sub",
    "sup": "sup",
    "code": "code",
    "tt": "code",
}
_HEADINGS: Final = {"h1": "h2", "h2": "h2", "h3": "h3", "h4": "h4", "h5": "h4", "h6": "h4"}
_CHROME: Final = frozenset({"header", "footer", "nav"})
# Content the agency never meant as text.
_DROPPED_WITH_CONTENT: Final = frozenset({"script", "style", "iframe", "object", "template", "noscript", "svg", "math"})
_PAGE_TAGS: Final = frozenset(
    "p h2 h3 h4 blockquote pre ul ol li table tbody tr td a strong em sub sup code br".split()  # noqa: SIM905 - a word list reads best as words
)
_SCHEMES: Final = {"http", "https", "mailto"}
_DEEPEST: Final = 200
# What no XML library takes: control characters, half surrogates and the two non-characters.
NOT_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def sanitise(markup: str) -> str:
    """Only what a story page may hold; the last step before a body leaves the wire."""
    return nh3.clean(
        markup,
        tags=set(_PAGE_TAGS),
        clean_content_tags=set(_DROPPED_WITH_CONTENT),
        attributes={"a": {"href"}},
        url_schemes=_SCHEMES,
        link_rel="nofollow noopener",
    )


def blocks_of(markup: str) -> list[Block]:
    """The blocks of an agency's HTML. Raises UnreadableError("too_deep") for pathological nesting."""
    safe = nh3.clean(
        NOT_TEXT.sub("", markup),
        tags=set(_BLOCK_TAGS | _INLINE_TAGS),
        clean_content_tags=set(_DROPPED_WITH_CONTENT),
        attributes={"a": {"href"}},
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    # HTML may write a control character as a reference, which only now stands in the text.
    safe = NOT_TEXT.sub("", safe)
    if not safe.strip():
        return []
    _check_depth(safe)
    root = lxml_html.fragment_fromstring(safe, create_parent="div", parser=lxml_html.HTMLParser(encoding=None))
    reader = _Reader()
    reader.walk(root, "p", (), None)
    reader.close()
    return reader.blocks


def plain(markup: str) -> str:
    """The text of a small piece of markup, such as a headline, on one line."""
    if "<" not in markup and "&" not in markup:
        return " ".join(markup.split())
    return " ".join(" ".join(block.text.split()) for block in blocks_of(markup))


def _check_depth(markup: str) -> None:
    depth = 0
    for match in re.finditer(r"<(/?)([a-z][a-z0-9]*)", markup):
        if match[2] in {"br", "hr"}:
            continue
        depth += -1 if match[1] else 1
        if depth > _DEEPEST:
            raise UnreadableError("too_deep", f"the body nests more than {_DEEPEST} elements")


class _Reader:
    """Walks sanitised HTML and closes a block at every block boundary."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.runs: list[Run] = []
        self.kind = "p"

    def close(self) -> None:
        if self.runs:
            block = make_block(self.kind, self.runs)
            if block.text.strip():
                self.blocks.extend(_split_breaks(block))
            self.runs = []

    def add(self, text: str | None, marks: tuple[str, ...], href: str | None) -> None:
        if text:
            # A source's own line ends are only space; a line break the reader sees comes from <br>.
            folded = text if self.kind == "pre" else re.sub(r"[\r\n]+", " ", text)
            self.runs.append(Run(folded, marks, href))

    def walk(self, element: Any, kind: str, marks: tuple[str, ...], href: str | None) -> None:
        self.add(element.text, marks, href)
        for child in element:
            tag = child.tag if isinstance(child.tag, str) else ""
            if tag == "table":
                self.table(child)
            elif tag in _BLOCK_TAGS:
                self.block(child, tag, kind)
            elif tag == "br":
                self.runs.append(Run("\n", marks, href))
            else:
                mark = _MARKS.get(tag)
                inner = (*marks, mark) if mark and mark not in marks else marks
                link = (child.get("href") or href) if tag == "a" else href
                quoted = tag == "q"
                self.add("“" if quoted else None, inner, link)
                self.walk(child, kind, inner, link)
                self.add("”" if quoted else None, inner, link)
            self.add(child.tail, marks, href)

    def block(self, child: Any, tag: str, kind: str) -> None:
        self.close()
        if tag in _CHROME:
            return
        inner = _inner_kind(tag, kind)
        self.kind = inner
        self.walk(child, inner, (), None)
        self.close()
        self.kind = kind

    def table(self, element: Any) -> None:
        self.close()
        rows = tuple(
            tuple(" ".join("".join(cell.itertext()).split()) for cell in row if cell.tag in {"td", "th"})
            for row in element.iter("tr")
        )
        rows = tuple(row for row in rows if any(row))
        if rows:
            self.blocks.append(Block("table", rows=rows))


def _inner_kind(tag: str, kind: str) -> str:
    if tag in _HEADINGS:
        return _HEADINGS[tag]
    if tag in {"ul", "ol", "blockquote", "pre"}:
        return tag
    if tag in {"li", "p", "div", "dd", "dt"} and kind in {"ul", "ol", "blockquote"}:
        return kind
    return "p"


def _split_breaks(block: Block) -> list[Block]:
    """Two line breaks in a row are a new paragraph: many feeds know no other."""
    if block.kind not in {"p", "blockquote"} or "\n\n" not in block.text:
        return [block]
    parts, start = [], 0
    for match in re.finditer(r"\n{2,}", block.text):
        parts.append(block.cut(start, match.start()))
        start = match.end()
    parts.append(block.cut(start))
    return [part for part in parts if part.text.strip()]

"""Pure rules of the newsroom: the lead-in, the slug, what is shown of a story's origin."""

from __future__ import annotations

import re
from collections.abc import Sequence

from anyascii import anyascii
from lxml import html as lxml_html
from lxml.html import HtmlElement

TIERS = [("free", "Free"), ("metered", "Metered"), ("registered", "Registered readers"), ("premium", "Premium")]
LEAD_IN_WORDS = 120
SINGLE_BLOCK_WORDS = 60
_SPACES = re.compile(r"\s+")
_BLOCKS = ("p", "h2", "h3", "h4", "ul", "ol", "blockquote", "hr", "figure", "table", "pre", "div")


def slugify(headline: str, most: int = 80) -> str:
    """ASCII words of a headline joined by hyphens, cut at a word's end; other scripts are transliterated."""
    words = re.findall(r"[a-z0-9]+", anyascii(headline).lower().replace("'", ""))
    slug = ""
    for word in words:
        longer = f"{slug}-{word}" if slug else word[:most]
        if len(longer) > most:
            break
        slug = longer
    # The id follows the last hyphen; a slug that ends in digits must not look like one more id.
    return slug


def blocks(body_html: str) -> list[HtmlElement]:
    """The top-level blocks of a body, in order; loose text becomes a paragraph."""
    if not body_html.strip():
        return []
    root = lxml_html.fragment_fromstring(body_html, create_parent="div")
    found: list[HtmlElement] = []
    if root.text and root.text.strip():
        found.append(lxml_html.fragment_fromstring(f"<p>{_escape(root.text.strip())}</p>"))
    for element in root:
        if not isinstance(element.tag, str):
            continue
        tail, element.tail = element.tail, None
        found.append(element)
        if tail and tail.strip():
            found.append(lxml_html.fragment_fromstring(f"<p>{_escape(tail.strip())}</p>"))
    return found


def lead_in(body_html: str, marked_blocks: int | None) -> str:
    """The open part of a story as HTML, a function of nothing that follows it.

    The author's mark, else the words of the first two paragraphs up to 120, or the first 60 words of a single one.
    Words without markup and without an ellipsis of its own: whether a paragraph goes on is hidden text too.
    """
    parts = [part for part in blocks(body_html) if part.text_content().strip()]
    if marked_blocks is not None:
        return "".join(_markup(part) for part in parts[:marked_blocks])
    budget = SINGLE_BLOCK_WORDS if len(parts) == 1 else LEAD_IN_WORDS
    out: list[str] = []
    for part in parts[:2]:
        words = part.text_content().split()[:budget] if part.tag == "p" else []
        if not words:
            break
        out.append(f"<p>{_escape(' '.join(words))}</p>")
        budget -= len(words)
    return "".join(out)


_PLACEHOLDER = re.compile(r"\{\{|\{%|\$\{|<%=|&lt;%=|%%\w+%%")


def placeholder(text: str) -> str:
    """The first template brace in a text that readers would see; "" when there is none."""
    found = _PLACEHOLDER.search(text)
    return found.group() if found else ""


def plain(markup: str) -> str:
    """The words of a piece of HTML, spaces folded."""
    return _SPACES.sub(" ", " ".join(part.text_content() for part in blocks(markup))).strip()


def disclaimer(*, paper: str, credit: str, auto_published: bool) -> str:
    """What a story says of its own making; rendered from fields, never carried in the text."""
    if not auto_published:
        return ""
    source = f"by {credit}" if credit else "by an agency"
    return f"This story was supplied {source} and published automatically from its feed. {paper} has not edited it."


def join_names(names: Sequence[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    if len(names) < 2:  # noqa: PLR2004 - one name needs no joining
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _markup(element: HtmlElement) -> str:
    return str(lxml_html.tostring(element, encoding="unicode", with_tail=False))


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


MOST_INSTRUMENTS = 10
_INSTRUMENT = re.compile(r"[A-Za-z0-9&:._-]{1,60}")


def instrument_names(value: object) -> list[str]:
    """The names of instruments a story is tagged with, each once. ValueError with a sentence for the editor."""
    if not value:
        return []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError("Write codes with commas between.")
    names = list(dict.fromkeys(each.strip() for each in value if each.strip()))
    wrong = [name for name in names if not _INSTRUMENT.fullmatch(name)]
    if wrong:
        raise ValueError(f"{wrong[0][:60]!r} is no code of an instrument.")
    if len(names) > MOST_INSTRUMENTS:
        raise ValueError(f"A story is about at most {MOST_INSTRUMENTS} instruments.")
    return names

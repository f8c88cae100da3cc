"""A body as a list of blocks, each a list of runs: what the cleaning rules work on instead of raw HTML.

Cutting three words off a paragraph that holds a link is slicing runs here, and a guess about tags in HTML.
"""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

# Rendered tag for each kind; the list kinds are wrapped together when they follow one another.
KINDS: Final = ("p", "h2", "h3", "h4", "blockquote", "pre", "ul", "ol", "table")
_UNSPACED: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_MARK_TAGS: Final = ("strong", "em", "sub", "sup", "code")


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text with the same marks; `href` makes it a link."""

    text: str
    marks: tuple[str, ...] = ()
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list entry, quotation, preformatted text or table (`rows` of cells)."""

    kind: str
    runs: tuple[Run, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    @property
    def text(self) -> str:
        """The block's text without marks; a table's cells joined by tabs and lines."""
        if self.kind == "table":
            return "\n".join("\t".join(row) for row in self.rows)
        return "".join(run.text for run in self.runs)

    @property
    def only_link(self) -> bool:
        """True when every visible character is inside a link."""
        shown = [run for run in self.runs if run.text.strip()]
        return bool(shown) and all(run.href for run in shown)

    def cut(self, start: int, end: int | None = None) -> Block:
        """The block with only the characters [start, end) of its text, outer spaces stripped."""
        stop = len(self.text) if end is None else end
        kept, at = [], 0
        for run in self.runs:
            piece = run.text[max(0, start - at) : max(0, stop - at)]
            at += len(run.text)
            if piece:
                kept.append(dataclasses.replace(run, text=piece))
        return dataclasses.replace(self, runs=_trim(kept))

    def with_kind(self, kind: str) -> Block:
        """The same text as another kind of block."""
        return dataclasses.replace(self, kind=kind)


def _trim(runs: Sequence[Run]) -> tuple[Run, ...]:
    kept = list(runs)
    while kept and not kept[0].text.strip():
        kept.pop(0)
    while kept and not kept[-1].text.strip():
        kept.pop()
    if kept:
        kept[0] = dataclasses.replace(kept[0], text=kept[0].text.lstrip())
        kept[-1] = dataclasses.replace(kept[-1], text=kept[-1].text.rstrip())
    return tuple(kept)


def paragraph(text: str) -> Block:
    """A plain paragraph."""
    return Block("p", (Run(text.strip()),))


def make_block(kind: str, runs: Iterable[Run]) -> Block:
    """A block of these runs, white space folded (kept in `pre`); neighbours with equal marks are joined."""
    joined: list[Run] = []
    for run in runs:
        text = run.text if kind == "pre" else _fold(run.text)
        if kind != "pre" and joined and joined[-1].text.endswith((" ", "\n")):
            text = text.lstrip(" ")
        if not text:
            continue
        if joined and (joined[-1].marks, joined[-1].href) == (run.marks, run.href):
            joined[-1] = dataclasses.replace(joined[-1], text=joined[-1].text + text)
        else:
            joined.append(dataclasses.replace(run, text=text))
    return Block(kind, _trim(joined))


def _fold(text: str) -> str:
    # "\n" marks a line break the agency asked for; the reader of markup folds the source's own line ends before.
    return re.sub(r" *\n *", "\n", re.sub(r"[ \t\r\f\v\u00a0]+", " ", text))


def from_text(text: str) -> list[Block]:
    """Every non-empty line is a block, as in a saved page; form feeds and tabs count as space."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [paragraph(line) for line in lines if line]


def from_paragraphs(text: str) -> list[Block]:
    """Blocks are separated by blank lines when the text has any, else by line ends."""
    if re.search(r"\n[ \t]*\n", text.strip()):
        parts = re.split(r"\n[ \t]*\n", text)
        return [paragraph(" ".join(part.split())) for part in parts if part.strip()]
    return from_text(text)


def to_text(blocks: Iterable[Block]) -> str:
    """Plain text, blocks separated by a blank line."""
    return "\n\n".join(block.text for block in blocks if block.text.strip())


def to_html(blocks: Sequence[Block]) -> str:
    """HTML of the blocks; all text escaped, lists wrapped."""
    out: list[str] = []
    for position, block in enumerate(blocks):
        if block.kind in {"ul", "ol"}:
            before = blocks[position - 1].kind if position else ""
            after = blocks[position + 1].kind if position + 1 < len(blocks) else ""
            opening = f"<{block.kind}>" if before != block.kind else ""
            closing = f"</{block.kind}>" if after != block.kind else ""
            out.append(f"{opening}<li>{_inline(block)}</li>{closing}")
        else:
            out.append(_one(block))
    return "\n".join(out)


def _one(block: Block) -> str:
    if block.kind == "table":
        rows = "".join(f"<tr>{''.join(f'<td>{html.escape(c)}</td>' for c in row)}</tr>" for row in block.rows)
        return f"<table><tbody>{rows}</tbody></table>"
    if block.kind == "blockquote":
        return f"<blockquote><p>{_inline(block)}</p></blockquote>"
    return f"<{block.kind}>{_inline(block)}</{block.kind}>"


def _inline(block: Block) -> str:
    out = []
    for run in block.runs:
        text = html.escape(run.text, quote=False)
        if block.kind != "pre":
            text = text.replace("\n", "<br>")
        for mark in reversed(run.marks):
            if mark in _MARK_TAGS:
                text = f"<{mark}>{text}</{mark}>"
        if run.href:
            text = f'<a href="{html.escape(run.href)}" rel="nofollow noopener">{text}</a>'
        out.append(text)
    return "".join(out)


def word_count(text: str) -> int:
    """Words as a reader counts them: between spaces, and two characters each where a script has none (Chinese)."""
    unspaced = len(_UNSPACED.findall(text))
    spaced = _UNSPACED.sub(" ", text).split()
    return sum(1 for word in spaced if any(c.isalnum() for c in word)) + (unspaced + 1) // 2

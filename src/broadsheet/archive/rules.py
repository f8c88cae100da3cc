"""How a reader's words are cut, and what a page of results is. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape

MOST_RESULTS = 200
PAGE = 20
MOST_TERMS = 12
LONGEST = 200
_PHRASE = re.compile(r'"([^"]*)"')


def cut_query(query: str, analyze: Callable[[str], list[str]]) -> list[list[str]]:
    """The terms a story must have, each a list of words that must stand together: `"night train" fares`.

    The search language is words and quoted phrases, nothing else: a query is never a program.
    """
    query = query[:LONGEST]
    phrases = [analyze(match) for match in _PHRASE.findall(query)]
    words = [[word] for word in analyze(_PHRASE.sub(" ", query))]
    return [term for term in phrases + words if term][:MOST_TERMS]


def mark(text: str, words: Sequence[tuple[int, int]]) -> str:
    """`text` as HTML with the given character ranges in <mark>. Everything else is escaped."""
    parts, last = [], 0
    for start, end in words:
        parts += [escape(text[last:start]), "<mark>", escape(text[start:end]), "</mark>"]
        last = end
    return "".join([*parts, escape(text[last:])])


def count_words(total: int, most: int = MOST_RESULTS) -> str:
    """`1 story`, `12 stories`, `More than 199 stories` when the search stopped counting."""
    if total >= most:
        return f"More than {most - 1} stories"
    return "1 story" if total == 1 else f"{total} stories"


def page_number(text: str, most: int = MOST_RESULTS, size: int = PAGE) -> int:
    """The page a reader asked for, kept within what there can be."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1  # noqa: PLR2004
    return min(max(number, 1), -(-most // size))

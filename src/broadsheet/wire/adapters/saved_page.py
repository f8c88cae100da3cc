"""The text of a saved web page: one paragraph a line, with whatever the page printed around the story."""

from __future__ import annotations

from broadsheet.wire import patterns
from broadsheet.wire.blocks import from_text, word_count
from broadsheet.wire.drafts import Document, Draft
from broadsheet.wire.items import UnreadableError

NAME = "saved_page"
_LONGEST_HEADLINE = 140
_FEWEST_WORDS = 3
_MOST_OF_A_TABLE = 1 / 3


def matches(document: Document) -> bool:
    return document.root is None and document.data is None and not document.repaired


def read(document: Document) -> list[Draft]:
    blocks = from_text(document.text.lstrip("\ufeff"))
    if sum(1 for block in blocks if block.text.startswith("|")) > len(blocks) * _MOST_OF_A_TABLE:
        raise UnreadableError("unknown_format", "a table in plain text, not a story")
    draft = Draft(parser="saved_page 1", body=blocks)
    if len(blocks) > 1 and _is_headline(blocks[0].text, blocks[1].text):
        draft.headline = blocks[0].text
        draft.body = blocks[1:]
    return [draft]


def _is_headline(first: str, second: str) -> bool:
    """A short first line without a full stop, above a sentence. A byline or a dateline is no headline."""
    if (
        len(first) > _LONGEST_HEADLINE
        or word_count(first) < _FEWEST_WORDS
        or first.endswith((".", "!”", "”", '"', ":", "।"))
    ):
        return False
    if (
        patterns.L08.match(first)
        or patterns.A04.match(first)
        or any(rule.pattern.match(first) for rule in patterns.P_RULES)
    ):
        return False
    return len(second) > len(first) or patterns.L08.match(second) is not None

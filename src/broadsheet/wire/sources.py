"""Who said it and who reported it: direct quotations and the outlets agency copy leans on. Tight patterns only.

A loose pattern found five more speakers in two stories, all wrong. So recall is left to people, precision is not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from broadsheet.wire import patterns
from broadsheet.wire.items import Quote

_SCARE: Final = 4
_LONGEST_BLOCK: Final = 5000
_MOST: Final = 100
_OPENED = re.compile(r"“([^“”]{2,1200})”|\"([^\"]{2,1200})\"|«([^«»]{2,1200})»")
_PERSON = r"[A-Z][\w'’\-]+(?:\s(?:bin|al|de|van|von|der)?\s?[A-Z][\w'’.\-]+){0,3}"
_SAID = r"(?:said|says|told|added|tweeted|wrote|noted|stated|argued|asked|replied)"
_AFTER = (
    re.compile(rf"^\s*,?\s*(?P<speaker>{_PERSON})\s+{_SAID}\b"),
    re.compile(rf"^\s*,?\s*(?:said|says|added|wrote)\s+(?P<speaker>{_PERSON})(?=[\s,.;]|$)"),
    re.compile(rf"^\s*,?\s*[A-Z][\w'’. ]{{1,40}}? quoted (?P<speaker>{_PERSON}) as saying\b"),
)
_PRONOUN = re.compile(rf"^\s*,?\s*(?:he|she|they|it)\s+{_SAID}\b|^\s*,?\s*{_SAID}\s+(?:he|she|they)\b", re.IGNORECASE)
_NOT_A_NAME = frozenset(
    "He She They It We I You The This That But And A An In On At Mr Mrs Ms".split()  # noqa: SIM905 - a word list reads best as words
)
_OUTLET = r"(?:[A-Z]{2,6}(?: [A-Z][a-z]+)?|(?:The )?[A-Z][\w'’\-]+(?: [A-Z][\w'’\-]+){0,2})"
_QUOTED = re.compile(
    rf"(?<![\w'’])(?P<name>{_OUTLET}) (?:news agency |newspaper |television )?"
    r"quoted [^.“\"]{2,80}? as (?:saying|telling|having said)\b"
)
_REPORTED = re.compile(
    rf",\s(?:the )?(?P<name>{_OUTLET})(?: news agency| newspaper)? (?:has )?reported(?=[.,;]|$| on\b| citing\b)"
)


def find_quotes(paragraphs: Sequence[str]) -> tuple[Quote, ...]:
    """Direct quotations of more than four words, with the speaker where the words beside them name one."""
    found: list[Quote] = []
    for text in paragraphs:
        for match in _OPENED.finditer(text[:_LONGEST_BLOCK]):
            words = next(group for group in match.groups() if group is not None).strip()
            if len(words.split()) <= _SCARE or len(found) >= _MOST:
                continue
            found.append(Quote(words.rstrip(","), _speaker(text[match.end() : match.end() + 160])))
    return tuple(found)


def _speaker(after: str) -> str | None:
    if _PRONOUN.match(after):
        return None
    for pattern in _AFTER:
        match = pattern.match(after)
        if match and match["speaker"].split()[0] not in _NOT_A_NAME:
            return match["speaker"]
    return None


def find_via(paragraphs: Sequence[str], *, credit: str | None = None) -> tuple[str, ...]:
    """Outlets the copy itself names as its source, in order: "Xinhua reported", "CNN quoted ... as saying"."""
    names: dict[str, None] = {}
    known = _known(credit)
    for paragraph in paragraphs:
        text = paragraph[:_LONGEST_BLOCK]
        hits = [(m.start(), m["name"]) for p in (*known, _REPORTED) for m in p.finditer(text)]
        hits += [(m.start(), m["name"]) for m in _QUOTED.finditer(text) if not _speaks(m["name"], paragraphs)]
        for _, name in sorted(hits):
            outlet = re.sub(r"^The (?=\w+$)", "", name) if name not in patterns.MEDIA else name
            if outlet != credit and outlet not in _NOT_A_NAME:
                names.setdefault(outlet)
    return tuple(names)


@lru_cache(maxsize=64)
def _known(credit: str | None) -> tuple[re.Pattern[str], ...]:
    outlets = sorted({*patterns.AGENCIES, *patterns.MEDIA} - {credit or ""}, key=len, reverse=True)
    name = rf"(?P<name>{'|'.join(re.escape(outlet) for outlet in outlets)})"
    return (
        re.compile(rf"\baccording to (?:the )?{name}(?![\w'’])"),
        re.compile(rf"(?<![\w'’]){name}(?: news agency| newspaper)? (?:has )?(?:reported|quoted)\b"),
    )


def _speaks(name: str, paragraphs: Sequence[str]) -> bool:
    """A person quoting a person is no outlet: someone who is quoted or says things elsewhere in the copy."""
    said = re.compile(
        rf"\b{re.escape(name.rsplit(maxsplit=1)[-1])} (?:said|told|added|says)\b|\bsaid {re.escape(name)}\b"
    )
    return any(said.search(text[:_LONGEST_BLOCK]) for text in paragraphs)

"""Headlines: what the agency's markers in them mean, and one made from the first sentence when there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from broadsheet.wire import patterns
from broadsheet.wire.items import Takes

LONGEST: Final = 110
_SHORTEST: Final = 40
_ABBREVIATION_WORDS: Final = (
    "mr mrs ms dr prof st gen col lt sgt maj capt rev hon gov sen rep jr sr no vs etc inc ltd co corp jan feb mar apr"
    " jun jul aug sep sept oct nov dec rs smt shri u.s u.k u.n e.g i.e a.m p.m"
)
_ABBREVIATIONS: Final = frozenset(_ABBREVIATION_WORDS.split())
_END = re.compile(r"[.!?।](?=[\s”\"’'»)]|$)")
_ATTRIBUTION = re.compile(
    r",\s+(?!which|who|that|and|but|or)[^,;“”\"]{3,90}?\b"
    r"(?:(?:has|have|had) )?(?:said|says|told [^,]{2,60}|reported|reports|announced|added|stated|confirmed)"
    r"(?:\s+(?:on|in|at|here|today|yesterday|late|early|in a statement)\b[^,]{0,60})?\s*$"
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|had|will|would|can|could|may|might|must|should|shall|does|did|says|said|asks|asked|"
    r"plans?|wins?|won|falls?|fell|rises?|rose|gets?|got|makes?|made|takes?|took|gives?|gave|[a-z]{3,}(?:ed|izes|ises))\b"
)
_CLAUSE = re.compile(
    r",\s|;\s|\s[–—-]\s|\s(?=(?:when|while|after|before|as|because|which|who|amid|following|over|during|despite|unless"
    r"|although|though|since|where|if|but|so that|in order to)\s)"
)
_DANGLING = re.compile(
    r"\s+(?:the|a|an|of|in|on|at|to|for|with|by|from|and|or|but|as|that|which|who|his|her|its|their|is|was|has|will)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Headline:
    """A headline without its markers, and what the markers said."""

    text: str
    signals: tuple[str, ...] = ()
    label: str | None = None
    takes: Takes | None = None
    kill: bool = False
    removed: tuple[tuple[str, str], ...] = ()


def read_headline(raw: str) -> Headline:
    """H01-H03 on one line of text. A kill notice keeps its words: a person must see them."""
    text = " ".join(raw.split())
    if patterns.H03.match(text):
        return Headline(text, signals=("kill",), kill=True)
    signals: list[str] = []
    removed: list[tuple[str, str]] = []
    label: str | None = None
    takes: Takes | None = None
    while match := (patterns.H01.match(text) or patterns.H02.search(text)):
        rule = "H01" if match.start() == 0 and match.re is patterns.H01 else "H02"
        signals.append(patterns.SIGNALS[match["word"].upper()])
        label = label or match["label"].strip()
        if match["word"].lower() == "take" and match.groupdict().get("n"):
            takes = Takes(n=int(match["n"]))
        removed.append((rule, match[0].strip()))
        text = (text[: match.start()] + text[match.end() :]).strip()
    return Headline(text, tuple(dict.fromkeys(signals)), label, takes, kill=False, removed=tuple(removed))


def first_sentence(text: str) -> str:
    """The first sentence of a paragraph, abbreviations and initials respected."""
    for match in _END.finditer(text):
        if match[0] == "." and _abbreviated(text[: match.start()], text[match.end() :]):
            continue
        end = match.end()
        while end < len(text) and text[end] in "”\"’'»":
            end += 1
        return text[:end].strip()
    return text.strip()


def _abbreviated(before: str, after: str) -> bool:
    words = before.rsplit(None, 1)
    word = words[-1].lstrip("(“\"'").lower() if words else ""
    following = after.lstrip()
    if len(word) == 1 or re.fullmatch(r"(?:\w\.)+\w", word):
        # An initial or "U.S.": the sentence goes on unless the next word starts like a new one and nothing can follow.
        return bool(following)
    return word in _ABBREVIATIONS


def derive_headline(paragraph: str) -> str:
    """A headline from the first sentence, in the agency's own words: cut at a clause, never rewritten."""
    sentence = first_sentence(" ".join(paragraph.split()))
    text = re.sub(r"[.।]$", "", sentence) if not re.search(r"\b(?:\w\.){2,}$", sentence) else sentence
    shorter = _ATTRIBUTION.sub("", text)
    if len(shorter) >= _SHORTEST and _balanced(shorter):
        text = shorter
    if len(text) <= LONGEST:
        return text.rstrip(" ,;:–—-")
    cuts = [match.start() for match in _CLAUSE.finditer(text) if _SHORTEST <= match.start() <= LONGEST]
    for cut in reversed(cuts):
        candidate = text[:cut].rstrip(" ,;:–—-")
        if _VERB.search(candidate) and _balanced(candidate) and not _DANGLING.search(candidate):
            return candidate
    return _at_a_word(text)


def _at_a_word(text: str) -> str:
    shown = text[: LONGEST - 1].rsplit(None, 1)[0].rstrip(" ,;:–—-")
    while match := _DANGLING.search(shown):
        shown = shown[: match.start()]
    return f"{shown}…"


def _balanced(text: str) -> bool:
    return text.count('"') % 2 == 0 and text.count("“") == text.count("”") and text.count("(") == text.count(")")

"""How a page is read, searched and clipped: pure. Boxes are (x0, y0, x1, y1) in ten-thousandths of the page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from broadsheet.epaper.values import AreaView, Box, Word

LONGEST_QUERY = 80
MOST_TERMS = 8
HITS_ON_A_PAGE = 6
KEPT_DAYS = 30
KEPT_WIDTH = 1600  # the widest picture that a device keeps
SMALLEST_CLIP = 200  # of the page's width and height
LARGEST_CLIP = 50_000_000  # half of the page
_NEAR, _BEFORE, _AFTER, _TOP = 14, 6, 10, 4
_HYPHENS = ("-", "\u00ad", "\u2010", "\ufffe", "\x02")
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_ONWARD = re.compile(r"\s*(?:Continued on page|शेष पृष्ठ) \d+(?: पर)?$")  # what the paper says at a jump, not the story
_FROM = re.compile(r"^(?:From page \d+|पृष्ठ \d+ से)\s*")
_MARKS = re.compile("[\u0300-\u036f]")


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where the words were found: `snippet` is (text, whether it was sought), `boxes` mark what was sought."""

    page: int
    snippet: tuple[tuple[str, bool], ...]
    boxes: tuple[Box, ...]


def fold(text: str) -> str:
    """A word as it is compared: lower case, without accents of Latin letters and signs around it."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", text)))
    return _EDGES.sub("", text.casefold()) if not text.isalnum() else text.casefold()


def terms_of(query: str) -> tuple[str, ...]:
    """The words of a query, folded; at most MOST_TERMS of them, each once."""
    found = (fold(word) for word in query[:LONGEST_QUERY].split())
    return tuple(dict.fromkeys(word for word in found if word))[:MOST_TERMS]


def holds(box: Box, word: Box) -> bool:
    """Whether the middle of a word lies in a box."""
    x, y = (word[0] + word[2]) / 2, (word[1] + word[3]) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def inside(box: Box, outer: Box) -> bool:
    """Whether a box lies in another one, to the hair."""
    return outer[0] - 50 <= box[0] and outer[1] - 50 <= box[1] and box[2] <= outer[2] + 50 and box[3] <= outer[3] + 50


def without(words: Iterable[Word], boxes: Sequence[Box]) -> list[Word]:
    """The words that lie in none of the boxes."""
    return [word for word in words if not any(holds(box, word.box) for box in boxes)] if boxes else list(words)


def find(words: Sequence[Word], terms: Sequence[str], page: int) -> tuple[Hit, ...]:
    """Where terms begin words of the page, the places with most different ones first; none unless all are there.

    A word that a hyphen parts at the end of a line is found whole.
    """
    if not terms:
        return ()
    at: dict[int, set[str]] = {}
    for index, word in enumerate(words):
        alone = fold(word.text)
        whole, parts = alone, 1
        if word.text.endswith(_HYPHENS) and index + 1 < len(words):
            whole, parts = alone + fold(words[index + 1].text), 2
        for term in terms:
            if alone.startswith(term):
                at.setdefault(index, set()).add(term)
            elif parts > 1 and whole.startswith(term):
                for part in (index, index + 1):
                    at.setdefault(part, set()).add(term)
    if len(set().union(*at.values())) < len(terms):
        return ()
    groups = _near(sorted(at))
    groups.sort(key=lambda places: -len(set().union(*(at[place] for place in places))))
    return tuple(_hit(words, places, page) for places in groups[:HITS_ON_A_PAGE])


def _near(places: Sequence[int]) -> list[list[int]]:
    groups: list[list[int]] = []
    for place in places:
        if groups and place - groups[-1][-1] <= _NEAR:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


def _hit(words: Sequence[Word], places: Sequence[int], page: int) -> Hit:
    sought = set(places)
    first, last = max(0, places[0] - _BEFORE), min(len(words), places[-1] + _AFTER)
    snippet = tuple((words[index].text, index in sought) for index in range(first, last))
    return Hit(page, snippet, tuple(words[place].box for place in places))


def chain(areas: Mapping[int, AreaView], area_id: int) -> tuple[AreaView, ...]:
    """The parts of a story in the order in which they are read, whichever of them is given; () when it is not there."""
    here, seen = areas.get(area_id), {area_id}
    while here is not None and here.continued_from and here.continued_from[0] not in seen:
        before = areas.get(here.continued_from[0])
        if before is None:
            break
        seen.add(before.id)
        here = before
    parts: list[AreaView] = []
    while here is not None and here not in parts:
        parts.append(here)
        here = areas.get(here.continued_on[0]) if here.continued_on else None
    return tuple(parts)


def paragraphs(area: AreaView) -> tuple[str, ...]:
    """An area's text in paragraphs, without the headline among its first and what stands above it. A paragraph that the
    next one says again in full is left out: where a standfirst was broken into columns it may stand twice."""
    found = [" ".join(part.split()) for part in area.text.split("\n") if part.strip()]
    if found and area.continued_on:
        found[-1] = _ONWARD.sub("", found[-1])
    heading = " ".join(area.headline.split())
    for place, paragraph in enumerate(found[:_TOP] if heading else ()):
        if paragraph.startswith(heading):
            rest = paragraph.removeprefix(heading).strip()
            found[: place + 1] = [rest] if rest else []
            break
    if found and area.continued_from:
        found = [_FROM.sub("", found[0]), *found[1:]]
    return tuple(one for one, after in pairwise([*found, ""]) if not after.startswith(one))


def clip_box(values: Sequence[str]) -> Box | None:
    """The box a reader drew, from four numbers as text; None for what is none, is too small or is more than half a
    page: a clipping is a part of the paper, not the paper."""
    try:
        x0, y0, x1, y1 = (min(10_000, max(0, int(value))) for value in values)
    except ValueError:
        return None
    x0, y0, x1, y1 = min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
    wide, high = x1 - x0, y1 - y0
    fits = wide >= SMALLEST_CLIP and high >= SMALLEST_CLIP and wide * high <= LARGEST_CLIP
    return (x0, y0, x1, y1) if fits else None


def kept_until(ends: Iterable[datetime | None], now: datetime) -> datetime:
    """Until when a device may show what it keeps without asking again: while a right lasts, KEPT_DAYS at most."""
    last = now + timedelta(days=KEPT_DAYS)
    known = list(ends)
    return last if not known or None in known else min(last, max(end for end in known if end is not None))

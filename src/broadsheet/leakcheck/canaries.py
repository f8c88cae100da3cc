"""What must not be seen, and a fast search for it: six-word shingles and single tokens, in any reading. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from broadsheet.leakcheck.decoding import readings

SHINGLE = 6
TOKEN = "quozel"  # noqa: S105 - what every token of a canary begins with; no word of any language
_TAG = re.compile(r"<!--|-->|<[^<>]{0,2000}>")
_WORD = re.compile(r"\w+")
_NOT_LETTER = re.compile(r"[\W_]+")
_TOKEN = re.compile(TOKEN + "[a-z]{5}")
_INVISIBLE = dict.fromkeys([0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF])
Shingle = tuple[str, ...]


def words(text: str) -> list[str]:
    """The words of a text as a search compares them: no case, no marks, no invisible characters."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).translate(_INVISIBLE).casefold())


def shingles(sequence: Sequence[str]) -> set[Shingle]:
    return {tuple(sequence[at : at + SHINGLE]) for at in range(len(sequence) - SHINGLE + 1)}


@dataclass(frozen=True, slots=True)
class Find:
    """Words of a story where they must not be: the story's key, how they were hidden, and the words."""

    story: str
    how: str
    words: str


@dataclass(slots=True)
class Canaries:
    """Hidden words by story. `tokens` are single words that exist nowhere else; a live site has none."""

    tokens: dict[str, str] = field(default_factory=dict)
    shingles: dict[Shingle, str] = field(default_factory=dict)
    _vocabulary: set[str] = field(default_factory=set)
    _seen: dict[bytes, list[Find]] = field(default_factory=dict)

    def hide(self, story: str, text: str, public: Iterable[set[Shingle]] = ()) -> None:
        """`text` belongs to `story` and must not be seen; shingles that are `public` elsewhere prove nothing."""
        sequence = words(text)
        for shingle in shingles(sequence).difference(*public):
            self.shingles[shingle] = story
            self._vocabulary.update(shingle)
        for token in _TOKEN.findall(" ".join(sequence)):
            self.tokens[token] = story

    def find(self, data: bytes) -> list[Find]:
        """One Find for each story whose hidden words are anywhere in `data`. The same bytes are searched once."""
        digest = blake2b(data, digest_size=16).digest()
        known = self._seen.get(digest)
        if known is None:
            known = self._seen[digest] = self._search(data)
        return known

    def plainly(self, data: bytes) -> Mapping[str, str]:
        """{story: words} for hidden words that stand in `data` unencoded: a cheap look at what we wrote ourselves."""
        return self._in(data.decode("utf-8", "replace"))

    def _search(self, data: bytes) -> list[Find]:
        found: dict[str, Find] = {}
        for how, text in readings(data):
            for story, seen in self._in(text).items():
                found.setdefault(story, Find(story, how, seen))
        return list(found.values())

    def _in(self, text: str) -> Mapping[str, str]:
        found: dict[str, str] = {}
        squeezed = _NOT_LETTER.sub("", text).casefold()
        if self.tokens and TOKEN in squeezed:
            for token in _TOKEN.findall(squeezed):
                if token in self.tokens:
                    found.setdefault(self.tokens[token], token)
        for sequence in (words(_TAG.sub(" ", text)), words(_TAG.sub("", text)), words(text)):
            if len(self._vocabulary.intersection(sequence)) < min(3, SHINGLE):
                continue
            for at in range(len(sequence) - SHINGLE + 1):
                shingle = tuple(sequence[at : at + SHINGLE])
                story = self.shingles.get(shingle)
                if story:
                    found.setdefault(story, " ".join(shingle))
        return found


def coverage(wanted: Sequence[str], page: str) -> float:
    """The share of `wanted`'s shingles that stand in the visible text of a page; 1.0 when nothing is wanted."""
    asked = shingles(wanted)
    return len(asked & shingles(words(_TAG.sub(" ", page)))) / len(asked) if asked else 1.0

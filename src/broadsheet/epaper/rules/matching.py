"""Which of the day's stories an article of a page is: the share of its runs of words that the story has too."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

RUN = 4
SURE = 30  # hundredths of the article's runs
SHORT = 12  # words: below it only the headline tells
ALIKE = 60  # hundredths of a headline's words
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class StoryWords:
    """A story of the day: its headline and every word that may have been printed of it, plain."""

    id: int
    headline: str
    text: str


def words_of(text: str) -> list[str]:
    """The words of a text for comparison: lower case, without signs."""
    return [word.lower() for word in _WORD.findall(text)]


def runs_of(text: str) -> frozenset[int]:
    """Every run of four words of a text, as hashes that hold in this process."""
    words = words_of(text)
    return frozenset(hash(tuple(words[at : at + RUN])) for at in range(len(words) - RUN + 1))


class Matcher:
    """Knows the day's stories; built once for an edition."""

    def __init__(self, stories: Sequence[StoryWords]) -> None:
        self._having: dict[int, list[int]] = {}
        self._heads = {story.id: frozenset(words_of(story.headline)) for story in stories}
        for story in stories:
            for run in runs_of(f"{story.headline}\n{story.text}"):
                self._having.setdefault(run, []).append(story.id)

    def match(self, headline: str, text: str) -> tuple[int, int] | None:
        """(story id, how sure in hundredths) of the story that an article is; None when it is none of them."""
        runs = runs_of(text)
        if len(runs) >= SHORT:
            shared: dict[int, int] = {}
            for run in runs:
                for story_id in self._having.get(run, ()):
                    shared[story_id] = shared.get(story_id, 0) + 1
            best = _best(shared, len(runs))
            if best and best[1] >= SURE:
                return best
        return self._by_headline(frozenset(words_of(headline)))

    def _by_headline(self, words: frozenset[str]) -> tuple[int, int] | None:
        if len(words) < RUN:
            return None
        alike = {key: round(100 * len(words & head) / len(words | head)) for key, head in self._heads.items()}
        best = max(alike.items(), key=lambda item: item[1], default=(0, 0))
        return best if best[1] >= ALIKE else None


def _best(shared: Mapping[int, int], runs: int) -> tuple[int, int] | None:
    if not shared:
        return None
    story_id, count = max(shared.items(), key=lambda item: (item[1], -item[0]))
    return story_id, min(100, round(100 * count / runs))

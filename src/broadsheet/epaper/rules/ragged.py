"""Lines of words that are not parted and not justified: headlines, decks, captions. As the typesetter breaks them: a
word goes into the next line when it has no room in this one. Pure; widths in points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SAFE = 0.997  # of a width: kerning over a space is not measured


@dataclass(frozen=True, slots=True)
class Ragged:
    """The widths of a text's words and of a space between them."""

    words: tuple[float, ...]
    space: float

    def lines(self, width: float, scale: float = 1.0) -> int:
        """How many lines the words take; a word wider than a line has it for itself."""
        return count(self.words, self.space, width * SAFE / scale)

    def balanced(self, width: float, scale: float = 1.0) -> float:
        """The narrowest width in which the words take no more lines: theirs are then about equally long."""
        rows = self.lines(width, scale)
        if rows < 2:  # noqa: PLR2004 - one line has nothing to be equal to
            return width
        low, high = 0.5 * width, width
        for _ in range(7):
            middle = (low + high) / 2
            if self.lines(middle, scale) > rows:
                low = middle
            else:
                high = middle
        return high


def count(words: Sequence[float], space: float, width: float) -> int:
    """The number of lines of words of these widths."""
    rows, used = 1 if words else 0, 0.0
    for word in words:
        if used and used + space + word > width:
            rows, used = rows + 1, word
        else:
            used += (space if used else 0.0) + word
    return rows

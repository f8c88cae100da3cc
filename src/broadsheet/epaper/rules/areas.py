"""Where the articles of a press's page stand, found from its words and lines alone.

Words become lines, lines blocks, and every block belongs to the headline above it; a rule across parts articles.
Positions are ten-thousandths of the page; `size` is the height of a word's line in points.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Box = tuple[int, int, int, int]
HEADLINE = 1.35  # times the body's size
SOFT_HYPHEN = "\u00ad"
_ADVERTISEMENT = re.compile(
    r"^\W*(advertisement|advertorial|advt\.?|classifieds?|tender notice|public notice)\b", re.IGNORECASE
)
_CONTINUED = re.compile(r"\bcontinued\s+(?:on|from)\s+(?:page|p\.?)\s*(\d{1,3})", re.IGNORECASE)
_FROM = re.compile(r"\b(?:continued\s+)?from\s+page\s+(\d{1,3})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PageWord:
    text: str
    box: Box
    size: float


@dataclass(frozen=True, slots=True)
class PageContent:
    """What the reader of PDF found on a page; `aspect` is its height divided by its width."""

    words: Sequence[PageWord]
    pictures: Sequence[Box] = ()
    rules: Sequence[Box] = ()
    aspect: float = 1.5


@dataclass(frozen=True, slots=True)
class Found:
    """An article, advertisement or picture of a page; `boxes` its parts. `goes_to` and `comes_from` are page numbers
    printed with it."""

    kind: str
    boxes: tuple[Box, ...]
    headline: str = ""
    text: str = ""
    goes_to: int | None = None
    comes_from: int | None = None

    @property
    def box(self) -> Box:
        return around(self.boxes)


@dataclass(slots=True)
class _Line:
    words: list[PageWord]
    box: Box
    size: float


@dataclass(slots=True)
class _Block:
    lines: list[_Line]
    box: Box
    size: float
    head: bool = False
    owner: int | None = None
    place: int = 0
    members: list[_Block] = field(default_factory=list)

    @property
    def text(self) -> str:
        return join_words([word.text for line in self.lines for word in line.words])


def around(boxes: Sequence[Box]) -> Box:
    """The box around boxes."""
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)


def join_words(words: Sequence[str]) -> str:
    """The words as a text; one that was broken at a line's end is put together again."""
    return " ".join(words).replace(f"{SOFT_HYPHEN} ", "").replace(SOFT_HYPHEN, "")


def body_size(words: Sequence[PageWord]) -> float:
    """The size in which most letters of a page are set; 0 for a page without words."""
    letters: Counter[float] = Counter()
    for word in words:
        letters[round(word.size * 2) / 2] += len(word.text)
    return letters.most_common(1)[0][0] if letters else 0.0


def find_areas(content: PageContent) -> list[Found]:
    """The areas of a page in reading order: columns of the page from the left, each from the top."""
    if not content.words:
        return [Found("picture", (box,)) for box in _large(content.pictures)]
    body = body_size(content.words)
    blocks = _blocks(_lines(content.words, content.aspect), body)
    articles = _articles(blocks, content.rules)
    found = [_found(article) for article in articles]
    found = [area for area in found if area is not None]
    return _with_pictures([area for area in found if area], content.pictures)


def _lines(words: Sequence[PageWord], aspect: float) -> list[_Line]:
    """Words that stand beside each other in the order of the file, with no more than a wide space between."""
    lines: list[_Line] = []
    for word in words:
        x0, y0, _, y1 = word.box
        high = y1 - y0
        if lines:
            last = lines[-1]
            gap = (x0 - last.box[2]) / aspect  # in the page's height, as `high` is
            level = min(y1, last.box[3]) - max(y0, last.box[1])
            same = level > 0.6 * min(high, last.box[3] - last.box[1]) and abs(word.size - last.size) < 0.3 * last.size
            if same and -0.5 * high < gap < 1.3 * high:
                last.words.append(word)
                last.box = around([last.box, word.box])
                continue
        lines.append(_Line([word], word.box, word.size))
    return lines


def _blocks(lines: list[_Line], body: float) -> list[_Block]:
    """Lines of one size that follow each other down a column."""
    blocks: list[_Block] = []
    for line in lines:
        head = line.size >= HEADLINE * body
        near = [block for block in blocks[-6:] if block.head == head and _goes_on(block, line, head=head)]
        if near:
            block = near[-1]
            block.lines.append(line)
            block.box = around([block.box, line.box])
        else:
            blocks.append(_Block([line], line.box, line.size, head, place=len(blocks)))
    return blocks


def _goes_on(block: _Block, line: _Line, *, head: bool) -> bool:
    last = block.lines[-1]
    high = last.box[3] - last.box[1]
    below = line.box[1] - last.box[3]
    shared = min(block.box[2], line.box[2]) - max(block.box[0], line.box[0])
    narrow = min(block.box[2] - block.box[0], line.box[2] - line.box[0])
    like = abs(line.size - block.size) <= 0.2 * block.size
    return like and -0.6 * high < below < (0.9 if head else 1.4) * high and shared > 0.5 * max(narrow, 1)


def _articles(blocks: list[_Block], rules: Sequence[Box]) -> list[_Block]:
    heads = [block for block in blocks if block.head and any(c.isalpha() for c in block.text)]
    loose: list[_Block] = []
    for block in blocks:
        if block in heads:
            continue
        owner = _owner(block, heads, rules)
        if owner is None:
            # A column right of its headline's: it goes on from the block before it in the file, when that is level.
            owner = _neighbour(block, heads, rules)
        if owner is None:
            loose.append(block)
        else:
            owner.members.append(block)
    return [head for head in heads if head.members or len(head.text) > 12] + loose  # noqa: PLR2004 - letters


def _owner(block: _Block, heads: list[_Block], rules: Sequence[Box]) -> _Block | None:
    """The nearest headline above that spans the block's middle, with no rule across between them."""
    middle = (block.box[0] + block.box[2]) / 2
    above = [
        head
        for head in heads
        if head.box[0] - 60 <= middle <= head.box[2] + 60 and head.box[1] <= block.box[1]
        and not _parted(head.box, block.box, rules)
    ]  # fmt: skip
    return max(above, key=lambda head: head.box[1], default=None)


def _neighbour(block: _Block, heads: list[_Block], rules: Sequence[Box]) -> _Block | None:
    reach = 1.6 * (block.box[2] - block.box[0])
    for head in heads:
        for member in head.members:
            beside = 0 <= block.box[0] - member.box[2] < reach
            level = block.box[1] >= head.box[1] - 40 and min(block.box[3], member.box[3]) > max(
                block.box[1], member.box[1]
            )
            if beside and level and not _parted_across(member.box, block.box, rules):
                return head
    return None


def _parted(upper: Box, lower: Box, rules: Sequence[Box]) -> bool:
    middle = (lower[0] + lower[2]) / 2
    return any(
        rule[2] - rule[0] > rule[3] - rule[1]
        and rule[0] <= middle <= rule[2]
        and upper[3] - 10 <= rule[1] <= lower[1] + 10
        for rule in rules
    )


def _parted_across(left: Box, right: Box, rules: Sequence[Box]) -> bool:
    level = (max(left[1], right[1]) + min(left[3], right[3])) / 2
    return any(
        rule[3] - rule[1] > rule[2] - rule[0]
        and rule[1] <= level <= rule[3]
        and left[2] - 20 <= rule[0] <= right[0] + 20
        for rule in rules
    )


def _found(article: _Block) -> Found | None:
    members = sorted(article.members, key=lambda block: block.place)
    text = "\n".join(
        [article.text, *(block.text for block in members)] if not article.head else [b.text for b in members]
    )
    if not article.head and len(text) < 80:  # noqa: PLR2004 - a folio, a caption, a page's head
        return None
    boxes = tuple(block.box for block in [article, *members])
    headline = article.text[:300] if article.head else ""
    kind = "ad" if _ADVERTISEMENT.match(text) or _ADVERTISEMENT.match(headline) else "story"
    came = _FROM.search(text) or _FROM.search(headline)
    goes = next((m for m in _CONTINUED.finditer(text) if "from" not in m.group().lower()), None)
    return Found(
        kind, boxes, headline, text, int(goes.group(1)) if goes else None, int(came.group(1)) if came else None
    )


def _large(pictures: Sequence[Box]) -> list[Box]:
    return [box for box in pictures if (box[2] - box[0]) * (box[3] - box[1]) > 400_000]  # noqa: PLR2004 - 0.4 % of a page


def _with_pictures(areas: list[Found], pictures: Sequence[Box]) -> list[Found]:
    """A picture inside an article's box is part of it; any other is an area of its own."""
    for picture in _large(pictures):
        x, y = (picture[0] + picture[2]) / 2, (picture[1] + picture[3]) / 2
        for place, area in enumerate(areas):
            box = area.box
            if box[0] <= x <= box[2] and box[1] <= y <= box[3]:
                areas[place] = Found(
                    area.kind, (*area.boxes, picture), area.headline, area.text, area.goes_to, area.comes_from
                )
                break
        else:
            areas.append(Found("picture", (picture,)))
    return sorted(areas, key=lambda area: (area.box[1] // 600, area.box[0]))


def follow(areas: Sequence[tuple[int, int, int | None, str, str]]) -> list[tuple[int, int]]:
    """Which area goes on as which: pairs of ids. Areas are (id, page, story id, headline, text).

    One story on several pages goes on from page to page; else a printed "continued on page 5" finds the article there
    that says it comes from here.
    """
    pairs: list[tuple[int, int]] = []
    by_story: dict[int, list[tuple[int, int]]] = {}
    for area_id, page, story_id, _, _ in areas:
        if story_id is not None:
            by_story.setdefault(story_id, []).append((page, area_id))
    for parts in by_story.values():
        ordered = sorted(parts)
        pairs += [(a[1], b[1]) for a, b in pairwise(ordered) if b[0] > a[0]]
    linked = {source for source, _ in pairs}
    for area_id, page, story_id, _, text in areas:
        target = next((m for m in _CONTINUED.finditer(text) if "from" not in m.group().lower()), None)
        if story_id is not None or target is None or area_id in linked:
            continue
        there = [
            other
            for other, number, _, headline, words in areas
            if number == int(target.group(1)) and _comes_from(f"{headline} {words[:400]}", page)
        ]
        if len(there) == 1:
            pairs.append((area_id, there[0]))
    return pairs


def _comes_from(text: str, page: int) -> bool:
    found = _FROM.search(text)
    return found is not None and int(found.group(1)) == page

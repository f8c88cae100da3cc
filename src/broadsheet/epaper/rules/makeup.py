"""Making up a page: which stories stand in a row, over how many columns, how high, with how large a picture.

A page is rows; a row one to four stories of equal height. Every story offers what it can be (`shapes`), at a price; the
cheapest rows that fill the page exactly are found by going through the stories in order. What does not fit goes on
elsewhere ("Continued on page 5"), which has a price too. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from broadsheet.epaper.rules.flow import START, Mark, Unit, is_end, left, pour
from broadsheet.epaper.rules.grid import LINE, RULE, lines_of, width_of

KICKER = 1.15  # lines over a headline
AIR = 0.6  # lines between headline, deck and text
JUMP = 1  # lines of "Continued on page 5"
FROM = 1  # lines of "From page 1"
SHORTEST_CUT = 12
FEWEST_LEFT = 16
SPREAD = 0.09  # of a column's lines may be added between its paragraphs
DEAR = 1e9

SPLITS: Mapping[int, tuple[tuple[int, ...], ...]] = {
    6: (
        (6,), (4, 2), (3, 3), (2, 4), (5, 1), (2, 2, 2), (3, 2, 1), (4, 1, 1), (2, 3, 1), (3, 1, 2), (2, 2, 1, 1),
        (3, 1, 1, 1),
    ),
    5: ((5,), (3, 2), (2, 3), (4, 1), (2, 2, 1), (3, 1, 1), (1, 2, 2), (2, 1, 1, 1)),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """A story to be placed, or what is left of one. `heads` are (columns, size) -> points, `decks` columns -> points.

    `aspect` is its picture's width divided by its height, None without one. `mark` says where its text begins;
    `rank` 0 is the day's lead.
    """

    key: int
    units: tuple[Unit, ...]
    heads: Mapping[tuple[int, int], float]
    decks: Mapping[int, float] = field(default_factory=dict)
    captions: tuple[int, ...] = ()
    aspect: float | None = None
    loose: bool = False
    role: str = "story"
    section: str = ""
    kicker: bool = False
    weight: float = 1.0
    mark: Mark = START
    comes_from: int = 0
    page: int = 0
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to set an item: `head` and `deck` in lines, the picture over `across` columns and `high` lines."""

    columns: int
    lines: int
    size: int
    head: float
    deck: float
    across: int
    high: int
    cut: bool
    price: float

    @property
    def top(self) -> int:
        """Lines above the text."""
        return math.ceil(self.head + self.deck + AIR - 0.05)


@dataclass(frozen=True, slots=True)
class Placed:
    item: Item
    shape: Shape
    column: int
    line: int


@dataclass(frozen=True, slots=True)
class Made:
    """A page: what stands where, the lines of the box at its foot (0: none), and its price."""

    placed: tuple[Placed, ...]
    filler: tuple[int, int] | None
    price: float
    stretch: int = 0


def rooms(shape: Shape, *, item: Item, cut: bool) -> list[int]:
    """The lines of text that fit in each column of a shape."""
    body = shape.lines - shape.top - (shape.high if shape.across == shape.columns else 0)
    full = [body] * shape.columns
    if 0 < shape.across < shape.columns:
        for column in range(shape.columns - shape.across, shape.columns):
            full[column] -= shape.high
    if item.comes_from:
        full[0] -= FROM
    if cut:
        full[-1] -= JUMP
    return full


Table = Mapping[int, Shape]


class Shapes:
    """The cheapest shape of an item for each height, remembered: a page is tried several times."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Table] = {}

    def of(self, item: Item, columns: int, most: int, sizes: Sequence[int]) -> Table:
        """Height -> shape, up to `most` lines."""
        key = (item.key, item.mark, item.page == 1, columns, most, tuple(sizes))
        if key not in self._known:
            self._known[key] = _cheapest(item, columns, most, sizes)
        return self._known[key]


def _cheapest(item: Item, columns: int, most: int, sizes: Sequence[int]) -> Table:
    best: dict[int, Shape] = {}
    for price, lines, start, cut in _offers(item, columns, most, sizes):
        if lines not in best or price < best[lines].price:
            best[lines] = _at(start, lines, cut=cut, price=price)
    return best


def _offers(item: Item, columns: int, most: int, sizes: Sequence[int]) -> Iterator[tuple[float, int, Shape, bool]]:
    """(price, lines, shape, whether it is cut)."""
    need = left(item.units, item.mark) + (FROM if item.comes_from else 0)
    for rank, size in enumerate(sizes):
        points = item.heads.get((columns, size))
        if points is None:
            continue
        head = points / LINE + (KICKER if item.kicker else 0)
        for deck, without in _decks(item, columns):
            for across, high, dear, natural in _pictures(item, columns):
                price = 3.0 * rank + without + dear + _proportions(columns, points, size, need)
                start = Shape(columns, 0, size, head, deck, across, high, cut=False, price=price)
                yield from _heights(item, start, need, most, cuts=natural and not without and rank < 2)  # noqa: PLR2004


def _decks(item: Item, columns: int) -> list[tuple[float, float]]:
    points = item.decks.get(columns)
    if points is None:
        return [(0.0, 0.0)]
    return [(points / LINE + 0.5, 0.0), (0.0, 5.0 if columns > 1 else 1.0)]


GROWN = (0.8, 0.9, 1.0, 1.1, 1.2)
ACROSS: Mapping[int, tuple[int, ...]] = {1: (1,), 2: (1, 2), 3: (1, 2, 3), 4: (2, 3, 4), 5: (2, 3, 4), 6: (2, 3, 4)}


def _pictures(item: Item, columns: int) -> Iterator[tuple[int, int, float, bool]]:
    """(columns across, lines high with the caption, price, whether it has its natural height)."""
    if item.aspect is None or item.mark != START:
        yield 0, 0, 0.0, True
        return
    yield 0, 0, 45.0 * item.weight, False
    for across in ACROSS[columns]:
        natural = width_of(across) / item.aspect
        for grown in GROWN:
            high = lines_of(natural * grown) + item.captions[across - 1] + 1
            if 5 <= high <= 64:  # noqa: PLR2004 - lines
                yield across, high, 260 * (grown - 1) ** 2 + _picture_price(columns, across), grown == 1.0


def _picture_price(columns: int, across: int) -> float:
    share = across / columns
    if columns <= 2:  # noqa: PLR2004 - narrow boxes carry a picture over all of it
        return 0.0 if across == columns else 7.0
    return 30 * (share - 0.58) ** 2 + (6.0 if across == columns else 0.0) + (9.0 if across == 1 else 0.0)


def _proportions(columns: int, points: float, size: int, need: int) -> float:
    """A headline of one or two lines sits well over several columns, one of four or five over a single one."""
    rows = points / (1.05 * size)
    well = {1: 4.2, 2: 3.0}.get(columns, 1.6)
    deep = need / columns
    price = 3.5 * max(0.0, rows - well - 0.6) + 1.5 * max(0.0, well - 1.4 - rows)
    # A headline higher than the text under it shouts.
    price += 0.9 * max(0.0, points / LINE - 0.7 * deep - 3)
    return price + 0.35 * max(0.0, deep - 46) + 1.1 * max(0.0, 9 - deep)


def _heights(item: Item, start: Shape, need: int, most: int, *, cuts: bool) -> Iterator[tuple[float, int, Shape, bool]]:
    above = start.top + (start.high if start.across == start.columns else 0)
    beside = start.across * start.high if start.across < start.columns else 0
    least = max(math.ceil((need + beside) / start.columns), start.high + 3 if beside else 3)
    body = _first_that_holds(item, start, above, least, min(least + 4, most - above))
    if body:
        for deep in range(body, min(body + 16, most - above + 1)):
            empty = (deep * start.columns - beside - need) / max(1, need + beside)
            if empty > 0.22:  # noqa: PLR2004 - a hole
                break
            price = start.price + (60 * empty if empty < SPREAD else 60 * SPREAD + 420 * (empty - SPREAD))
            yield price, above + deep, start, False
    if cuts and item.role != "brief" and need >= SHORTEST_CUT + FEWEST_LEFT:
        dear = start.price + (2 if item.page == 1 else 34) + (60 if item.comes_from else 0)
        first = (start.high + 3) if beside else math.ceil((SHORTEST_CUT + JUMP) / start.columns)
        for deep in range(first, min(least, most - above + 1)):
            shown = deep * start.columns - beside - JUMP
            if shown >= SHORTEST_CUT and need - shown >= FEWEST_LEFT:
                yield dear, above + deep, start, True


def _first_that_holds(item: Item, start: Shape, above: int, least: int, most: int) -> int:
    """The lowest text box that holds all of the text, whose lines may not be parted everywhere; 0 for none."""
    for deep in range(least, most + 1):
        shape = _at(start, above + deep, cut=False, price=0.0)
        _, mark = pour(item.units, item.mark, rooms(shape, item=item, cut=False))
        if is_end(item.units, mark):
            return deep
    return 0


def _at(shape: Shape, lines: int, *, cut: bool, price: float) -> Shape:
    return Shape(
        shape.columns, lines, shape.size, shape.head, shape.deck, shape.across, shape.high, cut=cut, price=price
    )


def make_page(
    items: Sequence[Item],
    *,
    columns: int,
    first: int,
    lines: int,
    sizes: Mapping[int, Mapping[int, Sequence[int]]],
    shapes: Shapes,
) -> Made:
    """The cheapest page of `columns` columns from column `first` on and `lines` lines that shows all items in order.

    `sizes` says, for an item's place in the order and its columns, which headline sizes suit.
    """
    tables: list[dict[int, Table]] = []
    for place, item in enumerate(items):
        suited = sizes[max(key for key in sizes if key <= place)]
        tables.append({count: shapes.of(item, count, lines, suited.get(count, ())) for count in range(1, columns + 1)})
    offers = [_row_offers(tables, done, columns) for done in range(len(items))]
    states: list[dict[int, tuple[float, tuple[tuple[Shape, ...], ...]]]] = [{} for _ in range(len(items) + 1)]
    states[0][0] = (0.0, ())
    for done in range(len(items)):
        for used, (price, rows) in sorted(states[done].items(), key=lambda entry: entry[1][0])[:KEPT]:
            previous = tuple(shape.columns for shape in rows[-1]) if rows else ()
            for split, priced, heights in offers[done]:
                if split == previous and len(split) > 1 and columns > 2:  # noqa: PLR2004 - the same row twice is dull
                    continue
                there = states[done + len(split)]
                for dear, high in _fitting(priced, heights, lines - used):
                    taken, total = used + high + RULE, price + dear + (SAME if split == previous else 0.4)
                    if taken not in there or total < there[taken][0]:
                        row = tuple(tables[done + place][count][high] for place, count in enumerate(split))
                        there[taken] = (total, (*rows, row))
    return _best_end(states[-1], items, first, lines)


SAME = 7.0  # the price of two stories across the page under each other
KEPT = 26  # beginnings of a page that are followed up
TRIED = 10  # heights of a row, the cheapest first
RowOffer = tuple[tuple[int, ...], list[tuple[float, int]], Mapping[int, float]]


def _row_offers(tables: Sequence[Mapping[int, Table]], done: int, columns: int) -> list[RowOffer]:
    """(columns of its stories, (price, height) cheapest first, height -> price) for every row that may come next."""
    made: list[RowOffer] = []
    for split in SPLITS[columns]:
        if done + len(split) > len(tables):
            continue
        offers = [tables[done + place][count] for place, count in enumerate(split)]
        heights = set(offers[0]).intersection(*offers[1:])
        prices = {high: sum([offer[high].price for offer in offers]) for high in heights}
        if prices:
            made.append((split, sorted((price, high) for high, price in prices.items()), prices))
    return made


def _fitting(priced: list[tuple[float, int]], prices: Mapping[int, float], room: int) -> Iterator[tuple[float, int]]:
    """The cheapest heights that have room, and those that fill what is left of the page, whatever they cost."""
    found = 0
    for price, high in priced:
        if high <= room:
            yield price, high
            found += 1
            if found == TRIED:
                break
    for high in range(room - RULE, room + 1):
        if high in prices:
            yield prices[high], high


def _best_end(
    ends: Mapping[int, tuple[float, tuple[tuple[Shape, ...], ...]]],
    items: Sequence[Item],
    first: int,
    lines: int,
) -> Made:
    best: Made | None = None
    for used, (price, rows) in ends.items():
        over = lines + RULE - used
        if over < 0:
            continue
        total, filler, stretch = price, None, 0
        if over >= FILLER + RULE:
            total += 30 + 1.6 * over
            filler = (lines - over + RULE, over - RULE)
        elif over:
            stretch = over
            total += 1.2 * over if over <= 2 * max(1, len(rows) - 1) else 30 + 4 * over
        if best is None or total < best.price:
            best = Made(_place(rows, items, first, stretch), filler, total, stretch)
    return best or Made((), (0, lines), DEAR)


FILLER = 7  # lines of the lowest box that can stand at a page's foot


def _place(rows: Sequence[tuple[Shape, ...]], items: Sequence[Item], first: int, stretch: int) -> tuple[Placed, ...]:
    placed: list[Placed] = []
    line = done = 0
    for number, row in enumerate(rows):
        column = first
        for shape in row:
            placed.append(Placed(items[done], shape, column, line))
            column += shape.columns
            done += 1
        extra = stretch * (number + 1) // max(1, len(rows) - 1) - stretch * number // max(1, len(rows) - 1)
        line += row[0].lines + RULE + (extra if number < len(rows) - 1 else 0)
    return tuple(placed)


@lru_cache(maxsize=4)
def sizes_for(kind: str) -> Mapping[int, Mapping[int, Sequence[int]]]:
    """Headline sizes in points, best first, by a story's place on the page and its columns."""
    lead = {6: (60, 52), 5: (54, 46), 4: (48, 40), 3: (38, 32), 2: (30, 26), 1: (20,)}
    second = {6: (40, 34), 5: (38, 32), 4: (34, 30), 3: (30, 26), 2: (24, 21), 1: (17, 15)}
    other = {6: (34, 28), 5: (32, 28), 4: (28, 24), 3: (24, 21), 2: (20, 17), 1: (15, 13)}
    if kind == "front":
        return {0: lead, 1: second, 3: other}
    softer = {count: tuple(size for size in (*second[count], *other[count])) for count in second}
    inner = {6: (48, 42), 5: (44, 38), 4: (40, 34), 3: (34, 30), 2: (26, 22), 1: (19, 17)}
    return {0: inner, 1: softer, 2: second, 3: other}


ALL_SIZES = tuple(
    sorted(
        {
            (count, size)
            for kind in ("front", "inner")
            for by in sizes_for(kind).values()
            for count, many in by.items()
            for size in many
        }
    )
)
"""Every (columns, size) in which a headline may have to be measured."""

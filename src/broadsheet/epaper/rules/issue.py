"""From the day's stories to the pages of an issue: the front with its briefs, then section after section. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from broadsheet.epaper.rules.flow import Mark, left, pour
from broadsheet.epaper.rules.grid import COLUMNS, LINE, LINES, MASTHEAD, width_of
from broadsheet.epaper.rules.makeup import Item, Made, Placed, Shapes, make_page, rooms, sizes_for

FRONT_STORIES = (4, 5, 6)
RAIL = 1
MOST_PAGES = 16
MOST_ON_PAGE = 10


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of the issue: what is placed on it, its section's name, and where each cut story's text goes on
    (`key` -> mark)."""

    number: int
    section: str
    made: Made
    goes_on: dict[int, Mark]


@dataclass(frozen=True, slots=True)
class Issue:
    """The pages, and the keys of stories that no page had room for."""

    sheets: tuple[Sheet, ...]
    left_out: tuple[int, ...] = ()


def needs(item: Item) -> float:
    """About how many column lines an item takes."""
    text = left(item.units, item.mark)
    head = 9 if text < 25 else 16 if text < 70 else 24  # noqa: PLR2004 - lines
    picture = 0.0
    if item.aspect is not None and item.mark == Mark():
        across = 1 if text < 40 else 2 if text < 130 else 3  # noqa: PLR2004 - lines
        picture = min(across * (width_of(across) / item.aspect / LINE + 3), 20 + 0.6 * text)
    return text * 1.05 + head + picture


def plan(items: Sequence[Item], *, least: int = 8, most: int = MOST_PAGES) -> Issue:
    """The issue of as many pages, an even number, as the stories ask for; `items` in the order of
    sections; the front takes those of the lowest rank."""
    area = sum(needs(item) for item in items) + MASTHEAD * COLUMNS + LINES
    room = LINES * COLUMNS
    pages = max(min(least, _even(area / room * 0.9)), _even(area / room - 0.35))
    shapes = Shapes()
    while True:
        pages = min(pages, most)
        issue = _plan(items, pages, shapes)
        if not issue.left_out or pages >= most:
            return issue
        pages += 2


def _even(pages: float) -> int:
    whole = int(pages) + (pages > int(pages))
    return max(2, whole + whole % 2)


def _plan(items: Sequence[Item], pages: int, shapes: Shapes) -> Issue:
    front, waiting = _front(items, shapes)
    sheets = [front]
    for number in range(2, pages + 1):
        chosen, made, waiting = _inner(waiting, number, pages - number + 1, shapes)
        if not chosen:
            break
        waiting = [*_turned(made, number), *waiting]
        sheets.append(Sheet(number, _section(chosen), made, _marks(made)))
    missing = [item.key for item in waiting]
    return Issue(tuple(sheets), tuple(dict.fromkeys(missing)))


def _front(items: Sequence[Item], shapes: Shapes) -> tuple[Sheet, list[Item]]:
    ranked = sorted(items, key=lambda item: item.rank)
    asked = [item for item in ranked if item.page == 1] or ranked
    best: Made | None = None
    for count in FRONT_STORIES:
        chosen = [replace(item, page=1) for item in asked[:count]]
        if len(chosen) < min(count, len(asked)):
            continue
        made = make_page(
            chosen,
            columns=COLUMNS - RAIL,
            first=RAIL,
            lines=LINES - MASTHEAD,
            sizes=sizes_for("front"),
            shapes=shapes,
        )
        if best is None or made.price / len(made.placed or [0]) < best.price / len(best.placed or [0]):
            best = made
    assert best is not None
    shown = {placed.item.key for placed in best.placed}
    rest = [item for item in items if item.key not in shown]
    return Sheet(1, "", best, _marks(best)), [*_turned(best, 1), *rest]


def _inner(waiting: Sequence[Item], number: int, pages: int, shapes: Shapes) -> tuple[list[Item], Made, list[Item]]:
    """The stories of one page: what was turned over here first in the order of weight, then the next of a section."""
    order = _order(waiting, number)
    if not order:
        return [], Made((), None, 0.0), []
    room = LINES * COLUMNS
    target = min(room * 1.04, sum(needs(item) for item in waiting) / pages)
    count, area = 0, 0.0
    while count < len(order) and count < MOST_ON_PAGE and (area + needs(order[count]) / 2 < target or not count):
        area += needs(order[count])
        count += 1
    best: tuple[float, list[Item], Made] | None = None
    for tried in (count - 1, count, count + 1, count + 2) if pages > 1 else (len(order), count):
        # A story at least stays for each page that follows.
        if not 0 < tried <= min(len(order), MOST_ON_PAGE, max(1, len(order) - pages + 1)):
            continue
        chosen = sorted(order[:tried], key=lambda item: (item.comes_from > 0, -item.weight))
        made = make_page(chosen, columns=COLUMNS, first=0, lines=LINES, sizes=sizes_for("inner"), shapes=shapes)
        drift = abs(sum(needs(item) for item in chosen) - target) / room
        price = 4 * made.price / len(chosen) + 500 * drift**2
        if best is None or price < best[0]:
            best = price, chosen, made
    assert best is not None
    _, chosen, made = best
    keys = {(item.key, item.mark) for item in chosen}
    return chosen, made, [item for item in waiting if (item.key, item.mark) not in keys]


def _order(waiting: Sequence[Item], number: int) -> list[Item]:
    """Those asked for here, two at most of what goes on from other pages, then stories in the order of sections."""
    asked = [item for item in waiting if item.page == number]
    turned = [item for item in waiting if item.comes_from][:2]
    fresh = [item for item in waiting if not item.comes_from and item.page in (0, 1)]
    later = [item for item in waiting if item.comes_from][2:] + [item for item in waiting if item.page > number]
    return [*asked, *turned, *fresh, *later] if fresh or asked else [*turned, *later]


def _marks(made: Made) -> dict[int, Mark]:
    return {placed.item.key: stopped(placed) for placed in made.placed if placed.shape.cut}


def stopped(placed: Placed) -> Mark:
    """Where the text of a placed story stops."""
    _, mark = pour(placed.item.units, placed.item.mark, rooms(placed.shape, item=placed.item, cut=placed.shape.cut))
    return mark


def _turned(made: Made, number: int) -> list[Item]:
    """What goes on elsewhere."""
    return [
        replace(placed.item, mark=stopped(placed), comes_from=number, page=0, role="story", kicker=False)
        for placed in made.placed
        if placed.shape.cut
    ]


def _section(chosen: Sequence[Item]) -> str:
    fresh = [item.section for item in chosen if not item.comes_from] or [item.section for item in chosen]
    return max(dict.fromkeys(fresh), key=fresh.count)

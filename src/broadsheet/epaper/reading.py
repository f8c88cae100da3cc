"""An edition as a reader let in sees it now: stories that are no longer in print are not among its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from broadsheet.access.queries import live_grants
from broadsheet.epaper import queries
from broadsheet.epaper.rules import reading as rules_reading
from broadsheet.epaper.rules.reading import Hit
from broadsheet.epaper.values import AreaView, Box, EditionView, PageView, Word
from broadsheet.newsroom.queries import cards_by_id
from broadsheet.newsroom.values import Card


@dataclass(frozen=True, slots=True)
class OpenEdition:
    """`areas` by id, in reading order; `cards` of their stories that are in print; `gone` boxes of those that are
    not, by page."""

    edition: EditionView
    pages: tuple[PageView, ...]
    areas: Mapping[int, AreaView]
    cards: Mapping[int, Card]
    gone: Mapping[int, tuple[Box, ...]]

    @property
    def base(self) -> str:
        return base_path(self.edition)

    def page(self, number: int) -> PageView | None:
        return next((page for page in self.pages if page.number == number), None)

    def on_page(self, number: int) -> list[AreaView]:
        return [area for area in self.areas.values() if area.page == number]

    def heading(self, area: AreaView) -> str:
        """What a story is called, also where it goes on under no headline of its own."""
        first = (rules_reading.chain(self.areas, area.id) or (area,))[0]
        card = self.cards.get(first.story_id) if first.story_id else None
        return first.headline or area.headline or (card.headline if card else "")


def base_path(edition: EditionView) -> str:
    """The edition's address, with a slash at its end."""
    return f"/epaper/{edition.date:%Y-%m-%d}/{edition.city + '/' if edition.city else ''}"


def data_path(edition: EditionView) -> str:
    """Where its pictures and data lie."""
    return f"/epaper/e/{edition.id}/"


def find_edition(day: date, city: str) -> EditionView | None:
    """The edition of a day and city; without a city the day's first one."""
    found = queries.edition_of(day, city)
    if found is None and not city:
        found = next(iter(queries.editions_between(day, date.fromordinal(day.toordinal() + 1))), None)
    return found


def opened(edition: EditionView, *, with_text: bool = False) -> OpenEdition:
    """All of it; `with_text` with what its stories say."""
    rows = queries.areas(edition.id, with_text=with_text)
    cards = cards_by_id({row.story_id for row in rows if row.story_id is not None})
    gone: dict[int, tuple[Box, ...]] = {}
    areas: dict[int, AreaView] = {}
    for row in rows:
        if row.kind == "withdrawn" or (row.story_id is not None and row.story_id not in cards):
            gone[row.page] = (*gone.get(row.page, ()), *row.boxes)
        else:
            areas[row.id] = row
    return OpenEdition(edition, _pages(edition), areas, cards, gone)


def _pages(edition: EditionView) -> tuple[PageView, ...]:
    """Every page that is or will be there: those nobody has begun yet stand as not ready."""
    made = {page.number: page for page in queries.pages(edition.id)}
    total = max([edition.pages_total, *made])
    return tuple(made.get(number) or _unmade(number) for number in range(1, total + 1))


def _unmade(number: int) -> PageView:
    return PageView(0, number, str(number), "", False, False, "", "", 0, 0, ())


def words(shown: OpenEdition, number: int) -> list[Word]:
    """The words of a page with their places."""
    return rules_reading.without(queries.page_words(shown.edition.id, number), shown.gone.get(number, ()))


def search(shown: OpenEdition, query: str) -> tuple[Hit, ...]:
    """Where the words of a query stand, page by page."""
    terms = rules_reading.terms_of(query)
    if not terms:
        return ()
    found = (rules_reading.find(words(shown, page.number), terms, page.number) for page in shown.pages if page.ready)
    return tuple(hit for hits in found for hit in hits)


def area_at(shown: OpenEdition, hit: Hit) -> AreaView | None:
    """The story in which a hit lies."""
    middle = hit.boxes[0]
    for area in shown.on_page(hit.page):
        if any(rules_reading.holds(box, middle) for box in area.boxes):
            return area
    return None


def may_keep_until(reader_id: int, now: datetime) -> datetime:
    """Until when a reader who is let in may read without a network what a device keeps."""
    grants = [row for row in live_grants(reader_id, now) if row.product == "epaper" and row.starts_at <= now]
    return rules_reading.kept_until([row.ends_at for row in grants], now)
